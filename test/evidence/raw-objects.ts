import type { RawObject } from '../../src/model/source.ts';
import { ago } from './fake-source.ts';

interface Owner {
  readonly kind: string;
  readonly name: string;
}

interface Common {
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: Owner;
  /** Seconds. */
  readonly age?: number;
  readonly deletingFor?: number;
}

/** Metadata as an API server writes it. */
export function metadata(name: string, more: Common = {}): RawObject {
  return {
    name,
    ...(more.namespace === '' ? {} : { namespace: more.namespace ?? 'm' }),
    uid: more.uid ?? `uid-${name}`,
    creationTimestamp: ago(more.age ?? 3600),
    ...(more.labels ? { labels: more.labels } : {}),
    ...(more.annotations ? { annotations: more.annotations } : {}),
    ...(more.deletingFor === undefined ? {} : { deletionTimestamp: ago(more.deletingFor) }),
    ...(more.owner ? { ownerReferences: [{ ...more.owner, uid: `uid-${more.owner.name}`, controller: true }] } : {}),
  };
}

export function running(since = ago(3000)): RawObject {
  return { state: { running: { startedAt: since } }, ready: true, started: true, restartCount: 0 };
}

export function waiting(reason: string, message = ''): RawObject {
  return { state: { waiting: { reason, message } }, ready: false, started: false, restartCount: 0 };
}

interface Crash {
  readonly exitCode: number;
  readonly reason?: string;
  readonly finished?: string;
  readonly restarts?: number;
}

export function crashed({ exitCode, reason = 'Error', finished = ago(60), restarts = 5 }: Crash): RawObject {
  return {
    ...waiting('CrashLoopBackOff', 'back-off 1m20s restarting failed container'),
    restartCount: restarts,
    lastState: { terminated: { exitCode, reason, startedAt: finished, finishedAt: finished } },
  };
}

type RawContainer = RawObject & { readonly name: string; readonly status?: RawObject };

interface PodOptions extends Common {
  readonly phase?: string;
  readonly reason?: string;
  readonly ready?: boolean;
  /** '' for a pod without a node. */
  readonly node?: string;
  readonly containers?: readonly RawContainer[];
  readonly initContainers?: readonly RawContainer[];
  readonly volumes?: readonly RawObject[];
  readonly spec?: RawObject;
  readonly conditions?: readonly RawObject[];
}

/** A pod with one running container, unless it is said otherwise. */
export function pod(name: string, options: PodOptions = {}): RawObject {
  const containers = options.containers ?? [{ name: 'c' }];
  const init = options.initContainers ?? [];
  const ready = options.ready ?? true;
  const node = options.node ?? 'node-1';
  const statusOf = ({ name: container, status }: RawContainer) => ({ name: container, ...(status ?? running()) });
  const specOf = ({ status: _, ...spec }: RawContainer) => spec;
  return {
    metadata: metadata(name, options),
    spec: {
      ...(node ? { nodeName: node } : {}),
      containers: containers.map(specOf),
      ...(init.length > 0 ? { initContainers: init.map(specOf) } : {}),
      ...(options.volumes ? { volumes: options.volumes } : {}),
      ...options.spec,
    },
    status: {
      phase: options.phase ?? 'Running',
      ...(options.reason ? { reason: options.reason } : {}),
      ...(node ? { podIP: '10.0.0.1', hostIP: '192.0.2.10' } : {}),
      conditions: options.conditions ?? [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(1000) },
      ],
      ...(node
        ? {
            containerStatuses: containers.map(statusOf),
            ...(init.length > 0 ? { initContainerStatuses: init.map(statusOf) } : {}),
          }
        : {}),
    },
  };
}

export function replicaSet(
  name: string,
  options: Common & { readonly revision?: number; readonly status?: RawObject } = {},
): RawObject {
  return {
    metadata: metadata(name, {
      ...options,
      annotations: { 'deployment.kubernetes.io/revision': String(options.revision ?? 1) },
    }),
    spec: { replicas: 1 },
    status: options.status ?? {},
  };
}

/** A Deployment, StatefulSet or DaemonSet with a template of one container. */
export function workload(
  name: string,
  options: Common & { readonly spec?: RawObject; readonly status?: RawObject } = {},
): RawObject {
  return {
    metadata: metadata(name, options),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      ...options.spec,
    },
    status: options.status ?? {},
  };
}

interface EventOptions {
  readonly kind?: string;
  readonly name: string;
  readonly uid?: string;
  readonly reason: string;
  readonly message?: string;
  /** Seconds. */
  readonly age?: number;
}

export function event({ kind = 'Pod', name, uid, reason, message = '', age = 30 }: EventOptions): RawObject {
  return {
    metadata: { ...metadata(`${name}.${reason}`), creationTimestamp: ago(age + 600) },
    involvedObject: { kind, namespace: 'm', name, uid: uid ?? `uid-${name}` },
    reason,
    message,
    type: 'Warning',
    firstTimestamp: ago(age + 600),
    lastTimestamp: ago(age),
    count: 3,
  };
}

export function node(
  name: string,
  options: Common & { readonly spec?: RawObject; readonly status?: RawObject } = {},
): RawObject {
  return {
    metadata: metadata(name, { ...options, namespace: '' }),
    spec: options.spec ?? {},
    status: {
      allocatable: { cpu: '4', memory: '16Gi', pods: '110', 'ephemeral-storage': '100Gi' },
      capacity: { cpu: '4', memory: '16Gi', pods: '110', 'ephemeral-storage': '100Gi' },
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(9000) }],
      ...options.status,
    },
  };
}
