import type { Action, Step } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { limitWasHit, nextMemory, nodeHasRoom, notRaisedTwice, outlasts } from '../memory.ts';
import { podsOf } from '../pods.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing, rolledOut, startSeconds } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'kubernetes.raise-memory-limit',
  title: 'raise the memory limit',
  risk: 'restart',
  parameters: { workload: 'needed', container: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments' },
    { verbs: ['get', 'patch'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['list'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'nodes' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const object = await existing(input.api, target);
    const name = input.parameters.container ?? '';
    const containers = object.spec?.template?.spec?.containers ?? [];
    const index = containers.findIndex((container: { name: string }) => container.name === name);
    if (index < 0) throw new Refusal('object-there', `${nameOf(target)} has no container ${name}`);
    const { limit, request, more } = nextMemory(input, containers[index].resources);
    const path = ['spec', 'template', 'spec', 'containers', index, 'resources'];
    const change = changeStep(
      target,
      object,
      `raise the memory limit of container ${name} of ${nameOf(target)} to ${limit}`,
      [
        [[...path, 'limits', 'memory'], limit],
        ...(request ? [[[...path, 'requests', 'memory'], request] as const] : []),
      ],
    );
    const pods = await podsOf(input, target, object);
    const steps: readonly Step[] = [change, rolledOut(target, startSeconds(object))];
    const isCompactor = (containers[index].args ?? []).includes('compact');
    return {
      steps,
      guards: [
        // What is near its limit was not killed yet.
        ...(/near/.test(input.finding.rule) ? [] : [await limitWasHit(pods, name)]),
        await nodeHasRoom(input, pods, more),
        await notRaisedTwice(input, action.id, target),
        await guard(
          'accepts-repeat',
          'no compaction is interrupted',
          () => !isCompactor || input.wishes.downtime || 'a compaction that runs begins anew: --accept-downtime',
        ),
      ],
      riskText: 'its pods are replaced one after another',
      verify: outlasts(input.finding.rule, [nameOf(target)], name, pods),
      undo: {
        what: 'writes the old limit back',
        steps: [...undoStepsOf([change]), rolledOut(target, startSeconds(object))],
      },
      mends: true,
    };
  },
};
