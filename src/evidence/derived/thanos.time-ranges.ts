import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as queryStoresCollector } from '../collectors/thanos.query-stores.ts';
import { endOf, startOf } from '../components/block-groups.ts';
import { timeOf } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { flagValue } from '../components/command-line.ts';
import { type TimeLimits, timeLimits } from '../components/time-limits.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF } from '../objects.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const ROW = {
  subject: REF,
  place: 'str',
  bucketKey: 'str',
  objects: ['str'],
  /** It has a limit of time of its own. */
  limited: 'bool',
  /** Of each Store Gateway of the bucket, its name and the two flags. */
  flags: ['str'],
  /** The longest time that the bucket has and no Store Gateway serves, if this one's limit is next to it; '' for none. */
  holeFrom: 'time',
  holeTo: 'time',
  holeSeconds: 'int',
  /** Of the blocks that reach into it. */
  blockIds: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.time-ranges',
  about: 'Of each Store Gateway with limits of time: what the bucket has that it and the others leave out together.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const own = await context.get(workloadsCollector);
    if (!own.some(workload => gapOf(workload) || isLimited(workload))) return [];
    const elsewhere = await workloadsOf(context);
    const [buckets, oldest] = await Promise.all([listOrGap(context.get(blocksCollector)), oldestOfSidecars(context)]);
    return own
      .filter(workload => gapOf(workload) || isLimited(workload))
      .map(workload => (gapOf(workload) ? (workload as never) : rowOf(context, workload, elsewhere, buckets, oldest)));
  },
});

interface Placed {
  readonly cluster: string;
  readonly workload: ThanosWorkload;
}

type Bucket = ShapeOf<typeof blocksCollector.shape>[number];

function isLimited({ component, args }: ThanosWorkload): boolean {
  const { from, to } = timeLimits(args, 0);
  return component === 'store' && (Number.isFinite(from) || Number.isFinite(to));
}

/** Of all clusters: another shard of the bucket, and its Compactor, may run elsewhere. */
async function workloadsOf(context: Context): Promise<readonly Placed[]> {
  const all: Placed[] = [];
  for (const cluster of context.clusters) {
    for (const workload of await listOrGap(cluster.get(workloadsCollector))) {
      const gap = gapOf(workload);
      all.push(gap ? gapElement(gap) : { cluster: cluster.cluster, workload });
    }
  }
  return all;
}

/** Milliseconds from which the sidecars serve by themselves, or why that is not known. */
async function oldestOfSidecars(context: Context): Promise<number | Gap> {
  let oldest = Number.POSITIVE_INFINITY;
  for (const cluster of context.clusters) {
    for (const query of await listOrGap(cluster.get(queryStoresCollector))) {
      try {
        for (const entry of query.stores) {
          if (entry.type === 'sidecar' && entry.minTime !== '') oldest = Math.min(oldest, Date.parse(entry.minTime));
        }
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        return error.gap;
      }
    }
  }
  return Number.isFinite(oldest) ? oldest : Date.parse(context.source.takenAt());
}

function rowOf(
  now: { readonly takenAt: number; readonly cluster: string },
  store: ThanosWorkload,
  all: readonly Placed[],
  buckets: readonly Bucket[],
  oldest: number | Gap,
): Row {
  const hole = () => holeNextTo(now, store, all, buckets, oldest);
  const shards = () => shardsOf(store.place, all);
  return lazily<Row>(
    { subject: store.subject, objects: store.objects, limited: true },
    {
      place: () => store.place,
      bucketKey: () => store.bucketKey,
      flags: () => shards().map(({ workload }) => flagsOf(workload)),
      holeFrom: () => timeOf(hole()?.from ?? 0),
      holeTo: () => timeOf(hole()?.to ?? 0),
      holeSeconds: () => Math.round(((hole()?.to ?? 0) - (hole()?.from ?? 0)) / 1000),
      blockIds: () => hole()?.blocks ?? [],
    },
  );
}

/** Those of which the bucket is known. */
function shardsOf(place: string, all: readonly Placed[]): readonly Placed[] {
  return known(all).filter(({ workload }) => {
    try {
      return workload.component === 'store' && workload.place === place;
    } catch (error) {
      if (error instanceof GapSignal) return false;
      throw error;
    }
  });
}

function flagsOf({ subject, args }: ThanosWorkload): string {
  const [from, to] = ['--min-time', '--max-time'].map(flag => flagValue(args, flag));
  return `${subject.name}: ${from || 'all that is old'} to ${to || 'now'}`;
}

interface Hole {
  readonly from: number;
  readonly to: number;
  readonly blocks: readonly string[];
}

