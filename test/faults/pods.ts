import type { RawObject } from '../../src/model/source.ts';
import type { World } from './recorded-world.ts';

export const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1/deployments',
  ReplicaSet: 'apps/v1/replicasets',
  StatefulSet: 'apps/v1/statefulsets',
  DaemonSet: 'apps/v1/daemonsets',
  Job: 'batch/v1/jobs',
};

export const nameOf = (object: RawObject): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name;

/** A workload and the container of it that was looked for. */
export interface Component {
  readonly world: World;
  readonly kind: string;
  /** `namespace/name` */
  readonly name: string;
  /** `Kind namespace/name`, as subjects are written. */
  readonly key: string;
  readonly resource: string;
  readonly container: string;
  readonly namespace: string;
  /** `namespace/name` of its pods, sorted. */
  readonly pods: readonly string[];
}

const IMAGES: Readonly<Record<string, RegExp>> = {
  prometheus: /\/prometheus:/,
  alertmanager: /\/alertmanager:/,
  grafana: /\/grafana:/,
  operator: /\/prometheus-operator:/,
  coredns: /\/coredns:/,
  'cilium-agent': /\/cilium:/,
  'cilium-operator': /cilium\/operator/,
  'csi-provisioner': /csi-provisioner:/,
  'csi-attacher': /csi-attacher:/,
  'csi-plugin': /longhorn-manager-csi:/,
  'longhorn-manager': /longhorn-manager:/,
};

/** What runs as `query`, `store`, `sidecar`, … (Thanos, by its first argument) or by an image of the list above. */
export function component(world: World, what: string): Component {
  for (const [kind, resource] of Object.entries(WORKLOADS)) {
    if (kind === 'ReplicaSet' || kind === 'Job') continue;
    for (const workload of world.items(resource)) {
      const container = workload.spec.template.spec.containers.find((entry: RawObject) =>
        IMAGES[what] ? IMAGES[what].test(entry.image) : /thanos/.test(entry.image) && entry.args?.[0] === what,
      );
      if (!container) continue;
      const name = nameOf(workload);
      const pods = world.items('core/v1/pods').filter(pod => rootOwner(world, pod) === `${kind} ${name}`);
      return {
        world,
        kind,
        name,
        key: `${kind} ${name}`,
        resource,
        container: container.name,
        namespace: workload.metadata.namespace,
        pods: pods.map(nameOf).sort(),
      };
    }
  }
  throw new Error(`${world.cluster} runs no ${what}`);
}

/** Whether it is run there. */
export function runs(world: World, what: string): boolean {
  try {
    return component(world, what) !== undefined;
  } catch {
    return false;
  }
}

/** The hub: the cluster that runs a Query. */
export const hubOf = (worlds: readonly World[]): World => worlds.find(world => runs(world, 'query'))!;
export const edgeOf = (worlds: readonly World[]): World => worlds.find(world => !runs(world, 'query'))!;

/** `Kind namespace/name` of the workload that a pod belongs to, its own name where none. */
export function rootOwner(world: World, pod: RawObject): string {
  const owner = pod.metadata.ownerReferences?.find((entry: RawObject) => entry.controller);
  if (!owner) return `Pod ${nameOf(pod)}`;
  if (owner.kind !== 'ReplicaSet') return `${owner.kind} ${pod.metadata.namespace}/${owner.name}`;
  const set = world
    .items(WORKLOADS.ReplicaSet!)
    .find(entry => entry.metadata.name === owner.name && entry.metadata.namespace === pod.metadata.namespace);
  const above = set?.metadata.ownerReferences?.find((entry: RawObject) => entry.controller);
  return above
    ? `${above.kind} ${pod.metadata.namespace}/${above.name}`
    : `ReplicaSet ${pod.metadata.namespace}/${owner.name}`;
}

