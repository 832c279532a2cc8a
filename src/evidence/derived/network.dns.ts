import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as configMapsCollector } from '../collectors/kubernetes.config-maps.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as storesCollector } from '../collectors/thanos.object-stores.ts';
import { isIpAddress, parseEndpoint, serviceOf } from '../components/endpoint-address.ts';
import { findKnown, gapOf, known, listOrGap, orGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { nearestName } from '../nearest-name.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { selects } from '../selects.ts';
import { isClusterDns } from '../system-components.ts';
import { collector as componentsCollector } from './thanos.components.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const NAME = {
  /** As it is asked for, without lookup prefix, port and trailing dot. */
  name: 'str',
  key: 'str',
  /** a or srv */
  kind: 'str',
  /** It is a name of the cluster. */
  ofCluster: 'bool',
  service: REF,
  /** The Service is there. */
  exists: 'bool',
  headless: 'bool',
  portNamed: 'bool',
  /** '' or no-service */
  why: 'str',
  nearest: 'str',
  /** Workload and flag, or what else names it. */
  askedBy: ['str'],
  /** Keys of the endpoints that are written with it, and of who was given them. */
  endpointKeys: ['str'],
  askers: [REF],
} as const;

const SHAPE = {
  /** The DNS Service of the cluster; nobody where there is none. */
  service: REF,
  serviceIp: 'str',
  /** Addresses that are ready behind it. */
  ready: 'int',
  /** Seconds; -1 while something is ready. */
  unservedFor: 'int',
  unservedSince: 'time',
  workloads: [REF],
  /** RFC 3339: the newest moment at which a pod behind it got ready. */
  readySince: 'time',
  pods: 'int',
  forwarders: ['str'],
  /** A zone of its own is forwarded elsewhere. */
  forwarderSpecial: 'bool',
  names: [NAME],
} as const;

type Dns = ShapeOf<typeof SHAPE>;
type Name = ShapeOf<typeof NAME>;

export const collector = derived({
  id: 'network.dns',
  about: 'The DNS of the cluster, judged without asking it, and the names that the configuration asks for.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<Dns> {
    const services = await context.get(servicesCollector);
    const [slices, pods, configMaps] = await Promise.all([
      listOrGap(context.get(slicesCollector)),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(configMapsCollector)),
    ]);
    const service = findKnown(services, isClusterDns);
    const own = service
      ? known(pods).filter(pod => pod.namespace === service.namespace && selects(service.selector, pod.labels))
      : [];
    const unready = own.filter(pod => !pod.ready);
    const ready = () => {
      if (!service) return 0;
      findKnown(slices, () => false);
      const behind = slices.filter(slice => slice.namespace === service.namespace && slice.service === service.name);
      return new Set(behind.flatMap(slice => slice.endpoints.filter(one => one.ready).flatMap(one => one.addresses)))
        .size;
    };
    const names = await namesOf(context);
    return lazily<Dns>(
      {
        service: service ? ref('Service', service.namespace, service.name, service.uid) : NOBODY,
        serviceIp: service?.clusterIp ?? '',
        names,
      },
      {
        ready,
        unservedFor: () => {
          if (!service || ready() > 0) return -1;
          findKnown(pods, () => false);
          const ages = unready.map(pod =>
            pod.deleting ? pod.deletingAge : pod.readyAge >= 0 ? pod.readyAge : pod.age,
          );
          return ages.length > 0 ? Math.min(...ages) : service.age;
        },
        unservedSince: () =>
          ready() > 0
            ? ''
            : (unready
                .map(pod => pod.readySince)
                .sort()
                .at(-1) ?? ''),
        workloads: () => {
          findKnown(pods, () => false);
          return [...new Map(own.map(pod => [pod.workload.key, pod.workload])).values()];
        },
        readySince: () =>
          own
            .filter(pod => pod.ready)
            .map(pod => pod.readySince)
            .sort()
            .at(-1) ?? '',
        pods: () => own.length,
        ...corefile(configMaps),
      },
    );
  },
});

