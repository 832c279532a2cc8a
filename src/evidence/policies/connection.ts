type Labels = Readonly<Record<string, string>>;

export interface PodPeer {
  readonly is: 'pod';
  /** `Pod namespace/name` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
  readonly serviceAccount: string;
  readonly ip: string;
  /** It lives in the node's network: policies of pods do not concern it. */
  readonly hostNetwork: boolean;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/** Anybody outside the cluster; `ip` is '' where the address is not known. */
export interface WorldPeer {
  readonly is: 'world';
  readonly ip: string;
  readonly name: string;
}

export type Peer = PodPeer | WorldPeer;

export interface Connection {
  readonly from: Peer;
  readonly to: Peer;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

export type Direction = 'ingress' | 'egress';

/** What one policy says of a connection. `silent`: it does not concern it. `closes`: it selects the pod and does not allow it. */
export type Opinion = 'silent' | 'allows' | 'closes' | 'denies' | 'undecidable';

export interface PolicyOpinion {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly key: string;
  readonly created: string;
  of(connection: Connection, direction: Direction): Opinion;
}

export interface Judgement {
  readonly verdict: 'allowed' | 'denied' | 'undecidable';
  readonly direction: Direction;
  /** Policies that concern the connection. */
  readonly selecting: readonly PolicyOpinion[];
  /** Those that keep it from being made. */
  readonly closing: readonly PolicyOpinion[];
  /** A rule that denies it, as against none that allows it. */
  readonly byRule: boolean;
}

/** The pod that policies of a direction are about. */
export function concerned(connection: Connection, direction: Direction): PodPeer | undefined {
  const peer = direction === 'ingress' ? connection.to : connection.from;
  return peer.is === 'pod' && !peer.hostNetwork ? peer : undefined;
}

/** A denying rule wins; else one rule that allows it is enough; without a policy that selects the pod all is allowed. */
function judgeDirection(policies: readonly PolicyOpinion[], connection: Connection, direction: Direction): Judgement {
  const opinions = policies.map(policy => ({ policy, opinion: policy.of(connection, direction) }));
  const selecting = opinions.filter(one => one.opinion !== 'silent').map(one => one.policy);
  const having = (opinion: Opinion) => opinions.filter(one => one.opinion === opinion).map(one => one.policy);
  const result = (
    verdict: Judgement['verdict'],
    closing: readonly PolicyOpinion[] = [],
    byRule = false,
  ): Judgement => ({
    verdict,
    direction,
    selecting,
    closing,
    byRule,
  });
  const denying = having('denies');
  if (denying.length > 0) return result('denied', denying, true);
  if (selecting.length === 0 || having('allows').length > 0) return result('allowed');
  if (having('undecidable').length > 0) return result('undecidable');
  return result('denied', having('closes'));
}

/** Both directions have to allow a connection. */
export function judge(policies: readonly PolicyOpinion[], connection: Connection): Judgement {
  const egress = judgeDirection(policies, connection, 'egress');
  const ingress = judgeDirection(policies, connection, 'ingress');
  return (
    [egress, ingress].find(one => one.verdict === 'denied') ??
    [egress, ingress].find(one => one.verdict === 'undecidable') ?? {
      ...ingress,
      selecting: [...egress.selecting, ...ingress.selecting],
    }
  );
}

/** A port as a policy writes it: a number, a name that the destination's containers give, or a range. */
export function portMatches(
  port: string,
  endPort: number,
  protocol: string,
  { to, port: wanted, protocol: own }: Connection,
): boolean {
  if (protocol !== '' && protocol !== 'ANY' && protocol !== own) return false;
  if (port === '' || port === '0') return true;
  if (/^\d+$/.test(port)) return endPort > 0 ? wanted >= Number(port) && wanted <= endPort : wanted === Number(port);
  return to.is === 'pod' && to.ports.some(one => one.name === port && one.port === wanted);
}
