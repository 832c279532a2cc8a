import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { gapsIn, groupedBy, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { selectable } from '../selects.ts';

const ROW = {
  service: REF,
  type: 'str',
  headless: 'bool',
  created: 'time',
  age: 'int',
  ready: 'int',
  notReady: 'int',
  matchedPods: [REF],
  workloads: [REF],
  unreadyPods: [{ pod: REF, containers: ['str'] }],
  /** '', none-selected, none-ready, port-not-in-pod, no-selector, external-name or dummy */
  why: 'str',
  ports: [{ name: 'str', port: 'int', targetPort: 'str', resolved: 'bool' }],
} as const;

type Backends = ShapeOf<typeof ROW>;
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Service = ShapeOf<typeof servicesCollector.shape>[number];

/** Cilium writes this address where it serves an Ingress or Gateway itself: it is no backend. */
const DUMMY = '192.192.192.192';

export const collector = derived({
  id: 'kubernetes.service-backends',
  about: 'Which pods a Service would reach, and why it reaches none.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [services, slices, pods] = await Promise.all([
      context.get(servicesCollector),
      listOrGap(context.get(slicesCollector)),
      listOrGap(context.get(podsCollector)),
    ]);
    const [sliceGap] = gapsIn(slices);
    const [podGap] = gapsIn(pods);
    const slicesOf = groupedBy(known(slices), slice => `${slice.namespace}/${slice.service}`);
    const podsOf = selectable(known(pods).filter(pod => !pod.history));
    return mapKnown(services, service => {
      const own = slicesOf.get(`${service.namespace}/${service.name}`) ?? [];
      const endpoints = own.flatMap(slice => slice.endpoints);
      const row = rowOf(service, endpoints, podsOf(service.namespace, service.selector));
      const unknown: (keyof Backends & string)[] = [];
      if (sliceGap) unknown.push('ready', 'notReady', 'why');
      if (podGap)
        unknown.push('matchedPods', 'workloads', 'unreadyPods', 'ports', ...(row.ready > 0 ? [] : ['why' as const]));
      const gap = sliceGap ?? podGap;
      return gap ? withUnknownFields<Backends>(without(row, unknown), gap, unknown) : row;
    });
  },
});

function without(row: Backends, fields: readonly string[]): Partial<Backends> {
  return Object.fromEntries(Object.entries(row).filter(([field]) => !fields.includes(field)));
}

type Endpoint = ShapeOf<typeof slicesCollector.shape>[number]['endpoints'][number];

function rowOf(service: Service, endpoints: readonly Endpoint[], matched: readonly Pod[]): Backends {
  const real = endpoints.filter(endpoint => !endpoint.addresses.includes(DUMMY));
  const ready = countAddresses(real.filter(endpoint => endpoint.ready));
  const selected = Object.keys(service.selector).length > 0;
  const ports = service.ports.map(({ name, port, targetPort }) => ({
    name,
    port,
    targetPort,
    resolved: /^\d*$/.test(targetPort) || matched.some(pod => namesPort(pod, targetPort)),
  }));
  return {
    service: ref('Service', service.namespace, service.name, service.uid),
    type: service.type,
    headless: service.headless,
    created: service.created,
    age: service.age,
    ready,
    notReady: countAddresses(real.filter(endpoint => !endpoint.ready)),
    matchedPods: matched.map(pod => ref('Pod', pod.namespace, pod.name, pod.uid)),
    workloads: [...new Map(matched.map(pod => [pod.workload.key, pod.workload])).values()],
    unreadyPods: matched
      .filter(pod => !pod.ready)
      .map(pod => ({ pod: ref('Pod', pod.namespace, pod.name, pod.uid), containers: pod.unready })),
    why: whyNone(),
    ports,
  };

  function whyNone(): string {
    if (service.type === 'ExternalName') return 'external-name';
    if (ready > 0) return '';
    if (real.length < endpoints.length) return 'dummy';
    if (!selected) return 'no-selector';
    if (matched.length === 0) return 'none-selected';
    if (ports.length > 0 && ports.every(port => !port.resolved)) return 'port-not-in-pod';
    return 'none-ready';
  }
}

/** A slice without ports lists endpoints that cannot be reached; addresses are what counts. */
function countAddresses(endpoints: readonly Endpoint[]): number {
  return new Set(endpoints.flatMap(endpoint => endpoint.addresses)).size;
}

function namesPort(pod: Pod, name: string): boolean {
  return pod.containers.some(container => container.ports.some(port => port.name === name));
}
