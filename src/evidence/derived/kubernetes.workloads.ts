import type { Gap } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as replicaSetsCollector } from '../collectors/kubernetes.replica-sets.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { identify } from '../components/identify.ts';
import { gapOf, gapsIn, groupedBy, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { type ContainerSpec, isStarting } from '../pod-containers.ts';
import { rowsOf } from '../rows.ts';
import { LAST_WRITERS } from '../writers.ts';

const ROW = {
  workload: REF,
  /** Pods that it is meant to have. */
  wanted: 'int',
  /** Pods that exist and are not finished. */
  present: 'int',
  ready: 'int',
  /** Pods that the controller should have made and did not; an OrderedReady set that waits for a pod lacks none. */
  lacking: 'int',
  /** Pods of the newest template that are ready. */
  updatedReady: 'int',
  /** Seconds since it was created. */
  age: 'int',
  created: 'time',
  paused: 'bool',
  /** The controller has not looked at its newest specification. */
  unseen: 'bool',
  /** A rollout is under way: not all of its pods, those that a partition holds back aside, are of the newest template. */
  rolling: 'bool',
  /** OnDelete, RollingUpdate or Recreate */
  strategy: 'str',
  partition: 'int',
  /** Condition Progressing of a Deployment. */
  progressing: { status: 'str', reason: 'str', message: 'str', since: 'time', age: 'int' },
  /** Seconds since its newest ReplicaSet was made; its own age where it has none. */
  newestAge: 'int',
  /** Which programs of the stack its containers are; empty for others. */
  components: ['str'],
  images: ['str'],
  /** Labels of its pod template. */
  podLabels: 'map',
  pods: [REF],
  unreadyPods: [REF],
  /** Longest time in seconds that a pod of the newest template has not been ready, its startup budget aside; -1 for none. */
  newUnreadyFor: 'int',
  /** Longest time in seconds that any of its pods has not been ready; -1 for none. */
  unreadyFor: 'int',
  owner: REF,
  managedBy: 'str',
  lastWriters: LAST_WRITERS,
} as const;

const toRow = rowsOf(ROW);

type Row = ShapeOf<typeof ROW>;
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type ReplicaSet = ShapeOf<typeof replicaSetsCollector.shape>[number];
type Deployment = ShapeOf<typeof deploymentsCollector.shape>[number];
type StatefulSet = ShapeOf<typeof statefulSetsCollector.shape>[number];
type DaemonSet = ShapeOf<typeof daemonSetsCollector.shape>[number];

const NO_CONDITION = { status: '', reason: '', message: '', since: '', age: -1 };
const OF_PODS = ['present', 'lacking', 'updatedReady', 'pods', 'unreadyPods', 'newUnreadyFor', 'unreadyFor'] as const;

export const collector = derived({
  id: 'kubernetes.workloads',
  about: 'Deployments, StatefulSets and DaemonSets in one form: how many pods they want, have and lack.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [pods, replicaSets, deployments, statefulSets, daemonSets] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(replicaSetsCollector)),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
      listOrGap(context.get(daemonSetsCollector)),
    ]);
    const [gap] = gapsIn(pods);
    const living = groupedBy(
      known(pods).filter(pod => pod.phase !== 'Succeeded' && pod.phase !== 'Failed'),
      pod => pod.workload.key,
    );
    const sets = groupedBy(known(replicaSets), set => set.owner.key);
    const rows: Row[] = [];
    for (const one of deployments)
      rows.push(gapOf(one) ? (one as never) : unsure(ofDeployment(one, living, sets), gap));
    for (const one of statefulSets) rows.push(gapOf(one) ? (one as never) : unsure(ofStatefulSet(one, living), gap));
    for (const one of daemonSets) rows.push(gapOf(one) ? (one as never) : unsure(ofDaemonSet(one, living), gap));
    return rows;
  },
});

function unsure(row: Row, gap: Gap | undefined): Row {
  if (!gap) return row;
  const rest = Object.fromEntries(
    Object.entries(row).filter(([field]) => !(OF_PODS as readonly string[]).includes(field)),
  );
  return withUnknownFields<Row>(rest as Partial<Row>, gap, OF_PODS);
}

