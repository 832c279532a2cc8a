import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as logCollector } from '../collectors/logs.signatures.ts';
import type { Block } from '../components/blocks.ts';
import {
  BLOCK_SET,
  type BlockSet,
  blockSet,
  dueForDownsampling,
  type Found,
  incomplete,
  inTheFuture,
  keptFromCompaction,
  leftPartial,
  nearIndexLimit,
  notDeleted,
  outlivingRetention,
  overlapping,
  type Upkeep,
} from '../components/bucket-states.ts';
import { flagValue, switchedOn } from '../components/command-line.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { bytes as bytesOf, seconds } from '../quantities.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const HIT = {
  id: 'str',
  first: 'time',
  last: 'time',
  count: 'int',
  sample: 'str',
  block: 'str',
  captured: 'map',
  /** With its cluster. */
  containerKey: 'str',
  component: 'str',
  /** Container, pod, workload and resource, each with its cluster. */
  keys: ['str'],
} as const;

const ROW = {
  place: 'str',
  bucket: 'str',
  bucketKey: 'str',
  endpointKey: 'str',
  prefix: 'str',
  /** Ids of the configurations that name it, and keys of what holds them, with their cluster. */
  stores: ['str'],
  secretKeys: ['str'],
  /** Workloads that read it as a Store, and those that compact it: keys with their cluster. */
  storeKeys: ['str'],
  compactorKeys: ['str'],
  compactorRuns: 'bool',
  /** Seconds, of its Compactor, else of the fleet file; 0 for ever or not stated. */
  retentionRaw: 'int',
  retentionFiveMinutes: 'int',
  retentionOneHour: 'int',
  deleteDelay: 'int',
  listed: 'bool',
  /** Whole blocks. */
  complete: 'int',
  partial: 'int',
  objects: 'int',
  bytes: 'int',
  incomplete: BLOCK_SET,
  leftPartial: BLOCK_SET,
  notDeleted: BLOCK_SET,
  outlivingRetention: BLOCK_SET,
  dueForDownsampling: BLOCK_SET,
  overlapping: BLOCK_SET,
  inTheFuture: BLOCK_SET,
  nearIndexLimit: BLOCK_SET,
  keptFromCompaction: BLOCK_SET,
  /** Seconds since the newest mark that keeps a block from compaction; -1 without one. */
  newestNoCompactAge: 'int',
  /** Lines of its Compactors and Stores about blocks, which tell the present; a log that could not be read is a gap. */
  hits: [HIT],
  /** Those that are known: for messages and links, never for a verdict. */
  heard: [HIT],
  /** Blocks named by those lines that are whole by the listing, unmarked, and still there; and those that are not whole. */
  damagedIds: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type Hit = ShapeOf<typeof HIT>;

const CONTENT = [
  'listed',
  'complete',
  'partial',
  'objects',
  'bytes',
  'incomplete',
  'leftPartial',
  'notDeleted',
  'outlivingRetention',
  'dueForDownsampling',
  'overlapping',
  'inTheFuture',
  'nearIndexLimit',
  'keptFromCompaction',
  'newestNoCompactAge',
] as const satisfies readonly (keyof Row)[];

export const collector = derived({
  id: 'bucket.upkeep',
  about: 'What lies in each bucket that should not, measured by what its own Compactor is set to; and what reads it.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const buckets = await context.get(blocksCollector);
    const users = await usersOf(context);
    return Promise.all(
      buckets.map(async bucket => (gapOf(bucket) ? (bucket as never) : rowOf(context, bucket, users))),
    );
  },
});

interface User {
  readonly context: Context;
  readonly workload: ThanosWorkload;
}

/** Compactors and Stores of all clusters; a cluster whose workloads are not known is a gap element. */
async function usersOf(context: Context): Promise<readonly User[]> {
  const users: User[] = [];
  for (const cluster of context.clusters) {
    for (const workload of await listOrGap(cluster.get(workloadsCollector))) {
      const gap = gapOf(workload);
      if (gap) users.push(gapElement({ ...gap, detail: `${cluster.cluster}: ${gap.detail}` }));
      else if (workload.component === 'compact' || workload.component === 'store')
        users.push({ context: cluster, workload });
    }
  }
  return users;
}

type Bucket = ShapeOf<typeof blocksCollector.shape>[number];

