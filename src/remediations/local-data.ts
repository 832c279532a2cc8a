import type { ApiReader, Step } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { podsBehind } from './middle.ts';
import { flagOf, prometheusIn } from './store-users.ts';
import { OPERATED_KINDS, WORKLOAD_KINDS } from './targets.ts';

/**
 * Whether what a Prometheus has not sent yet survives the steps: data in an emptyDir go with the pod. True, or why not.
 * Throws a `GapSignal` where the pods cannot be seen.
 */
export async function localDataKept(writes: readonly Step[], api: ApiReader): Promise<true | string> {
  for (const step of writes) {
    for (const pod of await replacedPods(step, api)) {
      if (!liesInPod(pod)) continue;
      return `${pod.metadata.name} keeps its data in an emptyDir: what it has not uploaded goes with the pod`;
    }
  }
  return true;
}

async function replacedPods(step: Step, api: ApiReader): Promise<readonly RawObject[]> {
  const { target } = step;
  if (target.kind === 'Pod') {
    const pod = step.do === 'delete' || step.do === 'evict' ? await api.get(target) : undefined;
    return pod ? [pod] : [];
  }
  if (step.do !== 'restart' && step.do !== 'change') return [];
  return WORKLOAD_KINDS.has(target.kind) || OPERATED_KINDS.has(target.kind) ? podsBehind(target, api) : [];
}

function liesInPod(pod: RawObject): boolean {
  const container = prometheusIn({ spec: { template: { spec: pod.spec } } });
  if (!container) return false;
  const path = flagOf(container, '--storage.tsdb.path') ?? '/prometheus';
  const mount = (container.volumeMounts ?? []).find(
    ({ mountPath }: RawObject) => path === mountPath || path.startsWith(`${mountPath}/`),
  );
  return (pod.spec?.volumes ?? []).some((volume: RawObject) => volume.name === mount?.name && volume.emptyDir);
}
