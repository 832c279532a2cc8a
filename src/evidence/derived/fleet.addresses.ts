import { GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { derived } from '../collector.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { type Behind, behindServices, serviceRef } from '../components/behind-services.ts';
import { THANOS_COMPONENTS } from '../components/identify.ts';
import { gapElement, gapOf, gapsIn, groupedBy, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';

export const ADDRESS = {
  /** `Address host:port`, of an Ingress perhaps with `*` for the first part of the name; '' for a Service that waits for an address, and for a bare node address. */
  key: 'str',
  /** `host:port`; '' while the load balancer has none. */
  address: 'str',
  host: 'str',
  port: 'int',
  /** load-balancer, external-ip, node-port, balancer-node-port, node (its address alone), ingress, pending */
  kind: 'str',
  cluster: 'str',
  service: REF,
  /** Whose host or address it is; nobody for the other kinds. */
  ingress: REF,
  /** Port of the pods; 0 where no slice says it. */
  targetPort: 'int',
  pods: [REF],
  readyPods: [REF],
  /** Component behind the port, or the one that the Service selects where nothing is behind it. */
  component: 'str',
  /** It leads to, or is meant for, the gRPC port of a Thanos component. */
  grpc: 'bool',
  /** Addresses that the Service asks for. */
  requested: ['str'],
  /** What findings about the components behind it name: Prometheus resources, workloads. */
  subjects: [REF],
  /** Keys, with their cluster, of all that has to work for this address: Service, pods, workloads, resources. */
  objects: ['str'],
  /** The first three numbers of its nodes' addresses: clusters that have one in common are likely neighbours. */
  networks: ['str'],
  /** More than one: the address is used twice. */
  holders: [{ cluster: 'str', service: REF }],
} as const;

export type Address = ShapeOf<typeof ADDRESS>;

export const collector = derived({
  id: 'fleet.addresses',
  about: 'Which cluster, Service and pods stand behind an address that is reachable from outside, in all clusters.',
  scope: 'fleet',
  core: true,
  shape: [ADDRESS],
  async collect(context): Promise<readonly Address[]> {
    const rows: Address[] = [];
    for (const cluster of context.clusters) {
      try {
        rows.push(...(await addressesOf(cluster)));
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        rows.push(gapElement({ ...error.gap, detail: `${cluster.cluster}: ${error.gap.detail}` }));
      }
    }
    const byAddress = groupedBy(known(rows), row => row.address);
    return rows.map(row => (gapOf(row) ? row : { ...row, holders: holdersOf(row, byAddress.get(row.address)) }));
  },
});

function holdersOf(row: Address, alike: readonly Address[] = []): Address['holders'] {
  return row.address === '' ? [] : alike.map(({ cluster, service }) => ({ cluster, service }));
}

async function addressesOf(context: Context): Promise<readonly Address[]> {
  const [behind, nodes, ingresses] = await Promise.all([
    behindServices(context),
    listOrGap(context.get(nodesCollector)),
    listOrGap(context.get(ingressesCollector)),
  ]);
  const rows: Address[] = [];
  for (const service of behind.services) {
    const outside = [...service.externalIps, ...service.specExternalIps];
    const isBalancer = service.type === 'LoadBalancer';
    for (const port of service.ports) {
      const to = towards(context.cluster, behind, service, port);
      for (const host of outside)
        rows.push({ ...to, ...at(host, port.port, isBalancer ? 'load-balancer' : 'external-ip') });
      if (isBalancer && outside.length === 0) rows.push({ ...to, ...at('', port.port, 'pending') });
      if (port.nodePort === 0 || !to.grpc) continue;
      for (const node of known(nodes)) {
        for (const host of node.addresses.filter(address => address !== node.name)) {
          rows.push({ ...to, ...at(host, port.nodePort, isBalancer ? 'balancer-node-port' : 'node-port') });
        }
      }
    }
  }
  for (const node of known(nodes)) {
    for (const host of node.addresses) rows.push({ ...NOTHING, cluster: context.cluster, ...at(host, 0, 'node') });
  }
  for (const ingress of known(ingresses)) rows.push(...ingressRows(context.cluster, behind, ingress));
  const gaps = [...behind.gaps, ...gapsIn(nodes), ...gapsIn(ingresses)].map(gap => ({
    ...gap,
    detail: `${context.cluster}: ${gap.detail}`,
  }));
  const networks = [...new Set(known(nodes).flatMap(node => node.addresses.flatMap(networkOf)))];
  return [...rows.map(row => ({ ...row, networks })), ...gaps.map(gap => gapElement(gap) as Address)];
}

type Ingress = ShapeOf<typeof ingressesCollector.shape>[number];

/** Where a controller listens; one may serve TLS of its own where the Ingress names none. */
const INGRESS_PORTS = [443, 80];

/** Its hosts lead to their backends. Its addresses are shared with others: by them only what has no host is reached. */
function ingressRows(cluster: string, behind: Behind, ingress: Ingress): readonly Address[] {
  const own = ref('Ingress', ingress.namespace, ingress.name, ingress.uid);
  const through = (backends: Ingress['backends']) => {
    const ways = backends.map(backend => wayTo(cluster, behind, ingress.namespace, backend));
    // Of several paths of one host, the one of gRPC is what a Query asks for.
    const sorted = [...ways.filter(way => way.grpc), ...ways.filter(way => !way.grpc)];
    return sorted.length > 0 ? sorted : [{ ...NOTHING, cluster }];
  };
  const rest = ingress.backends.filter(backend => backend.host === '');
  const hosts = [...new Set([...ingress.hosts, ...ingress.tls.flatMap(one => one.hosts)])];
  const places = [
    ...hosts.map(host => {
      const named = ingress.backends.filter(backend => backend.host === host);
      return { host, ways: through(named.length > 0 ? named : rest) };
    }),
    ...ingress.addresses.map(host => ({ host, ways: through(rest) })),
  ];
  return places
    .filter(({ host }) => host !== '')
    .flatMap(({ host, ways }) =>
      INGRESS_PORTS.flatMap(port =>
        ways.map(way => ({
          ...way,
          ingress: own,
          objects: way.service.name === '' ? [] : [`${own.key} @${cluster}`, ...way.objects],
          ...at(host, port, 'ingress'),
        })),
      ),
    );
}

function wayTo(cluster: string, behind: Behind, namespace: string, backend: Ingress['backends'][number]) {
  const service = behind.services.find(one => one.namespace === namespace && one.name === backend.service);
  const port = service?.ports.find(one => one.name === backend.port || String(one.port) === backend.port);
  if (!service || !port) return { ...NOTHING, cluster, service: ref('Service', namespace, backend.service) };
  const way = towards(cluster, behind, service, port);
  const listener = way.pods[0] && behind.componentAt(way.pods[0], way.targetPort);
  // A web page of a component is no way for a Query.
  const isPage = listener?.httpPort === way.targetPort && listener.grpcPort !== way.targetPort;
  return { ...way, grpc: way.grpc && !isPage };
}

/** The row is of this `host:port`. */
export function isAt(row: Address, address: string): boolean {
  if (row.address === '' || !row.host.startsWith('*.')) return row.address !== '' && row.address === address;
  const rest = row.address.slice(1);
  return address.endsWith(rest) && !address.slice(0, -rest.length).includes('.');
}

function networkOf(address: string): readonly string[] {
  const match = /^([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$/.exec(address);
  return match ? [match[1]!] : [];
}

function at(host: string, port: number, kind: string) {
  const address = host && port ? `${host.toLowerCase()}:${port}` : '';
  return { key: address ? `Address ${address}` : '', address, host: host.toLowerCase(), port, kind };
}

const NOTHING = {
  service: NOBODY,
  ingress: NOBODY,
  targetPort: 0,
  pods: [],
  readyPods: [],
  component: '',
  grpc: false,
  requested: [],
  subjects: [],
  objects: [],
  networks: [],
  holders: [],
} as const;

type Service = Behind['services'][number];

function towards(cluster: string, behind: Behind, service: Service, port: Service['ports'][number]) {
  const backends = behind.backends(service, port.name);
  const meant = behind.meant(service).filter(component => component.component !== 'config-reloader');
  const targetPort = backends[0]?.port ?? Number(port.targetPort) ?? 0;
  const found = backends[0] ? behind.componentAt(backends[0].pod, backends[0].port) : undefined;
  const component = found ?? meant.find(candidate => isTarget(candidate, port.targetPort)) ?? meant[0];
  const thanos = meant.find(candidate => candidate.grpcPort !== 0);
  const subjects = unique(meant.flatMap(one => [one.subject]));
  const refs: readonly Ref[] = [
    serviceRef(service),
    ...backends.map(backend => backend.pod),
    ...meant.flatMap(one => [one.pod, one.workload, one.subject, one.writeTo]),
  ];
  return {
    ...NOTHING,
    cluster,
    service: serviceRef(service),
    targetPort: Number.isNaN(targetPort) ? 0 : targetPort,
    pods: backends.map(backend => backend.pod),
    readyPods: backends.filter(backend => backend.ready).map(backend => backend.pod),
    component: component?.component ?? '',
    grpc: THANOS_COMPONENTS.has(component?.component ?? '') || meantForGrpc(port, thanos !== undefined),
    requested: service.requestedIps,
    subjects,
    objects: [...new Set(refs.filter(one => one.key !== '').map(one => `${one.key} @${cluster}`))],
  };
}

/** A port that was made for gRPC says so by its name or its number, wherever it really leads. */
function meantForGrpc(port: Service['ports'][number], selectsThanos: boolean): boolean {
  return (
    selectsThanos &&
    (port.name === 'grpc' || port.port === 10901 || port.targetPort === 'grpc' || port.targetPort === '10901')
  );
}

function isTarget(component: Behind['components'][number], target: string): boolean {
  return (
    component.ports.some(port => port.name === target || String(port.port) === target) ||
    String(component.grpcPort) === target
  );
}

function unique(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.filter(one => one.key !== '').map(one => [one.key, one])).values()];
}

/** A reference that can be told apart in every cluster. */
export function inCluster(object: Ref, cluster: string): Ref {
  return ref(object.kind, object.namespace, object.name, object.uid, cluster);
}