function holeNextTo(
  now: { readonly takenAt: number; readonly cluster: string },
  store: ThanosWorkload,
  all: readonly Placed[],
  buckets: readonly Bucket[],
  oldest: number | Gap,
): Hole | undefined {
  const shards = shardsOf(store.place, all);
  // A selection by labels is not evaluated: what such a shard leaves out is not known.
  if (shards.some(({ workload }) => workload.args.some(({ flag }) => flag.startsWith('--selector.relabel-config'))))
    return undefined;
  const bucket = known(buckets).find(one => one.place === store.place);
  if (!bucket) throw new GapSignal(gapsIn(buckets)[0] ?? { ...NOT_LISTED, detail: `${store.place} was not listed` });
  const limits = shards.map(({ workload }) => timeLimits(workload.args, now.takenAt));
  if (limits.some(({ from, to }) => !Number.isFinite(from) && !Number.isFinite(to))) return undefined;
  const from = now.takenAt - keptFor(store.place, all) * 1000;
  const young = 2 * Math.max(...shards.map(({ workload }) => workload.syncBlockDuration));
  const blocks = known(bucket.blocks).filter(
    block => block.state === 'complete' && !block.marks.deletion && block.lastModifiedAge > young,
  );
  const until = typeof oldest === 'number' ? oldest : Number.POSITIVE_INFINITY;
  const hole = longest(leftOut(blocks, { from, to: until }, limits));
  if (!hole) {
    // Blocks that could not be read may lie in one, and so may what a cluster has that could not be read at all.
    const gap = gapsIn(bucket.blocks)[0];
    if (gap) throw new GapSignal(gap);
    return undefined;
  }
  const hidden = typeof oldest === 'number' ? gapsIn(all)[0] : oldest;
  if (hidden) throw new GapSignal(hidden);
  const nearest = [...shards].sort(
    (one, other) =>
      distance(one, hole, now.takenAt) - distance(other, hole, now.takenAt) || (keyOf(one) < keyOf(other) ? -1 : 1),
  )[0]!;
  if (nearest.cluster !== now.cluster || nearest.workload.subject.key !== store.subject.key) return undefined;
  const inside = blocks.filter(block => startOf(block) < hole.to && endOf(block) > hole.from);
  return { ...hole, blocks: inside.map(block => block.id).sort() };
}

const NOT_LISTED = { reason: 'not-asked', notLookedAt: true } as const;

function keyOf({ cluster, workload }: Placed): string {
  return `${workload.subject.key} @${cluster}`;
}

function distance({ workload }: Placed, hole: TimeLimits, now: number): number {
  const { from, to } = timeLimits(workload.args, now);
  return Math.min(Math.abs(from - hole.to), Math.abs(to - hole.from));
}

/** Seconds for which the bucket's Compactor keeps anything; without one, or without a limit, for ever. */
function keptFor(place: string, all: readonly Placed[]): number {
  const compactors = known(all).filter(
    ({ workload }) => workload.component === 'compact' && placeOf(workload) === place,
  );
  const kept = compactors.flatMap(({ workload }) => [
    workload.retentionRaw,
    workload.retentionFiveMinutes,
    workload.retentionOneHour,
  ]);
  return kept.length === 0 || kept.includes(0) ? Number.POSITIVE_INFINITY : Math.max(...kept);
}

function placeOf(workload: ThanosWorkload): string {
  try {
    return workload.place;
  } catch (error) {
    if (error instanceof GapSignal) return '';
    throw error;
  }
}

/** Times within `bounds` that blocks have and no limits take, joined where they touch. */
function leftOut(blocks: readonly Block[], bounds: TimeLimits, limits: readonly TimeLimits[]): readonly TimeLimits[] {
  let left = blocks.map(block => ({
    from: Math.max(startOf(block), bounds.from),
    to: Math.min(endOf(block), bounds.to),
  }));
  for (const taken of limits) {
    left = left.flatMap(({ from, to }) => [
      { from, to: Math.min(to, taken.from) },
      { from: Math.max(from, taken.to), to },
    ]);
  }
  const joined: { from: number; to: number }[] = [];
  for (const one of left.filter(({ from, to }) => from < to).sort((first, second) => first.from - second.from)) {
    const last = joined.at(-1);
    if (last && one.from <= last.to) last.to = Math.max(last.to, one.to);
    else joined.push({ ...one });
  }
  return joined;
}

function longest(times: readonly TimeLimits[]): TimeLimits | undefined {
  return [...times].sort((first, second) => second.to - second.from - (first.to - first.from))[0];
}
