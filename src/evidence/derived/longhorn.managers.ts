import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as instanceManagersCollector } from '../collectors/longhorn.instance-managers.ts';
import { collector as replicasCollector } from '../collectors/longhorn.replicas.ts';
import { identify } from '../components/identify.ts';
import { findKnown, gapElement, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { NOBODY, objectKey, REF, ref } from '../objects.ts';
import { collector as chainsCollector, LONGHORN } from './storage.chains.ts';

const ROW = {
  node: 'str',
  nodeReady: 'bool',
  /** Longhorn's manager on the node. */
  pod: REF,
  container: 'str',
  ready: 'bool',
  workload: REF,
  /** The newest instance manager of the node; nobody where it has none. */
  instanceManager: REF,
  /** running, starting, stopped, error or unknown */
  instanceState: 'str',
  instances: 'int',
  /** A volume has a replica there, or is wanted there. */
  wantsInstances: 'bool',
  instancePod: REF,
  instanceContainer: 'str',
  instancePodReady: 'bool',
  instancePodReasons: ['str'],
  /** Seconds; -1 while it runs. */
  instanceDownFor: 'int',
  instanceDownSince: 'time',
  /** Volumes with a replica or an engine on the node. */
  volumes: ['str'],
  volumeKeys: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type InstanceManager = ShapeOf<typeof instanceManagersCollector.shape>[number];

export const collector = derived({
  id: 'longhorn.managers',
  about: "Longhorn's manager and instance manager on each node. Empty where Longhorn is not installed.",
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [pods, instanceManagers] = await Promise.all([
      context.get(podsCollector),
      context.get(instanceManagersCollector),
    ]);
    const managers = known(pods).filter(pod => pod.node !== '' && !pod.history && managerContainer(pod) !== '');
    const names = new Set([...managers.map(pod => pod.node), ...known(instanceManagers).map(one => one.node)]);
    if (names.size === 0) return gapsIn([...pods, ...instanceManagers]).map(gapElement);
    const [nodes, replicas, chains] = await Promise.all([
      listOrGap(context.get(nodesCollector)),
      listOrGap(context.get(replicasCollector)),
      listOrGap(context.get(chainsCollector)),
    ]);
    const unread = gapsIn([...pods, ...instanceManagers]).map(gapElement);
    return [
      ...[...names]
        .filter(name => name !== '')
        .sort()
        .map(name => orGap(() => rowOf(name))),
      ...unread,
    ];

    function rowOf(node: string): Row {
      const pod = managers.find(one => one.node === node);
      const instance = newest(known(instanceManagers).filter(one => one.node === node && isOurs(one)));
      const ours =
        instance && known(pods).find(one => one.namespace === instance.namespace && one.name === instance.name);
      const there = known(replicas).filter(one => one.node === node);
      const waiting = known(chains).filter(
        one => orGap(() => one.driver === LONGHORN) === true && one.node === node && one.waitingPods.length > 0,
      );
      const volumes = [...new Set([...there.map(one => one.volume), ...waiting.map(one => one.handle)])].sort();
      const namespace = instance?.namespace ?? pod?.namespace ?? '';
      return {
        node,
        nodeReady: findKnown(nodes, one => one.name === node)?.ready === 'True',
        pod: pod ? podRef(pod) : NOBODY,
        container: pod ? managerContainer(pod) : '',
        ready: pod?.ready ?? false,
        workload: pod?.workload ?? NOBODY,
        instanceManager: instance ? ref('InstanceManager', instance.namespace, instance.name, instance.uid) : NOBODY,
        instanceState: instance?.state ?? '',
        instances: instance?.instances ?? 0,
        wantsInstances: there.length > 0 || waiting.length > 0,
        instancePod: ours ? podRef(ours) : NOBODY,
        instanceContainer: ours?.containers[0]?.container ?? '',
        instancePodReady: ours?.ready ?? false,
        instancePodReasons: ours ? ours.containers.map(one => one.reason).filter(reason => reason !== '') : [],
        ...(instance ? down(instance, ours) : { instanceDownFor: -1, instanceDownSince: '' }),
        volumes,
        volumeKeys: volumes.map(name => objectKey('Volume', namespace, name)),
      };
    }
  },
});

function podRef(pod: Pod) {
  return ref('Pod', pod.namespace, pod.name, pod.uid);
}

function managerContainer(pod: Pod): string {
  if (pod.owner.kind !== 'DaemonSet') return '';
  return pod.containers.find(one => identify(one) === 'longhorn-manager')?.container ?? '';
}

function isOurs(one: InstanceManager): boolean {
  return one.dataEngine === 'v1' && ['aio', 'engine', 'replica', ''].includes(one.type);
}

function newest(managers: readonly InstanceManager[]): InstanceManager | undefined {
  return [...managers].sort((one, other) => (one.created < other.created ? 1 : -1))[0];
}

/** When its state changed is nowhere written: without a pod that says since when, its own age stands for it. */
function down(
  instance: InstanceManager,
  pod: Pod | undefined,
): { readonly instanceDownFor: number; readonly instanceDownSince: string } {
  if (instance.state === 'starting') return { instanceDownFor: -1, instanceDownSince: '' };
  if (pod && !pod.ready) {
    const since = pod.readySince || pod.created;
    return { instanceDownFor: pod.readyAge >= 0 ? pod.readyAge : pod.age, instanceDownSince: since };
  }
  if (pod && instance.state === 'running') return { instanceDownFor: -1, instanceDownSince: '' };
  return { instanceDownFor: instance.age, instanceDownSince: '' };
}