/** RFC 3339 without fractions, so many seconds before the recording was taken. */
export const ago = (world: World, seconds: number): string =>
  new Date(world.now - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

export function setCondition(object: RawObject, condition: RawObject): void {
  const rest = (object.status.conditions ?? []).filter((entry: RawObject) => entry.type !== condition.type);
  object.status.conditions = [...rest, condition];
}

export const conditionOf = (object: RawObject, type: string): RawObject =>
  (object.status?.conditions ?? []).find((entry: RawObject) => entry.type === type);

export interface EventText {
  readonly reason: string;
  readonly message: string;
  readonly type?: 'Warning' | 'Normal';
  /** Seconds since it was seen first and last. */
  readonly first?: number;
  readonly last?: number;
  readonly count?: number;
  readonly from?: string;
  readonly fieldPath?: string;
}

/** An event about an object, as kubelet and controllers write it; from the scheduler in its own form. */
export function event(world: World, kind: string, object: RawObject, text: EventText): void {
  const { reason, message, type = 'Warning', first = 150, last = 10, count = 5, from = 'kubelet', fieldPath } = text;
  const { namespace = '', name, uid } = object.metadata;
  const home = namespace || 'default';
  world.list('core/v1/events', items => {
    const base = {
      metadata: { name: `${name}.${items.length.toString(16)}`, namespace: home, creationTimestamp: ago(world, first) },
      involvedObject: { kind, namespace, name, uid, ...(fieldPath ? { fieldPath } : {}) },
      reason,
      message,
      type,
    };
    const byScheduler = {
      source: {},
      eventTime: `${ago(world, first).slice(0, -1)}.000000Z`,
      ...(count > 1 ? { series: { count, lastObservedTime: `${ago(world, last).slice(0, -1)}.000000Z` } } : {}),
      action: 'Scheduling',
      reportingComponent: from,
      reportingInstance: `${from}-1`,
    };
    const host = from === 'kubelet' ? { host: world.items('core/v1/nodes')[0]!.metadata.name } : {};
    const plain = {
      source: { component: from, ...host },
      firstTimestamp: ago(world, first),
      lastTimestamp: ago(world, last),
      count,
      eventTime: null,
      reportingComponent: from,
      reportingInstance: '',
    };
    items.push({ ...base, ...(from === 'default-scheduler' ? byScheduler : plain) });
  });
}

/** The pod was made anew: another uid, nothing of the old one's life. */
function renew(world: World, pod: RawObject, seconds: number): void {
  pod.metadata.uid = `${pod.metadata.uid.slice(0, -6)}${String(seconds).padStart(6, '0')}`;
  pod.metadata.creationTimestamp = ago(world, seconds);
}

/** The pod waits for a node, in the scheduler's words. */
export function unscheduled(world: World, name: string, message: string, seconds = 150): void {
  world.edit('core/v1/pods', name, pod => {
    renew(world, pod, seconds);
    delete pod.spec.nodeName;
    pod.status = {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          lastTransitionTime: ago(world, seconds),
          reason: 'Unschedulable',
          message,
        },
      ],
      qosClass: pod.status.qosClass,
    };
    forgetLogs(world, name);
  });
  const pod = world.object('core/v1/pods', name);
  event(world, 'Pod', pod, {
    reason: 'FailedScheduling',
    message,
    first: seconds,
    last: 5,
    count: 2,
    from: 'default-scheduler',
  });
}

function forgetLogs(world: World, pod: string, container = ''): void {
  for (const path of world.paths()) {
    if (path.startsWith(`logs/${pod}/${container}`)) world.remove(path);
  }
}

/** The pod has a node, and no container of it runs yet: its volumes or its network are awaited. */
export function creating(world: World, name: string, seconds = 150): void {
  world.edit('core/v1/pods', name, pod => {
    renew(world, pod, seconds);
    const at = ago(world, seconds);
    const inits = pod.spec.initContainers ?? [];
    const waiting = inits.length > 0 ? 'PodInitializing' : 'ContainerCreating';
    const fresh = (container: RawObject) => ({
      name: container.name,
      state: { waiting: { reason: waiting } },
      ready: false,
      restartCount: 0,
      image: container.image,
      imageID: '',
      started: false,
    });
    const unready = `containers with unready status: [${pod.spec.containers.map((entry: RawObject) => entry.name).join(' ')}]`;
    const awaited = `containers with incomplete status: [${inits.map((entry: RawObject) => entry.name).join(' ')}]`;
    pod.status = {
      phase: 'Pending',
      conditions: [
        { type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime: at },
        inits.length > 0
          ? {
              type: 'Initialized',
              status: 'False',
              lastTransitionTime: at,
              reason: 'ContainersNotInitialized',
              message: awaited,
            }
          : { type: 'Initialized', status: 'True', lastTransitionTime: at },
        { type: 'Ready', status: 'False', lastTransitionTime: at, reason: 'ContainersNotReady', message: unready },
        {
          type: 'ContainersReady',
          status: 'False',
          lastTransitionTime: at,
          reason: 'ContainersNotReady',
          message: unready,
        },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: at },
      ],
      hostIP: pod.status.hostIP,
      startTime: at,
      ...(inits.length > 0 ? { initContainerStatuses: inits.map(fresh) } : {}),
      containerStatuses: pod.spec.containers.map(fresh),
      qosClass: pod.status.qosClass,
    };
  });
  forgetLogs(world, name);
}

