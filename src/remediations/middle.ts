import type { ApiReader, Draft, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { nameOf, OPERATED_KINDS, sameTarget, WORKLOAD_KINDS } from './targets.ts';
import { conditionIs, controllerOf, replaysLog, rolloutOf } from './workloads.ts';

/** What a write to starts pods by. */
const STARTING: ReadonlySet<string> = new Set([...OPERATED_KINDS, 'StatefulSet', 'Secret']);
const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Whether something there replays its log, grows, or lies on a node that is short of room. Throws a `GapSignal` where that cannot be seen. */
export async function notInTheMiddle(writes: readonly Step[], draft: Draft, api: ApiReader): Promise<true | string> {
  const namespaces = [...new Set(writes.map(({ target }) => target.namespace).filter(Boolean))];
  for (const namespace of draft.mends ? [] : namespaces) {
    const starts = writes.some(({ target }) => STARTING.has(target.kind));
    const claims =
      starts || writes.some(({ target }) => target.kind === 'PersistentVolumeClaim')
        ? await api.list('', 'persistentvolumeclaims', namespace)
        : [];
    const resizing = claims.find(isResizing);
    if (resizing) return `claim ${namespace}/${resizing.metadata.name} is being resized`;
    const replaying = starts ? (await api.list('', 'pods', namespace)).find(replaysLog) : undefined;
    if (replaying) return `pod ${namespace}/${replaying.metadata.name} replays its write-ahead log`;
  }
  return withoutPressure(writes, api);
}

/** A pod that starts anew on a node under pressure is the next that is evicted. */
async function withoutPressure(writes: readonly Step[], api: ApiReader): Promise<true | string> {
  const names = new Set<string>();
  for (const { target } of writes) {
    if (!WORKLOAD_KINDS.has(target.kind) && !OPERATED_KINDS.has(target.kind)) continue;
    for (const pod of await podsBehind(target, api)) if (pod.spec?.nodeName) names.add(pod.spec.nodeName);
  }
  if (names.size === 0) return true;
  const nodes = await api.list('', 'nodes', '');
  for (const name of names) {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    if (!node) return `node ${name}, on which a pod of it is, does not exist`;
    const pressure = PRESSURES.find(type => conditionIs(node, type, 'True'));
    if (pressure) return `node ${name} has ${pressure}`;
  }
  return true;
}

/** Pods of a workload, or of the StatefulSets that the operator makes of a resource. */
export async function podsBehind(target: Target, api: ApiReader): Promise<readonly RawObject[]> {
  const { subresource: _scale, ...whole } = target;
  const owners = OPERATED_KINDS.has(target.kind) ? await setsOf(target, api) : [await api.get(whole)];
  const uids = new Set(owners.map(owner => owner?.metadata.uid));
  // The pods of a Deployment belong to its ReplicaSets.
  if (target.kind === 'Deployment') {
    for (const set of await api.list('apps', 'replicasets', target.namespace)) {
      if (uids.has(controllerOf(set)?.uid)) uids.add(set.metadata.uid);
    }
  }
  return (await api.list('', 'pods', target.namespace)).filter(pod => uids.has(controllerOf(pod)?.uid));
}

async function setsOf(target: Target, api: ApiReader): Promise<readonly RawObject[]> {
  const uid = (await api.get(target))?.metadata.uid;
  const sets = await api.list('apps', 'statefulsets', target.namespace);
  return sets.filter(set => controllerOf(set)?.uid === uid);
}

/** Whether a workload, or what the operator makes of a resource, is being rolled out, or the resource is paused. */
export async function noRollout(writes: readonly Step[], draft: Draft, api: ApiReader): Promise<true | string> {
  if (draft.mends) return true;
  for (const { target } of writes) {
    const { subresource: _scale, ...whole } = target;
    const isOperated = OPERATED_KINDS.has(target.kind);
    if (!isOperated && !WORKLOAD_KINDS.has(target.kind)) continue;
    if (draft.held?.some(held => sameTarget(held, target))) continue;
    const object = await api.get(whole);
    if (isOperated && object?.spec?.paused === true) return `${nameOf(target)} is paused`;
    const workloads = isOperated ? await setsOf(target, api) : object ? [object] : [];
    if (workloads.some(workload => rolloutOf(workload).running))
      return `the pods of ${nameOf(target)} are being replaced now`;
  }
  return true;
}

function isResizing(claim: RawObject): boolean {
  return (claim.status?.conditions ?? []).some(
    (condition: RawObject) => /Resiz/.test(condition.type) && condition.status === 'True',
  );
}
