import { GapSignal } from '../../model/gap.ts';
import { derived } from '../collector.ts';
import { gapped } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { type Connection, judge, type Peer, type PodPeer, type PolicyOpinion } from '../policies/connection.ts';
import { podPeers, policiesOf } from '../policies/peers.ts';
import { collector as configCollector } from './cilium.config.ts';

export const collector = derived({
  id: 'network.policy-effects',
  about:
    'Whether policies allow one connection between pods, or from and to the world outside, and which one does not.',
  /** `from` and `to`: `namespace/pod`, `world` or an address; `port`: a number, `/UDP` behind it for UDP. */
  params: ['from', 'to', 'port'],
  shape: {
    port: 'int',
    /** allowed, denied or undecidable */
    verdict: 'str',
    direction: 'str',
    selectedBy: [REF],
    deniedBy: REF,
    /** What an allowing rule would need. */
    missing: 'str',
  },
  async collect(context) {
    const { from = '', to = '', port = '' } = context.params;
    const config = await gapped(context.get(configCollector));
    const peers = await podPeers(context);
    const connection: Connection = {
      from: peerNamed(from, peers),
      to: peerNamed(to, peers),
      port: Number.parseInt(port, 10),
      protocol: port.endsWith('/UDP') ? 'UDP' : 'TCP',
    };
    const policies = await policiesOf(context, config.installed);
    const { verdict, direction, selecting, closing } = judge(policies.all, connection);
    const [gap] = policies.gaps;
    if (gap && verdict !== 'denied') throw new GapSignal(gap);
    const youngest = youngestOf(closing);
    return {
      port: connection.port,
      verdict,
      direction,
      selectedBy: selecting.map(refOf),
      deniedBy: youngest ? refOf(youngest) : NOBODY,
      missing: verdict === 'denied' ? missingRule(connection, direction) : '',
    };
  },
});

function peerNamed(text: string, peers: ReadonlyMap<string, PodPeer>): Peer {
  const pod = peers.get(`Pod ${text}`);
  if (pod) return pod;
  if (text === 'world') return { is: 'world', ip: '', name: '' };
  if (/^[0-9a-f.:]+$/i.test(text)) return { is: 'world', ip: text, name: '' };
  throw new GapSignal({ reason: 'not-found', detail: `there is no pod ${text}` });
}

export function refOf(policy: PolicyOpinion) {
  return ref(policy.kind, policy.namespace, policy.name, policy.uid);
}

/** Of several that all keep a connection from being made, the one that came last. */
export function youngestOf(policies: readonly PolicyOpinion[]): PolicyOpinion | undefined {
  return [...policies].sort((one, other) =>
    one.created < other.created ? 1 : one.created > other.created ? -1 : one.key < other.key ? -1 : 1,
  )[0];
}

/** The rule that lacks, in one line. */
export function missingRule(connection: Connection, direction: string): string {
  const { from, to, port, protocol } = connection;
  return direction === 'ingress'
    ? `ingress to ${labelled(to)} from ${labelled(from)}, port ${port}/${protocol}`
    : `egress of ${labelled(from)} to ${labelled(to)}, port ${port}/${protocol}`;
}

function labelled(peer: Peer): string {
  if (peer.is === 'world') return peer.name || peer.ip || 'outside the cluster';
  const names = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app', 'k8s-app'];
  const named = names
    .filter(name => peer.labels[name])
    .slice(0, 2)
    .map(name => `${name}: ${peer.labels[name]}`);
  return `pods of ${peer.namespace} with {${named.join(', ')}}`;
}