function corefile(configMaps: Awaited<ReturnType<(typeof configMapsCollector)['collect']>>) {
  const text = () =>
    findKnown(configMaps, one => one.namespace === 'kube-system' && one.name === 'coredns')?.data.Corefile ?? '';
  return {
    forwarders: () =>
      [...text().matchAll(/^\s*forward\s+\S+\s+([^{\n]+)/gm)].flatMap(match => match[1]!.trim().split(/\s+/)),
    forwarderSpecial: () => [...text().matchAll(/^\s*forward\s+(\S+)/gm)].some(match => match[1] !== '.'),
  };
}

interface Asked {
  readonly name: string;
  /** The Service that it means; undefined for a name of the world outside. */
  readonly meant: { readonly namespace: string; readonly name: string } | undefined;
  readonly kind: string;
  readonly by: string;
  readonly endpointKeys: readonly string[];
  readonly askers: readonly Name['askers'][number][];
}

/** What is not known of who asks becomes a gap element: more names may be asked for. */
async function namesOf(context: Context): Promise<readonly Name[]> {
  const [services, endpoints, stores, components] = await Promise.all([
    context.get(servicesCollector),
    listOrGap(context.get(endpointsCollector)),
    listOrGap(context.get(storesCollector)),
    listOrGap(context.get(componentsCollector)),
  ]);
  const asked: Asked[] = [];
  for (const one of known(endpoints)) {
    if (one.host === '' || isIpAddress(one.host)) continue;
    asked.push({
      name: one.name.replace(/:\d+$/, ''),
      // What serves a name from outside is no Service that this cluster's DNS would know.
      meant: one.outside || one.service.name === '' ? undefined : one.service,
      kind: one.scheme.startsWith('dnssrv') ? 'srv' : 'a',
      by: `${one.query.kind} ${one.query.name} (${one.flag})`,
      endpointKeys: [one.key, one.hostKey],
      askers: [one.query],
    });
  }
  for (const store of known(stores)) {
    const host = orGap(() => store.host);
    if (typeof host !== 'string' || !/\.svc(?:\.|$)/.test(host)) continue;
    asked.push({
      name: host,
      meant: serviceOf(host, '') ?? undefined,
      kind: 'a',
      by: `object storage configuration ${store.id}`,
      endpointKeys: [`Endpoint ${host}:${store.effectivePort}`, `Endpoint ${host}`],
      askers: [],
    });
  }
  for (const one of known(components)) {
    for (const { flag, value } of one.args) {
      if (flag !== '--alertmanagers.url' || one.component !== 'rule') continue;
      // An Alertmanager is given as a URL, with the lookup in front of its scheme or of its host.
      const { name, host, scheme } = parseEndpoint(withoutUrl(value));
      if (host === '' || isIpAddress(host)) continue;
      asked.push({
        name: name.replace(/:\d+$/, ''),
        meant: serviceOf(host, one.namespace) ?? undefined,
        kind: scheme.startsWith('dnssrv') ? 'srv' : 'a',
        by: `${one.workload.kind} ${one.workload.name} (${flag})`,
        endpointKeys: [`Endpoint ${name}`, `Endpoint ${host}`],
        askers: [one.workload],
      });
    }
  }
  const rows = [...new Set(asked.map(one => one.name))].sort().map(name => orGap(() => row(name)));
  return [
    ...rows,
    ...[endpoints, stores, components].flatMap(list => list.filter(one => gapOf(one) !== undefined) as never[]),
  ];

  function row(name: string): Name {
    const own = asked.filter(one => one.name === name);
    const meant = own.find(one => one.meant)?.meant;
    const service = meant && findKnown(services, one => one.namespace === meant.namespace && one.name === meant.name);
    const kind = own.some(one => one.kind === 'srv') ? 'srv' : 'a';
    const port = /^_([^.]+)\./.exec(name)?.[1];
    return {
      name,
      key: `Endpoint ${name}`,
      kind,
      ofCluster: meant !== undefined,
      service: meant ? ref('Service', meant.namespace, meant.name) : NOBODY,
      exists: service !== undefined,
      headless: service?.headless ?? false,
      portNamed: port === undefined || (service?.ports.some(one => one.name === port) ?? false),
      why: meant && !service ? 'no-service' : '',
      nearest: meant && !service ? nearestService(meant, known(services)) : '',
      askedBy: [...new Set(own.map(one => one.by))].sort(),
      endpointKeys: [...new Set(own.flatMap(one => one.endpointKeys))].filter(key => key !== ''),
      askers: [...new Map(own.flatMap(one => one.askers).map(one => [one.key, one])).values()],
    };
  }
}

function nearestService(
  meant: { readonly name: string; readonly namespace: string },
  services: readonly { readonly namespace: string; readonly name: string }[],
): string {
  const elsewhere = services.find(one => one.name === meant.name);
  if (elsewhere) return `${elsewhere.namespace}/${elsewhere.name}`;
  const beside = services.filter(one => one.namespace === meant.namespace).map(one => one.name);
  const name = nearestName(meant.name, beside);
  return name === '' ? '' : `${meant.namespace}/${name}`;
}

/** `dnssrv+http://_web._tcp.am.ns.svc:9093/path` and `http://dns+am:9093` without scheme and path. */
function withoutUrl(value: string): string {
  const bare = value.replace(/https?:\/\//, '').replace(/\/.*$/, '');
  return bare.includes(':') || bare.startsWith('dnssrv') ? bare : `${bare}:80`;
}
