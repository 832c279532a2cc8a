import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as loadedCollector } from '../collectors/thanos.loaded-blocks.ts';
import { withoutDuplicates } from '../components/block-groups.ts';
import { labelText } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { flagValue } from '../components/command-line.ts';
import { timeLimits } from '../components/time-limits.ts';
import { gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF } from '../objects.ts';
import { seconds } from '../quantities.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const ROW = {
  /** The Store Gateway: the first by name of those that read the same bucket. */
  subject: REF,
  bucketKey: 'str',
  endpointKey: 'str',
  objects: ['str'],
  /** Blocks that all of them together have loaded. */
  loaded: 'int',
  /** Whole blocks of the bucket that none has loaded though they were uploaded long ago. */
  missing: [{ id: 'str', labelText: 'str', minTime: 'time', maxTime: 'time', uploaded: 'time', uploadedAge: 'int' }],
  producers: ['str'],
  /** Blocks of the bucket that a Store should serve. */
  servable: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds on top of two syncs and the consistency delay. */
const MARGIN = 900;

export const collector = derived({
  id: 'thanos.unloaded-blocks',
  about: 'Of each bucket that Store Gateways read, the blocks that none of them has loaded.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const workloads = await context.get(workloadsCollector);
    const stores = workloads.filter(one => gapOf(one) || one.component === 'store');
    if (stores.length === 0) return [];
    const [loaded, buckets] = await Promise.all([
      listOrGap(context.get(loadedCollector)),
      listOrGap(context.get(blocksCollector)),
    ]);
    const byPlace = new Map<string, ThanosWorkload[]>();
    const rows: Row[] = [];
    for (const store of stores) {
      if (gapOf(store)) {
        rows.push(store as never);
        continue;
      }
      try {
        const key = store.place;
        if (key !== '') byPlace.set(key, [...(byPlace.get(key) ?? []), store]);
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        rows.push(
          withUnknownFields<Row>({ subject: store.subject, objects: store.objects }, error.gap, [
            'bucketKey',
            'endpointKey',
            ...CONTENT,
          ]),
        );
      }
    }
    for (const [place, shards] of byPlace) rows.push(rowOf(context, place, shards, loaded, buckets));
    return rows;
  },
});

const CONTENT = ['loaded', 'missing', 'producers', 'servable'] as const;

type Loaded = readonly ShapeOf<typeof loadedCollector.shape>[number][];
type Buckets = readonly ShapeOf<typeof blocksCollector.shape>[number][];

function rowOf(
  now: { readonly takenAt: number },
  place: string,
  shards: readonly ThanosWorkload[],
  loaded: Loaded,
  buckets: Buckets,
): Row {
  const first = [...shards].sort((one, other) => (one.subject.key < other.subject.key ? -1 : 1))[0]!;
  const base = {
    subject: first.subject,
    bucketKey: first.bucketKey,
    endpointKey: first.endpointKey,
    objects: shards.flatMap(shard => shard.objects),
  };
  try {
    return { ...base, ...contentOf(now, place, shards, loaded, buckets) };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return withUnknownFields<Row>(base, error.gap, CONTENT);
  }
}

function contentOf(
  now: { readonly takenAt: number },
  place: string,
  shards: readonly ThanosWorkload[],
  loaded: Loaded,
  buckets: Buckets,
) {
  const views = loaded.filter(view => gapOf(view) || shards.some(shard => shard.subject.key === view.component.key));
  const gap = gapsIn(views)[0];
  if (gap) throw new GapSignal(gap);
  const has = new Set<string>();
  const covered = new Set<string>();
  let refreshed = Number.POSITIVE_INFINITY;
  for (const view of views) {
    refreshed = Math.min(refreshed, Date.parse(view.refreshed) || 0);
    for (const block of view.blocks) {
      has.add(block.id);
      for (const source of block.sources) covered.add(source);
    }
  }
  const bucket = known(buckets).find(one => one.place === place);
  if (!bucket)
    throw new GapSignal(
      gapsIn(buckets)[0] ?? { reason: 'not-asked', detail: `${place} was not listed`, notLookedAt: true },
    );
  const delay = Math.max(...shards.map(delayOf)) * 1000;
  const servable = withoutDuplicates(known(bucket.blocks).filter(isServable)).filter(
    block => Date.parse(block.lastModified) + delay < Math.min(now.takenAt, refreshed),
  );
  const inRange = servable.filter(block => shards.some(shard => takes(shard, block, now.takenAt)));
  // A block whose time another loaded block of the same labels covers leaves no hole, whatever became of it.
  const ranges = views.flatMap(view => view.blocks.map(block => ({ ...block, labelText: labelText(block.labels) })));
  const isCovered = (block: Block) =>
    ranges.some(
      other =>
        other.labelText === block.labelText &&
        other.resolution === block.resolution &&
        other.minTime <= block.minTime &&
        other.maxTime >= block.maxTime,
    );
  const missing = inRange.filter(
    block => !has.has(block.id) && !block.sources.every(source => covered.has(source)) && !isCovered(block),
  );
  return {
    loaded: has.size,
    servable: inRange.length,
    missing: missing.map(block => ({
      id: block.id,
      labelText: block.labelText,
      minTime: block.minTime,
      maxTime: block.maxTime,
      uploaded: block.lastModified,
      uploadedAge: block.lastModifiedAge,
    })),
    producers: [...new Set(missing.map(block => block.labelText))],
  };
}

function isServable(block: Block): boolean {
  return block.state === 'complete' && block.missing.length === 0 && !block.marks.deletion;
}

function delayOf(shard: ThanosWorkload): number {
  return 2 * shard.syncBlockDuration + attempt(flagValue(shard.args, '--consistency-delay', '0s')) + MARGIN;
}

/** Whether the time limits of a shard take the block. A selection by labels is not evaluated: then nothing is claimed. */
function takes(shard: ThanosWorkload, block: Block, now: number): boolean {
  if (shard.args.some(({ flag }) => flag.startsWith('--selector.relabel-config'))) return false;
  const { from, to } = timeLimits(shard.args, now);
  return Date.parse(block.maxTime) > from && Date.parse(block.minTime) < to;
}

function attempt(value: string): number {
  try {
    return seconds(value);
  } catch (error) {
    if (error instanceof GapSignal) return 0;
    throw error;
  }
}
