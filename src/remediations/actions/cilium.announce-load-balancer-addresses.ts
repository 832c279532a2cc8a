import type { Action, PlanInput } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { asFarAsCompared } from '../looked-at.ts';
import { matches } from '../selectors.ts';
import { changeStep, existing } from '../steps.ts';
import { targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';
import { conditionIs } from '../workloads.ts';

export const action: Action = {
  id: 'cilium.announce-load-balancer-addresses',
  title: 'announce the addresses of load balancers',
  risk: 'change',
  parameters: { policy: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'cilium.io', resource: 'ciliuml2announcementpolicies' },
    { verbs: ['get'], group: '', resource: 'services' },
    { verbs: ['list'], group: '', resource: 'nodes' },
  ],
  async plan(input) {
    const name = (input.parameters.policy ?? '').replace(/^CiliumL2AnnouncementPolicy /, '');
    const target = targetOf('CiliumL2AnnouncementPolicy', '', name);
    const policy = await existing(input.api, target);
    const steps = [
      changeStep(target, policy, `announce load balancer addresses by policy ${name}`, [
        [['spec', 'loadBalancerIPs'], true],
      ]),
    ];
    // The addresses that nobody announces because of this policy.
    const mute = async () =>
      (await rowsOf(input.evidence, 'cilium.load-balancers')).filter(row => row.fault.name === name);
    return {
      steps,
      guards: [
        await guard('feature-on', 'Cilium announces at all', async () => {
          const config = await recordOf(input.evidence, 'cilium.config');
          return config.l2Announcements === true || 'enable-l2-announcements is not on';
        }),
        await guard(
          'policy-matches-service-and-node',
          'the policy takes the Services, and a node that is ready',
          async () => takesAll(input, policy, await mute()),
        ),
        await guard(
          'address-not-announced-elsewhere',
          `no other cluster announces the addresses${asFarAsCompared(input.lookedAt)}`,
          async () => {
            const addresses = (await mute()).flatMap(row => row.ips as readonly string[]);
            const announced = (await rowsOf(input.fleet, 'cilium.load-balancers')).find(
              row => row.l2.holder !== '' && (row.ips as readonly string[]).some(ip => addresses.includes(ip)),
            );
            return announced
              ? `${announced.l2.holder} announces ${announced.ips.join(', ')} for ${announced.service.key}`
              : true;
          },
        ),
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

async function takesAll({ api }: PlanInput, { spec }: RawObject, rows: readonly RawObject[]): Promise<true | string> {
  if (rows.length === 0) return 'no Service waits for it';
  for (const { service } of rows) {
    const { metadata } = await existing(api, targetOfKey(service.key));
    const labels = {
      ...metadata.labels,
      'io.kubernetes.service.name': metadata.name,
      'io.kubernetes.service.namespace': metadata.namespace,
    };
    if (!matches(spec?.serviceSelector ?? {}, labels)) return `it does not take ${service.key}`;
  }
  const nodes = await api.list('', 'nodes', '');
  const isTaken = (node: RawObject) =>
    conditionIs(node, 'Ready', 'True') && matches(spec?.nodeSelector ?? {}, node.metadata.labels ?? {});
  return nodes.some(isTaken) || 'it takes no node that is ready';
}
