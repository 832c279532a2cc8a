import type { Context } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as targetsCollector } from '../collectors/prometheus.targets.ts';
import { collector as storesCollector } from '../collectors/thanos.object-stores.ts';
import { isIpAddress } from '../components/endpoint-address.ts';
import { collector as addressesCollector } from '../derived/fleet.addresses.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { collector as endpointsCollector } from '../derived/thanos.query-endpoints.ts';
import { gapOf, known, listOrGap, orGap } from '../gaps.ts';
import { selects } from '../selects.ts';
import { isClusterDns } from '../system-components.ts';
import type { Connection, Peer, PodPeer } from './connection.ts';

/** A connection that the monitoring needs. */
export interface Path extends Connection {
  /** scrape, grpc, from-outside, object-store, dns, alerts or datasource */
  readonly purpose: string;
  /** '' where nobody has looked. `refused` was answered, which a policy does not do. */
  readonly observed: '' | 'works' | 'fails' | 'refused';
  /** What was seen, in the words of who saw it. */
  readonly words: string;
  /** Keys of what does not work without it, besides its pods. */
  readonly breaks: readonly string[];
  /** Container whose log may say that it fails; '' where none would. */
  readonly log: { readonly namespace: string; readonly pod: string; readonly container: string } | undefined;
}

/** Every path that the configuration and the components tell of. What cannot be read is left out: it closes nothing. */
export async function pathsOf(context: Context, peers: ReadonlyMap<string, PodPeer>): Promise<readonly Path[]> {
  const components = known(await listOrGap(context.get(componentsCollector))).filter(one => peers.has(one.pod.key));
  const paths = await Promise.all([
    scrapes(context, peers),
    queries(context, peers, components),
    fromOutside(context, peers),
    objectStores(context, peers),
    names(context, peers, components),
  ]);
  return [...paths.flat(), ...betweenComponents(peers, components)];
}

const NOTHING_SEEN = { observed: '', words: '', breaks: [], log: undefined } as const;

