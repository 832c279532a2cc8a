import type { Ref } from '../model/shape.ts';
import { ref } from './objects.ts';

interface Owned {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: Ref;
}

const WORKLOADS = new Set(['StatefulSet', 'DaemonSet', 'Job', 'Deployment']);

/**
 * The workload that a pod belongs to in the end: the Deployment of its ReplicaSet, else the ReplicaSet, StatefulSet,
 * DaemonSet or Job that controls it, else the pod itself (static pods, and pods that a custom resource owns directly).
 * `replicaSets` is by key; where a ReplicaSet is not in it, its name without the pod template's hash is the Deployment's.
 */
export function workloadOfPod(pod: Owned, replicaSets: ReadonlyMap<string, Owned>): Ref {
  const { owner } = pod;
  if (owner.kind === 'ReplicaSet') {
    const replicaSet = replicaSets.get(owner.key);
    if (replicaSet) return replicaSet.owner.kind === 'Deployment' ? replicaSet.owner : owner;
    const hash = pod.labels['pod-template-hash'];
    const suffix = `-${hash}`;
    if (!hash || !owner.name.endsWith(suffix)) return owner;
    return ref('Deployment', pod.namespace, owner.name.slice(0, -suffix.length));
  }
  if (WORKLOADS.has(owner.kind)) return owner;
  return ref('Pod', pod.namespace, pod.name, pod.uid);
}
