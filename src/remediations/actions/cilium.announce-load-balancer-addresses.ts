import type { Action } from '../../model/remediation.ts';
import { recordOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { changeStep, existing } from '../steps.ts';
import { targetOf } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'cilium.announce-load-balancer-addresses',
  title: 'announce the addresses of load balancers',
  risk: 'change',
  parameters: { policy: 'needed' },
  access: [{ verbs: ['get', 'patch'], group: 'cilium.io', resource: 'ciliuml2announcementpolicies' }],
  async plan(input) {
    const name = (input.parameters.policy ?? '').replace(/^CiliumL2AnnouncementPolicy /, '');
    const target = targetOf('CiliumL2AnnouncementPolicy', '', name);
    const policy = await existing(input.api, target);
    const steps = [
      changeStep(target, policy, `announce load balancer addresses by policy ${name}`, [
        [['spec', 'loadBalancerIPs'], true],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard('feature-on', 'Cilium announces at all', async () => {
          const config = await recordOf(input.evidence, 'cilium.config');
          return config.l2Announcements === true || 'enable-l2-announcements is not on';
        }),
      ],
      riskText: 'the nodes answer for these addresses on their network',
      verify: {
        what: `${input.finding.rule} is healthy, and a node announces the addresses`,
        seconds: 60,
        signals: [{ is: 'address-announced', policy: name }],
      },
      undo: { what: 'announces them no more', steps: undoStepsOf(steps) },
    };
  },
};
