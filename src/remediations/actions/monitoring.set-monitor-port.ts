import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { MONITOR_ACCESS, scraped, selectionRow } from '../monitors.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'monitoring.set-monitor-port',
  title: 'name the port that the Service has',
  risk: 'change',
  parameters: { monitor: 'needed', endpoint: 'needed', port: 'needed' },
  access: [...MONITOR_ACCESS, { verbs: ['list'], group: '', resource: 'services' }],
  async plan(input) {
    const target = targetOfKey(input.parameters.monitor);
    const object = await existing(input.api, target);
    const index = Number(input.parameters.endpoint);
    const port = input.parameters.port ?? '';
    const endpoint = object.spec?.endpoints?.[index];
    if (!endpoint) throw new Refusal('object-there', `${nameOf(target)} has no endpoint ${index}`);
    const path = ['spec', 'endpoints', index];
    const steps = [
      changeStep(target, object, `scrape port ${port} in ${nameOf(target)}`, [
        ...(endpoint.port === undefined && endpoint.targetPort !== undefined
          ? [[[...path, 'targetPort'], undefined] as const]
          : []),
        [[...path, 'port'], port],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard('one-candidate', 'one port of its Services can be meant', async () => {
          const row = await selectionRow(input, target);
          if (!row) return 'which Services it takes is not known';
          const wrong = row.endpoints.filter((entry: { fault: string }) => entry.fault !== '');
          if (wrong.length !== 1 || wrong[0].index !== index) return `${wrong.length} endpoints of it are wrong`;
          return (
            (port !== '' && wrong[0].likely === port) ||
            `it is not clear which port is meant: ${wrong[0].portNames.join(', ')}`
          );
        }),
        await guard('port-is-there', 'every Service that it takes has the port', async () => {
          const row = await selectionRow(input, target);
          for (const service of row?.matchedServices ?? []) {
            const live = await input.api.get(targetOfKey(service.key));
            const names = (live?.spec?.ports ?? []).map((entry: { name?: string }) => entry.name);
            if (!names.includes(port)) return `${service.key} has no port ${port}`;
          }
          return (row?.matchedServices ?? []).length > 0 || 'it takes no Service';
        }),
      ],
      riskText: 'what listens there is scraped from now on',
      verify: scraped(input.finding.rule),
      undo: { what: 'writes the old port back', steps: undoStepsOf(steps) },
    };
  },
};
