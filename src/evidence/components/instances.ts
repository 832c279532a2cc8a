import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { collector as workloadsCollector } from '../derived/kubernetes.workloads.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { makeUnknown } from './unknown-fields.ts';

/** One pod of an instance, as far as the container in question goes. */
const INSTANCE_POD = {
  pod: REF,
  containerKey: 'str',
  container: 'str',
  /** The container is ready, and its node is not lost. */
  ready: 'bool',
  state: 'str',
  reason: 'str',
  /** Of the last run that ended; -1 if none did. */
  exitCode: 'int',
  exitReason: 'str',
  restarts: 'int',
  node: 'str',
  age: 'int',
  /** Seconds since the pod's containers are not all ready; 0 where the container is ready. */
  unreadyFor: 'int',
  unreadySince: 'time',
  claim: REF,
} as const;

/** One Prometheus, Alertmanager or Grafana: a custom resource, or the workload where no resource owns it. */
export const INSTANCE = {
  object: REF,
  kind: 'str',
  namespace: 'str',
  name: 'str',
  /** It belongs to a custom resource of the operator. */
  managed: 'bool',
  /** Existing ones, and those that the operator has to make. */
  workloads: [REF],
  workloadExists: 'bool',
  /** Pods that it is meant to have, over all shards. */
  desired: 'int',
  /** Of one shard. */
  replicas: 'int',
  shards: 'int',
  paused: 'bool',
  age: 'int',
  existing: 'int',
  ready: 'int',
  pods: [INSTANCE_POD],
  readyPods: [REF],
  unreadyPods: [REF],
  /** Seconds since it has no ready pod; 0 while it has one. */
  downFor: 'int',
  downSince: 'time',
  /** Seconds since some pod of it has not been ready; 0 while all are. */
  unreadyFor: 'int',
  unreadySince: 'time',
  /** Pods that are being deleted. */
  leaving: 'int',
  /** Seconds of the youngest pod that is not ready; -1 if all are. */
  youngestUnready: 'int',
  /** Nodes and claims of the pods that are not ready. */
  unreadyNodes: ['str'],
  unreadyClaims: ['str'],
  nodes: ['str'],
  claims: [REF],
  /** Pods of another revision than the newest are left: it is being rolled out. */
  updating: 'bool',
} as const;

