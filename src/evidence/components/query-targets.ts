import { GapSignal } from '../../model/gap.ts';
import type { Ref } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { type Address, collector as addressesCollector, inCluster, isAt } from '../derived/fleet.addresses.ts';
import type { Component } from '../derived/thanos.components.ts';
import { gapElement, gapsIn, known } from '../gaps.ts';
import { NOBODY, ref } from '../objects.ts';
import { selects } from '../selects.ts';
import { type Backend, type Behind, behindServices, serviceRef } from './behind-services.ts';
import { type Flag, flagValue, switchedOn } from './command-line.ts';
import { isIpAddress, parseEndpoint, serviceOf } from './endpoint-address.ts';

/** One address that a Query, or a ruler, was given, and what it should lead to. */
export interface QueryTarget {
  readonly query: Ref;
  /** query or rule */
  readonly of: string;
  readonly flag: string;
  readonly given: string;
  readonly scheme: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly portName: string;
  readonly fault: string;
  readonly strict: boolean;
  readonly tls: boolean;
  readonly deprecatedFlag: boolean;
  readonly service: Ref;
  readonly serviceExists: boolean;
  /** The host is a name that only this cluster's DNS knows. */
  readonly inside: boolean;
  readonly headless: boolean;
  readonly portNamed: boolean;
  readonly portExists: boolean;
  readonly clusterIp: string;
  readonly backends: readonly Backend[];
  /** Rows of fleet.addresses with this address. */
  readonly served: readonly Address[];
  /** What the address leads to, or is meant to: keys with their cluster. */
  readonly objects: readonly string[];
  readonly component: string;
  readonly targetPort: number;
  /** The port that answers there is an HTTP port of a component. */
  readonly portIsHttp: boolean;
  /** As /api/v1/stores names what it stands for; a gap element where it cannot be resolved from here. */
  readonly addresses: readonly string[];
  /** Of `addresses`, those that have been there long enough for the Query to know them. */
  readonly due: readonly string[];
  /** Its pods are new ones that have not got ready yet, as in the middle of a rollout. */
  readonly rolling: boolean;
}

/** Flags that give a Query endpoints; those of the second row are gone since 0.38. */
const ENDPOINT_FLAGS = ['--endpoint', '--endpoint-strict', '--endpoint-group', '--endpoint-group-strict'];
const OLD_FLAGS = ['--store', '--store-strict', '--rule', '--target', '--metadata', '--exemplar'];
const STRICT = /-strict$/;

/** Seconds that a pod has been ready before a Query must know it: it asks DNS every 30 s and the pod every 5 s. */
const KNOWN_AFTER = 60;

/** Every address that the Queries and rulers of a cluster were given, once per workload. */
export async function queryTargets(context: Context): Promise<readonly QueryTarget[]> {
  const behind = await behindServices(context);
  const addresses = await fleetAddresses(context);
  const targets = new Map<string, QueryTarget>();
  for (const component of behind.components) {
    if (component.component === 'query') {
      for (const { flag, value } of component.args) {
        const old = OLD_FLAGS.includes(flag);
        if ((!old && !ENDPOINT_FLAGS.includes(flag)) || value === '') continue;
        const target = targetOf(component, flag, value, behind, addresses, context.cluster);
        targets.set(`${component.subject.key} ${target.name}`, { ...target, deprecatedFlag: old });
      }
    }
    if (component.component === 'rule') {
      for (const value of queryAddresses(component.args)) {
        const target = targetOf(component, '--query', value, behind, addresses, context.cluster);
        targets.set(`${component.subject.key} ${target.name}`, target);
      }
    }
  }
  return [...targets.values()];
}

