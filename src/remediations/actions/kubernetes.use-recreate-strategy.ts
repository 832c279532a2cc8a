import type { Action, Step } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { changeStep, existing, rolledOut } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'kubernetes.use-recreate-strategy',
  title: 'end the old pod before the new one starts',
  risk: 'restart',
  parameters: { workload: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments' },
    { verbs: ['get'], group: '', resource: 'persistentvolumeclaims' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const object = await existing(input.api, target);
    const change = changeStep(target, object, `set the strategy of ${nameOf(target)} to Recreate`, [
      [['spec', 'strategy', 'rollingUpdate'], undefined],
      [['spec', 'strategy', 'type'], 'Recreate'],
    ]);
    const steps: readonly Step[] = [change, rolledOut(target, 300)];
    return {
      steps,
      guards: [
        await guard(
          'is-deployment',
          'it is a Deployment',
          () => target.kind === 'Deployment' || `${nameOf(target)} has no such strategy`,
        ),
        await guard('claim-is-rwo', 'it has a claim that one node can have at a time', async () => {
          for (const volume of object.spec?.template?.spec?.volumes ?? []) {
            const name = volume.persistentVolumeClaim?.claimName;
            const claim = name
              ? await input.api.get(targetOf('PersistentVolumeClaim', target.namespace, name))
              : undefined;
            if ((claim?.spec?.accessModes ?? []).some((mode: string) => /^ReadWriteOnce/.test(mode))) return true;
          }
          return 'it has none';
        }),
        await guard(
          'replicas-is-one',
          'it has one replica',
          () => (object.spec?.replicas ?? 1) === 1 || `it has ${object.spec.replicas} replicas`,
        ),
      ],
      riskText: 'each change of it takes it away for a moment from now on',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'writes the old strategy back', steps: undoStepsOf([change]) },
      mends: true,
    };
  },
};
