import { listOf } from '../collector.ts';
import { SELECTION, selectionOf } from '../components/operator.ts';
import { flag, number } from '../objects.ts';

export const collector = listOf({
  id: 'prometheus-operator.agents',
  about: 'PrometheusAgent resources: they select monitors as Prometheus resources do.',
  group: 'monitoring.coreos.com',
  resource: 'prometheusagents',
  kind: 'PrometheusAgent',
  fields: {
    replicas: 'int',
    paused: 'bool',
    selectors: { serviceMonitor: SELECTION, podMonitor: SELECTION, probe: SELECTION, scrapeConfig: SELECTION },
  },
  row({ spec }) {
    return {
      replicas: number(spec?.replicas, 1),
      paused: flag(spec?.paused),
      selectors: {
        serviceMonitor: selectionOf(spec, 'serviceMonitor'),
        podMonitor: selectionOf(spec, 'podMonitor'),
        probe: selectionOf(spec, 'probe'),
        scrapeConfig: selectionOf(spec, 'scrapeConfig'),
      },
    };
  },
});
