import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { type Behind, behindServices, serviceRef } from '../components/behind-services.ts';
import { gapElement, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const ROW = {
  service: REF,
  type: 'str',
  portName: 'str',
  port: 'int',
  /** Place of the port in the Service. */
  index: 'int',
  targetPort: 'str',
  /** The port of the pods that it resolves to; 0 where no container has a port of that name. */
  resolved: 'int',
  /** Component and subject of what the Service selects. */
  component: 'str',
  subject: REF,
  grpcPort: 'int',
  httpPort: 'int',
  /** By its name, its number, or because a Query of the fleet was given it. */
  meantForGrpc: 'bool',
  leadsToGrpc: 'bool',
  /** '' or what it leads to instead: http-port, web-port, other-port, no-such-port */
  fault: 'str',
  /** Another port of the same Service leads to gRPC, and this one neither claims to nor was given to a Query as if it did. */
  otherIsRight: 'bool',
  addresses: ['str'],
  objects: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.service-ports',
  about: 'Ports of Services in front of Thanos components, and whether those that are meant for gRPC lead there.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const behind = await behindServices(context);
    const given = new Set<string>();
    for (const cluster of context.clusters) {
      for (const endpoint of known(await listOrGap(cluster.get(endpointsCollector)))) {
        if (endpoint.of === 'query') given.add(endpoint.name);
      }
    }
    const rows = behind.services.flatMap(service => rowsOf(service, behind, given));
    return [...rows, ...behind.gaps.map(gap => gapElement(gap) as Row)];
  },
});

type Service = Behind['services'][number];
type Port = Service['ports'][number];

function rowsOf(service: Service, behind: Behind, given: ReadonlySet<string>): readonly Row[] {
  const meant = behind.meant(service).filter(component => component.thanos && component.grpcPort !== 0);
  const first = meant[0];
  if (!first) return [];
  const all = behind.meant(service);
  const rows = service.ports.map((port, index): Row => {
    const backend = behind.backends(service, port.name)[0];
    const resolved = backend?.port ?? portOf(port, all);
    const addresses = [...service.externalIps, ...service.specExternalIps].map(host => `${host}:${port.port}`);
    const isGiven = addresses.some(address => given.has(address));
    const leadsToGrpc = meant.some(component => component.grpcPort === resolved);
    return {
      service: serviceRef(service),
      type: service.type,
      portName: port.name,
      port: port.port,
      index,
      targetPort: port.targetPort,
      resolved,
      component: first.component,
      subject: first.subject,
      grpcPort: first.grpcPort,
      httpPort: first.httpPort,
      meantForGrpc: claimsGrpc({ portName: port.name, port: port.port, grpcPort: first.grpcPort }) || isGiven,
      leadsToGrpc,
      fault: leadsToGrpc ? '' : faultOf(resolved, all),
      otherIsRight: false,
      addresses: addresses.map(address => `Address ${address}`),
      objects: [
        ...new Set(all.flatMap(one => [one.pod.key, one.workload.key, one.subject.key]).filter(key => key !== '')),
      ],
    };
  });
  const right = rows.some(row => row.leadsToGrpc);
  const isGiven = (row: Row) => row.addresses.some(address => given.has(address.slice(8)));
  return rows.map(row => ({ ...row, otherIsRight: right && !(isGiven(row) && claimsGrpc(row)) }));
}

/** By its name or its number the port says that gRPC is spoken there. */
function claimsGrpc({ portName, port, grpcPort }: Pick<Row, 'portName' | 'port' | 'grpcPort'>): boolean {
  return portName === 'grpc' || port === grpcPort;
}

/** The port that a Service's target means, by the containers that it selects. */
function portOf(port: Port, components: Behind['components']): number {
  const number = Number(port.targetPort);
  if (!Number.isNaN(number)) return number;
  for (const component of components) {
    const named = component.ports.find(candidate => candidate.name === port.targetPort);
    if (named) return named.port;
  }
  return 0;
}

function faultOf(resolved: number, components: Behind['components']): string {
  if (resolved === 0) return 'no-such-port';
  const found = components.find(component => component.httpPort === resolved);
  if (found) return found.thanos ? 'http-port' : 'web-port';
  return components.some(component => component.ports.some(port => port.port === resolved))
    ? 'other-port'
    : 'no-such-port';
}
