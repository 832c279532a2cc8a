import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { targetOfKey } from '../targets.ts';

export const action: Action = {
  id: 'cilium.restart-operator',
  title: "restart Cilium's operator",
  risk: 'restart',
  parameters: { workload: 'needed' },
  access: RESTART_ACCESS,
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const { namespace } = target;
    return restartDraft(
      { ...input, wishes: { ...input.wishes, downtime: true } },
      [target],
      { what: `${input.finding.rule} is healthy`, seconds: 60 },
      [
        await guard('lease-stale', 'nobody holds its lease', async () => {
          const lease = await input.api.get({
            group: 'coordination.k8s.io',
            resource: 'leases',
            kind: 'Lease',
            namespace,
            name: 'cilium-operator-resource-lock',
          });
          const { renewTime, leaseDurationSeconds = 15 } = lease?.spec ?? {};
          const age = Date.parse(input.api.now()) - Date.parse(renewTime ?? '');
          // Without a lease, or without a time in it, nobody leads either.
          return Number.isNaN(age) || age > leaseDurationSeconds * 1000 || 'its lease is renewed: it works';
        }),
        await guard('agents-ready', 'the agents are ready', async () => {
          const sets = await input.api.list('apps', 'daemonsets', namespace);
          const agents = sets.find(({ spec }) =>
            (spec?.template?.spec?.containers ?? []).some(({ image = '' }: { image?: string }) =>
              /(?:^|\/)cilium(?:[:@]|$)/.test(image),
            ),
          );
          if (!agents) return 'no agents were found';
          const { desiredNumberScheduled = 0, numberReady = 0 } = agents.status ?? {};
          return (
            numberReady >= desiredNumberScheduled || `${numberReady} of ${desiredNumberScheduled} agents are ready`
          );
        }),
      ],
    );
  },
};
