import type { RawObject } from '../../src/model/source.ts';
import type { Cluster } from './server.ts';

/** What happens in a cluster after a write: the parts of its controllers that the fixes rely on. */
export type Controller = (cluster: Cluster, before: RawObject | undefined, after: RawObject | undefined) => void;

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

function ownedPods(cluster: Cluster, uid: string): readonly RawObject[] {
  return cluster
    .all('Pod')
    .filter(pod => pod.metadata.ownerReferences?.some((reference: RawObject) => reference.uid === uid));
}

/** Replaces the pods of a workload whose template changed, and reports them ready. */
export const rollout: Controller = (cluster, before, after) => {
  if (!after || !WORKLOADS.has(after.kind) || after.metadata.generation === after.status?.observedGeneration) return;
  const isDaemonSet = after.kind === 'DaemonSet';
  const wanted = isDaemonSet ? (after.status?.desiredNumberScheduled ?? 1) : (after.spec.replicas ?? 1);
  const templateChanged = JSON.stringify(before?.spec?.template) !== JSON.stringify(after.spec.template);
  if (templateChanged) {
    for (const pod of ownedPods(cluster, after.metadata.uid)) {
      cluster.remove(pod);
      cluster.put({ ...pod, metadata: { ...pod.metadata, uid: undefined } });
    }
  }
  if (after.kind !== 'DaemonSet') {
    for (const pod of ownedPods(cluster, after.metadata.uid).slice(wanted)) cluster.remove(pod);
  }
  const revision = `revision-${after.metadata.generation}`;
  cluster.setStatus(after, {
    ...after.status,
    observedGeneration: after.metadata.generation,
    ...(isDaemonSet
      ? {
          desiredNumberScheduled: wanted,
          currentNumberScheduled: wanted,
          updatedNumberScheduled: wanted,
          numberMisscheduled: 0,
          numberReady: wanted,
        }
      : { replicas: wanted, updatedReplicas: wanted, readyReplicas: wanted, availableReplicas: wanted }),
    ...(after.kind === 'StatefulSet' ? { currentRevision: revision, updateRevision: revision } : {}),
  });
};

/** Makes a deleted pod of a StatefulSet anew, of the newest revision. */
export const replacePods: Controller = (cluster, before, after) => {
  if (after || before?.kind !== 'Pod') return;
  const owner = before.metadata.ownerReferences?.[0];
  const set = owner && cluster.all(owner.kind).find(object => object.metadata.uid === owner.uid);
  if (!set) return;
  cluster.put({
    ...before,
    metadata: {
      ...before.metadata,
      uid: undefined,
      deletionTimestamp: undefined,
      labels: { ...before.metadata.labels, 'controller-revision-hash': set.status?.updateRevision ?? '' },
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
};

/** Grows the volume of a claim that asks for more. */
export const resize: Controller = (cluster, _before, after) => {
  if (after?.kind !== 'PersistentVolumeClaim') return;
  const wanted = after.spec.resources?.requests?.storage;
  if (after.status?.capacity?.storage !== wanted) {
    cluster.setStatus(after, { ...after.status, capacity: { storage: wanted } });
  }
};

/** The Prometheus Operator: makes the StatefulSet of a resource that is not paused, and says that it is reconciled. */
export const operator: Controller = (cluster, _before, after) => {
  if (after?.kind !== 'Prometheus' || after.spec.paused === true) return;
  const name = `prometheus-${after.metadata.name}`;
  const { namespace } = after.metadata;
  const pods = cluster
    .all('Pod')
    .filter(pod => pod.metadata.labels?.['operator.prometheus.io/name'] === after.metadata.name);
  let set = cluster.find('StatefulSet', namespace, name);
  if (!set) {
    const wanted = after.spec.replicas ?? 1;
    set = cluster.put({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: {
        name,
        namespace,
        generation: 1,
        ownerReferences: [
          {
            apiVersion: after.apiVersion,
            kind: 'Prometheus',
            name: after.metadata.name,
            uid: after.metadata.uid,
            controller: true,
          },
        ],
      },
      spec: {
        replicas: wanted,
        selector: { matchLabels: { prometheus: after.metadata.name } },
        template: {
          metadata: { labels: { prometheus: after.metadata.name } },
          spec: { containers: [{ name: 'prometheus', image: 'example/prometheus:v3.7.0' }] },
        },
        volumeClaimTemplates: [after.spec.storage?.volumeClaimTemplate].filter(Boolean),
      },
      status: { observedGeneration: 1, replicas: wanted, updatedReplicas: wanted, readyReplicas: wanted },
    });
    for (const pod of pods) {
      cluster.put({
        ...pod,
        metadata: {
          ...pod.metadata,
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: set.metadata.uid, controller: true },
          ],
        },
      });
    }
  }
};

/** Deletes the last pods of a StatefulSet that is scaled down, and makes them again where it is scaled up. */
export const scalePods: Controller = (cluster, before, after) => {
  if (after?.kind !== 'StatefulSet' || before?.spec.replicas === after.spec.replicas) return;
  const { name, namespace, uid } = after.metadata;
  const placeOf = (ordinal: number) => cluster.find('Pod', namespace, `${name}-${ordinal}`);
  for (let ordinal = after.spec.replicas; placeOf(ordinal); ordinal += 1) cluster.remove(placeOf(ordinal)!);
  for (let ordinal = 0; ordinal < after.spec.replicas; ordinal += 1) {
    if (placeOf(ordinal)) continue;
    cluster.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-${ordinal}`,
        namespace,
        labels: after.spec.selector?.matchLabels,
        ownerReferences: [{ kind: 'StatefulSet', name, uid, controller: true }],
      },
      spec: after.spec.template?.spec,
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
};

/** Lets a pod that runs once come to its end. */
export const runOnce: Controller = (cluster, _before, after) => {
  if (after?.kind !== 'Pod' || after.spec.restartPolicy !== 'Never' || after.status?.phase === 'Succeeded') return;
  cluster.setStatus(after, { ...after.status, phase: 'Succeeded' });
};

export const CONTROLLERS: readonly Controller[] = [rollout, replacePods, resize];
