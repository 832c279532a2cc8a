import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { repository } from '../components/identify.ts';
import { gapElement, gapOf, gapped, known, listOrGap, orGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF } from '../objects.ts';
import { type Judgement, judge, type Peer, type PolicyOpinion } from '../policies/connection.ts';
import { type Path, pathsOf } from '../policies/paths.ts';
import { podPeers, policiesOf } from '../policies/peers.ts';
import { isCiliumAgent } from '../system-components.ts';
import { missingRule, refOf, youngestOf } from './network.policy-effects.ts';

const ROW = {
  policy: REF,
  created: 'time',
  age: 'int',
  /** ingress or egress */
  direction: 'str',
  /** A rule denies, as against none that allows. */
  byRule: 'bool',
  paths: [{ purpose: 'str', from: 'str', to: 'str', port: 'int', protocol: 'str', observed: 'str', words: 'str' }],
  /** Some path was seen not to work. */
  observed: 'bool',
  /** The cluster's network enforces policies, or a path was seen not to work. */
  enforced: 'bool',
  /** Rules that lack, one a line. */
  missing: ['str'],
  /** Keys of pods and of what does not work without the paths. */
  breaks: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

interface Closed {
  readonly policy: PolicyOpinion;
  readonly path: Path;
  readonly judgement: Judgement;
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  's3-conn-timeout',
  's3-dns-timeout',
  'name-server-silent',
  'query-dns-unanswered',
]);
const ENFORCERS: ReadonlySet<string> = new Set([
  'kube-router',
  'antrea-agent-ubuntu',
  'antrea-ubuntu',
  'weave-npc',
  'calico-node',
]);

export const collector = derived({
  id: 'network.blocked-paths',
  about: 'Network policies that close a path which the monitoring needs: one row a policy.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const daemonSets = await listOrGap(context.get(daemonSetsCollector));
    const cilium = known(daemonSets).some(isCiliumAgent);
    const policies = await policiesOf(context, cilium);
    const unread = policies.gaps.map(gap => gapElement(gap));
    if (policies.all.length === 0) return unread;
    const peers = await podPeers(context);
    const workloads = new Map(
      known(await listOrGap(context.get(podsCollector))).map(pod => [pod.key, pod.workload.key]),
    );
    const closed: Closed[] = [];
    for (const path of await pathsOf(context, peers)) {
      if (path.observed === 'works' || path.observed === 'refused') continue;
      const judgement = judge(policies.all, path);
      const policy = judgement.verdict === 'denied' ? youngestOf(judgement.closing) : undefined;
      if (policy && !(await hasUploadedSince(path, policy, context)))
        closed.push({ policy, judgement, path: path.log ? await withLog(path, context) : path });
    }
    const enforces = cilium || known(daemonSets).some(one => enforcesPolicies(one.template.containers));
    const byPolicy = groupBy(closed);
    return [...byPolicy.values()].map(rowOf).concat(unread as never[]);

    function rowOf(own: readonly Closed[]): Row {
      const { policy, judgement } = own[0]!;
      const observed = own.some(one => one.path.observed === 'fails');
      const pods = own
        .flatMap(({ path }) => [path.from, path.to])
        .flatMap(peer => (peer.is === 'pod' ? [peer.key] : []));
      const row = {
        policy: refOf(policy),
        created: policy.created,
        age: Math.max(0, Math.floor((context.takenAt - Date.parse(policy.created)) / 1000)),
        direction: judgement.direction,
        byRule: judgement.byRule,
        paths: own.map(({ path }) => ({
          purpose: path.purpose,
          from: nameOf(path.from),
          to: nameOf(path.to),
          port: path.port,
          protocol: path.protocol,
          observed: path.observed,
          words: path.words,
        })),
        observed,
        missing: [...new Set(own.map(one => missingRule(one.path, one.judgement.direction)))],
        breaks: [
          ...new Set([...pods, ...pods.map(key => workloads.get(key) ?? ''), ...own.flatMap(one => one.path.breaks)]),
        ].filter(key => key !== ''),
      };
      return lazily<Row>(row, {
        enforced: () => {
          if (observed || enforces) return true;
          throw new GapSignal(unknownNetwork(context));
        },
      });
    }
  },
});

function groupBy(closed: readonly Closed[]): ReadonlyMap<string, readonly Closed[]> {
  const groups = new Map<string, Closed[]>();
  for (const one of closed) groups.set(one.policy.key, [...(groups.get(one.policy.key) ?? []), one]);
  return groups;
}

/** Whether the log of the one that asks says that nothing answers. Without the log nobody has looked. */
async function withLog(path: Path, context: Context): Promise<Path> {
  const log = await gapped(context.get(logsCollector, path.log!));
  if (gapOf(log)) return path;
  const hit = known(log.hits).find(one => TIMEOUTS.has(one.id) && one.open);
  return hit ? { ...path, observed: 'fails', words: hit.sample } : path;
}

/** What has been uploaded since the policy was made got through. */
async function hasUploadedSince(path: Path, policy: PolicyOpinion, context: Context): Promise<boolean> {
  if (path.purpose !== 'object-store') return false;
  const rows = known(await listOrGap(context.get(metricsCollector)));
  const own = rows.find(row => row.pod.name === path.log?.pod && row.container === path.log?.container);
  const last = own ? orGap(() => own.lastUpload) : '';
  return typeof last === 'string' && last !== '' && Date.parse(last) > Date.parse(policy.created);
}

function enforcesPolicies(containers: readonly { readonly image: string }[]): boolean {
  return containers.some(
    ({ image }) => ENFORCERS.has(repository(image)) || /(?:^|\/)calico\/(?:node|cni)(?:[:@]|$)/.test(image),
  );
}

function unknownNetwork(context: Context): Gap {
  return {
    evidence: 'network.blocked-paths',
    reason: 'not-asked',
    detail: `nothing in ${context.cluster} is known to enforce network policies`,
    path: '',
    notLookedAt: true,
  };
}

function nameOf(peer: Peer): string {
  return peer.is === 'pod' ? `${peer.namespace}/${peer.name}` : peer.name || peer.ip || 'outside the cluster';
}
