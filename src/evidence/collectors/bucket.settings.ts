import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { LifecycleRule } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { gapElement, gapOf, listOrGap, withUnknownFields } from '../gaps.ts';
import { type ObjectStore, collector as storesCollector } from './thanos.object-stores.ts';

const ROW = {
  /** `bucket@host:port` */
  place: 'str',
  bucket: 'str',
  bucketKey: 'str',
  endpointKey: 'str',
  /** Of all configurations that name it. */
  prefixes: ['str'],
  /** Lifecycle rules that are in force and delete objects of blocks. */
  expiring: [{ id: 'str', prefix: 'str', days: 'int', date: 'time' }],
  /** Lifecycle rules, whatever they do. */
  rules: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

interface Holder {
  readonly context: Context;
  readonly store: ObjectStore;
}

export const collector = fetched({
  id: 'bucket.settings',
  about: 'What each bucket of the fleet deletes by itself. An extra: few accounts may read it.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const named = new Map<string, Holder[]>();
    const gaps: Row[] = [];
    for (const cluster of context.clusters) {
      for (const store of await listOrGap(cluster.get(storesCollector))) {
        try {
          const gap = gapOf(store);
          if (gap) throw new GapSignal(gap);
          if (!store.usable || store.place === '') continue;
          named.set(store.place, [...(named.get(store.place) ?? []), { context: cluster, store }]);
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
          gaps.push(gapElement(extra(error.gap)));
        }
      }
    }
    return [...(await Promise.all([...named.values()].map(rowOf))), ...gaps];
  },
});

/** The first configuration that may read it is enough. */
async function rowOf(holders: readonly Holder[]): Promise<Row> {
  const { store } = holders[0]!;
  const prefixes = [...new Set(holders.map(holder => holder.store.prefix))];
  const { place, bucket, bucketKey, endpointKey } = store;
  const base = { place, bucket, bucketKey, endpointKey, prefixes };
  let gap: Gap | undefined;
  for (const holder of holders) {
    try {
      const lifecycle = await lifecycleOf(holder);
      const expiring = lifecycle.filter(rule => expires(rule) && prefixes.some(prefix => reaches(rule.prefix, prefix)));
      return {
        ...base,
        rules: lifecycle.length,
        expiring: expiring.map(({ id, prefix, expireDays, expireDate }) => ({
          id,
          prefix,
          days: expireDays,
          date: expireDate,
        })),
      };
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gap ??= extra(error.gap);
    }
  }
  return withUnknownFields<Row>(base, gap!, ['rules', 'expiring']);
}

async function lifecycleOf({ context, store }: Holder): Promise<readonly LifecycleRule[]> {
  if (!context.source.bucketSettings) {
    throw new GapSignal({ reason: 'not-asked', detail: `the settings of ${store.place} were not asked for` });
  }
  return (await context.source.bucketSettings(store.id)).lifecycle;
}

/** That a right to read settings lacks is no reason to call a fleet unchecked. */
function extra(gap: Gap): Gap {
  return { ...gap, evidence: 'bucket.settings', notLookedAt: true };
}

/** Thanos gives its objects no tags, so that a rule by tags is not about them. */
function expires({ enabled, tags, expireDays, expireDate }: LifecycleRule): boolean {
  return enabled && tags.length === 0 && (expireDays > 0 || expireDate !== '');
}

/** Whether a rule's prefix can be the beginning of a block's object: `prefix/ULID/…`. */
function reaches(rule: string, prefix: string): boolean {
  const root = prefix === '' ? '' : `${prefix}/`;
  if (root.startsWith(rule)) return true;
  return rule.startsWith(root) && /^[0-9A-HJKMNP-TV-Z]{1,26}(?:\/.*)?$/.test(rule.slice(root.length));
}