async function rowOf(context: Context, bucket: Bucket, all: readonly User[]): Promise<Row> {
  const own = known(all).filter(user => reads(user, bucket));
  const compactors = own.filter(user => user.workload.component === 'compact');
  const upkeep = upkeepOf(context, compactors);
  const hits = (await Promise.all(own.map(hitsOf))).flat();
  const inCluster = (user: User) => `${user.workload.workload.key} @${user.context.cluster}`;
  const blocks = blocksOrGap(bucket);
  const base = {
    place: bucket.place,
    bucket: bucket.bucket,
    bucketKey: bucket.bucketKey,
    endpointKey: bucket.endpointKey,
    prefix: bucket.prefix,
    stores: bucket.stores.map(store => `${store.id} @${store.cluster}`),
    secretKeys: [
      ...new Set(bucket.stores.map(store => `Secret ${store.id.split('/').slice(0, 2).join('/')} @${store.cluster}`)),
    ],
    storeKeys: own.filter(user => user.workload.component === 'store').map(inCluster),
    compactorKeys: compactors.map(inCluster),
    compactorRuns: compactors.some(user => user.workload.running > 0),
    retentionRaw: upkeep.retention[0] ?? 0,
    retentionFiveMinutes: upkeep.retention[300] ?? 0,
    retentionOneHour: upkeep.retention[3600] ?? 0,
    deleteDelay: upkeep.deleteDelay,
    hits,
    heard: known(hits),
    damagedIds: damagedIn(known(hits), blocks),
  };
  const gap = gapOf(blocks);
  if (gap) return withUnknownFields<Row>(base, gap, CONTENT);
  return Object.defineProperties(
    base,
    Object.getOwnPropertyDescriptors(contentOf(context, bucket, blocks, upkeep, gapsIn(all))),
  ) as unknown as Row;
}

/** By bucket and prefix: what the workload's configuration names. One that may not be read is nobody's. */
function reads({ context, workload }: User, bucket: Bucket): boolean {
  return bucket.stores.some(store => store.cluster === context.cluster && store.id === workload.objstore.id);
}

function blocksOrGap(bucket: Bucket): readonly Block[] {
  try {
    return bucket.blocks;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return gapElement(error.gap);
  }
}

const TWO_DAYS = 172_800;
/** 64 GiB: what the index format of Prometheus can hold. */
const INDEX_LIMIT = 64 * 1024 ** 3;

/** Several Compactors are another fault; what the first one does counts. Without one, the fleet file states retention. */
function upkeepOf(context: Context, compactors: readonly User[]): Upkeep {
  const stated = context.expectations.retention;
  const first = compactors[0]?.workload;
  if (!first) {
    return {
      deleteDelay: TWO_DAYS,
      consistencyDelay: 1800,
      retention: { 0: stated.raw, 300: stated.fiveMinutes, 3600: stated.oneHour },
      downsamples: false,
      joinsOverlaps: false,
      indexLimit: INDEX_LIMIT,
    };
  }
  const { args } = first;
  return {
    deleteDelay: duration(flagValue(args, '--delete-delay', '48h'), TWO_DAYS),
    consistencyDelay: duration(flagValue(args, '--consistency-delay', '30m'), 1800),
    retention: { 0: first.retentionRaw, 300: first.retentionFiveMinutes, 3600: first.retentionOneHour },
    downsamples: compactors.some(user => !switchedOn(user.workload.args, '--downsampling.disable')),
    joinsOverlaps: compactors.some(
      ({ workload }) =>
        switchedOn(workload.args, '--compact.enable-vertical-compaction') ||
        flagValue(workload.args, '--deduplication.replica-label') !== '',
    ),
    indexLimit: size(flagValue(args, '--compact.block-max-index-size')),
  };
}

function duration(text: string, absent: number): number {
  try {
    return seconds(text);
  } catch (error) {
    if (error instanceof GapSignal) return absent;
    throw error;
  }
}

/** `64GB`, as Thanos writes sizes: powers of 1024. */
function size(text: string): number {
  const match = /^([0-9.]+)\s*([KMGT])i?B?$/i.exec(text);
  return match ? bytesOf(`${match[1]}${match[2]!.toUpperCase()}i`) : INDEX_LIMIT;
}

type Content = Pick<Row, (typeof CONTENT)[number]>;

