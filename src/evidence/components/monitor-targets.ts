import type { ShapeOf } from '../../model/shape.ts';
import type { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import type { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import type { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import type { collector as monitorsCollector } from '../collectors/prometheus-operator.monitors.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { type Requirement, unmet } from './operator.ts';
import { portFault } from './ports.ts';

/** What a monitor would find in the cluster, decided on objects alone. */
export const FOUND = {
  searchNamespaces: ['str'],
  /** Services that a ServiceMonitor matches. */
  matchedServices: [REF],
  /** Pods that a PodMonitor matches; of a ServiceMonitor, the pods behind its Services. */
  matchedPods: [REF],
  /** Workloads of those pods. */
  workloads: [REF],
  endpoints: [
    {
      index: 'int',
      job: 'str',
      port: 'str',
      targetPort: 'str',
      /** '' where the port is there; else as `portFault` names it. */
      fault: 'str',
      portNames: ['str'],
      /** The name that was most likely meant; '' if none is likely. */
      likely: 'str',
    },
  ],
  /** No endpoint has a fault. */
  portOk: 'bool',
  /** The first fault. */
  portWhy: 'str',
  /** Addresses behind the matched Services, or matched pods. */
  targetsExpected: 'int',
  /** A workload that it would find has no replica on purpose, and no other has one. */
  scaledToZero: 'bool',
  /** Services of other namespaces that it would match. */
  elsewhere: [REF],
  /** Pods whose own labels satisfy a ServiceMonitor's selector, which is compared with Services. */
  podsInstead: 'int',
  /** The Service that misses the fewest labels, and the first that it lacks. */
  nearestService: REF,
  nearestServiceLacks: 'str',
} as const;

export type Found = ShapeOf<typeof FOUND>;

type Service = ShapeOf<typeof servicesCollector.shape>[number];
type Slice = ShapeOf<typeof slicesCollector.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Monitor = ShapeOf<typeof monitorsCollector.shape>[number];

interface Workload {
  readonly key: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly template: { readonly labels: Readonly<Record<string, string>> };
}

export interface Objects {
  readonly services: readonly Service[];
  readonly slices: readonly Slice[];
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
}

export const NOTHING_FOUND: Found = Object.freeze({
  searchNamespaces: [],
  matchedServices: [],
  matchedPods: [],
  workloads: [],
  endpoints: [],
  portOk: true,
  portWhy: '',
  targetsExpected: 0,
  scaledToZero: false,
  elsewhere: [],
  podsInstead: 0,
  nearestService: NOBODY,
  nearestServiceLacks: '',
});

export function findTargets(monitor: Monitor, objects: Objects): Found {
  if (monitor.kind === 'ServiceMonitor') return ofServices(monitor, objects);
  if (monitor.kind === 'PodMonitor') return ofPods(monitor, objects);
  return NOTHING_FOUND;
}

function ofServices(monitor: Monitor, objects: Objects): Found {
  const selector = { labels: monitor.selector, expressions: monitor.expressions };
  const inside = objects.services.filter(service => searches(monitor, service.namespace));
  const matched = inside.filter(service => unmet(service.labels, selector).length === 0);
  const pods = objects.pods.filter(pod => matched.some(service => selects(service, pod)));
  const slices = objects.slices.filter(slice =>
    matched.some(service => service.namespace === slice.namespace && service.name === slice.service),
  );
  const names = [
    ...matched.flatMap(service => service.ports.map(port => port.name)),
    // The ports of a Service without a selector are those of its hand-made slices.
    ...slices.flatMap(slice => slice.ports.map(port => port.name)),
  ];
  const nearest = nearestOf(inside, service => unmet(service.labels, selector));
  return {
    ...NOTHING_FOUND,
    searchNamespaces: monitor.namespaces,
    matchedServices: matched.map(service => ref('Service', service.namespace, service.name, service.uid)),
    ...podsFound(pods),
    ...endpointsFound(monitor, distinct(names), pods),
    targetsExpected: slices.reduce((sum, slice) => sum + slice.endpoints.length, 0),
    scaledToZero: isScaledToZero(objects.workloads, workload =>
      matched.some(service => selects(service, { namespace: workload.namespace, labels: workload.template.labels })),
    ),
    elsewhere: objects.services
      .filter(service => !searches(monitor, service.namespace) && unmet(service.labels, selector).length === 0)
      .map(service => ref('Service', service.namespace, service.name, service.uid)),
    podsInstead: objects.pods.filter(
      pod => searches(monitor, pod.namespace) && unmet(pod.labels, selector).length === 0,
    ).length,
    ...(matched.length === 0 && nearest
      ? {
          nearestService: ref('Service', nearest.item.namespace, nearest.item.name, nearest.item.uid),
          nearestServiceLacks: `${nearest.missing[0]!.key}${nearest.missing[0]!.operator}${nearest.missing[0]!.values.join(',')}`,
        }
      : {}),
  };
}

function ofPods(monitor: Monitor, objects: Objects): Found {
  const selector = { labels: monitor.selector, expressions: monitor.expressions };
  const pods = objects.pods.filter(
    pod =>
      searches(monitor, pod.namespace) &&
      unmet(pod.labels, selector).length === 0 &&
      (pod.phase === 'Pending' || pod.phase === 'Running'),
  );
  const names = pods.flatMap(pod => portsOf(pod).map(port => port.name));
  return {
    ...NOTHING_FOUND,
    searchNamespaces: monitor.namespaces,
    ...podsFound(pods),
    ...endpointsFound(monitor, distinct(names), pods),
    targetsExpected: pods.length,
    scaledToZero: isScaledToZero(
      objects.workloads,
      workload => searches(monitor, workload.namespace) && unmet(workload.template.labels, selector).length === 0,
    ),
  };
}

export function searches(monitor: Monitor, namespace: string): boolean {
  return monitor.allNamespaces || monitor.namespaces.includes(namespace);
}

function selects(service: Service, pod: Pick<Pod, 'namespace' | 'labels'>): boolean {
  const entries = Object.entries(service.selector);
  if (entries.length === 0 || service.namespace !== pod.namespace) return false;
  return entries.every(([key, value]) => pod.labels[key] === value);
}

/** Ports of containers that stay: init containers end before anything is scraped. */
function portsOf(pod: Pod): Pod['containers'][number]['ports'] {
  return pod.containers.filter(container => container.kind !== 'init').flatMap(container => container.ports);
}

function podsFound(pods: readonly Pod[]): Pick<Found, 'matchedPods' | 'workloads'> {
  const workloads = new Map(pods.map(pod => [pod.workload.key, pod.workload]));
  return {
    matchedPods: pods.map(pod => ref('Pod', pod.namespace, pod.name, pod.uid)),
    workloads: [...workloads.values()],
  };
}

function endpointsFound(
  monitor: Monitor,
  portNames: readonly string[],
  pods: readonly Pod[],
): Pick<Found, 'endpoints' | 'portOk' | 'portWhy'> {
  const containerPorts = distinct(pods.flatMap(pod => portsOf(pod).flatMap(port => [port.name, String(port.port)])));
  const endpoints = monitor.endpoints.map((endpoint, index) => {
    const fault = portFault(endpoint, { names: portNames, containerPorts });
    return {
      index,
      job: monitor.jobs[index] ?? '',
      port: endpoint.port,
      targetPort: endpoint.targetPort,
      fault,
      portNames,
      likely: fault === '' ? '' : likelyName(endpoint.port, portNames, pods),
    };
  });
  const first = endpoints.find(endpoint => endpoint.fault !== '');
  return { endpoints, portOk: first === undefined, portWhy: first?.fault ?? '' };
}

/** The same name in another case, the name of the port with that number, or the only one that there is. */
function likelyName(wanted: string, names: readonly string[], pods: readonly Pod[]): string {
  const otherCase = names.find(name => name.toLowerCase() === wanted.toLowerCase());
  if (otherCase) return otherCase;
  const number = pods.flatMap(portsOf).find(port => String(port.port) === wanted)?.name;
  if (number && names.includes(number)) return number;
  return names.length === 1 ? names[0]! : '';
}

function isScaledToZero(workloads: readonly Workload[], finds: (workload: Workload) => boolean): boolean {
  const found = workloads.filter(finds);
  return found.length > 0 && found.every(workload => workload.replicas === 0);
}

function nearestOf<Item>(items: readonly Item[], missingOf: (item: Item) => readonly Requirement[]) {
  let nearest: { readonly item: Item; readonly missing: readonly Requirement[] } | undefined;
  for (const item of items) {
    const missing = missingOf(item);
    if (missing.length > 0 && (!nearest || missing.length < nearest.missing.length)) nearest = { item, missing };
  }
  return nearest;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