export interface Waits {
  readonly reason: string;
  readonly message: string;
  /** Left out where the container never ran. */
  readonly last?: { readonly exitCode: number; readonly reason: string; readonly message?: string };
  readonly restarts?: number;
  readonly image?: string;
  readonly seconds?: number;
}

function unready(world: World, pod: RawObject, seconds: number): void {
  const names = pod.status.containerStatuses
    .filter((entry: RawObject) => !entry.ready)
    .map((entry: RawObject) => entry.name);
  for (const type of ['Ready', 'ContainersReady']) {
    setCondition(pod, {
      type,
      status: 'False',
      lastTransitionTime: ago(world, seconds),
      reason: 'ContainersNotReady',
      message: `containers with unready status: [${names.join(' ')}]`,
    });
  }
}

/** A container of the pod waits; the others go on. */
export function waits(world: World, name: string, container: string, how: Waits): void {
  const { reason, message, last, restarts = last ? 4 : 0, image, seconds = 150 } = how;
  world.edit('core/v1/pods', name, pod => {
    renew(world, pod, seconds + 5);
    for (const entry of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
      if (entry.name === container && image) entry.image = image;
    }
    for (const status of pod.status.containerStatuses) {
      if (status.name !== container) continue;
      Object.assign(status, { state: { waiting: { reason, message } }, ready: false, started: false });
      status.restartCount = restarts;
      if (image) status.image = image;
      if (last) {
        const at = { startedAt: ago(world, 41), finishedAt: ago(world, 40) };
        status.lastState = { terminated: { ...last, ...at, containerID: 'containerd://0a' } };
      } else {
        status.imageID = reason.includes('Image') ? '' : status.imageID;
        delete status.lastState;
      }
    }
    if (!pod.status.containerStatuses.some((entry: RawObject) => entry.state.running)) {
      pod.status.phase = last ? 'Running' : 'Pending';
    } else if (!last) pod.status.phase = 'Pending';
    unready(world, pod, seconds);
  });
  if (!last) forgetLogs(world, name, container);
}

export interface Crash {
  readonly exitCode?: number;
  readonly reason?: string;
  /** What it says at the end, one line each. */
  readonly lines?: readonly string[];
  readonly restarts?: number;
  readonly seconds?: number;
}

/** The container starts, ends and waits to be started again; its log is that of its last run. */
export function crashes(world: World, name: string, container: string, crash: Crash = {}): void {
  const { exitCode = 1, reason = 'Error', lines = [], restarts = 4, seconds = 150 } = crash;
  const pod = world.object('core/v1/pods', name);
  const [namespace, short] = name.split('/');
  const stamped = lines.map(line => line.replaceAll('$NOW', new Date(world.now - 40_000).toISOString()));
  waits(world, name, container, {
    reason: 'CrashLoopBackOff',
    message: `back-off 1m20s restarting failed container=${container} pod=${short}_${namespace}(${pod.metadata.uid})`,
    last: { exitCode, reason, message: `${stamped.slice(-5).join('\n')}\n` },
    restarts,
    seconds,
  });
  forgetLogs(world, name, container);
  const run = lines.map(line => [40, line] as const);
  world.log(name, container, run);
  world.log(name, container, run, true);
  event(world, 'Pod', world.object('core/v1/pods', name), {
    reason: 'BackOff',
    message: `Back-off restarting failed container ${container} in pod ${short}_${namespace}(${pod.metadata.uid})`,
    first: seconds,
    last: 30,
    fieldPath: `spec.containers{${container}}`,
  });
}

/** The container runs, and its readiness probe fails. */
export function notReady(world: World, name: string, container: string, seconds = 150): void {
  world.edit('core/v1/pods', name, pod => {
    for (const status of pod.status.containerStatuses) if (status.name === container) status.ready = false;
    unready(world, pod, seconds);
  });
  event(world, 'Pod', world.object('core/v1/pods', name), {
    reason: 'Unhealthy',
    message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
    first: seconds,
    last: 5,
    count: Math.ceil(seconds / 10),
    fieldPath: `spec.containers{${container}}`,
  });
}

/** The pod is gone. */
export function gone(world: World, name: string): void {
  world.list('core/v1/pods', pods => pods.filter(pod => nameOf(pod) !== name));
}

/** The workload asks for no pods, and has none. */
export function scaledToZero(what: Component): void {
  for (const pod of what.pods) gone(what.world, pod);
  what.world.edit(what.resource, what.name, workload => {
    workload.spec.replicas = 0;
    workload.metadata.generation += 1;
    workload.status.observedGeneration = workload.metadata.generation;
  });
  if (what.kind !== 'Deployment') return;
  what.world.list(WORKLOADS.ReplicaSet!, sets => {
    for (const set of sets) {
      if (
        set.metadata.ownerReferences?.some(
          (owner: RawObject) => `${set.metadata.namespace}/${owner.name}` === what.name,
        )
      )
        set.spec.replicas = 0;
    }
  });
}

