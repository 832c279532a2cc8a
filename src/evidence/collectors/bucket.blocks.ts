import pLimit from 'p-limit';
import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { BucketListing } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { BLOCK, type Block, blockOf, groupByBlock, type StoredFile } from '../components/blocks.ts';
import { gapElement, gapOf, withUnknownFields } from '../gaps.ts';
import { type ObjectStore, collector as storesCollector } from './thanos.object-stores.ts';

const ROW = {
  /** Id of the configuration by which it was listed. */
  store: 'str',
  /** Cluster of that configuration. */
  cluster: 'str',
  /** All configurations that name this bucket and prefix. */
  stores: [{ cluster: 'str', id: 'str' }],
  bucket: 'str',
  /** `bucket@host:port` */
  place: 'str',
  bucketKey: 'str',
  endpointKey: 'str',
  prefix: 'str',
  listed: 'bool',
  blocks: [BLOCK],
  /** Objects that belong to no block. */
  foreign: 'int',
  objects: 'int',
  bytes: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

const CONTENT = ['listed', 'blocks', 'foreign', 'objects', 'bytes'] as const;

/** Requests under way at once for one bucket. */
const CONCURRENCY = 8;

export const collector = fetched({
  id: 'bucket.blocks',
  about:
    'Every block of every bucket of the fleet, from its meta.json and marks. Each bucket is read once, never written.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const named = new Map<string, { context: Context; store: ObjectStore }[]>();
    const gaps: Gap[] = [];
    for (const cluster of context.clusters) {
      for (const store of await storesOf(cluster, gaps)) {
        const key = `${store.place}/${store.prefix}`;
        named.set(key, [...(named.get(key) ?? []), { context: cluster, store }]);
      }
    }
    const rows = await Promise.all([...named.values()].map(holders => bucketOf(context, holders)));
    return [...rows, ...gaps.map(gap => gapElement(gap) as Row)];
  },
});

async function storesOf(cluster: Context, gaps: Gap[]): Promise<readonly ObjectStore[]> {
  const usable: ObjectStore[] = [];
  try {
    for (const store of await cluster.get(storesCollector)) {
      const gap = gapOf(store);
      if (gap) gaps.push(gap);
      else {
        try {
          if (store.usable && store.place !== '') usable.push(store);
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
          gaps.push(error.gap);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    gaps.push(error.gap);
  }
  return usable;
}

interface Holder {
  readonly context: Context;
  readonly store: ObjectStore;
}

/** The first configuration that may list the bucket is enough. */
async function bucketOf(now: { readonly takenAt: number }, holders: readonly Holder[]): Promise<Row> {
  const first = holders[0]!;
  const { store } = first;
  const base = {
    store: store.id,
    cluster: first.context.cluster,
    stores: holders.map(holder => ({ cluster: holder.context.cluster, id: holder.store.id })),
    bucket: store.bucket,
    place: store.place,
    bucketKey: store.bucketKey,
    endpointKey: store.endpointKey,
    prefix: store.prefix,
  };
  let gap: Gap | undefined;
  for (const holder of holders) {
    try {
      const content = await contentOf(now, holder);
      return { ...base, store: holder.store.id, cluster: holder.context.cluster, ...content };
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gap ??= { ...error.gap, evidence: 'bucket.blocks' };
    }
  }
  return withUnknownFields<Row>(base, gap!, CONTENT);
}

async function contentOf(
  now: { readonly takenAt: number },
  { context, store }: Holder,
): Promise<Pick<Row, (typeof CONTENT)[number]>> {
  const listing = await context.source.bucketListing(store.id);
  const { blocks, foreign } = groupByBlock(listing.objects, store.prefix);
  const limit = pLimit(CONCURRENCY);
  const found = await Promise.all(
    [...blocks].map(([id, files]) => limit(() => readBlock(now, context, store, id, files))),
  );
  return {
    listed: true,
    blocks: [...found, ...beyond(listing)],
    foreign,
    objects: listing.objects.length,
    bytes: listing.objects.reduce((sum, object) => sum + object.size, 0),
  };
}

async function readBlock(
  now: { readonly takenAt: number },
  context: Context,
  store: ObjectStore,
  id: string,
  files: readonly StoredFile[],
): Promise<Block> {
  const names = new Set(files.map(file => file.path));
  const folder = store.prefix === '' ? id : `${store.prefix}/${id}`;
  const read = async (name: string) =>
    names.has(name) ? context.source.bucketObject(store.id, `${folder}/${name}`) : null;
  try {
    const [meta, deletion, noCompact, noDownsample] = await Promise.all(
      ['meta.json', 'deletion-mark.json', 'no-compact-mark.json', 'no-downsample-mark.json'].map(read),
    );
    return blockOf(now, id, files, {
      meta: meta ?? null,
      deletion: deletion ?? null,
      noCompact: noCompact ?? null,
      noDownsample: noDownsample ?? null,
    });
  } catch (error) {
    if (error instanceof GapSignal) return gapElement({ ...error.gap, evidence: 'bucket.blocks' });
    throw error;
  }
}

/** A listing that was cut off: there may be more blocks than these. */
function beyond(listing: BucketListing): readonly Block[] {
  if (!listing.truncated) return [];
  return [
    gapElement({
      evidence: 'bucket.blocks',
      reason: 'truncated',
      detail: `bucket ${listing.bucket} has more objects than were listed`,
      path: listing.path,
      notLookedAt: false,
    }),
  ];
}