/** `--query=http://host:port/prefix` is a URL of the HTTP API; only its address matters here. */
function queryAddresses(flags: readonly Flag[]): readonly string[] {
  return flags
    .filter(({ flag, value }) => flag === '--query' && value !== '')
    .map(({ value }) => {
      const [, lookup = '', rest = value] = /^(dns\+|dnssrv\+|dnssrvnoa\+)?(.*)$/.exec(value)!;
      const scheme = /^(https?):\/\//.exec(rest)?.[1];
      const address = rest.replace(/^https?:\/\//, '').split('/')[0]!;
      const isRecord = lookup.startsWith('dnssrv');
      return (
        lookup +
        (scheme && !isRecord && !/:[0-9]+$/.test(address) ? `${address}:${scheme === 'https' ? 443 : 80}` : address)
      );
    });
}

/** Addresses of the fleet; where they cannot be known at all, one gap stands for them. */
async function fleetAddresses(context: Context): Promise<readonly Address[]> {
  try {
    return await context.get(addressesCollector);
  } catch (error) {
    if (error instanceof GapSignal) return [gapElement(error.gap)];
    throw error;
  }
}

function targetOf(
  component: Component,
  flag: string,
  given: string,
  behind: Behind,
  addresses: readonly Address[],
  cluster: string,
): QueryTarget {
  const strict = STRICT.test(flag);
  const address = parseEndpoint(given, strict);
  const { scheme, host, port, portName } = address;
  const wanted = isIpAddress(host) ? null : namedService(host, component.namespace, behind);
  const service = wanted ? behind.service(wanted.namespace, wanted.name) : serviceAt(host, behind);
  const inside = wanted !== null || service !== undefined || isPodAddress(host, behind);
  const servicePort = service?.ports.find(candidate =>
    portName ? candidate.name === portName : candidate.port === port,
  );
  const srv = scheme.startsWith('dnssrv');
  // A headless Service gives its pods' addresses, and the port is the pods' own, whatever the Service calls it.
  const anyPort = service?.headless && !srv ? service.ports : [];
  const backends = service
    ? servicePort
      ? behind.backends(service, servicePort.name)
      : anyPort
          .slice(0, 1)
          .flatMap(candidate => behind.backends(service, candidate.name).map(one => ({ ...one, port })))
    : podBackends(host, port, behind);
  const served = inside ? [] : known(addresses).filter(row => isAt(row, `${host}:${port}`));
  const meant = service ? behind.meant(service) : [];
  const first = backends[0];
  const found = first ? behind.componentAt(first.pod, first.port) : undefined;
  const targetPort = first?.port ?? served[0]?.targetPort ?? 0;
  const other = found ?? meant.find(one => one.thanos) ?? meant[0];
  const base = {
    query: component.subject,
    of: component.component,
    flag,
    ...address,
    strict,
    tls: switchedOn(component.args, '--grpc-client-tls-secure'),
    deprecatedFlag: false,
    service: service
      ? serviceRef(service)
      : wanted
        ? ref('Service', wanted.namespace, wanted.name)
        : served[0]
          ? inCluster(served[0].service, served[0].cluster)
          : NOBODY,
    serviceExists: service !== undefined || served.some(row => row.service.name !== ''),
    inside,
    headless: service?.headless ?? false,
    portNamed: srv ? servicePort !== undefined : true,
    portExists: servicePort !== undefined || service === undefined,
    clusterIp: service && !service.headless ? service.clusterIp : '',
    backends,
    served,
    objects: objectsOf(cluster, service ? serviceRef(service) : NOBODY, backends, meant, served),
    component: other?.component ?? served[0]?.component ?? '',
    targetPort,
    portIsHttp:
      found !== undefined && found.httpPort === targetPort && targetPort !== 0 && found.grpcPort !== targetPort,
  };
  const rolling = service !== undefined && backends.every(one => !one.ready) && isRolling(service, behind);
  return { ...base, rolling, ...expected(base, service?.publishNotReady ?? false, addresses) };
}

/** All pods of the Service were made a moment ago, or are about to go; none of them has failed. */
function isRolling(service: Behind['services'][number], behind: Behind): boolean {
  const pods = behind.pods.filter(
    pod => pod.namespace === service.namespace && !pod.history && selects(service.selector, pod.labels),
  );
  const young = (pod: (typeof pods)[number]) => pod.restarts === 0 && pod.age < KNOWN_AFTER;
  return pods.length > 0 && Object.keys(service.selector).length > 0 && pods.every(pod => pod.deleting || young(pod));
}

/** `a.b` may be a Service or an outside name: it is a Service where there is such a namespace. */
function namedService(host: string, namespace: string, behind: Behind) {
  const named = serviceOf(host, namespace);
  if (!named || host.includes('.svc') || !host.includes('.')) return named;
  return behind.services.some(service => service.namespace === named.namespace) ? named : null;
}

function serviceAt(host: string, behind: Behind) {
  return isIpAddress(host) ? behind.services.find(service => service.clusterIp === host) : undefined;
}

function isPodAddress(host: string, behind: Behind): boolean {
  return isIpAddress(host) && behind.pods.some(pod => pod.podIp === host);
}

function podBackends(host: string, port: number, behind: Behind): readonly Backend[] {
  return behind.pods
    .filter(pod => pod.podIp !== '' && pod.podIp === host)
    .map(pod => ({
      pod: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid, key: pod.key },
      ip: pod.podIp,
      port,
      ready: pod.ready,
      readyAge: pod.ready ? pod.readyAge : -1,
      stateAge: pod.readyAge,
    }));
}

