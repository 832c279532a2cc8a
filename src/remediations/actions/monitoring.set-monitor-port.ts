import type { Action, PlanInput, Target } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { guard } from '../guards.ts';
import { METRICS_ACCESS, MONITOR_ACCESS, metricsAnswer, scraped, selectionRow } from '../monitors.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'monitoring.set-monitor-port',
  title: 'name the port that the Service has',
  risk: 'change',
  parameters: { monitor: 'needed', endpoint: 'needed', port: 'needed' },
  access: [...MONITOR_ACCESS, ...METRICS_ACCESS],
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
    const services = await servicesOf(input, target, port);
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
        await guard('port-is-there', 'every Service that it takes has the port', () => {
          const without = services.find(entry => !entry.port);
          if (without) return `${without.key} has no port ${port}`;
          return services.length > 0 || 'it takes no Service';
        }),
        await metricsAnswer(
          input,
          endpoint,
          services.flatMap(entry => (entry.port ? [{ service: entry.service, port: entry.port }] : [])),
        ),
      ],
      riskText: 'what listens there is scraped from now on',
      verify: scraped(input.finding.rule, target, index),
      undo: { what: 'writes the old port back', steps: undoStepsOf(steps) },
    };
  },
};

/** The Services that it takes, with their port of that name. */
async function servicesOf(input: PlanInput, monitor: Target, name: string) {
  const row = await selectionRow(input, monitor);
  const keys = ((row?.matchedServices ?? []) as readonly RawObject[]).map(({ key }) => String(key));
  const services: { readonly key: string; readonly service: RawObject; readonly port: RawObject | undefined }[] = [];
  for (const key of keys) {
    const service = await existing(input.api, targetOfKey(key));
    const ports: readonly RawObject[] = service.spec?.ports ?? [];
    services.push({ key, service, port: ports.find(port => port.name === name) });
  }
  return services;
}
