import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { TARGET, collector as targetsCollector } from '../collectors/prometheus.targets.ts';
import { endpointIndex } from '../components/pools.ts';
import { gapElement, gapOf, orGap } from '../gaps.ts';
import { REF } from '../objects.ts';

type Target = ShapeOf<typeof TARGET>;
type Replica = ShapeOf<typeof targetsCollector.shape>[number];

const SHAPE = [
  {
    prometheus: REF,
    name: 'str',
    monitor: REF,
    /** Which endpoint of the monitor; -1 where it is not numbered. */
    index: 'int',
    active: 'int',
    up: 'int',
    /** Down on every replica that knows it, and really being scraped; each once. Not known while one that is ready is not heard. */
    down: [TARGET],
    knownNoise: 'bool',
  },
] as const;

/** A target that has not been scraped for so many intervals is not being scraped. */
const INTERVALS = 2;
/** Seconds in which a pod may still be starting. */
const YOUNG = 60;

export const collector = derived({
  id: 'prometheus.pools',
  about: 'Scrape pools with the targets that are down, over all replicas that answered.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const replicas = await context.get(targetsCollector);
    const answered: Replica[] = [];
    const silent: { readonly replica: Replica | undefined; readonly gap: Gap }[] = [];
    for (const replica of replicas) {
      // A replica that was not heard may have pools of its own.
      const targets = gapOf(replica) ? (replica as never) : orGap(() => replica.targets);
      const gap = gapOf(targets);
      if (gap) silent.push({ replica: gapOf(replica) ? undefined : replica, gap });
      else answered.push(replica);
    }
    // A replica that does not run scrapes nothing: where its twin was heard, nothing is missing.
    const heard = new Set(answered.map(replica => replica.prometheus.key));
    const rows: ShapeOf<typeof SHAPE>[number][] = silent
      .filter(({ replica }) => !replica || replica.running || !heard.has(replica.prometheus.key))
      .map(({ gap }) => gapElement(gap));
    // What one replica cannot scrape, one that is ready and was not heard may scrape.
    const unheard = new Map(
      silent.flatMap(({ replica, gap }) => (replica?.ready ? [[replica.prometheus.key, gap] as const] : [])),
    );
    const prometheuses = new Map(answered.map(replica => [replica.prometheus.key, replica.prometheus]));
    for (const prometheus of prometheuses.values()) {
      const all = answered.filter(replica => replica.prometheus.key === prometheus.key).flatMap(row => row.targets);
      for (const [name, targets] of grouped(all, target => target.pool)) {
        const distinct = [...grouped(targets, identity).values()];
        const down = distinct.filter(same => same.every(isDown)).map(same => same[0]!);
        const gap = unheard.get(prometheus.key);
        rows.push({
          prometheus,
          name,
          monitor: targets[0]!.monitor,
          index: endpointIndex(name),
          active: distinct.length,
          up: distinct.filter(same => same.some(target => target.health === 'up')).length,
          down: gap && down.length > 0 ? [gapElement(gap)] : down,
          knownNoise: targets[0]!.knownNoise,
        });
      }
    }
    return rows;
  },
});

/** The same target, as each replica of a pair sees it. */
function identity(target: Target): string {
  return JSON.stringify([target.url, Object.entries(target.labels).sort()]);
}

function isDown(target: Target): boolean {
  return (
    target.health === 'down' &&
    target.behind >= 0 &&
    target.behind < INTERVALS * Math.max(target.interval, 1) &&
    !target.podOver &&
    (target.podAge < 0 || target.podAge >= YOUNG)
  );
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
