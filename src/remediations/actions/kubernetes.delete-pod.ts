import type { Action, Step } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { causeIsHealthy, nodeAnswers, previousLogSaved } from '../pods.ts';
import { existing, rolledOut, startSeconds } from '../steps.ts';
import { nameOf, targetOf, targetOfKey, WORKLOAD_KINDS } from '../targets.ts';
import { controllerOf, isReady } from '../workloads.ts';

export const action: Action = {
  id: 'kubernetes.delete-pod',
  title: 'replace the pod',
  risk: 'restart',
  parameters: { pod: 'needed' },
  access: [
    { verbs: ['get', 'list', 'delete'], group: '', resource: 'pods' },
    { verbs: ['create'], group: '', resource: 'pods/eviction' },
    { verbs: ['get'], group: 'apps', resource: 'statefulsets' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.pod);
    const pod = await existing(input.api, target);
    const controller = controllerOf(pod);
    const { uid } = pod.metadata;
    // A budget counts pods that are ready: those are asked for, the others are only in the way.
    const step: Step = isReady(pod)
      ? { do: 'evict', title: `evict ${nameOf(target)}`, target, uid }
      : { do: 'delete', title: `delete ${nameOf(target)}`, target, uid, orphan: false };
    const owner =
      controller && WORKLOAD_KINDS.has(controller.kind)
        ? targetOf(controller.kind, target.namespace, controller.name)
        : undefined;
    const workload = owner && (await existing(input.api, owner));
    const seconds = workload ? startSeconds(workload) : 300;
    const wait: readonly Step[] =
      controller?.kind === 'StatefulSet'
        ? [{ do: 'wait', title: `the new ${target.name} is ready`, target, until: { is: 'replaced', uid }, seconds }]
        : owner
          ? [rolledOut(owner, seconds)]
          : [];
    return {
      steps: [step, ...wait],
      guards: [
        await causeIsHealthy([pod]),
        await guard(
          'has-controller',
          'it is made again by its controller',
          () => controller !== undefined || `${nameOf(target)} has no controller: nobody makes it again`,
        ),
        await nodeAnswers(input, pod),
        await previousLogSaved(input, [pod]),
        await guard(
          'not-an-instance-manager',
          'it is none of Longhorn’s own',
          () => !/^(?:instance-manager|share-manager|engine-image)-/.test(target.name) || 'volumes run in this pod',
        ),
      ],
      riskText: 'the pod stops and is made anew',
      verify: { what: `${input.finding.rule} is healthy`, seconds },
      undo: { what: 'not needed: the pod is made anew', steps: [] },
      mends: true,
    };
  },
};
