import type { Action, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { guard } from '../guards.ts';
import { METRICS_ACCESS, metricsAnswer, scraped, selectionRow } from '../monitors.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';
import { controllerOf } from '../workloads.ts';

export const action: Action = {
  id: 'monitoring.name-service-port',
  title: "name the Service's port as the monitor does",
  risk: 'change',
  parameters: { monitor: 'needed', endpoint: 'needed' },
  access: [
    { verbs: ['get'], group: 'monitoring.coreos.com', resource: 'servicemonitors' },
    { verbs: ['get', 'patch'], group: '', resource: 'services' },
    ...METRICS_ACCESS,
  ],
  async plan(input) {
    const monitor = targetOfKey(input.parameters.monitor);
    const index = Number(input.parameters.endpoint);
    const endpoint = (await existing(input.api, monitor)).spec?.endpoints?.[index];
    const name = String(endpoint?.port ?? '');
    if (!/^(?=.*[a-z])[a-z0-9](?:-?[a-z0-9]){0,14}$/.test(name))
      throw new Refusal(
        'name-is-valid',
        `"${name}", which endpoint ${index} asks for, is no name that a port can have`,
      );
    const row = await selectionRow(input, monitor);
    const targets = ((row?.matchedServices ?? []) as readonly RawObject[]).map(service => targetOfKey(service.key));
    if (targets.length === 0) throw new Refusal('object-there', `${nameOf(monitor)} takes no Service`);
    const services: { readonly service: RawObject; readonly port: RawObject }[] = [];
    const steps: Step[] = [];
    for (const target of targets) {
      const service = await existing(input.api, target);
      const ports: readonly RawObject[] = service.spec?.ports ?? [];
      const at = ports.findIndex(port => !port.name);
      if (at < 0) throw new Refusal('single-port-or-all-named', `every port of ${nameOf(target)} has a name`);
      services.push({ service, port: ports[at]! });
      const path = ['spec', 'ports', at, 'name'];
      steps.push(
        changeStep(target, service, `name port ${ports[at]!.port} of ${nameOf(target)} ${name}`, [[path, name]]),
      );
    }
    return {
      steps,
      guards: [
        await guard('single-port-or-all-named', 'one port is all that has no name', () => {
          const several = services.find(
            ({ service }) => service.spec.ports.filter((port: RawObject) => !port.name).length > 1,
          );
          return several ? `Service ${several.service.metadata.name} has several ports without a name` : true;
        }),
        await guard('service-not-operator-owned', 'no controller writes the Service', () => {
          const owned = services.find(({ service }) => controllerOf(service));
          return owned
            ? `Service ${owned.service.metadata.name} is made by ${controllerOf(owned.service)!.kind} ${controllerOf(owned.service)!.name}`
            : true;
        }),
        await metricsAnswer(input, endpoint, services),
      ],
      riskText: 'what listens there is scraped from now on',
      verify: scraped(input.finding.rule, monitor, index),
      undo: { what: 'takes the name away', steps: undoStepsOf(steps) },
    };
  },
};
