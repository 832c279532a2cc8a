import { listOf } from '../collector.ts';
import { list, NOBODY, REF, ref, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.api-services',
  about: 'Aggregated APIs, and whether they answer.',
  group: 'apiregistration.k8s.io',
  resource: 'apiservices',
  kind: 'APIService',
  fields: {
    group: 'str',
    version: 'str',
    /** Served by the API server itself. */
    local: 'bool',
    /** True, False or Unknown */
    available: 'str',
    reason: 'str',
    message: 'str',
    since: 'time',
    service: REF,
  },
  row({ spec, status }) {
    const condition = list(status?.conditions).find(one => text(one?.type) === 'Available');
    const service = spec?.service;
    return {
      group: text(spec?.group),
      version: text(spec?.version),
      local: !service,
      available: text(condition?.status),
      reason: text(condition?.reason),
      message: text(condition?.message),
      since: text(condition?.lastTransitionTime),
      service: service ? ref('Service', text(service.namespace), text(service.name)) : NOBODY,
    };
  },
});