function objectsOf(
  cluster: string,
  service: Ref,
  backends: readonly Backend[],
  meant: readonly Component[],
  served: readonly Address[],
): readonly string[] {
  const own = [
    service,
    ...backends.map(backend => backend.pod),
    ...meant.flatMap(one => [one.pod, one.workload, one.subject, one.writeTo]),
  ]
    .filter(object => object.key !== '')
    .map(object => `${object.key} @${cluster}`);
  return [...new Set([...own, ...served.flatMap(row => row.objects)])];
}

type Base = Omit<QueryTarget, 'addresses' | 'due' | 'rolling'>;

/** Addresses under which /api/v1/stores lists what the target stands for. */
function expected(
  base: Base,
  publishNotReady: boolean,
  fleet: readonly Address[],
): Pick<QueryTarget, 'addresses' | 'due'> {
  const all = (addresses: readonly string[]) => ({ addresses, due: addresses });
  if (base.fault !== '' || base.of === 'rule') return all([]);
  // What is not looked up is listed under the name as it was given.
  if (base.scheme === '') {
    const fresh =
      base.inside &&
      base.backends.length > 0 &&
      base.backends.every(one => one.stateAge >= 0 && one.stateAge < KNOWN_AFTER);
    return { addresses: [base.name], due: fresh ? [] : [base.name] };
  }
  if (base.inside) {
    if (base.scheme === 'dns' && !base.headless) return all(base.clusterIp ? [`${base.clusterIp}:${base.port}`] : []);
    if (base.scheme.startsWith('dnssrv') && !base.portNamed) return all([]);
    if (base.scheme.startsWith('dnssrv') && !base.headless) {
      return all(base.clusterIp ? [`${base.clusterIp}:${base.targetPort}`] : []);
    }
    const usable = base.backends.filter(backend => backend.ready || publishNotReady);
    const address = (backend: Backend) => `${backend.ip}:${backend.port}`;
    return {
      addresses: usable.map(address),
      due: usable.filter(backend => backend.readyAge >= KNOWN_AFTER).map(address),
    };
  }
  const gap = gapsIn(fleet)[0] ?? {
    evidence: 'thanos.query-endpoints',
    reason: 'not-in-bundle' as const,
    detail: `${base.name} is a name of an outside DNS, which is not asked from here`,
    path: '',
    notLookedAt: true,
  };
  const unknown = [gapElement(gap)] as readonly string[];
  return { addresses: unknown, due: unknown };
}

/** All values of `--endpoint.sd-config-file` and the like: endpoints that are given in a file are not known from here. */
export function endpointFiles(component: Component): readonly string[] {
  const flags = ['--store.sd-files', '--endpoint.sd-config', '--endpoint.sd-config-file'];
  return flags.map(flag => flagValue(component.args, flag)).filter(value => value !== '');
}
