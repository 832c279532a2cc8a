import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { endOf } from '../components/block-groups.ts';
import { timeOf } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { gapElement, gapOf, gapsIn, groupedBy, known, withUnknownFields } from '../gaps.ts';
import { age, NOBODY, REF } from '../objects.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';

const ROW = {
  store: 'str',
  place: 'str',
  bucketKey: 'str',
  labels: 'map',
  labelText: 'str',
  labelsKey: 'str',
  /** Whose they are; '' and nobody if no producer of the fleet has these labels. */
  cluster: 'str',
  prometheus: REF,
  pod: REF,
  containerKey: 'str',
  kind: 'str',
  known: 'bool',
  newestMax: 'time',
  /** -1 without any block. */
  newestMaxAge: 'int',
  lastCreated: 'time',
  lastCreatedAge: 'int',
  newestId: 'str',
  blocks: 'int',
  blocksLastDay: 'int',
  /** What wrote them, as their meta.json says: sidecar, ruler, receive, compactor, bucket.upload, … */
  sources: ['str'],
  level1: 'int',
  /** Seconds between two blocks of a producer that is well. */
  expectedEvery: 'int',
  /** The newest block is older than a producer that uploads can leave it: two block durations and half an hour. */
  late: 'bool',
  neverUploaded: 'bool',
  startedAge: 'int',
  /** Of the oldest sample of the producer; -1 if it has none or is not known. */
  oldestSampleAge: 'int',
} as const;

export type BucketProducer = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'bucket.producers',
  about: 'How fresh each set of external labels is in each bucket, matched to the Prometheus or ruler that writes it.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly BucketProducer[]> {
    const [buckets, producers] = await Promise.all([context.get(blocksCollector), context.get(producersCollector)]);
    const rows: BucketProducer[] = [];
    for (const bucket of buckets) {
      if (gapOf(bucket)) {
        rows.push(bucket as never);
        continue;
      }
      rows.push(...rowsOf(context, bucket, producers));
    }
    const elsewhere = gapsIn(producers).map(gap => gapElement(gap) as BucketProducer);
    return [...rows, ...elsewhere];
  },
});

type Bucket = ShapeOf<typeof blocksCollector.shape>[number];

const CONTENT = [
  'newestMax',
  'newestMaxAge',
  'lastCreated',
  'lastCreatedAge',
  'newestId',
  'blocks',
  'blocksLastDay',
  'sources',
  'level1',
  'late',
  'neverUploaded',
] as const satisfies readonly (keyof BucketProducer)[];

function rowsOf(
  now: { readonly takenAt: number },
  bucket: Bucket,
  producers: readonly Producer[],
): readonly BucketProducer[] {
  const { store, place, bucketKey } = bucket;
  const base = { store, place, bucketKey };
  const writers = known(producers).filter(producer => writesTo(producer, place));
  let blocks: readonly Block[];
  try {
    blocks = bucket.blocks;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const { gap } = error;
    return writers.map(writer =>
      withOldest(
        withUnknownFields<BucketProducer>({ ...base, ...writerFields(writer), expectedEvery: 7200 }, gap, CONTENT),
        writer,
      ),
    );
  }
  const incomplete = gapsIn(blocks)[0];
  const raw = known(blocks).filter(block => block.state === 'complete' && block.resolution === 0);
  const byLabels = groupedBy(raw, block => block.labelText);
  const rows = writers.map(writer => {
    const own = byLabels.get(writer.labelText) ?? [];
    const duration = orElse(() => writer.blockDuration, 7200);
    const row = { ...base, ...writerFields(writer), ...freshness(now, own, duration) };
    // A block that could not be read may be theirs: what is late without it may be fresh with it.
    const unsure = incomplete !== undefined && (row.late || row.neverUploaded);
    return withOldest(unsure ? withUnknownFields<BucketProducer>(row, incomplete, CONTENT) : row, writer);
  });
  const claimed = new Set(writers.map(writer => writer.labelText));
  const orphans = [...byLabels]
    .filter(([text]) => !claimed.has(text))
    .map(([text, own]) => ({
      ...base,
      ...NO_WRITER,
      labels: own[0]!.labels,
      labelText: text,
      labelsKey: `ExternalLabels ${text}`,
      ...freshness(now, own, 7200),
    }));
  return [...rows, ...orphans];
}

const NO_WRITER = {
  cluster: '',
  prometheus: NOBODY,
  pod: NOBODY,
  containerKey: '',
  kind: '',
  known: false,
  startedAge: -1,
  oldestSampleAge: -1,
} as const;

function writesTo(producer: Producer, place: string): boolean {
  try {
    return producer.uploads && producer.place === place && producer.labelText !== '';
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

function writerFields(writer: Producer) {
  return {
    labels: writer.labels,
    labelText: writer.labelText,
    labelsKey: writer.labelsKey,
    cluster: writer.cluster,
    prometheus: writer.owner,
    pod: writer.pod,
    containerKey: writer.containerKey,
    kind: writer.kind,
    known: true,
    startedAge: writer.sinceAge,
  };
}

/** The row with the producer's oldest sample, which may not be known. */
function withOldest(row: Omit<BucketProducer, 'oldestSampleAge'>, writer: Producer): BucketProducer {
  const { oldestSampleAge } = Object.getOwnPropertyDescriptors(writer) as Record<string, PropertyDescriptor>;
  return Object.defineProperty(row, 'oldestSampleAge', oldestSampleAge!) as BucketProducer;
}

function freshness(now: { readonly takenAt: number }, own: readonly Block[], duration: number) {
  const newest = own.reduce<Block | undefined>(
    (best, block) => (!best || endOf(block) > endOf(best) ? block : best),
    undefined,
  );
  const created =
    own
      .map(block => block.created)
      .sort()
      .at(-1) ?? '';
  const newestMaxAge = newest ? age(now, newest.maxTime) : -1;
  return {
    newestMax: newest ? timeOf(endOf(newest)) : '',
    newestMaxAge,
    lastCreated: created,
    lastCreatedAge: age(now, created),
    newestId: newest?.id ?? '',
    blocks: own.length,
    blocksLastDay: own.filter(block => block.createdAge <= 86_400).length,
    sources: [...new Set(own.map(block => block.source))].sort(),
    level1: own.filter(block => block.level <= 1).length,
    expectedEvery: duration,
    late: newestMaxAge > 2 * duration + 1800,
    neverUploaded: own.length === 0,
  };
}

function orElse<Value>(compute: () => Value, otherwise: Value): Value {
  try {
    return compute();
  } catch (error) {
    if (error instanceof GapSignal) return otherwise;
    throw error;
  }
}