async function scrapes(context: Context, peers: ReadonlyMap<string, PodPeer>): Promise<readonly Path[]> {
  const rows = known(await listOrGap(context.get(targetsCollector)));
  return rows.flatMap(row => {
    const from = peers.get(row.pod.key);
    const targets = orGap(() => row.targets);
    if (!from || gapOf(targets)) return [];
    return targets.flatMap(target => {
      const to = peers.get(target.pod.key);
      const port = Number(/:(\d+)(?:\/|$)/.exec(target.url.replace(/^https?:\/\//, ''))?.[1] ?? 0);
      if (!to || port === 0) return [];
      const observed = seen(target.health === 'up', target.errorKind);
      const breaks = [target.monitor.key, target.workload.key];
      return [
        {
          ...NOTHING_SEEN,
          purpose: 'scrape',
          from,
          to,
          port,
          protocol: 'TCP' as const,
          observed,
          words: target.error,
          breaks,
        },
      ];
    });
  });
}

/** Dropped packets end in a timeout. Whatever was answered, was let through. */
function seen(works: boolean, errorKind: string): Path['observed'] {
  if (works) return 'works';
  if (errorKind === 'timeout' || errorKind === 'deadline') return 'fails';
  return errorKind === '' || errorKind === 'unlisted' ? '' : 'refused';
}

async function queries(
  context: Context,
  peers: ReadonlyMap<string, PodPeer>,
  components: readonly Component[],
): Promise<readonly Path[]> {
  const rows = known(await listOrGap(context.get(endpointsCollector)));
  return rows.flatMap(row => {
    const askers = components.filter(one => one.workload.key === row.query.key && one.component === row.of);
    const serving = row.pods.flatMap(key => (peers.get(key) ? [peers.get(key)!] : []));
    return askers.flatMap(asker =>
      serving.map(to => {
        const entry = row.listed.find(one => one.address.startsWith(`${to.ip}:`));
        const works = entry ? entry.healthy : row.state === 'up';
        const observed = row.of === 'query' ? seen(works, entry ? entry.errorKind : row.errorKind) : '';
        return {
          ...NOTHING_SEEN,
          purpose: 'grpc',
          from: peers.get(asker.pod.key)!,
          to,
          port: row.targetPort || row.port || 10901,
          protocol: 'TCP' as const,
          observed,
          words: entry ? entry.error : row.error,
          breaks: [row.key, row.hostKey, row.service.key],
        };
      }),
    );
  });
}

/** The hub's Query comes from outside, to the pods behind an address of this cluster. */
async function fromOutside(context: Context, peers: ReadonlyMap<string, PodPeer>): Promise<readonly Path[]> {
  const addresses = known(await listOrGap(context.get(addressesCollector)));
  const own = addresses.filter(
    one => one.cluster === context.cluster && one.grpc && one.address !== '' && one.kind === 'load-balancer',
  );
  if (own.length === 0) return [];
  const asked = (
    await Promise.all(context.clusters.map(async cluster => known(await listOrGap(cluster.get(endpointsCollector)))))
  ).flat();
  const world: Peer = { is: 'world', ip: '', name: '' };
  return own.flatMap(address => {
    const asking = asked.filter(one => one.addressKey === address.key);
    const states = asking.map(one => seen(one.state === 'up', one.errorKind));
    const observed = states.includes('works') ? 'works' : (states.find(state => state !== '') ?? '');
    return address.pods.flatMap(pod => {
      const to = peers.get(pod.key);
      if (!to) return [];
      return [
        {
          ...NOTHING_SEEN,
          purpose: 'from-outside',
          from: world,
          to,
          port: address.targetPort,
          protocol: 'TCP' as const,
          observed,
          words: asking.find(one => one.error !== '')?.error ?? '',
          breaks: [address.service.key, address.key, `Endpoint ${address.address}`],
        },
      ];
    });
  });
}

async function objectStores(context: Context, peers: ReadonlyMap<string, PodPeer>): Promise<readonly Path[]> {
  const [stores, pods, services] = await Promise.all([
    listOrGap(context.get(storesCollector)),
    listOrGap(context.get(podsCollector)),
    listOrGap(context.get(servicesCollector)),
  ]);
  return known(stores).flatMap(store => {
    const host = orGap(() => store.host);
    if (typeof host !== 'string' || host === '') return [];
    const inside = store.insideCluster;
    const service = known(services).find(one => one.key === inside.key);
    const behind = service
      ? known(pods).filter(pod => pod.namespace === service.namespace && selects(service.selector, pod.labels))
      : [];
    const destinations: readonly Peer[] = service
      ? behind.flatMap(pod => (peers.get(pod.key) ? [peers.get(pod.key)!] : []))
      : [{ is: 'world', ip: isIpAddress(host) ? host : '', name: host }];
    return store.usedBy.flatMap(user => {
      const from = peers.get(user.pod.key);
      if (!from) return [];
      return destinations.map(to => ({
        ...NOTHING_SEEN,
        purpose: 'object-store',
        from,
        to,
        port: store.effectivePort,
        protocol: 'TCP' as const,
        breaks: [store.endpointKey, `Endpoint ${host}`, user.workload.key],
        log: { namespace: user.pod.namespace, pod: user.pod.name, container: user.container },
      }));
    });
  });
}

async function names(
  context: Context,
  peers: ReadonlyMap<string, PodPeer>,
  components: readonly Component[],
): Promise<readonly Path[]> {
  const [services, pods] = await Promise.all([
    listOrGap(context.get(servicesCollector)),
    listOrGap(context.get(podsCollector)),
  ]);
  const service = known(services).find(isClusterDns);
  if (!service) return [];
  const servers = known(pods).filter(
    pod => pod.namespace === service.namespace && pod.ready && selects(service.selector, pod.labels),
  );
  const asking = [
    ...new Map(
      components.filter(one => one.thanos || one.component !== 'coredns').map(one => [one.pod.key, one]),
    ).values(),
  ];
  return asking.flatMap(one =>
    servers.flatMap(server => {
      const from = peers.get(one.pod.key);
      const to = peers.get(server.key);
      if (!from || !to || from.key === to.key || !DNS_USERS.has(one.component)) return [];
      return [
        {
          ...NOTHING_SEEN,
          purpose: 'dns',
          from,
          to,
          port: dnsPort(service.ports, to),
          protocol: 'UDP' as const,
          breaks: [service.key],
          log: { namespace: one.pod.namespace, pod: one.pod.name, container: one.container },
        },
      ];
    }),
  );
}

const DNS_USERS: ReadonlySet<string> = new Set([
  'query',
  'rule',
  'store',
  'compact',
  'sidecar',
  'receive',
  'prometheus',
  'alertmanager',
  'grafana',
]);

function dnsPort(ports: readonly { readonly protocol: string; readonly targetPort: string }[], to: PodPeer): number {
  const target = ports.find(port => port.protocol === 'UDP')?.targetPort ?? '53';
  return Number(target) || (to.ports.find(port => port.name === target)?.port ?? 53);
}

/** Alerts go from Prometheus and rulers to every Alertmanager, and Grafana asks every Query. */
function betweenComponents(peers: ReadonlyMap<string, PodPeer>, components: readonly Component[]): readonly Path[] {
  const of = (...names: readonly string[]) => components.filter(one => names.includes(one.component));
  const path = (purpose: string, from: Component, to: Component): Path => ({
    ...NOTHING_SEEN,
    purpose,
    from: peers.get(from.pod.key)!,
    to: peers.get(to.pod.key)!,
    port: to.httpPort,
    protocol: 'TCP',
    breaks: [from.subject.key, to.subject.key],
  });
  return [
    ...of('prometheus', 'rule').flatMap(from => of('alertmanager').map(to => path('alerts', from, to))),
    ...of('grafana').flatMap(from => of('query', 'query-frontend').map(to => path('datasource', from, to))),
  ];
}
