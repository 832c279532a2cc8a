import pLimit from 'p-limit';
import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { BucketListing, ListedObject } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { BLOCK, type Block, type BlockTexts, blockMaker, fileOfBlock, type StoredFile } from '../components/blocks.ts';
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

/** Blocks that are read at once of one bucket. */
const CONCURRENCY = 64;

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

type Content = Pick<Row, (typeof CONTENT)[number]>;

async function contentOf(now: { readonly takenAt: number }, holder: Holder): Promise<Content> {
  const { context, store } = holder;
  const reading = reader(now, holder);
  const listing = await context.source.bucketListing(store.id, reading.take);
  if (!reading.isSorted()) return wholeContentOf(now, holder);
  return { ...reading.content(), blocks: [...reading.content().blocks, ...beyond(listing)] };
}

/** Of a store that lists in another order: only at the end it is known which files a block has. */
async function wholeContentOf(now: { readonly takenAt: number }, holder: Holder): Promise<Content> {
  const { context, store } = holder;
  const listing = await context.source.bucketListing(store.id);
  const reading = reader(now, holder);
  await reading.take([...listing.objects].sort((first, second) => (first.key < second.key ? -1 : 1)));
  await reading.take([]);
  return { ...reading.content(), blocks: [...reading.content().blocks, ...beyond(listing)] };
}

interface Opened {
  readonly id: string;
  readonly files: StoredFile[];
}

/**
 * Reads blocks while they are listed: the files of a block come one after another. Of the objects nothing is kept but
 * what a block says, so a bucket may have any number of them.
 */
function reader(now: { readonly takenAt: number }, holder: Holder) {
  const { prefix } = holder.store;
  const below = prefix === '' ? '' : `${prefix}/`;
  const make = blockMaker(now);
  const limit = pLimit(CONCURRENCY);
  const found: (Block | undefined)[] = [];
  const counts = { foreign: 0, objects: 0, bytes: 0 };
  let opened: Opened | undefined;
  let last = '';
  let sorted = true;
  let before: Promise<unknown> = Promise.resolve();

  function close(reads: Promise<void>[]): void {
    if (!opened) return;
    const { id, files } = opened;
    opened = undefined;
    const at = found.push(undefined) - 1;
    reads.push(
      limit(async () => {
        found[at] = await readBlock(holder, id, files, make);
      }),
    );
  }

  async function take(objects: readonly ListedObject[]): Promise<void> {
    if (!sorted) return;
    const reads: Promise<void>[] = [];
    for (const object of objects) {
      counts.objects += 1;
      counts.bytes += object.size;
      const own = fileOfBlock(object, below);
      if (own && own.id === opened?.id) opened.files.push(own.file);
      else if (own) {
        close(reads);
        sorted &&= own.id > last;
        last = own.id;
        opened = { id: own.id, files: [own.file] };
      } else if (object.key.startsWith(below)) counts.foreign += 1;
    }
    if (objects.length === 0) close(reads);
    // Two pages are under way at once: while one is read, the next one is listed.
    const now = Promise.all(reads);
    await (objects.length === 0 ? Promise.all([before, now]) : before);
    before = now;
  }

  return {
    take,
    isSorted: () => sorted,
    content: () => ({ listed: true, ...counts, blocks: found.filter(block => block !== undefined) }),
  };
}

const DESCRIPTIONS: Readonly<Record<string, keyof BlockTexts>> = {
  'meta.json': 'meta',
  'deletion-mark.json': 'deletion',
  'no-compact-mark.json': 'noCompact',
  'no-downsample-mark.json': 'noDownsample',
};

/** Undefined for a block that went since it was listed. */
async function readBlock(
  { context, store }: Holder,
  id: string,
  files: readonly StoredFile[],
  make: ReturnType<typeof blockMaker>,
): Promise<Block | undefined> {
  const texts: { -readonly [Name in keyof BlockTexts]: BlockTexts[Name] } = { ...NO_TEXTS };
  const described = files.filter(({ path }) => Object.hasOwn(DESCRIPTIONS, path));
  try {
    await Promise.all(
      described.map(async ({ path, listed }) => {
        texts[DESCRIPTIONS[path]!] = listed.text ?? (await context.source.bucketObject(store.id, listed.key, listed));
      }),
    );
    // The Compactor takes the meta.json away first.
    if (texts.meta === null && described.some(({ path }) => path === 'meta.json')) return undefined;
    return make(id, files, texts);
  } catch (error) {
    if (error instanceof GapSignal) return gapElement({ ...error.gap, evidence: 'bucket.blocks' });
    throw error;
  }
}

const NO_TEXTS: BlockTexts = { meta: null, deletion: null, noCompact: null, noDownsample: null };

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
