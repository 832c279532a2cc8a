import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { gapElement, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { isStarting } from '../pod-containers.ts';

const ROW = {
  set: REF,
  /** Nobody where the set waits for no pod. */
  pod: REF,
  /** The pod that the set waits for is of another template than the one that it shall have now. */
  trapped: 'bool',
  revision: 'str',
  updateRevision: 'str',
  unreadyFor: 'int',
  unreadySince: 'time',
  /** What the containers say that are not ready. */
  reasons: ['str'],
  /** It is not placed, or a container of it is not started (any more): it does not get ready by waiting. */
  cannotStart: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
const UNKNOWN = [
  'pod',
  'trapped',
  'revision',
  'updateRevision',
  'unreadyFor',
  'unreadySince',
  'reasons',
  'cannotStart',
] as const;

/** Reasons of a container that waits for nothing that comes by itself. */
const NOT_STARTED =
  /^(?:CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull|CreateContainer(?:Config)?Error|RunContainerError)$/;

type Pod = ShapeOf<typeof podsCollector.shape>[number];

export const collector = derived({
  id: 'kubernetes.trapped-pods',
  about:
    'For each StatefulSet that rolls its pods one after the other, the pod that it waits for, and whether that pod is of a template which was taken back.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [sets, pods] = await Promise.all([context.get(statefulSetsCollector), listOrGap(context.get(podsCollector))]);
    const [gap] = gapsIn(pods);
    const rows: Row[] = gapsIn(sets).map(gapElement);
    for (const set of known(sets)) {
      if (set.podManagement !== 'OrderedReady' || set.strategy !== 'RollingUpdate') continue;
      const workload = ref('StatefulSet', set.namespace, set.name, set.uid);
      if (gap) {
        rows.push(withUnknownFields<Row>({ set: workload }, gap, UNKNOWN));
        continue;
      }
      const waited = known(pods)
        .filter(pod => pod.workload.key === workload.key && ordinalOf(pod) >= set.partition)
        .sort((first, second) => ordinalOf(first) - ordinalOf(second))
        .find(pod => !pod.ready && !pod.deleting && !pod.history);
      if (!waited) continue;
      rows.push({
        set: workload,
        pod: ref('Pod', waited.namespace, waited.name, waited.uid),
        trapped: set.updateRevision !== '' && waited.revision !== set.updateRevision && !isStarting(waited),
        revision: waited.revision,
        updateRevision: set.updateRevision,
        unreadyFor: waited.readyAge >= 0 ? waited.readyAge : waited.age,
        unreadySince: waited.readySince || waited.created,
        reasons: waited.containers
          .filter(one => !one.ready && one.reason !== '')
          .map(one => `${one.container}: ${one.reason}`),
        cannotStart:
          isUnschedulable(waited) || waited.containers.some(one => !one.ready && NOT_STARTED.test(one.reason)),
      });
    }
    return rows;
  },
});

function isUnschedulable({ node, conditions }: Pod): boolean {
  return node === '' && conditions.some(one => one.type === 'PodScheduled' && one.reason === 'Unschedulable');
}

function ordinalOf({ name }: Pod): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
}
