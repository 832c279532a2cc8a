import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { addressOf, blockOf, countOf, isIn, type Range, rangeOf, textOf } from '../addresses.ts';
import { type Context, listOf } from '../collector.ts';
import { conditionsOf } from '../conditions.ts';
import { gapsIn, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { LABEL_SELECTOR, labelSelector } from '../label-selectors.ts';
import { flag, list, REF, ref, text } from '../objects.ts';
import { collector as nodesCollector } from './kubernetes.nodes.ts';
import { collector as servicesCollector } from './kubernetes.services.ts';

const listed = listOf({
  id: 'cilium.pools',
  about: 'Address pools of Cilium, with their use counted here: their own counts may be missing or stale.',
  group: 'cilium.io',
  resource: 'ciliumloadbalancerippools',
  kind: 'CiliumLoadBalancerIPPool',
  fields: {
    installed: 'bool',
    blocks: [{ first: 'str', last: 'str' }],
    /** As it is written, for messages. */
    blockTexts: ['str'],
    families: ['int'],
    /** It was written for a version before 1.16: its blocks are not read any more. */
    legacyCidrs: 'bool',
    selector: LABEL_SELECTOR,
    disabled: 'bool',
    conflict: 'bool',
    conflictMessage: 'str',
    conflictWith: 'str',
    conflictSince: 'time',
    total: 'int',
    used: 'int',
    available: 'int',
    /** The pool's own counts; -1 where they are absent. */
    reported: { total: 'int', used: 'int', available: 'int' },
    usedBy: [{ service: REF, ip: 'str' }],
    containsNodeAddress: ['str'],
  },
  row({ spec, status }, context) {
    const ranges = poolRanges(spec?.blocks);
    const conditions = conditionsOf(status?.conditions, context);
    const conflict = conditions.find(one => one.type === 'cilium.io/PoolConflict' && one.status === 'True');
    const reported = (type: string) => {
      const message = conditions.find(one => one.type === `cilium.io/${type}`)?.message ?? '';
      return /^\d+$/.test(message) ? Number(message) : -1;
    };
    return {
      installed: true,
      blocks: ranges.map(({ family, first, last }) => ({
        first: textOf({ family, value: first }),
        last: textOf({ family, value: last }),
      })),
      blockTexts: list(spec?.blocks).map(blockText),
      families: [...new Set(ranges.map(range => range.family as number))],
      legacyCidrs: list(spec?.cidrs).length > 0,
      selector: labelSelector(spec?.serviceSelector),
      disabled: flag(spec?.disabled),
      conflict: conflict !== undefined,
      conflictMessage: conflict?.message ?? '',
      conflictWith: /from IP Pool '([^']+)'/.exec(conflict?.message ?? '')?.[1] ?? '',
      conflictSince: conflict?.since ?? '',
      total: countOf(ranges),
      used: 0,
      available: 0,
      reported: { total: reported('IPsTotal'), used: reported('IPsUsed'), available: reported('IPsAvailable') },
      usedBy: [],
      containsNodeAddress: [],
    };
  },
});

export type Pool = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly Pool[]> {
    const pools = await listed.collect(context);
    if (pools.length === 0) return pools;
    const [services, nodes] = await Promise.all([
      listOrGap(context.get(servicesCollector)),
      listOrGap(context.get(nodesCollector)),
    ]);
    const [serviceGap] = gapsIn(services);
    const [nodeGap] = gapsIn(nodes);
    return mapKnown(pools, pool => {
      const usedBy = known(services).flatMap(service =>
        service.externalIps
          .filter(ip => poolHolds(pool, ip))
          .map(ip => ({ service: ref('Service', service.namespace, service.name, service.uid), ip })),
      );
      const used = new Set(usedBy.map(one => one.ip)).size;
      const addresses = known(nodes).flatMap(node => node.addresses);
      const row: Pool = {
        ...pool,
        usedBy,
        used,
        available: Math.max(0, pool.total - used),
        containsNodeAddress: addresses.filter(address => poolHolds(pool, address)),
      };
      const unknown: (keyof Pool & string)[] = [];
      if (serviceGap) unknown.push('usedBy', 'used', 'available');
      if (nodeGap) unknown.push('containsNodeAddress');
      const gap = serviceGap ?? nodeGap;
      if (!gap) return row;
      const rest = Object.fromEntries(Object.entries(row).filter(([field]) => !unknown.includes(field as never)));
      return withUnknownFields<Pool>(rest as Partial<Pool>, gap, unknown);
    });
  },
};

/** Whether an address lies in one of the pool's blocks. A host name does not. */
export function poolHolds(pool: Pick<Pool, 'blocks'>, ip: string): boolean {
  const address = addressOf(ip);
  if (!address) return false;
  return pool.blocks.some(block => {
    const range = rangeOf(block.first, block.last);
    return range !== undefined && isIn(address, range);
  });
}

/** Blocks are a CIDR, or a first and a last address. The first and last of a CIDR are given out as well. */
function poolRanges(blocks: unknown): readonly Range[] {
  return list(blocks)
    .map(block => (block?.cidr ? blockOf(text(block.cidr)) : rangeOf(text(block?.start), text(block?.stop))))
    .filter(range => range !== undefined);
}

function blockText(block: RawObject): string {
  if (block?.cidr) return text(block.cidr);
  const stop = text(block?.stop);
  return stop && stop !== block.start ? `${text(block?.start)}-${stop}` : text(block?.start);
}