function contentOf(
  context: Context,
  bucket: Bucket,
  blocks: readonly Block[],
  upkeep: Upkeep,
  unknownUsers: readonly ReturnType<typeof gapsIn>[number][],
): Content {
  const byMaking = (block: Block) => block.createdAge;
  const set = (found: readonly Found[], age = byMaking) => blockSet(found, blocks, age);
  const overlaps = overlapping(blocks, upkeep);
  const kept = keptFromCompaction(blocks);
  // A Compactor that is not known may be one that joins overlaps.
  const hidden = unknownUsers[0];
  const overlapSet = set(overlaps);
  const content = {
    listed: bucket.listed,
    complete: known(blocks).filter(block => block.state === 'complete').length,
    partial: known(blocks).filter(block => block.state === 'partial').length,
    objects: bucket.objects,
    bytes: bucket.bytes,
    incomplete: set(incomplete(blocks)),
    leftPartial: set(leftPartial(blocks)),
    notDeleted: set(notDeleted(blocks, upkeep), block => block.marks.deletionAge),
    outlivingRetention: set(outlivingRetention(blocks, upkeep), block => block.maxAge),
    dueForDownsampling: set(dueForDownsampling(blocks, upkeep), block => block.maxAge),
    overlapping:
      hidden && overlaps.length > 0
        ? withUnknownFields<BlockSet>(overlapSet, hidden, ['any'])
        : withoutEmptyDetails(overlapSet),
    inTheFuture: set(inTheFuture(blocks, context.takenAt)),
    nearIndexLimit: set(nearIndexLimit(blocks, upkeep)),
    keptFromCompaction: set(kept),
    newestNoCompactAge: kept.reduce((newest, { block }) => {
      const age = block.marks.noCompactAt
        ? Math.floor((context.takenAt - Date.parse(block.marks.noCompactAt)) / 1000)
        : -1;
      return newest === -1 || (age !== -1 && age < newest) ? age : newest;
    }, -1),
  };
  const [unread] = gapsIn(blocks);
  return unread ? makeUnknown(content, ['complete', 'partial'], unread) : content;
}

function withoutEmptyDetails(set: BlockSet): BlockSet {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(set),
      details: { enumerable: true, value: set.details.filter(detail => detail !== '') },
      ids: { enumerable: true, value: [...new Set(set.ids)] },
      count: { enumerable: true, value: new Set(set.ids).size },
    },
  ) as BlockSet;
}

/** Signatures of Compactors and Stores that speak of blocks. */
const ABOUT_BLOCKS: ReadonlySet<string> = new Set([
  'compact-overlap',
  'compact-result-overlaps',
  'compact-block-damaged',
  'compact-downsample-failed',
  'compact-out-of-order-chunks',
  'store-block-load-failed',
  'store-block-damaged',
]);

async function hitsOf({ context, workload }: User): Promise<readonly Hit[]> {
  const at = (key: string) => `${key} @${context.cluster}`;
  const hits: Hit[] = [];
  for (const containerKey of workload.containerKeys) {
    const [namespace = '', pod = '', container = ''] = containerKey.replace(/^Container /, '').split('/');
    try {
      const log = await context.get(logCollector, { namespace, pod, container });
      for (const hit of log.hits) {
        if (gapOf(hit)) {
          hits.push(hit as never);
          continue;
        }
        if (!ABOUT_BLOCKS.has(hit.id) || !hit.open) continue;
        const { id, first, last, count, sample, captured } = hit;
        hits.push({
          id,
          first,
          last,
          count,
          sample,
          captured,
          block: captured.block ?? '',
          containerKey: at(containerKey),
          component: workload.component,
          keys: [containerKey, `Pod ${namespace}/${pod}`, workload.workload.key, workload.subject.key].map(at),
        });
      }
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      hits.push(gapElement({ ...error.gap, evidence: 'logs.signatures' }));
    }
  }
  return hits;
}

/** Words that a store's line has where a file is missing or cut off, which is not damage of what is there. */
const NOT_WHOLE = /The specified key does not exist|416 Requested Range Not Satisfiable/;
/** What stands in the same line and is the disk's fault. */
const OF_THE_DISK = /no space left on device|permission denied|read-only file system/;
const DAMAGE: ReadonlySet<string> = new Set([
  'compact-block-damaged',
  'compact-downsample-failed',
  'store-block-damaged',
]);

function damagedIn(heard: readonly Hit[], blocks: readonly Block[]): readonly string[] {
  const named = heard.filter(
    hit => DAMAGE.has(hit.id) && hit.block !== '' && !NOT_WHOLE.test(hit.sample) && !OF_THE_DISK.test(hit.sample),
  );
  const ids = [...new Set(named.map(hit => hit.block))];
  if (gapOf(blocks) || gapsIn(blocks).length > 0) return ids;
  return ids.filter(id =>
    known(blocks).some(
      block =>
        block.id === id &&
        block.missing.length === 0 &&
        block.truncated.length === 0 &&
        !block.marks.deletion &&
        !block.marks.noCompact,
    ),
  );
}
