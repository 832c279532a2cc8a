import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { backlogOf, byGroup, bySource, endOf, holesIn, overlapsIn } from '../components/block-groups.ts';
import { timeOf } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { gapElement, gapOf, gapsIn, known } from '../gaps.ts';
import { age } from '../objects.ts';

const ROW = {
  store: 'str',
  place: 'str',
  bucketKey: 'str',
  prefix: 'str',
  /** `resolution@labels` */
  group: 'str',
  labels: 'map',
  labelText: 'str',
  /** `ExternalLabels {…}` */
  labelsKey: 'str',
  /** Seconds: 0 raw, 300, 3600. */
  resolution: 'int',
  blocks: 'int',
  overlaps: [{ first: 'str', second: 'str', minTime: 'time', maxTime: 'time', sameSources: 'bool', newestAge: 'int' }],
  gaps: [{ from: 'time', to: 'time', seconds: 'int' }],
  /** Level-1 blocks that should have been joined long ago. */
  backlog: 'int',
  backlogBytes: 'int',
  oldestBacklogAge: 'int',
  /** Blocks long enough for the next resolution without one. */
  waitingDownsample: 'int',
  newest: 'time',
  newestAge: 'int',
  oldest: 'time',
  bytes: 'int',
  deletionOld: 'int',
  /** Of the whole bucket: partial blocks older than 48 h. */
  partialOld: 'int',
  producers: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds from a block's making until it counts as waiting: the Compactor's consistency delay of 30 min, and two hours. */
const COMPACT_DELAY = 9000;
const DAY = 86_400;
/** Range of a block (seconds) from which the Compactor makes the next resolution: 40 h for 5 m, 10 d for 1 h. */
const DOWNSAMPLE_FROM: Readonly<Record<number, number>> = { 0: 40 * 3600, 300: 10 * DAY };

export const collector = derived({
  id: 'bucket.groups',
  about: 'Blocks by compaction group (resolution and labels): overlaps, holes and backlog.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const buckets = await context.get(blocksCollector);
    const rows: Row[] = [];
    for (const bucket of buckets) {
      if (gapOf(bucket)) {
        rows.push(bucket as never);
        continue;
      }
      try {
        const blocks = known(bucket.blocks);
        const partialOld = blocks.filter(block => block.state === 'partial' && block.createdAge > 2 * DAY).length;
        const groups = byGroup(blocks);
        for (const [group, members] of groups) {
          rows.push(
            rowOf(context, { ...identity(bucket), group, partialOld, producers: groups.size }, members, groups),
          );
        }
        for (const gap of gapsIn(bucket.blocks)) rows.push(gapElement(gap));
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        rows.push(gapElement(error.gap));
      }
    }
    return rows;
  },
});

function identity(bucket: {
  readonly store: string;
  readonly place: string;
  readonly bucketKey: string;
  readonly prefix: string;
}) {
  const { store, place, bucketKey, prefix } = bucket;
  return { store, place, bucketKey, prefix };
}

type Known = Pick<Row, 'store' | 'place' | 'bucketKey' | 'prefix' | 'group' | 'partialOld' | 'producers'>;

function rowOf(
  now: { readonly takenAt: number },
  base: Known,
  members: readonly Block[],
  groups: ReadonlyMap<string, readonly Block[]>,
): Row {
  const first = members[0]!;
  const backlog = backlogOf(members, now.takenAt, COMPACT_DELAY);
  const newest = timeOf(members.reduce((latest, block) => Math.max(latest, endOf(block)), Number.NEGATIVE_INFINITY));
  return {
    ...base,
    labels: first.labels,
    labelText: first.labelText,
    labelsKey: `ExternalLabels ${first.labelText}`,
    resolution: first.resolution,
    blocks: members.length,
    overlaps: overlapsIn(members).map(({ first: one, second: other, from, to }) => ({
      first: one.id,
      second: other.id,
      minTime: timeOf(from),
      maxTime: timeOf(to),
      sameSources: one.sources.join() === other.sources.join(),
      newestAge: Math.min(one.createdAge, other.createdAge),
    })),
    gaps: holesIn(members.filter(block => !block.marks.deletion)).map(({ from, to }) => ({
      from: timeOf(from),
      to: timeOf(to),
      seconds: Math.round((to - from) / 1000),
    })),
    backlog: backlog.length,
    backlogBytes: backlog.reduce((sum, block) => sum + block.size, 0),
    oldestBacklogAge: backlog.reduce((oldest, block) => Math.max(oldest, block.createdAge), -1),
    waitingDownsample: waitingDownsample(members, groups),
    newest,
    newestAge: age(now, newest),
    oldest: members.reduce((oldest, { minTime }) => (minTime < oldest ? minTime : oldest), first.minTime),
    bytes: members.reduce((sum, block) => sum + block.size, 0),
    deletionOld: members.filter(block => block.marks.deletion && block.marks.deletionAge > 3 * DAY).length,
  };
}

/** Blocks of this resolution that are long enough for the next one, of whose time the next one has nothing. */
function waitingDownsample(members: readonly Block[], groups: ReadonlyMap<string, readonly Block[]>): number {
  const { resolution, labelText } = members[0]!;
  const enough = DOWNSAMPLE_FROM[resolution];
  if (enough === undefined) return 0;
  const having = bySource(groups.get(`${resolution === 0 ? 300 : 3600}@${labelText}`) ?? []);
  return members.filter(
    block =>
      block.live &&
      !block.marks.noDownsample &&
      Date.parse(block.maxTime) - Date.parse(block.minTime) >= enough * 1000 &&
      having(block).length === 0,
  ).length;
}
