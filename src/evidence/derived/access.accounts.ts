import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { identify, repository } from '../components/identify.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { attempt } from '../partial-rows.ts';
import { collector as balancersCollector } from './cilium.load-balancers.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';

const HIT = {
  id: 'str',
  count: 'int',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  sample: 'str',
  verb: 'str',
  resource: 'str',
} as const;

const ROW = {
  /** The service account that the API server names, else that of the pod. */
  account: REF,
  pod: REF,
  workload: REF,
  node: 'str',
  container: 'str',
  containerKey: 'str',
  component: 'str',
  podAge: 'int',
  /** It ends again and again: a line is enough that comes once a run. */
  crashing: 'bool',
  /** The Secret that it mounts in place of a token of its own; '' for a projected token. */
  tokenSecret: 'str',
  /** Lines of the run that counts: the present one, and the one before where the container cannot stay up. */
  denied: [HIT],
  rejected: [HIT],
} as const;

type Row = ShapeOf<typeof ROW>;
type Container = ShapeOf<typeof containersCollector.shape>[number];
type Hit = ShapeOf<typeof logsCollector.shape>['hits'][number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];

/** Programs that live by what they read from the API server. */
const CLIENTS: ReadonlySet<string> = new Set(['operator', 'prometheus', 'grafana', 'coredns']);
const CLIENT_IMAGES: ReadonlySet<string> = new Set(['kube-state-metrics', 'k8s-sidecar', 'metrics-server']);
/** Controllers that are asked only where what they have to do is not done: they are many, and seldom at fault. */
const ANNOUNCERS = 'cilium';
const STORAGE_IMAGES: ReadonlySet<string> = new Set(['csi-provisioner', 'csi-attacher']);
/** Whose rights have rules of their own. */
const OWN_RULES: ReadonlySet<string> = new Set(['operator', 'prometheus']);

const DENIED: ReadonlySet<string> = new Set(['api-access-forbidden', 'cilium-leases-forbidden']);
const REJECTED = 'api-token-rejected';

export const collector = derived({
  id: 'access.accounts',
  about: "What the API server refuses to the stack's own programs, as their logs say it, by service account.",
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [containers, pods] = await Promise.all([
      context.get(containersCollector),
      listOrGap(context.get(podsCollector)),
    ]);
    const byKey = new Map(known(pods).map(pod => [pod.key, pod]));
    const undone = await undoneWork(context);
    const rows = await Promise.all(
      asked(known(containers), undone).map(one => rowOf(context, one, byKey.get(one.pod.key))),
    );
    return [...rows, ...gapsIn(containers).map(gap => gapElement(gap) as Row)];
  },
});

interface Undone {
  readonly announcing: boolean;
  readonly storage: boolean;
}

/** What is not known to be undone is no reason to read more. */
async function undoneWork(context: Context): Promise<Undone> {
  const [balancers, claims] = await Promise.all([
    listOrGap(context.get(balancersCollector)),
    listOrGap(context.get(claimsCollector)),
  ]);
  return {
    announcing: known(balancers).some(one => (attempt(() => one.l2.why).value ?? '') !== ''),
    storage: known(claims).some(claim => claim.phase === 'Pending'),
  };
}

/** One pod of a DaemonSet tells of all; of a container that cannot stay up, every one is asked. */
function asked(containers: readonly Container[], undone: Undone): readonly Container[] {
  const daemons = new Set<string>();
  return containers.filter(one => {
    if (one.history || one.podDeleting) return false;
    if (one.crashLooping) return true;
    if (one.state !== 'running' || !isClient(one, undone)) return false;
    if (one.workload.kind !== 'DaemonSet') return true;
    const key = `${one.workload.key} ${one.container}`;
    return !daemons.has(key) && daemons.add(key);
  });
}

function isClient(container: Container, undone: Undone): boolean {
  const component = identify(container);
  const image = repository(container.image);
  if (CLIENTS.has(component) || CLIENT_IMAGES.has(image)) return true;
  return (undone.announcing && component === ANNOUNCERS) || (undone.storage && STORAGE_IMAGES.has(image));
}

async function rowOf(context: Context, container: Container, pod: Pod | undefined): Promise<Row> {
  const component = identify(container);
  const { namespace, name } = container.pod;
  const hits = await hitsOf(context, container);
  const counting = hits.filter(hit => gapOf(hit) || container.crashLooping || !hit.previous);
  const of = (wanted: (id: string) => boolean) =>
    counting.filter(hit => gapOf(hit) || wanted(hit.id)).map(hit => (gapOf(hit) ? (hit as never) : hitRow(hit)));
  const denied = OWN_RULES.has(component) ? [] : of(id => DENIED.has(id));
  const token = pod?.volumes.find(volume => volume.kind === 'secret' && isAtTokenPlace(container, volume.name));
  return {
    account:
      accountIn(known(counting)) ?? (pod ? ref('ServiceAccount', namespace, pod.serviceAccount || 'default') : NOBODY),
    pod: ref('Pod', namespace, name, container.pod.uid),
    workload: container.workload,
    node: container.node,
    container: container.container,
    containerKey: container.containerKey,
    component,
    podAge: container.podAge,
    crashing: container.crashLooping,
    tokenSecret: token?.source ?? '',
    denied,
    rejected: of(id => id === REJECTED),
  };
}

async function hitsOf(context: Context, container: Container): Promise<readonly Hit[]> {
  const { namespace, name } = container.pod;
  try {
    const { hits } = await context.get(logsCollector, { namespace, pod: name, container: container.container });
    return hits;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const gap: Gap = { ...error.gap, evidence: error.gap.evidence || 'logs.signatures' };
    return [gapElement(gap)];
  }
}

function hitRow({ id, count, first, last, lastAge, sample, captured }: Hit): Row['denied'][number] {
  return { id, count, first, last, lastAge, sample, verb: captured.verb ?? '', resource: captured.resource ?? '' };
}

/** `system:serviceaccount:namespace:name` */
function accountIn(hits: readonly Hit[]): Ref | undefined {
  for (const { id, captured } of hits) {
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(captured.user ?? '') ?? [];
    if (DENIED.has(id) && namespace && name) return ref('ServiceAccount', namespace, name);
  }
  return undefined;
}

/** Where the kubelet mounts a token, a Secret was put by hand. */
function isAtTokenPlace(container: Container, volume: string): boolean {
  return container.mounts.some(mount => mount.volume === volume && mount.path.includes('/serviceaccount'));
}
