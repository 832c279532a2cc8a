import type { ClusterPlan, PlannedProbe, PlannedStore } from '../clusters/bundle-plan.ts';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Collector } from '../evidence/collector.ts';
import { collector as ingressesCollector } from '../evidence/collectors/kubernetes.ingresses.ts';
import { collector as nodesCollector } from '../evidence/collectors/kubernetes.nodes.ts';
import { collector as servicesCollector } from '../evidence/collectors/kubernetes.services.ts';
import { collector as storesCollector } from '../evidence/collectors/thanos.object-stores.ts';
import { type Component, collector as componentsCollector } from '../evidence/derived/thanos.components.ts';
import { collector as endpointsCollector } from '../evidence/derived/thanos.query-endpoints.ts';
import { gapOf } from '../evidence/gaps.ts';
import { openEvidence } from '../evidence/store.ts';
import type { EvidenceStore } from '../model/evidence.ts';
import { GapSignal } from '../model/gap.ts';
import type { Shape, ShapeOf } from '../model/shape.ts';
import type { HttpRequest, Source } from '../model/source.ts';
import { NO_EXPECTATIONS } from './diagnose.ts';

/** What the HTTP server of each component is asked for a bundle. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  prometheus: [
    '/-/ready',
    '/-/healthy',
    '/api/v1/targets?state=active',
    '/api/v1/rules',
    '/api/v1/alerts',
    '/api/v1/status/config',
    '/api/v1/status/flags',
    '/api/v1/status/runtimeinfo',
    '/api/v1/status/tsdb',
    '/api/v1/status/buildinfo',
    '/api/v1/status/walreplay',
    '/api/v1/alertmanagers',
    '/metrics',
  ],
  sidecar: ['/-/ready', '/metrics'],
  query: ['/-/ready', '/metrics', '/api/v1/stores', '/api/v1/status/flags', '/api/v1/status/buildinfo'],
  'query-frontend': ['/-/ready', '/metrics'],
  store: ['/-/ready', '/metrics', '/api/v1/blocks?view=loaded'],
  compact: ['/-/ready', '/metrics', '/api/v1/blocks?view=global'],
  rule: ['/-/ready', '/metrics', '/api/v1/rules', '/api/v1/alerts', '/api/v1/status/flags', '/api/v1/status/buildinfo'],
  receive: ['/-/ready', '/metrics'],
  alertmanager: ['/-/ready', '/api/v2/status', '/api/v2/alerts', '/api/v2/silences', '/metrics'],
  operator: ['/metrics'],
  'config-reloader': ['/metrics'],
  minio: ['/minio/health/live', '/minio/health/cluster', '/minio/v2/metrics/cluster'],
  grafana: ['/api/health'],
};

/** Components of the system, whose logs tell about storage and network. */
const SYSTEM = new Set(['coredns', 'cilium', 'csi', 'longhorn-manager', 'longhorn-instance-manager']);

/** What of a cluster goes into a bundle: the logs and the HTTP of its components, its stores, and the addresses to probe. */
export async function collectionPlan(source: Source): Promise<ClusterPlan> {
  const evidence = openEvidence([source], new Map(), {
    collectors: COLLECTORS,
    expectations: NO_EXPECTATIONS,
    concurrency: 8,
  }).clusters[0]!;
  const components = await rowsOf(evidence, componentsCollector);
  const present = components.filter(component => component.component !== '');
  const namespaces = new Set(present.map(component => component.namespace));
  for (const component of present) if (SYSTEM.has(component.component)) namespaces.add(component.namespace);
  return {
    logNamespaces: [...namespaces].filter(Boolean).sort(),
    http: [...present.flatMap(componentRequests), ...(await nodeRequests(evidence))],
    stores: await plannedStores(evidence),
    probes: await plannedProbes(evidence),
  };
}

/** The rows that are known; what is not known cannot be planned, and stands in the bundle as a failure anyway. */
async function rowsOf<Row extends Shape>(
  evidence: EvidenceStore,
  collector: Collector<readonly [Row]>,
): Promise<readonly ShapeOf<Row>[]> {
  const found = await evidence.collect(collector.id, {});
  return found.known ? (found.value as readonly ShapeOf<Row>[]).filter(row => gapOf(row) === undefined) : [];
}

function unlessGap<Value>(read: () => readonly Value[]): readonly Value[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof GapSignal) return [];
    throw error;
  }
}

function componentRequests(component: Component): readonly HttpRequest[] {
  const { pod, podIp, running, httpPort, prefix } = component;
  if (!running || podIp === '' || httpPort === 0) return [];
  const paths = PATHS[component.component] ?? [];
  return paths.map(path => ({
    via: 'pod',
    namespace: pod.namespace,
    name: pod.name,
    port: httpPort,
    // Only the web pages and the API lie under the prefix; readiness and metrics do too, in Prometheus and Thanos alike.
    path: `${prefix}${path}`,
  }));
}

async function nodeRequests(evidence: EvidenceStore): Promise<readonly HttpRequest[]> {
  const nodes = await rowsOf(evidence, nodesCollector);
  return nodes.map(({ name }) => ({ via: 'node', namespace: '', name, port: 0, path: '/stats/summary' }));
}

async function plannedStores(evidence: EvidenceStore): Promise<readonly PlannedStore[]> {
  const stores = await rowsOf(evidence, storesCollector);
  return stores.flatMap(store =>
    unlessGap(() => [
      {
        reference: {
          id: store.id,
          kind: store.kind as 'Secret' | 'ConfigMap' | 'inline',
          namespace: store.secret.namespace,
          name: store.secret.name,
          key: store.key,
        },
        usedBy: store.usedBy.map(user => ({
          namespace: user.pod.namespace,
          pod: user.pod.name,
          container: user.container,
        })),
        namedBy: store.namedBy.map(({ kind, namespace, name }) => ({ kind, namespace, name })),
      },
    ]),
  );
}

async function plannedProbes(evidence: EvidenceStore): Promise<readonly PlannedProbe[]> {
  const reasons = new Map<string, Set<PlannedProbe['for'][number]>>();
  const note = (endpoint: string, reason: PlannedProbe['for'][number]) => {
    if (/\.svc(\.|:)/.test(endpoint)) return;
    reasons.set(endpoint, (reasons.get(endpoint) ?? new Set()).add(reason));
  };
  for (const service of await rowsOf(evidence, servicesCollector)) {
    if (service.type !== 'LoadBalancer') continue;
    for (const address of service.externalIps)
      for (const { port } of service.ports) note(`${address}:${port}`, 'load-balancer');
  }
  for (const ingress of await rowsOf(evidence, ingressesCollector)) {
    for (const host of unlessGap(() => ingress.hosts)) {
      note(`${host}:${unlessGap(() => ingress.tls).length > 0 ? 443 : 80}`, 'ingress');
    }
  }
  for (const store of await rowsOf(evidence, storesCollector))
    for (const address of unlessGap(() => [store.address])) if (address) note(address, 'object-store');
  for (const endpoint of await rowsOf(evidence, endpointsCollector)) {
    for (const address of unlessGap(() => (endpoint.outside ? [`${endpoint.host}:${endpoint.port}`] : [])))
      note(address, 'thanos-endpoint');
  }
  return [...reasons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([endpoint, why]) => ({ endpoint, for: [...why] }));
}
