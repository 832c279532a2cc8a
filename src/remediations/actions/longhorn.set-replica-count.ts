import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'longhorn.set-replica-count',
  title: 'ask for no more replicas than there are nodes',
  risk: 'change',
  parameters: { volume: 'needed' },
  access: [
    { verbs: ['get', 'list', 'patch'], group: 'longhorn.io', resource: 'volumes' },
    { verbs: ['list'], group: 'longhorn.io', resource: 'nodes' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.volume);
    const volume = await existing(input.api, target);
    const nodes = await input.api.list('longhorn.io', 'nodes', target.namespace);
    const conditionOf = (node: (typeof nodes)[number], type: string) =>
      (node.status?.conditions ?? []).find((condition: { type: string }) => condition.type === type)?.status;
    const able = nodes.filter(node => node.spec?.allowScheduling !== false && conditionOf(node, 'Ready') === 'True');
    const wanted = volume.spec?.numberOfReplicas ?? 0;
    const count = Math.max(1, able.length);
    if (count >= wanted)
      throw new Refusal('fewer-nodes-than-replicas', `there are ${able.length} nodes for ${wanted} replicas`);
    const steps = [
      changeStep(target, volume, `ask for ${count} instead of ${wanted} replicas of volume ${target.name}`, [
        [['spec', 'numberOfReplicas'], count],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard(
          'one-healthy-replica',
          'a replica is healthy',
          () =>
            /^(?:healthy|degraded)$/.test(volume.status?.robustness ?? '') ||
            `the volume is ${volume.status?.robustness ?? 'of unknown state'}`,
        ),
        await guard(
          'not-rebuilding',
          'none is being rebuilt',
          () =>
            volume.status?.state === 'attached' ||
            volume.status?.state === 'detached' ||
            `the volume is ${volume.status?.state}`,
        ),
        await guard('no-node-expected-back', 'no node of Longhorn is merely down', () => {
          const down = nodes.find(node => conditionOf(node, 'Ready') !== 'True');
          return down ? `node ${down.metadata.name} is down, and may come back` : true;
        }),
      ],
      riskText: 'none of the copies that exist is touched; the surplus ones were never made',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 120 },
      undo: { what: 'asks for the old number again', steps: undoStepsOf(steps) },
      mends: true,
    };
  },
};
