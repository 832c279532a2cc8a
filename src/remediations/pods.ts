import type { Guard, PlanInput, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { guard } from './guards.ts';
import { nameOf } from './targets.ts';
import { controllerOf, isReady } from './workloads.ts';

/** Why a new pod would not come up either. */
const STOPS_A_START =
  /^(?:ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainerConfigError|CreateContainerError|ErrImageNeverPull)$/;

/** The pods that a workload's selector takes. */
export async function podsOf({ api }: PlanInput, target: Target, object: RawObject): Promise<readonly RawObject[]> {
  const { matchLabels = {}, matchExpressions = [] } = object.spec?.selector ?? {};
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const pods = await api.list('', 'pods', target.namespace, labels.join(','));
  // Expressions are rare; the owner tells the same.
  return matchExpressions.length === 0 ? pods : pods.filter(pod => controllerOf(pod)?.name.startsWith(target.name));
}

function statusesOf(pod: RawObject): readonly RawObject[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

/** Nothing is left that would stop a new pod: image, missing Secret or key, a node that is not there. */
export function causeIsHealthy(pods: readonly RawObject[]): Promise<Guard> {
  return guard('cause-is-healthy', 'nothing would stop a new pod', () => {
    for (const pod of pods) {
      const stopped = statusesOf(pod).find(status => STOPS_A_START.test(status.state?.waiting?.reason ?? ''));
      if (stopped) return `container ${stopped.name} of ${pod.metadata.name} waits for ${stopped.state.waiting.reason}`;
      const unscheduled = (pod.status?.conditions ?? []).find(
        (condition: RawObject) => condition.type === 'PodScheduled' && condition.status === 'False',
      );
      if (unscheduled) return `${pod.metadata.name} finds no node: ${unscheduled.message ?? unscheduled.reason}`;
    }
    return true;
  });
}

/** The logs of failing runs go with the pod: they are kept on this machine first. */
export function previousLogSaved(input: PlanInput, pods: readonly RawObject[]): Promise<Guard> {
  return guard('previous-log-saved', 'the logs of failing runs are kept', async () => {
    for (const pod of pods) {
      const fails = statusesOf(pod).some(status => status.lastState?.terminated || status.state?.waiting);
      if (!fails) continue;
      const { namespace, name } = pod.metadata;
      if (!(await input.saveLogs(namespace, name))) return `the log of ${name} could not be kept`;
    }
    return true;
  });
}

/** A restart does not take the last one that serves. */
export function secondReplicaReady(input: PlanInput, target: Target, pods: readonly RawObject[]): Promise<Guard> {
  return guard('second-replica-ready', 'another replica goes on meanwhile', () => {
    const ready = pods.filter(isReady).length;
    if (ready !== 1 || input.wishes.downtime) return true;
    return `${nameOf(target)} has one replica that is ready: --accept-downtime restarts it all the same`;
  });
}

/** A pod on a node that does not answer is never deleted: two could write to one volume. */
export function nodeAnswers({ api }: PlanInput, pod: RawObject): Promise<Guard> {
  return guard('node-answers', 'its node is ready', async () => {
    const name = pod.spec?.nodeName;
    if (!name) return true;
    const node = await api.get({ group: '', resource: 'nodes', kind: 'Node', namespace: '', name });
    if (!node) return `node ${name} does not exist any more`;
    const ready = (node.status?.conditions ?? []).find((condition: RawObject) => condition.type === 'Ready');
    return ready?.status === 'True' || `node ${name} is not ready`;
  });
}