interface Common {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly created: string;
  readonly age: number;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly strategy: string;
  readonly owner: Ref;
  readonly managedBy: string;
  readonly lastWriters: Row['lastWriters'];
  readonly template: {
    readonly labels: Readonly<Record<string, string>>;
    readonly containers: readonly ContainerSpec[];
  };
}

type ByKey<Row> = ReadonlyMap<string, readonly Row[]>;

function common(kind: string, one: Common, pods: ByKey<Pod>) {
  const workload = ref(kind, one.namespace, one.name, one.uid);
  const own = pods.get(workload.key) ?? [];
  const podRef = (pod: Pod) => ref('Pod', pod.namespace, pod.name, pod.uid);
  const identified = one.template.containers.map(container => identify(container)).filter(name => name !== '');
  return {
    own,
    row: {
      workload,
      present: own.length,
      age: one.age,
      created: one.created,
      unseen: one.observedGeneration < one.generation,
      strategy: one.strategy,
      partition: 0,
      paused: false,
      progressing: NO_CONDITION,
      newestAge: one.age,
      components: [...new Set(identified)],
      images: one.template.containers.map(container => container.image),
      podLabels: one.template.labels,
      pods: own.map(podRef),
      unreadyPods: own.filter(pod => !pod.ready).map(podRef),
      newUnreadyFor: -1,
      unreadyFor: longestUnready(own),
      owner: one.owner,
      managedBy: one.managedBy,
      lastWriters: one.lastWriters,
    },
  };
}

function ofDeployment(one: Deployment, pods: ByKey<Pod>, replicaSets: ByKey<ReplicaSet>): Row {
  const { own, row } = common('Deployment', one, pods);
  const newest = (replicaSets.get(row.workload.key) ?? []).reduce<ReplicaSet | undefined>(
    (best, set) => (best && best.revision >= set.revision ? best : set),
    undefined,
  );
  const current = newest ? own.filter(pod => pod.owner.key === newest.key) : own;
  // With maxSurge the old pod stays while the new one is refused: then only the newest ReplicaSet is short.
  const lackingNew = newest ? newest.replicas - current.filter(pod => !pod.deleting).length : 0;
  const progressing = one.conditions.find(condition => condition.type === 'Progressing');
  return toRow(row, {
    wanted: one.replicas,
    ready: one.ready,
    lacking: Math.max(0, one.replicas - own.length, lackingNew),
    updatedReady: current.filter(pod => pod.ready && !pod.superseded).length,
    newUnreadyFor: longestUnready(current),
    paused: one.paused,
    rolling: one.updated < one.replicas,
    progressing: progressing ?? NO_CONDITION,
    newestAge: newest?.age ?? one.age,
  });
}

function ofStatefulSet(one: StatefulSet, pods: ByKey<Pod>): Row {
  const { own, row } = common('StatefulSet', one, pods);
  const isWaiting = one.podManagement === 'OrderedReady' && own.some(pod => !pod.ready);
  return {
    ...row,
    wanted: one.replicas,
    ready: one.ready,
    lacking: isWaiting ? 0 : Math.max(0, one.replicas - own.length),
    updatedReady: own.filter(pod => pod.ready && pod.revision === one.updateRevision).length,
    newUnreadyFor: longestUnready(own.filter(pod => pod.revision === one.updateRevision)),
    partition: one.partition,
    rolling: one.updateRevision !== one.currentRevision && one.updated < one.replicas - one.partition,
  };
}

/** A container within its startup budget is on its way. */
function longestUnready(pods: readonly Pod[]): number {
  const unready = pods.filter(pod => !pod.ready && !pod.deleting && !isStarting(pod));
  return Math.max(-1, ...unready.map(pod => (pod.readyAge >= 0 ? pod.readyAge : pod.age)));
}

function ofDaemonSet(one: DaemonSet, pods: ByKey<Pod>): Row {
  const { own, row } = common('DaemonSet', one, pods);
  return {
    ...row,
    wanted: one.desired,
    ready: one.ready,
    lacking: Math.max(0, one.desired - own.length),
    updatedReady: Math.min(one.updated, one.ready),
    newUnreadyFor: longestUnready(own),
    rolling: one.updated < one.desired,
  };
}
