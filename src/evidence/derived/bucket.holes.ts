import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { endOf, holesIn, startOf } from '../components/block-groups.ts';
import { timeOf, ulidTime } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { gapElement, gapOf, gapsIn, groupedBy, known } from '../gaps.ts';
import { NOBODY, REF } from '../objects.ts';
import { collector as upkeepCollector } from './bucket.upkeep.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';

const ROW = {
  place: 'str',
  bucketKey: 'str',
  labelText: 'str',
  /** `ExternalLabels {…}` */
  labelsKey: 'str',
  /** Whose labels they are now; '' and nobody if no producer of the fleet has them. Keys carry the cluster. */
  cluster: 'str',
  owner: REF,
  pod: REF,
  /** Times of at least one block's length that neither these blocks nor those of a replica cover. */
  holes: [{ from: 'time', to: 'time', seconds: 'int' }],
  /** The first block's begin and the last block's end. */
  from: 'time',
  to: 'time',
} as const;

type Row = ShapeOf<typeof ROW>;

/** Milliseconds: one block; shorter holes are restarts. */
const BLOCK = 7200_000;
/** Milliseconds after a hole's end before it counts: a block may still be on its way. */
const SETTLED = 6 * 3600_000;

export const collector = derived({
  id: 'bucket.holes',
  about: 'Stretches of time that the blocks of one set of external labels leave out, and no replica covers.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [buckets, upkeep, producers] = await Promise.all([
      context.get(blocksCollector),
      context.get(upkeepCollector),
      context.get(producersCollector),
    ]);
    const rows: Row[] = [];
    for (const bucket of buckets) {
      if (gapOf(bucket)) {
        rows.push(bucket as never);
        continue;
      }
      const own = known(upkeep).find(row => row.place === bucket.place && row.prefix === bucket.prefix);
      try {
        rows.push(...rowsOf(context.takenAt, bucket, own?.retentionRaw ?? 0, known(producers)));
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        rows.push(gapElement({ ...error.gap, evidence: 'bucket.blocks' }));
      }
    }
    return rows;
  },
});

type Bucket = ShapeOf<typeof blocksCollector.shape>[number];

function rowsOf(now: number, bucket: Bucket, retention: number, producers: readonly Producer[]): readonly Row[] {
  const { place, bucketKey } = bucket;
  const missing = gapsIn(bucket.blocks)[0];
  // A block that could not be read may fill any hole.
  if (missing) return [gapElement(missing)];
  const blocks = known(bucket.blocks).filter(block => !block.marks.deletion);
  const partial = blocks.filter(block => block.state === 'partial').map(block => ulidTime(block.id));
  const whole = blocks.filter(block => block.state === 'complete');
  const replicaLabels = new Set(producers.map(producer => producer.replicaLabel).filter(label => label !== ''));
  const sets = groupedBy(whole, block => block.labelText);
  return [...sets].map(([labelText, own]) => {
    const labels = own[0]!.labels;
    const replicas = [...sets.values()].filter(([other]) => areReplicas(other!.labels, labels, replicaLabels));
    const covering = [...own, ...replicas.flat()].sort((first, second) => startOf(first) - startOf(second));
    const holes = holesIn(own)
      .filter(({ from, to }) => to - from >= BLOCK && now - to > SETTLED)
      .filter(({ to }) => retention === 0 || now - to < retention * 1000)
      .filter(hole => !isCovered(hole, covering))
      // An upload that was broken off lies there without its meta.json: the data are not missing yet.
      .filter(({ from, to }) => !partial.some(time => time > from && time < to + BLOCK));
    const writer = producers.find(producer => readable(() => producer.labelText) === labelText);
    return {
      place,
      bucketKey,
      labelText,
      labelsKey: `ExternalLabels ${labelText}`,
      cluster: writer?.cluster ?? '',
      owner: writer?.owner ?? NOBODY,
      pod: writer?.pod ?? NOBODY,
      holes: holes.map(({ from, to }) => ({
        from: timeOf(from),
        to: timeOf(to),
        seconds: Math.round((to - from) / 1000),
      })),
      from: timeOf(own.reduce((first, block) => Math.min(first, startOf(block)), Number.POSITIVE_INFINITY)),
      to: timeOf(own.reduce((last, block) => Math.max(last, endOf(block)), Number.NEGATIVE_INFINITY)),
    };
  });
}

type Labels = Readonly<Record<string, string>>;

/**
 * Equal but for the label that tells replicas apart, or without it, as after replicas were joined. Where no producer
 * says which label that is, it may be any.
 */
function areReplicas(first: Labels, second: Labels, replicaLabels: ReadonlySet<string>): boolean {
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  const different = [...names].filter(name => first[name] !== second[name]);
  return different.length === 1 && (replicaLabels.size === 0 || replicaLabels.has(different[0]!));
}

/** By blocks in their order. */
function isCovered(hole: { readonly from: number; readonly to: number }, blocks: readonly Block[]): boolean {
  let reached = hole.from;
  for (const block of blocks) {
    if (startOf(block) <= reached) reached = Math.max(reached, endOf(block));
  }
  return reached >= hole.to;
}

function readable(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof GapSignal) return '';
    throw error;
  }
}
