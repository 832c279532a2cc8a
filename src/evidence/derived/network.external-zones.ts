import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { collector as storesCollector } from '../collectors/thanos.object-stores.ts';
import { gapElement, gapOf, gapped, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { commonZone } from '../lookups.ts';
import { REF } from '../objects.ts';
import { collector as dnsCollector } from './network.dns.ts';
import { collector as failuresCollector } from './network.lookup-failures.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const HIT = {
  id: 'str',
  sample: 'str',
  count: 'int',
  first: 'time',
  last: 'time',
  pod: REF,
  container: 'str',
} as const;

const ROW = {
  /** The longest suffix that the hosts have in common, of two labels at least; a single host is its own. */
  zone: 'str',
  hosts: ['str'],
  /** The cluster's DNS server itself says that the server behind it does not answer. */
  byServer: 'bool',
  /** The server that names are forwarded to; '' where it is not known. */
  forwarder: 'str',
  askers: ['str'],
  since: 'time',
  /** Keys of what is configured with these hosts. */
  endpointKeys: ['str'],
  hits: [HIT],
} as const;

type Row = ShapeOf<typeof ROW>;

interface Failure {
  readonly host: string;
  readonly byServer: boolean;
  readonly forwarder: string;
  readonly asker: string;
  readonly hit: ShapeOf<typeof HIT>;
}

/** A line that is older says nothing of now (seconds). */
const RECENT = 600;
const UPSTREAM = 'coredns-upstream-failing';

export const collector = derived({
  id: 'network.external-zones',
  about: 'Zones of names outside the cluster of which the hosts that are asked for cannot be looked up.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const lookups = await context.get(failuresCollector);
    const own: readonly Failure[] = known(lookups)
      .filter(one => one.kind === 'unanswered' && !one.ofCluster && one.open && one.lastAge < RECENT && one.name !== '')
      .map(one => ({ host: one.name, byServer: false, forwarder: '', asker: one.workload.key, hit: one }));
    const servers = await serverFailures(context);
    const gaps = gapsIn([...lookups, ...servers]).map(gap => gapElement(gap) as Row);
    const failures = [...own, ...known(servers)];
    const hosts = [...new Set(failures.map(one => one.host))].sort();
    const decided = known(servers).length > 0 || hosts.length >= 2;
    if (!decided) return gaps;
    const endpoints = await endpointsOf(context);
    return [...groups(hosts).map(group => rowOf(group)), ...gaps];

    function rowOf(group: readonly string[]): Row {
      const mine = failures.filter(one => group.includes(one.host));
      return {
        zone: commonZone(group),
        hosts: group,
        byServer: mine.some(one => one.byServer),
        forwarder: mine.find(one => one.forwarder !== '')?.forwarder ?? '',
        askers: [...new Set(mine.map(one => one.asker).filter(asker => asker !== ''))],
        since: mine.map(one => one.hit.first).sort()[0] ?? '',
        endpointKeys: [
          ...new Set([...group.map(host => `Endpoint ${host}`), ...group.flatMap(host => endpoints.get(host) ?? [])]),
        ],
        hits: mine.map(({ hit: { id, sample, count, first, last, pod, container } }) => ({
          id,
          sample,
          count,
          first,
          last,
          pod,
          container,
        })),
      };
    }
  },
});

/** What the cluster's DNS server logs of the server behind it. */
async function serverFailures(context: Context): Promise<readonly Failure[]> {
  const components = await listOrGap(context.get(componentsCollector));
  const servers = known(components).filter(one => one.component === 'coredns' && one.running);
  const rows = await Promise.all(
    servers.map(async one => {
      const { namespace, name } = one.pod;
      const log = await gapped(context.get(logsCollector, { namespace, pod: name, container: one.container }));
      const gap = gapOf(log);
      if (gap) return [gapElement(gap) as Failure];
      return known(log.hits)
        .filter(hit => hit.id === UPSTREAM && hit.open && hit.lastAge < RECENT)
        .map(hit => ({
          host: (hit.captured.name ?? '').replace(/\.$/, ''),
          byServer: true,
          forwarder: hit.captured.upstream ?? '',
          asker: '',
          hit: { ...hit, pod: one.pod, container: one.container },
        }));
    }),
  );
  return rows.flat().filter(one => gapOf(one) !== undefined || one.host !== '');
}

/** Hosts with two labels in common belong together. */
function groups(hosts: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [];
  for (const host of hosts) {
    const group = found.find(one => commonZone([...one, host]) !== '');
    if (group) group.push(host);
    else found.push([host]);
  }
  return found;
}

async function endpointsOf(context: Context): Promise<ReadonlyMap<string, readonly string[]>> {
  const [stores, dns] = await Promise.all([listOrGap(context.get(storesCollector)), gapped(context.get(dnsCollector))]);
  const found = new Map<string, readonly string[]>();
  const add = (host: string, keys: readonly string[]) => found.set(host, [...(found.get(host) ?? []), ...keys]);
  for (const store of known(stores)) {
    const host = orGap(() => store.host);
    if (typeof host === 'string' && host !== '') add(host, [store.endpointKey]);
  }
  for (const one of gapOf(dns) ? [] : known(dns.names)) add(one.name, one.endpointKeys);
  return found;
}
