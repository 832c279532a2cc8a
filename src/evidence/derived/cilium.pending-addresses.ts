import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { type Pool, poolHolds, collector as poolsCollector } from '../collectors/cilium.pools.ts';
import { collector as discoveryCollector } from '../collectors/kubernetes.discovery.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { findKnown, gapOf, gapped, known, orGap } from '../gaps.ts';
import { unmet } from '../label-selectors.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { collector as configCollector } from './cilium.config.ts';
import { collector as balancersCollector, CILIUM_CLASSES, type LoadBalancer } from './cilium.load-balancers.ts';

const ROW = {
  service: REF,
  since: 'time',
  age: 'int',
  /** no-pool, pool-conflict, selector, outside, taken, exhausted, class or ipam-disabled */
  why: 'str',
  /** In words what differs or lacks. */
  detail: 'str',
  /** The pool in question; nobody where there is none. */
  pool: REF,
  /** As the pool writes its blocks. */
  blocks: ['str'],
  total: 'int',
  used: 'int',
  /** Service and address of each that the pool has given out. */
  usedBy: ['str'],
  /** The address that is asked for; '' for none. */
  requested: 'str',
  /** The Service that has that address, or the port in a shared one. */
  holder: REF,
  class: 'str',
  condition: 'str',
  message: 'str',
  /** ConfigMap in which LB-IPAM is switched off. */
  configKey: 'str',
  configNamespace: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

/** LB-IPAM answers within seconds (s). */
const GRACE = 30;
const OTHER_CONTROLLERS = ['metallb.io', 'kube-vip.io'];

export const collector = derived({
  id: 'cilium.pending-addresses',
  about: 'Why a Service of type LoadBalancer has no address, and which pool stands in question.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const balancers = await context.get(balancersCollector);
    const rows: Row[] = [];
    for (const balancer of balancers) {
      if (gapOf(balancer)) rows.push(balancer as never);
      else if (balancer.pending && balancer.pendingAge > GRACE)
        rows.push(...(await reasonsOf(balancer, balancers, context)));
    }
    return rows;
  },
});

