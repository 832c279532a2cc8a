import type { ShapeOf } from '../../model/shape.ts';
import { overlap, type Range, rangeOf, textOf } from '../addresses.ts';
import { type Context, derived } from '../collector.ts';
import { type Pool, poolHolds, collector as poolsCollector } from '../collectors/cilium.pools.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { gapElement, gapOf, gapped, gapsIn, known, listOrGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';

const PLACE = { cluster: 'str', pool: 'str', key: 'str', created: 'time' } as const;

const ROW = {
  /** pools: two pools share addresses. node: a pool holds the address of a node. */
  kind: 'str',
  /** Nodes of both clusters have addresses in one network: what one announces, the other hears. */
  sameNetwork: 'bool',
  /** The elder one; the pool itself for kind node. */
  first: PLACE,
  /** The younger one, which has to give way; the pool itself for kind node. */
  second: PLACE,
  from: 'str',
  to: 'str',
  /** Node and its cluster, for kind node. */
  node: 'str',
  /** The cluster of the node, or of the younger pool. */
  nodeCluster: 'str',
  nodeKey: 'str',
  /** Addresses that both clusters have given out: `ip: Service, Service`. */
  usedTwice: ['str'],
  /** Services with an address of the shared range: keys with their cluster. */
  services: ['str'],
  /** Addresses of the shared range that are given out. */
  addresses: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

/** Before it is known whether the two are neighbours; */
type Overlap = Omit<Row, 'sameNetwork'>;

interface Placed {
  readonly cluster: string;
  readonly pool: Pool;
}

export const collector = derived({
  id: 'fleet.address-pools',
  about: "Address pools of all clusters against each other and against the nodes' addresses.",
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const placed: Placed[] = [];
    const gaps: Row[] = [];
    for (const cluster of context.clusters) {
      const pools = await listOrGap(cluster.get(poolsCollector));
      placed.push(...known(pools).map(pool => ({ cluster: cluster.cluster, pool })));
      gaps.push(
        ...gapsIn(pools).map(gap => gapElement({ ...gap, detail: `${cluster.cluster}: ${gap.detail}` }) as Row),
      );
    }
    // A pool that is off, by its owner or by a conflict, gives out nothing.
    const active = placed.filter(({ pool }) => !pool.disabled && !pool.conflict);
    const pairs = active.flatMap((one, index) => active.slice(index + 1).flatMap(other => overlapOf(one, other)));
    const networks = await networksOf(context);
    const rows = [...pairs, ...(await nodesIn(active, context))];
    return [...rows.map(row => lazily<Row>(row, { sameNetwork: () => shareNetwork(row, networks) })), ...gaps];
  },
});

/** The first three numbers of the nodes' addresses, by cluster; a gap element where the nodes are not known. */
async function networksOf(context: Context): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const cluster of context.clusters) {
    const nodes = await gapped(cluster.get(nodesCollector));
    const gap = gapOf(nodes);
    const addresses = gap ? [] : known(nodes).flatMap(node => node.addresses);
    found.set(
      cluster.cluster,
      gap ? gapElement(gap) : new Set(addresses.map(address => address.replace(/\.\d+$/, ''))),
    );
  }
  return found;
}

function shareNetwork(row: Overlap, networks: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (row.first.cluster === row.nodeCluster) return true;
  const one = networks.get(row.first.cluster)!;
  return [...networks.get(row.nodeCluster)!].some(network => one.has(network));
}

/** One cluster under two names has the same objects. */
function overlapOf(one: Placed, other: Placed): readonly Overlap[] {
  if (one.cluster === other.cluster || one.pool.uid === other.pool.uid) return [];
  const shared = rangesOf(one.pool).flatMap(range =>
    rangesOf(other.pool).flatMap(second => {
      const both = overlap(range, second);
      return both ? [both] : [];
    }),
  );
  const [range] = shared;
  if (!range) return [];
  const [first, second] = isYounger(one, other) ? [other, one] : [one, other];
  const holders = [one, other].flatMap(({ cluster, pool }) =>
    pool.usedBy
      .filter(used => shared.some(part => holdsAddress(part, used.ip)))
      .map(used => ({ ip: used.ip, key: `${used.service.key} @${cluster}`, cluster })),
  );
  const twice = [...new Set(holders.map(one => one.ip))].filter(
    ip => new Set(holders.filter(one => one.ip === ip).map(one => one.cluster)).size > 1,
  );
  return [
    {
      kind: 'pools',
      first: placeOf(first),
      second: placeOf(second),
      from: textOf({ family: range.family, value: range.first }),
      to: textOf({ family: range.family, value: range.last }),
      node: '',
      nodeCluster: second.cluster,
      nodeKey: '',
      usedTwice: twice.map(
        ip =>
          `${ip}: ${holders
            .filter(one => one.ip === ip)
            .map(one => one.key)
            .join(', ')}`,
      ),
      services: holders.map(one => one.key),
      addresses: [...new Set(holders.map(one => one.ip))],
    },
  ];
}

/** By creation; of two of the same second, the one of the later cluster. */
function isYounger(one: Placed, other: Placed): boolean {
  if (one.pool.created !== other.pool.created) return one.pool.created > other.pool.created;
  return one.cluster > other.cluster;
}

async function nodesIn(pools: readonly Placed[], context: Context): Promise<readonly Overlap[]> {
  const rows: Overlap[] = [];
  for (const cluster of context.clusters) {
    for (const node of known(await listOrGap(cluster.get(nodesCollector)))) {
      for (const address of node.addresses) {
        for (const one of pools.filter(({ pool }) => poolHolds(pool, address))) {
          rows.push({
            kind: 'node',
            first: placeOf(one),
            second: placeOf(one),
            from: address,
            to: address,
            node: node.name,
            nodeCluster: cluster.cluster,
            nodeKey: `${node.key} @${cluster.cluster}`,
            usedTwice: [],
            services: one.pool.usedBy
              .filter(used => used.ip === address)
              .map(used => `${used.service.key} @${one.cluster}`),
            addresses: [address],
          });
        }
      }
    }
  }
  return rows;
}

function placeOf({ cluster, pool }: Placed): Row['first'] {
  return { cluster, pool: pool.name, key: `${pool.key} @${cluster}`, created: pool.created };
}

function rangesOf(pool: Pool): readonly Range[] {
  return pool.blocks.map(block => rangeOf(block.first, block.last)).filter(range => range !== undefined);
}

function holdsAddress(range: Range, ip: string): boolean {
  const single = rangeOf(ip, ip);
  return single !== undefined && overlap(range, single) !== undefined;
}
