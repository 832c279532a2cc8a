import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { findKnown, gapped, known, listOrGap, mapKnown } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { collector as configCollector } from './cilium.config.ts';
import { collector as needsCollector } from './network.service-needs.ts';

const ROW = {
  ingress: REF,
  /** Cilium serves it. */
  cilium: 'bool',
  /** dedicated or shared; '' where Cilium does not serve it */
  mode: 'str',
  /** The Service by which requests come in; nobody where that is not known. */
  entry: REF,
  entryExists: 'bool',
  /** Addresses behind it. They are placeholders: that there are some is what counts. */
  entryAddresses: 'int',
  entryAge: 'int',
  age: 'int',
  created: 'time',
  class: 'str',
  classExists: 'bool',
  controller: 'str',
  /** Another Ingress of the class has an address. */
  classServed: 'bool',
  hosts: ['str'],
  addresses: ['str'],
  /** `host:port` to be asked; '' where there is neither a host nor an address. */
  endpoint: 'str',
  /** The same for TLS; '' where it has none. */
  tlsEndpoint: 'str',
  /** Backends that lead nowhere: `service:port why`. */
  deadBackends: ['str'],
  /** Of these, what does not exist: a Service or a port. */
  missingBackends: ['str'],
  backends: [REF],
  /** Workloads behind them. */
  workloads: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;
type Ingress = ShapeOf<typeof ingressesCollector.shape>[number];

/** Seconds that a Service may be without a ready endpoint. */
const ROLLOUT = 120;
const CONTROLLER = 'cilium.io/ingress-controller';

export const collector = derived({
  id: 'network.ingress-entries',
  about: 'Each Ingress: who serves it, the Service by which requests come in, and whether its backends are there.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const ingresses = await context.get(ingressesCollector);
    if (ingresses.length === 0) return [];
    const [services, slices, needs, config] = await Promise.all([
      listOrGap(context.get(servicesCollector)),
      listOrGap(context.get(slicesCollector)),
      listOrGap(context.get(needsCollector)),
      gapped(context.get(configCollector)),
    ]);
    return mapKnown(ingresses, ingress => {
      const cilium = () =>
        ingress.controller === CONTROLLER || (ingress.classByAnnotation && ingress.class === 'cilium');
      const mode = () =>
        cilium() ? ingress.annotations['ingress.cilium.io/loadbalancer-mode'] || config.ingressMode : '';
      const entry = () => {
        const own = mode();
        if (own === '') return NOBODY;
        return own === 'shared'
          ? ref('Service', config.namespace, config.ingressService)
          : ref('Service', ingress.namespace, `cilium-ingress-${ingress.name}`);
      };
      const service = () => {
        const { namespace, name } = entry();
        return name === '' ? undefined : findKnown(services, one => one.namespace === namespace && one.name === name);
      };
      const port = ingress.tls.length > 0 && ingress.hosts.length === 0 ? 443 : 80;
      const tlsHost = ingress.tls.flatMap(one => one.hosts).find(host => host !== '' && !host.startsWith('*')) ?? '';
      const place = ingress.hosts.find(host => !host.startsWith('*')) ?? ingress.addresses[0] ?? '';
      const row = {
        ingress: ref('Ingress', ingress.namespace, ingress.name, ingress.uid),
        age: ingress.age,
        created: ingress.created,
        hosts: ingress.hosts,
        addresses: ingress.addresses.filter(address => address !== ''),
        endpoint: place === '' ? '' : `${place}:${port}`,
        tlsEndpoint: tlsHost === '' ? '' : `${tlsHost.toLowerCase()}:443`,
      };
      return lazily<Row>(row, {
        cilium,
        mode,
        entry,
        entryExists: () => service() !== undefined,
        entryAge: () => service()?.age ?? -1,
        entryAddresses: () => addressesBehind(entry().namespace, entry().name),
        class: () => ingress.class,
        classExists: () => ingress.classExists,
        controller: () => ingress.controller,
        classServed: () =>
          known(ingresses).some(other => other.class === ingress.class && other.addresses.some(one => one !== '')),
        deadBackends: () =>
          named(ingress)
            .filter(one => isDead(ingress.namespace, one))
            .map(describe),
        missingBackends: () =>
          named(ingress)
            .filter(one => !one.serviceExists || !one.portExists)
            .map(describe),
        backends: () => named(ingress).map(one => ref('Service', ingress.namespace, one.service)),
        workloads: () => named(ingress).flatMap(one => needOf(ingress.namespace, one.service)?.workloads ?? []),
      });
    });

    function needOf(namespace: string, name: string) {
      return known(needs).find(one => one.service.namespace === namespace && one.service.name === name);
    }

    /** Without a ready endpoint for longer than a rollout takes. */
    function isDead(namespace: string, backend: Backend): boolean {
      if (!backend.serviceExists || !backend.portExists) return true;
      if (backend.ready > 0) return false;
      const need = needOf(namespace, backend.service);
      return need === undefined || need.unservedFor > ROLLOUT;
    }

    function addressesBehind(namespace: string, name: string): number {
      if (name === '') return 0;
      const own = known(slices).filter(slice => slice.namespace === namespace && slice.service === name);
      const count = own.reduce((sum, slice) => sum + slice.endpoints.length, 0);
      if (count === 0) findKnown(slices, () => false);
      return count;
    }
  },
});

type Backend = Ingress['backends'][number];

/** A backend may be a resource instead of a Service. */
function named(ingress: Ingress): readonly Backend[] {
  return ingress.backends.filter(one => one.service !== '');
}

function describe(backend: Backend): string {
  const why = !backend.serviceExists
    ? 'no such Service'
    : !backend.portExists
      ? 'the Service has no such port'
      : 'no ready endpoint';
  return `${backend.service}:${backend.port}: ${why}`;
}
