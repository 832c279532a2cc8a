import type { RawObject } from '../model/source.ts';

/** What a workload's status says of its pods. */
export interface Rollout {
  readonly wanted: number;
  readonly updated: number;
  readonly ready: number;
  /** Every pod is of the newest template and ready, and no other is left. */
  readonly done: boolean;
  /** Pods are being replaced, or the controller has not seen the newest template yet. */
  readonly running: boolean;
}

/** The rollout of a Deployment, StatefulSet or DaemonSet, from its spec and status alone. */
export function rolloutOf(workload: RawObject): Rollout {
  const { spec = {}, status = {}, metadata = {} } = workload;
  const isDaemonSet = status.desiredNumberScheduled !== undefined || workload.kind === 'DaemonSet';
  const wanted = isDaemonSet ? (status.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1);
  const updated = isDaemonSet ? (status.updatedNumberScheduled ?? 0) : (status.updatedReplicas ?? 0);
  const ready = isDaemonSet ? (status.numberReady ?? 0) : (status.readyReplicas ?? 0);
  const total = isDaemonSet ? (status.currentNumberScheduled ?? wanted) : (status.replicas ?? 0);
  const seen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  // A StatefulSet whose rollout is over does not always count its pods as updated: equal revisions say the same.
  const oneRevision = status.updateRevision !== undefined && status.currentRevision === status.updateRevision;
  const allUpdated = updated >= wanted || (oneRevision && !isDaemonSet);
  return {
    wanted,
    updated,
    ready,
    done: seen && allUpdated && ready >= wanted && total <= wanted,
    running: !seen || !allUpdated,
  };
}

/** Whether a pod is ready. */
export function isReady(pod: RawObject): boolean {
  if (pod.metadata?.deletionTimestamp) return false;
  return (pod.status?.conditions ?? []).some(
    (condition: RawObject) => condition.type === 'Ready' && condition.status === 'True',
  );
}

/** Whether a container of this pod is a Prometheus that runs and is not ready yet: it replays its log. */
export function replaysLog(pod: RawObject): boolean {
  const servers = new Set(
    (pod.spec?.containers ?? [])
      .filter((container: RawObject) => /(?:^|\/)prometheus(?:[:@]|$)/.test(String(container.image ?? '')))
      .map((container: RawObject) => container.name),
  );
  return (pod.status?.containerStatuses ?? []).some(
    (status: RawObject) => servers.has(status.name) && status.state?.running && status.ready !== true,
  );
}

/** The controller of an object, or undefined. */
export function controllerOf(object: RawObject): RawObject | undefined {
  return (object.metadata?.ownerReferences ?? []).find((reference: RawObject) => reference.controller === true);
}

/** Whether a condition of an object has this status. */
export function conditionIs(object: RawObject, type: string, status: string): boolean {
  return (object.status?.conditions ?? []).some(
    (condition: RawObject) => condition.type === type && condition.status === status,
  );
}
