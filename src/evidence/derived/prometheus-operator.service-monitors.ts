import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as monitorsCollector } from '../collectors/prometheus-operator.monitors.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { searches } from '../components/monitor-targets.ts';
import { requirementsOf, unmet } from '../components/operator.ts';
import { findKnown, gapsIn, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { selects } from '../selects.ts';

const SHAPE = {
  service: REF,
  /** ServiceMonitors that match it, and PodMonitors that match pods behind it. */
  monitors: [REF],
  /** A ServiceMonitor that was probably meant for it. */
  nearest: REF,
  /** What keeps that one from matching, in words. */
  lacks: 'str',
  /** Commands that make it match; without such a monitor, one to be made. */
  remedy: 'str',
  /** It has an annotation that means something to other set-ups, and nothing to the operator. */
  annotated: 'bool',
} as const;

type Found = ShapeOf<typeof SHAPE>;
type Monitor = ShapeOf<typeof monitorsCollector.shape>[number];
type Service = ShapeOf<typeof servicesCollector.shape>[number];

export const collector = derived({
  id: 'prometheus-operator.service-monitors',
  about: 'Which monitors name one Service; else the one that was probably meant to, and what it takes.',
  params: ['namespace', 'name'],
  shape: SHAPE,
  async collect(context): Promise<Found> {
    const { namespace, name } = context.params as Record<'namespace' | 'name', string>;
    const services = await context.get(servicesCollector);
    const service = findKnown(services, one => one.namespace === namespace && one.name === name);
    if (!service) return { service: NOBODY, monitors: [], nearest: NOBODY, lacks: '', remedy: '', annotated: false };
    const monitors = await context.get(monitorsCollector);
    const behind = known(await listOrGap(context.get(podsCollector))).filter(
      pod => pod.namespace === namespace && selects(service.selector, pod.labels),
    );
    const matching = known(monitors).filter(monitor => {
      if (!searches(monitor, namespace)) return false;
      if (monitor.kind === 'ServiceMonitor') return unmet(service.labels, selectorOf(monitor)).length === 0;
      return monitor.kind === 'PodMonitor' && behind.some(pod => unmet(pod.labels, selectorOf(monitor)).length === 0);
    });
    const [gap] = gapsIn(monitors);
    if (matching.length === 0 && gap) throw new GapSignal(gap);
    const nearest = matching.length > 0 ? undefined : nearestOf(service, known(monitors));
    const wanted = known(await listOrGap(context.get(prometheusesCollector)))[0]?.selectors.serviceMonitor.labels ?? {};
    return {
      service: ref('Service', namespace, name, service.uid),
      monitors: matching.map(one => ref(one.kind, one.namespace, one.name, one.uid)),
      nearest: nearest ? ref(nearest.kind, nearest.namespace, nearest.name, nearest.uid) : NOBODY,
      lacks: nearest ? lacks(service, nearest) : '',
      remedy:
        matching.length > 0
          ? ''
          : nearest
            ? remedy(service, nearest, context.cluster)
            : newMonitor(service, wanted, context.cluster),
      annotated: service.annotations['prometheus.io/scrape'] === 'true',
    };
  },
});

function selectorOf(monitor: Monitor) {
  return { labels: monitor.selector, expressions: monitor.expressions };
}

/** The ServiceMonitor that misses least. One of which nothing fits was not meant for this Service. */
function nearestOf(service: Service, monitors: readonly Monitor[]): Monitor | undefined {
  const missing = (monitor: Monitor) =>
    unmet(service.labels, selectorOf(monitor)).length + (searches(monitor, service.namespace) ? 0 : 1);
  const met = (monitor: Monitor) =>
    requirementsOf(selectorOf(monitor)).length - unmet(service.labels, selectorOf(monitor)).length;
  const meant = monitors.filter(monitor => monitor.kind === 'ServiceMonitor' && met(monitor) > 0);
  return [...meant].sort((a, b) => missing(a) - missing(b) || met(b) - met(a))[0];
}

function lacks(service: Service, monitor: Monitor): string {
  const [first] = unmet(service.labels, selectorOf(monitor));
  if (!first) return `it looks in ${monitor.namespaces.join(', ')} only`;
  const { key, operator, values } = first;
  const state = key in service.labels ? `is "${service.labels[key]}"` : 'is absent';
  return `label ${key} of the Service ${state}, wanted ${operator === '=' ? '' : `${operator} `}${values.join(', ')}`;
}

function remedy(service: Service, monitor: Monitor, cluster: string): string {
  const missing = unmet(service.labels, selectorOf(monitor));
  const kubectl = `kubectl --context ${cluster}`;
  if (missing.length === 0) {
    const names = JSON.stringify([...monitor.namespaces, service.namespace]);
    return `${kubectl} -n ${monitor.namespace} patch servicemonitor ${monitor.name} --type merge -p '{"spec":{"namespaceSelector":{"matchNames":${names}}}}'`;
  }
  const pairs = missing.filter(one => one.operator === '=').map(({ key, values }) => `${key}=${values[0]}`);
  return pairs.length < missing.length
    ? `change the labels of the Service, or the selector of ServiceMonitor ${monitor.namespace}/${monitor.name}`
    : `${kubectl} -n ${service.namespace} label service ${service.name} ${pairs.join(' ')}`;
}

/** Labels that hold for the Service of one release, and would be wrong in a selector that outlives it. */
const PASSING = /^(?:helm\.sh\/chart|app\.kubernetes\.io\/(?:version|managed-by)|heritage|chart|pod-template-hash)$/;

function newMonitor(service: Service, labels: Readonly<Record<string, string>>, cluster: string): string {
  const own = Object.entries(service.labels).filter(([key]) => !PASSING.test(key));
  if (own.length === 0) return 'give the Service a label, and make a ServiceMonitor that selects it';
  const port = service.ports.find(({ name }) => /metrics/.test(name))?.name || service.ports[0]?.name || 'PORT';
  const map = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ');
  const release = Object.entries(labels);
  return [
    `kubectl --context ${cluster} apply -f - <<'EOF'`,
    'apiVersion: monitoring.coreos.com/v1',
    'kind: ServiceMonitor',
    `metadata: { name: ${service.name}, namespace: ${service.namespace}${release.length > 0 ? `, labels: { ${map(release)} }` : ''} }`,
    'spec:',
    `  selector: { matchLabels: { ${map(own)} } }`,
    `  endpoints: [{ port: ${port} }]`,
    'EOF',
  ].join('\n');
}