async function reasonsOf(
  balancer: LoadBalancer,
  balancers: readonly LoadBalancer[],
  context: Context,
): Promise<readonly Row[]> {
  const row = (why: string, detail: string, more: Partial<Row> = {}): Row => ({
    service: balancer.service,
    since: balancer.pendingSince,
    age: balancer.pendingAge,
    why,
    detail,
    pool: NOBODY,
    blocks: [],
    total: 0,
    used: 0,
    usedBy: [],
    requested: balancer.requested[0] ?? '',
    holder: NOBODY,
    class: balancer.class,
    condition: balancer.condition,
    message: balancer.message,
    configKey: '',
    configNamespace: '',
    ...more,
  });
  const ofPool = (why: string, detail: string, pool: Pool, more: Partial<Row> = {}): Row =>
    row(why, detail, {
      pool: ref('CiliumLoadBalancerIPPool', '', pool.name, pool.uid),
      blocks: pool.blockTexts,
      total: pool.total,
      used: pool.used,
      usedBy: pool.usedBy.map(one => `${one.service.namespace}/${one.service.name} = ${one.ip}`),
      ...more,
    });

  if (!CILIUM_CLASSES.has(balancer.class)) {
    const served = known(balancers).some(other => other.class === balancer.class && !other.pending);
    const nobody = !served && !balancer.conditionPresent;
    return nobody ? [row('class', `no controller is known for class "${balancer.class}"`)] : [];
  }
  const discovery = await gapped(context.get(discoveryCollector));
  const config = await gapped(context.get(configCollector));
  const pools = await gapped(context.get(poolsCollector));
  const services = await gapped(context.get(servicesCollector));
  const decided = orGap(decide);
  return gapOf(decided) ? [decided as never] : decided;

  function decide(): readonly Row[] {
    const other = discovery.resources.find(one => OTHER_CONTROLLERS.includes(one.group));
    if (other && !balancer.conditionPresent && !config.installed) return [];
    const off = !balancer.conditionPresent && config.installed ? switchedOff() : '';
    if (off) return [row('ipam-disabled', off, { configKey: config.key, configNamespace: config.namespace })];
    findKnown(pools, () => false);
    const family = familyOf(balancer);
    const enabled = pools.filter(pool => !pool.disabled && pool.families.includes(family));
    const usable = enabled.filter(pool => !pool.conflict);
    const labels = balancer.labels;
    const asked = balancer.requested[0];
    const serves = (pool: Pool) =>
      unmet(pool.selector, labels).length === 0 && (asked === undefined || poolHolds(pool, asked));
    // A pool that would serve it, were it not switched off for its overlap, tells more than the others' selectors.
    const inConflict = enabled.filter(pool => pool.conflict && serves(pool));
    if (inConflict.length > 0 && !usable.some(serves)) {
      return inConflict.map(pool => ofPool('pool-conflict', `it overlaps pool ${pool.conflictWith}`, pool));
    }
    if (usable.length === 0) return [row('no-pool', whyNone(pools, family))];
    if (asked !== undefined) return askedFor(asked, usable);
    const selecting = usable.filter(pool => unmet(pool.selector, labels).length === 0);
    if (selecting.length === 0) return [notSelected(usable)];
    const clash = balancer.sharingKey !== '' ? sharer() : NOBODY;
    const full = selecting.filter(pool => pool.available === 0);
    if (full.length === selecting.length || balancer.condition === 'out_of_ips') {
      return selecting.map(pool => {
        const detail = clash.name
          ? `port clash with ${clash.namespace}/${clash.name}`
          : `${pool.used} of ${pool.total} addresses are in use`;
        return ofPool('exhausted', detail, pool, { holder: clash });
      });
    }
    return [];
  }

  function switchedOff(): string {
    if (!config.lbIpam) return 'enable-lb-ipam is "false"';
    const byDefault = config.defaultLbServiceIpam;
    const other = byDefault === 'none' || byDefault === 'nodeipam';
    return other && balancer.class === '' ? `default-lb-service-ipam is "${byDefault}"` : '';
  }

  function askedFor(asked: string, usable: readonly Pool[]): readonly Row[] {
    const holding = usable.filter(pool => poolHolds(pool, asked));
    if (holding.length === 0) {
      const disabled = pools.find(pool => pool.disabled && poolHolds(pool, asked));
      const detail = disabled ? `it lies in pool ${disabled.name}, which is disabled` : 'it lies in no pool';
      return [row('outside', detail, { blocks: usable.flatMap(pool => pool.blockTexts) })];
    }
    const selecting = holding.filter(pool => unmet(pool.selector, balancer.labels).length === 0);
    if (selecting.length === 0) return [notSelected(holding)];
    const holder = known(balancers).find(
      other => other.service.key !== balancer.service.key && other.ips.includes(asked),
    );
    if (holder) return [ofPool('taken', takenWhy(), selecting[0]!, { holder: holder.service })];
    return [];
  }

  function takenWhy(): string {
    return /Reason: (.+)$/.exec(balancer.message)?.[1] ?? 'another Service has it';
  }

  function notSelected(candidates: readonly Pool[]): Row {
    const judged = candidates
      .map(pool => ({ pool, lacks: unmet(pool.selector, balancer.labels) }))
      .sort((one, other) => one.lacks.length - other.lacks.length || (one.pool.name < other.pool.name ? -1 : 1));
    const { pool, lacks } = judged[0]!;
    return ofPool('selector', `its serviceSelector asks for ${lacks[0]}`, pool);
  }

  /** The Service that shares the address and has one of the ports. */
  function sharer(): Row['holder'] {
    const found = known(services).find(
      other =>
        other.type === 'LoadBalancer' &&
        (other.namespace !== balancer.service.namespace || other.name !== balancer.service.name) &&
        other.annotations['lbipam.cilium.io/sharing-key'] === balancer.sharingKey &&
        other.ports.some(port => balancer.ports.includes(port.port)),
    );
    return found ? ref('Service', found.namespace, found.name, found.uid) : NOBODY;
  }
}

function familyOf(balancer: LoadBalancer): 4 | 6 {
  return (balancer.requested[0] ?? '').includes(':') ? 6 : 4;
}

function whyNone(pools: readonly Pool[], family: number): string {
  if (pools.length === 0) return 'there is no pool at all';
  if (pools.every(pool => pool.disabled)) return 'every pool is disabled';
  if (pools.every(pool => pool.blocks.length === 0)) {
    return pools.some(pool => pool.legacyCidrs)
      ? 'the pools have no blocks: they are written with `cidrs`, which is not read any more'
      : 'the pools have no blocks';
  }
  return `no enabled pool has IPv${family} addresses`;
}
