import type { Action, Step } from '../../model/remediation.ts';
import { claimGuards, newSize } from '../claims.ts';
import { guard } from '../guards.ts';
import { bytesOf } from '../quantities.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { action as growClaims } from './prometheus.grow-claim.ts';

export const action: Action = {
  id: 'kubernetes.expand-claim',
  title: 'grow the claim',
  risk: 'change',
  parameters: { claim: 'needed', least: 'optional' },
  access: [
    { verbs: ['get', 'patch'], group: '', resource: 'persistentvolumeclaims' },
    { verbs: ['get'], group: 'storage.k8s.io', resource: 'storageclasses' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.claim);
    const claim = await existing(input.api, target);
    // The operator's template of it has to grow too, or the operator makes everything anew.
    const resource = claim.metadata.labels?.['operator.prometheus.io/name'];
    if (resource) {
      const prometheus = `Prometheus ${target.namespace}/${resource}`;
      return growClaims.plan({ ...input, parameters: { ...input.parameters, prometheus } });
    }
    const size = newSize(input, bytesOf(claim.spec?.resources?.requests?.storage) ?? 0);
    const steps: readonly Step[] = [
      changeStep(target, claim, `grow ${nameOf(target)} to ${size}`, [
        [['spec', 'resources', 'requests', 'storage'], size],
      ]),
      {
        do: 'wait',
        title: `${nameOf(target)} has ${size}`,
        target,
        until: { is: 'at-least', path: ['status', 'capacity', 'storage'], quantity: size },
        seconds: 300,
      },
    ];
    return {
      steps,
      guards: [
        ...(await claimGuards(input, [claim], size)),
        await guard('no-resize-open', 'it is not growing already', () => {
          const asked = bytesOf(claim.spec?.resources?.requests?.storage) ?? 0;
          return asked <= (bytesOf(claim.status?.capacity?.storage) ?? 0) || 'it asks for more than it has';
        }),
      ],
      riskText: 'a claim cannot be made smaller again',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'none: a claim cannot be made smaller', steps: [] },
      notes: ['a StatefulSet keeps its smaller template: write the size there too, where it comes from'],
    };
  },
};
