import type { Ref } from '../model/shape.ts';
import type { Condition } from './conditions.ts';
import type { ContainerStatus } from './pod-containers.ts';

/** What the kubelet says that it cannot find for a pod. */
export interface Complaint {
  /** UID of the pod. */
  readonly pod: string;
  /** '' where a volume is missing, and with it every container. */
  readonly container: string;
  /** Secret or ConfigMap */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** '' for the whole object */
  readonly key: string;
  readonly message: string;
  readonly since: string;
  readonly age: number;
}

interface Complaining {
  readonly namespace: string;
  readonly uid: string;
  readonly node: string;
  readonly phase: string;
  readonly deleting: boolean;
  readonly created: string;
  readonly age: number;
  readonly containers: readonly (Pick<ContainerStatus, 'state' | 'reason' | 'message' | 'last'> & {
    readonly container: string;
    readonly kind: string;
  })[];
  readonly volumes: readonly { readonly name: string; readonly kind: string; readonly source: string }[];
}

interface Happened {
  readonly object: Ref;
  readonly reason: string;
  readonly message: string;
  readonly first: string;
  readonly lastAge: number;
}

/** An event older than this says nothing of now (seconds). */
const EVENT_FRESH = 900;

/** It has a node and none of its containers has been created: what hangs is its volumes or its sandbox. */
export function isStuckCreating(pod: Pick<Complaining, 'phase' | 'node' | 'deleting' | 'containers'>): boolean {
  return (
    pod.phase === 'Pending' &&
    pod.node !== '' &&
    !pod.deleting &&
    pod.containers.every(
      one =>
        one.state === '' ||
        (one.state === 'waiting' && (one.reason === 'ContainerCreating' || one.reason === 'PodInitializing')),
    )
  );
}

/** While volumes and sandbox are ready a missing container is being pulled, which may take this long (seconds). */
const PULL_GRACE = 600;

/** Seconds since a pod that hangs got its node; -1 for a pod that does not hang. */
export function stuckCreatingFor(
  pod: Parameters<typeof isStuckCreating>[0] & { readonly conditions: readonly Condition[] },
): number {
  if (!isStuckCreating(pod)) return -1;
  const since = pod.conditions.find(one => one.type === 'PodScheduled' && one.status === 'True')?.age ?? -1;
  const isPulling = pod.conditions.some(one => one.type === 'PodReadyToStartContainers' && one.status === 'True');
  return isPulling && since < PULL_GRACE ? -1 : since;
}

/**
 * What is missing for a pod: by the message of a container that cannot be configured, and by FailedMount events of a
 * pod that hangs. The kubelet repeats those events for pods that run as well: of them they say nothing.
 */
export function complaintsOf(pod: Complaining, events: readonly Happened[]): readonly Complaint[] {
  const ofContainers = pod.containers
    .filter(one => one.state === 'waiting' && one.reason === 'CreateContainerConfigError')
    .flatMap(one => {
      const since = one.last.finished || pod.created;
      const age = one.last.finished ? one.last.finishedAge : pod.age;
      const found = objectIn(one.message);
      return found ? [{ ...found, pod: pod.uid, container: one.container, message: one.message, since, age }] : [];
    });
  const ofVolumes = isStuckCreating(pod)
    ? events
        .filter(event => event.reason === 'FailedMount' && event.object.uid === pod.uid && event.lastAge <= EVENT_FRESH)
        .flatMap(event => {
          const found = objectIn(event.message) ?? keyIn(event.message, pod);
          return found
            ? [{ ...found, pod: pod.uid, container: '', message: event.message, since: event.first, age: pod.age }]
            : [];
        })
    : [];
  return [...ofContainers, ...ofVolumes].map(({ namespace, ...rest }) => ({
    ...rest,
    namespace: namespace || pod.namespace,
  }));
}

type Found = Pick<Complaint, 'kind' | 'namespace' | 'name' | 'key'>;

function objectIn(message: string): Found | undefined {
  const object = /\b(secret|configmap) "([^"]+)" not found/i.exec(message);
  if (object) return { kind: kindOf(object[1]!), namespace: '', name: object[2]!, key: '' };
  const key = /couldn't find key (\S+) in (Secret|ConfigMap) (?:([^/\s]+)\/)?(\S+)/i.exec(message);
  if (!key) return undefined;
  return { kind: kindOf(key[2]!), namespace: key[3] ?? '', name: key[4]!, key: key[1]! };
}

/** `MountVolume.SetUp failed for volume "v" : references non-existent secret key: k`: the volume names the object. */
function keyIn(message: string, pod: Complaining): Found | undefined {
  const key = /references non-existent (secret|config) key: (\S+)/.exec(message);
  const volume = /for volume "([^"]+)"/.exec(message)?.[1];
  if (!key) return undefined;
  const kind = key[1] === 'secret' ? 'secret' : 'configMap';
  const source = pod.volumes.find(one => one.name === volume && one.kind === kind)?.source;
  if (!source) return undefined;
  return { kind: kindOf(kind), namespace: '', name: source, key: key[2]! };
}

function kindOf(word: string): string {
  return word.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';
}