/** Changes the template and the pods of a workload alike. */
export function inTemplate(what: Component, change: (spec: RawObject) => void): void {
  what.world.edit(what.resource, what.name, workload => change(workload.spec.template.spec));
  for (const name of what.pods) what.world.edit('core/v1/pods', name, pod => change(pod.spec));
}

const another = (uid: string): string =>
  `${uid.slice(0, -4)}${(Number.parseInt(uid.slice(-4), 16) ^ 0x1fff).toString(16).padStart(4, '0')}`;

/** A Deployment's template was changed: a second pod comes beside the old one, which stays until the new one is ready. */
export function surged(what: Component, change: (spec: RawObject) => void, seconds = 150): string {
  const { world } = what;
  const old = world.object('core/v1/pods', what.pods[0]!);
  const hash = '6f7c9d8b5';
  const owner = old.metadata.ownerReferences[0];
  const base = what.name.split('/')[1];
  world.edit(what.resource, what.name, workload => {
    change(workload.spec.template.spec);
    workload.metadata.generation += 1;
    workload.status.observedGeneration = workload.metadata.generation;
    const at = ago(world, seconds);
    setCondition(workload, {
      type: 'Progressing',
      status: 'True',
      lastUpdateTime: at,
      lastTransitionTime: at,
      reason: 'ReplicaSetUpdated',
      message: `ReplicaSet "${base}-${hash}" is progressing.`,
    });
  });
  const uid = another(owner.uid);
  world.list(WORKLOADS.ReplicaSet!, sets => {
    const set = structuredClone(sets.find(entry => entry.metadata.uid === owner.uid));
    const annotations = set.metadata.annotations;
    const revision = Number(annotations['deployment.kubernetes.io/revision']) + 1;
    annotations['deployment.kubernetes.io/revision'] = String(revision);
    Object.assign(set.metadata, { name: `${base}-${hash}`, uid, creationTimestamp: ago(world, seconds) });
    set.metadata.labels['pod-template-hash'] = hash;
    if (set.spec.selector) set.spec.selector.matchLabels['pod-template-hash'] = hash;
    sets.push(set);
  });
  const name = `${base}-${hash}-x2k4p`;
  world.list('core/v1/pods', pods => {
    const pod = structuredClone(old);
    Object.assign(pod.metadata, { name, uid: another(old.metadata.uid), creationTimestamp: ago(world, seconds) });
    pod.metadata.labels['pod-template-hash'] = hash;
    pod.metadata.ownerReferences[0] = { ...owner, name: `${base}-${hash}`, uid };
    pod.status.podIP = pod.status.podIP.replace(/\d+$/, '199');
    change(pod.spec);
    pods.push(pod);
  });
  return `${what.namespace}/${name}`;
}

/** Pods of it are refused before they exist. */
export function notCreated(what: Component, refusal: string, seconds = 150): void {
  const { world } = what;
  const first = what.pods[0]!.split('/')[1];
  const at = ago(world, seconds);
  const failure = {
    type: 'ReplicaFailure',
    status: 'True',
    lastUpdateTime: at,
    lastTransitionTime: at,
    reason: 'FailedCreate',
    message: refusal,
  };
  for (const pod of what.pods) gone(world, pod);
  if (what.kind !== 'Deployment') {
    event(world, what.kind, world.object(what.resource, what.name), {
      reason: 'FailedCreate',
      message:
        what.kind === 'StatefulSet'
          ? `create Pod ${first} in StatefulSet ${what.name.split('/')[1]} failed error: ${refusal}`
          : `Error creating: ${refusal}`,
      first: seconds,
      last: 20,
      from: `${what.kind.toLowerCase()}-controller`,
    });
    return;
  }
  world.edit(what.resource, what.name, workload => setCondition(workload, failure));
  for (const set of world.items(WORKLOADS.ReplicaSet!)) {
    if (!set.metadata.ownerReferences?.some((owner: RawObject) => owner.name === what.name.split('/')[1])) continue;
    world.edit(WORKLOADS.ReplicaSet!, nameOf(set), entry => setCondition(entry, failure));
    event(world, 'ReplicaSet', set, {
      reason: 'FailedCreate',
      message: `Error creating: ${refusal}`,
      first: seconds,
      last: 20,
      from: 'replicaset-controller',
    });
  }
}
