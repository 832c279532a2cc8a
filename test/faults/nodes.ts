import type { RawObject } from '../../src/model/source.ts';
import { ago, event, nameOf, rootOwner, setCondition } from './pods.ts';
import type { World } from './recorded-world.ts';

export const nodeOf = (world: World): string => world.items('core/v1/nodes')[0]!.metadata.name;

/** The kubelet of the only node is silent: what ran there runs on, and nobody knows. */
export function kubeletSilent(world: World, seconds = 150): void {
  const node = nodeOf(world);
  const at = ago(world, seconds);
  world.edit('core/v1/nodes', node, object => {
    for (const condition of object.status.conditions) {
      if (condition.type === 'NetworkUnavailable') continue;
      Object.assign(condition, {
        status: 'Unknown',
        lastHeartbeatTime: ago(world, seconds + 45),
        lastTransitionTime: at,
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      });
    }
    object.spec.taints = ['NoSchedule', 'NoExecute'].map(effect => ({
      key: 'node.kubernetes.io/unreachable',
      effect,
      timeAdded: at,
    }));
  });
  world.edit('coordination.k8s.io/v1/leases', `kube-node-lease/${node}`, lease => {
    lease.spec.renewTime = `${ago(world, seconds + 45).slice(0, -1)}.000000Z`;
  });
  markPods(world, seconds);
  longhornNode(world, 'KubernetesNodeNotReady', `Kubernetes node ${node} not ready: NodeStatusUnknown`, seconds);
  kubeletGone(world);
}

/** The kubelet says itself that the node is not ready. */
export function nodeUnready(world: World, message: string, seconds = 150): void {
  const node = nodeOf(world);
  const at = ago(world, seconds);
  world.edit('core/v1/nodes', node, object => {
    setCondition(object, {
      type: 'Ready',
      status: 'False',
      lastHeartbeatTime: ago(world, 10),
      lastTransitionTime: at,
      reason: 'KubeletNotReady',
      message,
    });
    object.spec.taints = ['NoSchedule', 'NoExecute'].map(effect => ({
      key: 'node.kubernetes.io/not-ready',
      effect,
      timeAdded: at,
    }));
  });
  event(world, 'Node', world.object('core/v1/nodes', node), {
    reason: 'NodeNotReady',
    type: 'Normal',
    message: `Node ${node} status is now: NodeNotReady`,
    first: seconds,
    last: seconds,
    count: 1,
  });
  markPods(world, seconds);
  longhornNode(world, 'KubernetesNodeNotReady', `Kubernetes node ${node} not ready: KubeletNotReady`, seconds);
}

function markPods(world: World, seconds: number): void {
  world.list('core/v1/pods', pods => {
    for (const pod of pods) {
      const ready = pod.status.conditions?.find((condition: RawObject) => condition.type === 'Ready');
      if (ready?.status === 'True') Object.assign(ready, { status: 'False', lastTransitionTime: ago(world, seconds) });
    }
  });
  for (const pod of world.items('core/v1/pods')) {
    event(world, 'Pod', pod, {
      reason: 'NodeNotReady',
      message: 'Node is not ready',
      first: seconds,
      last: seconds,
      count: 1,
      from: 'node-controller',
    });
  }
}

export function longhornNode(world: World, reason: string, message: string, seconds: number): void {
  world.edit('longhorn.io/v1beta2/nodes', `longhorn-system/${nodeOf(world)}`, node =>
    setCondition(node, {
      type: 'Ready',
      status: 'False',
      lastProbeTime: '',
      lastTransitionTime: ago(world, seconds),
      reason,
      message,
    }),
  );
}

/** Nothing listens on the kubelet's port. */
function kubeletGone(world: World): void {
  const address = world.items('core/v1/nodes')[0]!.status.addresses[0].address;
  const refused = `dial tcp ${address}:10250: connect: connection refused`;
  world.yaml(
    'http/index.yaml',
    entries => (entries as never as RawObject[]).filter(entry => entry.via !== 'node') as never,
  );
  world.fail({
    path: `/api/v1/nodes/${nodeOf(world)}/proxy/stats/summary`,
    status: 503,
    reason: 'ServiceUnavailable',
    message: `error trying to reach service: ${refused}`,
  });
  for (const path of world.paths()) {
    if (path.startsWith('logs/')) {
      const [, namespace, pod, file] = path.split('/');
      const container = file!.replace(/(\.previous)?\.log$/, '');
      world.remove(path);
      world.fail({
        path: `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}`,
        status: 500,
        reason: 'InternalError',
        message: `Get "https://${address}:10250/containerLogs/${namespace}/${pod}/${container}": ${refused}`,
      });
    }
    if (/api_v1_targets_state_active\.json$/.test(path)) {
      world.json(path, ({ data }) => {
        for (const target of data.activeTargets) {
          if (!target.scrapeUrl.includes(`${address}:10250`)) continue;
          Object.assign(target, { health: 'down', lastError: `Get "${target.scrapeUrl}": ${refused}` });
        }
      });
    }
  }
}

