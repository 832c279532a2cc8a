import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched, listOf } from '../collector.ts';
import { selectorOf, wholeSeconds } from '../components/operator.ts';
import { REJECTION, rejectionOf } from '../components/rejections.ts';
import { listOrGap } from '../gaps.ts';
import { flag, list, OBJECT_FIELDS, text, textOrNumber } from '../objects.ts';

const FIELDS = {
  /** ServiceMonitor, PodMonitor, Probe or ScrapeConfig */
  kind: 'str',
  /** Where it looks: names of namespaces; empty with `allNamespaces`. */
  namespaces: ['str'],
  allNamespaces: 'bool',
  selector: 'map',
  expressions: [{ key: 'str', operator: 'str', values: ['str'] }],
  endpoints: [
    {
      /** Name of a port of the Service (ServiceMonitor) or container (PodMonitor), matched as a regular expression. */
      port: 'str',
      /** Name or number of a container's port. */
      targetPort: 'str',
      path: 'str',
      scheme: 'str',
      interval: 'int',
      honorLabels: 'bool',
      tls: 'bool',
    },
  ],
  jobLabel: 'str',
  /** Names of the scrape jobs that the operator makes of it. */
  jobs: ['str'],
  ...REJECTION,
} as const;

function endpointOf(raw: RawObject) {
  return {
    port: text(raw?.port),
    targetPort: textOrNumber(raw?.targetPort ?? raw?.portNumber),
    path: text(raw?.path) || '/metrics',
    scheme: (text(raw?.scheme) || 'http').toLowerCase(),
    interval: wholeSeconds(raw?.interval),
    honorLabels: flag(raw?.honorLabels),
    tls: raw?.tlsConfig !== undefined && raw?.tlsConfig !== null,
  };
}

/** Where a monitor looks: its own namespace unless it says otherwise. */
function namespacesOf(own: string, raw: RawObject) {
  if (flag(raw?.any)) return { allNamespaces: true, namespaces: [] };
  const names = list(raw?.matchNames).map(text);
  return { allNamespaces: false, namespaces: names.length > 0 ? names : [own] };
}

function monitors(resource: string, kind: string, endpointsField: string, indexed: boolean) {
  return listOf({
    id: 'prometheus-operator.monitors',
    about: '',
    group: 'monitoring.coreos.com',
    resource,
    kind,
    fields: FIELDS,
    row(object) {
      const { metadata, spec } = object;
      const selector = selectorOf(spec?.selector ?? spec?.targets?.ingress?.selector);
      const endpoints = list(spec?.[endpointsField]).map(endpointOf);
      const pool = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}/${metadata.namespace}/${metadata.name}`;
      return {
        kind,
        ...namespacesOf(text(metadata.namespace), spec?.namespaceSelector ?? spec?.targets?.ingress?.namespaceSelector),
        selector: selector.labels,
        expressions: selector.expressions,
        endpoints,
        jobLabel: text(spec?.jobLabel),
        jobs: indexed ? endpoints.map((_endpoint, index) => `${pool}/${index}`) : [pool],
        ...rejectionOf(object),
      };
    },
  });
}

const KINDS = [
  monitors('servicemonitors', 'ServiceMonitor', 'endpoints', true),
  monitors('podmonitors', 'PodMonitor', 'podMetricsEndpoints', true),
  monitors('probes', 'Probe', '', false),
  monitors('scrapeconfigs', 'ScrapeConfig', '', false),
];

const SHAPE = [{ ...OBJECT_FIELDS, ...FIELDS }] as const;

export const collector = fetched({
  id: 'prometheus-operator.monitors',
  about: 'ServiceMonitors, PodMonitors, Probes and ScrapeConfigs in one list.',
  core: true,
  needs: KINDS.flatMap(kind => kind.needs),
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    // A kind that could not be read leaves the others as they are.
    const lists = await Promise.all(KINDS.map(kind => listOrGap(kind.collect(context))));
    return lists.flat();
  },
});