export type Instance = ShapeOf<typeof INSTANCE>;
type InstancePod = Instance['pods'][number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type StatefulSet = ShapeOf<typeof statefulSetsCollector.shape>[number];

/** A custom resource that asks for pods of a component. */
export interface Asked {
  readonly object: Ref;
  readonly replicas: number;
  readonly shards: number;
  readonly paused: boolean;
  readonly age: number;
  readonly statefulSets: readonly Ref[];
}

/** Every instance of a component: of the custom resources (gap elements stay), and of workloads that none owns. */
export async function instancesOf(
  context: Context,
  component: string,
  asked: readonly Asked[],
): Promise<readonly Instance[]> {
  const [components, pods, statefulSets, workloads] = await Promise.all([
    context.get(componentsCollector),
    context.get(podsCollector),
    listOrGap(context.get(statefulSetsCollector)),
    listOrGap(context.get(workloadsCollector)),
  ]);
  // Where there is no pod, the youngest change of the workload says for how long there may have been none.
  const workloadAge = new Map(known(workloads).map(row => [row.workload.key, row.newestAge]));
  const podByKey = new Map(known(pods).map(pod => [pod.key, pod]));
  const mine = known(components).filter(row => row.component === component && row.workload.kind !== 'Job');
  const gap = gapsIn(components)[0];
  const resources = asked.map(resource => gapOf(resource) ?? resource);
  const rows = resources.map(resource => {
    if (!('object' in resource)) return gapElement(resource);
    const own = mine.filter(row => row.subject.key === resource.object.key || owns(resource, row));
    return instanceOf(resource, own, podByKey, statefulSets);
  });
  const owned = new Set(known(asked).map(resource => resource.object.key));
  const free = mine.filter(row => !owned.has(row.subject.key) && !known(asked).some(resource => owns(resource, row)));
  for (const group of groupBySubject(free).values()) {
    const first = group[0]!;
    const resource = {
      object: first.subject,
      replicas: first.replicas,
      shards: 1,
      paused: false,
      age: Math.max(
        ...group.map(row => (row.pod.name === '' ? (workloadAge.get(row.workload.key) ?? -1) : row.podAge)),
      ),
      statefulSets: [first.workload],
    };
    rows.push(instanceOf(resource, group, podByKey, statefulSets));
  }
  return gap ? [...rows, gapElement(gap)] : rows;
}

function owns(resource: Asked, row: Component): boolean {
  return resource.statefulSets.some(workload => workload.key === row.workload.key);
}

function groupBySubject(rows: readonly Component[]): ReadonlyMap<string, readonly Component[]> {
  const groups = new Map<string, Component[]>();
  for (const row of rows) groups.set(row.subject.key, [...(groups.get(row.subject.key) ?? []), row]);
  return groups;
}

function instanceOf(
  asked: Asked,
  components: readonly Component[],
  podByKey: ReadonlyMap<string, Pod>,
  statefulSets: readonly StatefulSet[],
): Instance {
  const pods = components
    .filter(row => row.pod.name !== '' && !row.podDeleting)
    .map(row => podOf(row, podByKey.get(row.pod.key)));
  const sets = known(statefulSets).filter(set => asked.statefulSets.some(workload => workload.key === set.key));
  const unready = pods.filter(pod => !pod.ready);
  const ready = pods.length - unready.length;
  const desired = asked.replicas * Math.max(asked.shards, 1);
  const workloadExists = components.length > 0 || sets.length > 0;
  const row: Instance = {
    object: asked.object,
    kind: asked.object.kind,
    namespace: asked.object.namespace,
    name: asked.object.name,
    managed: !WORKLOADS.has(asked.object.kind),
    workloads: asked.statefulSets,
    workloadExists,
    desired,
    replicas: asked.replicas,
    shards: Math.max(asked.shards, 1),
    paused: asked.paused,
    age: asked.age,
    existing: pods.length,
    ready,
    pods,
    readyPods: pods.filter(pod => pod.ready).map(pod => pod.pod),
    unreadyPods: unready.map(pod => pod.pod),
    downFor: ready > 0 ? 0 : pods.length === 0 ? Math.max(asked.age, 0) : Math.min(...pods.map(pod => pod.unreadyFor)),
    downSince: ready > 0 || pods.length === 0 ? '' : latest(pods.map(pod => pod.unreadySince)),
    unreadyFor: Math.max(0, ...unready.map(pod => pod.unreadyFor)),
    unreadySince: earliest(unready.map(pod => pod.unreadySince)),
    leaving: components.filter(one => one.podDeleting).length,
    youngestUnready: unready.length === 0 ? -1 : Math.min(...unready.map(pod => pod.age)),
    unreadyNodes: distinct(unready.map(pod => pod.node)),
    unreadyClaims: distinct(unready.map(pod => pod.claim.key)),
    nodes: distinct(pods.map(pod => pod.node)),
    claims: pods.filter(pod => pod.claim.name !== '').map(pod => pod.claim),
    updating: sets.some(set => set.updated < set.replicas),
  };
  const gap = gapsIn(statefulSets)[0];
  return gap && !workloadExists ? makeUnknown({ ...row }, ['workloadExists'], gap) : row;
}

function podOf(row: Component, pod: Pod | undefined): InstancePod {
  const container = pod?.containers.find(one => one.container === row.container);
  // On a lost node the kubelet changes nothing any more: its containers stay ready in words.
  const lost = pod !== undefined && !pod.ready && pod.unready.length === 0;
  const ready = row.ready && !lost;
  const condition = pod?.conditions.find(one => one.type === 'ContainersReady' && one.status === 'False');
  const volume = row.dataVolume.kind === 'claim' ? row.dataVolume.name : '';
  const claim = volume || pod?.volumes.find(one => one.kind === 'claim')?.source || '';
  return {
    pod: row.pod,
    containerKey: row.containerKey,
    container: row.container,
    ready,
    state: row.state,
    reason: row.reason,
    exitCode: container?.last.exitCode ?? -1,
    exitReason: container?.last.reason ?? '',
    restarts: row.restarts,
    node: row.node,
    age: row.podAge,
    unreadyFor: ready ? 0 : Math.max(condition?.age ?? row.podAge, 0),
    unreadySince: ready ? '' : (condition?.since ?? pod?.created ?? ''),
    claim: ref('PersistentVolumeClaim', row.pod.namespace, claim),
  };
}

const WORKLOADS: ReadonlySet<string> = new Set(['StatefulSet', 'Deployment', 'DaemonSet', 'ReplicaSet', 'Pod']);

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter(value => value !== ''))];
}

/** RFC 3339 times of one API server sort as text. */
function earliest(times: readonly string[]): string {
  return times.filter(time => time !== '').sort()[0] ?? '';
}

function latest(times: readonly string[]): string {
  return (
    times
      .filter(time => time !== '')
      .sort()
      .at(-1) ?? ''
  );
}