/** Five minutes later the pods that tolerate it no longer are to leave, which nobody does for them. */
export function leaving(world: World, seconds: number): void {
  world.list('core/v1/pods', pods => {
    const replacements: RawObject[] = [];
    for (const pod of pods) {
      const owner = rootOwner(world, pod);
      if (owner.startsWith('DaemonSet') || owner.startsWith('Pod') || toleratesAll(pod)) continue;
      pod.metadata.deletionTimestamp = ago(world, seconds - 30);
      pod.metadata.deletionGracePeriodSeconds = 30;
      setCondition(pod, {
        type: 'DisruptionTarget',
        status: 'True',
        lastTransitionTime: ago(world, seconds),
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
      });
      if (owner.startsWith('Deployment')) replacements.push(replacement(world, pod, seconds));
    }
    return [...pods, ...replacements];
  });
}

const toleratesAll = (pod: RawObject): boolean =>
  (pod.spec.tolerations ?? []).some((one: RawObject) => one.operator === 'Exists' && !one.key);

/** The new pod of a Deployment's pod that has to go, which finds no place. */
export function replacement(world: World, pod: RawObject, seconds: number): RawObject {
  const copy = structuredClone(pod);
  copy.metadata.name = pod.metadata.name.replace(/.....$/, 'n3w0z');
  copy.metadata.uid = pod.metadata.uid.replace(/....$/, '0bad');
  copy.metadata.creationTimestamp = ago(world, seconds);
  delete copy.metadata.deletionTimestamp;
  delete copy.metadata.deletionGracePeriodSeconds;
  delete copy.spec.nodeName;
  copy.status = {
    phase: 'Pending',
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        lastTransitionTime: ago(world, seconds),
        reason: 'Unschedulable',
        message: TAINTED,
      },
    ],
    qosClass: pod.status.qosClass,
  };
  return copy;
}

export const TAINTED =
  '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
export const CORDONED =
  '0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

export function tainted(world: World, taint: { key: string; value?: string; effect: string }): void {
  world.edit('core/v1/nodes', nodeOf(world), node => {
    node.spec.taints = [...(node.spec.taints ?? []), taint];
  });
}

export function cordoned(world: World, seconds = 200): void {
  tainted(world, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  world.edit('core/v1/nodes', nodeOf(world), node => {
    node.spec.unschedulable = true;
    node.spec.taints.at(-1).timeAdded = ago(world, seconds);
  });
}

/** A node short of disk, that has begun to evict. */
export function diskPressure(world: World, seconds = 200): void {
  const node = nodeOf(world);
  world.edit('core/v1/nodes', node, object => {
    setCondition(object, {
      type: 'DiskPressure',
      status: 'True',
      lastHeartbeatTime: ago(world, 10),
      lastTransitionTime: ago(world, seconds),
      reason: 'KubeletHasDiskPressure',
      message: 'kubelet has disk pressure',
    });
  });
  tainted(world, { key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' });
  const object = world.object('core/v1/nodes', node);
  const say = (reason: string, message: string, type: 'Normal' | 'Warning' = 'Warning') =>
    event(world, 'Node', object, { reason, message, type, first: seconds, last: 15, count: 8 });
  say('EvictionThresholdMet', 'Attempting to reclaim ephemeral-storage');
  say(
    'FreeDiskSpaceFailed',
    'Failed to garbage collect required amount of images. Attempted to free 3077055283 bytes, but only found 0 bytes eligible to free.',
  );
  say('NodeHasDiskPressure', `Node ${node} status is now: NodeHasDiskPressure`, 'Normal');
  longhornNode(
    world,
    'KubernetesNodePressure',
    `Kubernetes node ${node} has pressure: KubeletHasDiskPressure, kubelet has disk pressure`,
    seconds,
  );
  for (const path of world.paths()) {
    if (!path.endsWith('stats_summary.json')) continue;
    world.json(path, summary => {
      for (const fs of [summary.node.fs, summary.node.runtime?.imageFs, summary.node.runtime?.containerFs]) {
        if (fs)
          Object.assign(fs, {
            availableBytes: Math.round(fs.capacityBytes * 0.07),
            usedBytes: Math.round(fs.capacityBytes * 0.93),
          });
      }
    });
  }
}

export const EVICTED =
  'The node was low on resource: ephemeral-storage. Threshold quantity: 9463104068, available: 9233784Ki. Container x was using 1016Ki, request is 0, has larger consumption of ephemeral-storage. ';

/** The pod was evicted; its Deployment has another, which finds no place. */
export function evicted(world: World, name: string, seconds = 180): void {
  world.list('core/v1/pods', pods => {
    const pod = pods.find(entry => nameOf(entry) === name);
    const next = replacement(world, pod, seconds);
    fail(world, pod, seconds);
    pods.push(next);
  });
  const next = world.items('core/v1/pods').at(-1)!;
  event(world, 'Pod', next, {
    reason: 'FailedScheduling',
    message: TAINTED,
    first: seconds,
    last: 10,
    from: 'default-scheduler',
  });
}

/** Makes a pod one that its node evicted. */
export function fail(world: World, pod: RawObject, seconds: number): void {
  pod.status = {
    phase: 'Failed',
    reason: 'Evicted',
    message: EVICTED,
    startTime: pod.status.startTime,
    conditions: [
      {
        type: 'DisruptionTarget',
        status: 'True',
        lastTransitionTime: ago(world, seconds),
        reason: 'TerminationByKubelet',
      },
      { type: 'Ready', status: 'False', lastTransitionTime: ago(world, seconds), reason: 'PodFailed' },
    ],
    qosClass: pod.status.qosClass,
  };
}
