import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as flagsCollector } from '../collectors/prometheus.flags.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { merged, part } from '../partial-rows.ts';
import { seconds } from '../quantities.ts';
import { type BucketProducer, collector as bucketProducersCollector } from './bucket.producers.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';
import { collector as logCollector } from './thanos.log.ts';

const HIT = {
  id: 'str',
  count: 'int',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  sample: 'str',
  containerKey: 'str',
} as const;

const ROW = {
  pod: REF,
  container: 'str',
  containerKey: 'str',
  component: 'str',
  subject: REF,
  workload: REF,
  running: 'bool',
  storeId: 'str',
  secretKey: 'str',
  /** It has data old enough that a block should have been uploaded. */
  due: 'bool',
  /** Seconds. */
  blockDuration: 'int',
  oldestSampleAge: 'int',
  /** Of the newest block in the bucket under its labels; -1 without any. A gap where the bucket was not listed. */
  newestAge: 'int',
  newest: 'time',
  lastUpload: 'time',
  /** It does not get its blocks into the bucket: by the bucket, by its own numbers, or by its log. */
  failing: 'bool',
  /** bucket, metrics or log */
  proof: 'str',
  /** Its failures of now, in its own words. */
  words: [HIT],
  since: 'time',
  /** Local retention of its Prometheus in seconds; 0 keeps for ever. */
  retention: 'int',
  retentionSize: 'int',
  /** Seconds until the oldest block that is not in the bucket is deleted; negative once it has been. */
  lossIn: 'int',
  /** Age in seconds of the first data that the bucket does not have. */
  oldestMissingAge: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds. */
const SYNC_SILENCE = 900;
const MARGIN = 1800;
const FIRST_BLOCK_MARGIN = 900;
/** Failing lines in a row that are no accident. */
const UPLOAD_ERRORS = 3;

export const collector = derived({
  id: 'thanos.uploads',
  about:
    'Of each sidecar and ruler with an object store, whether its blocks get into the bucket, and when data will be lost.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const components = await context.get(componentsCollector);
    const writers = components.filter(
      one =>
        gapOf(one) ||
        (WRITERS.has(one.component) && one.objstore.source !== 'none' && one.pod.name !== '' && !one.podDeleting),
    );
    if (writers.length === 0) return [];
    const [producers, buckets, metrics, flags] = await Promise.all([
      listOrGap(context.get(producersCollector)),
      listOrGap(context.get(bucketProducersCollector)),
      listOrGap(context.get(metricsCollector)),
      listOrGap(context.get(flagsCollector)),
    ]);
    return Promise.all(
      writers.map(one => (gapOf(one) ? (one as never) : rowOf(context, one, { producers, buckets, metrics, flags }))),
    );
  },
});

const WRITERS: ReadonlySet<string> = new Set(['sidecar', 'rule']);

interface Around {
  readonly producers: readonly Producer[];
  readonly buckets: readonly BucketProducer[];
  readonly metrics: readonly ShapeOf<typeof metricsCollector.shape>[number][];
  readonly flags: readonly ShapeOf<typeof flagsCollector.shape>[number][];
}

async function rowOf(context: Context, component: Component, around: Around): Promise<Row> {
  const key = `${component.containerKey} @${context.cluster}`;
  const producer = known(around.producers).find(one => one.containerKey === key);
  const bucket = bucketOf(key, around.buckets);
  const own = known(around.metrics).find(one => one.containerKey === component.containerKey);
  const duration = attempt(() => producer!.blockDuration, 7200);
  const base = {
    pod: component.pod,
    container: component.container,
    containerKey: component.containerKey,
    component: component.component,
    subject: component.subject,
    workload: component.workload,
    running: component.running,
    storeId: component.objstore.id,
    secretKey: component.objstore.secret
      ? `${component.objstore.kind} ${component.namespace}/${component.objstore.secret}`
      : '',
    blockDuration: duration,
  };
  const log = await logOf(context, component);
  const oldest = () => {
    if (!producer) throw new GapSignal(gapsIn(around.producers)[0] ?? NO_PRODUCER);
    return producer.oldestSampleAge;
  };
  return merged<Row>(
    base,
    part(['oldestSampleAge', 'due'], () => ({
      oldestSampleAge: oldest(),
      due: oldest() >= 1.5 * duration + FIRST_BLOCK_MARGIN,
    })),
    part(['newestAge', 'newest'], () => ({ newestAge: bucket().newestMaxAge, newest: bucket().newestMax })),
    part(['lastUpload'], () => ({ lastUpload: metricOf(own).lastUpload })),
    part(['failing', 'proof', 'words', 'since'], () =>
      judge(component, duration, log, () => metricOf(own), bucket, oldest),
    ),
    part(['retention', 'retentionSize', 'lossIn', 'oldestMissingAge'], () =>
      lossOf(component, duration, around, bucket, oldest),
    ),
  );
}

const NO_PRODUCER = { reason: 'not-found', detail: 'the producer is not known' } as const;

function bucketOf(key: string, buckets: readonly BucketProducer[]): () => BucketProducer {
  return () => {
    const found = known(buckets).find(one => one.containerKey === key);
    if (found) return found;
    throw new GapSignal(
      gapsIn(buckets)[0] ?? {
        reason: 'not-asked',
        detail: 'the bucket of this component was not listed',
        notLookedAt: true,
      },
    );
  };
}

type Metrics = Around['metrics'][number];

function metricOf(own: Metrics | undefined): Metrics {
  if (own) return own;
  throw new GapSignal({
    reason: 'unreachable',
    detail: 'the component was not asked for its metrics',
    notLookedAt: true,
  });
}

type Hits = ShapeOf<typeof logCollector.shape>['hits'];

async function logOf(context: Context, component: Component): Promise<Hits> {
  const { namespace, name } = component.pod;
  const log = context.get(logCollector, { namespace, pod: name, container: component.container });
  return listOrGap(log.then(({ hits }) => hits));
}

type Verdict = Pick<Row, 'failing' | 'proof' | 'words' | 'since'>;

/** Any proof is enough, the surest first. "It does not fail" needs the bucket, or an upload of late. */
function judge(
  component: Component,
  duration: number,
  hits: Hits,
  metrics: () => Metrics,
  bucket: () => BucketProducer,
  oldest: () => number,
): Verdict {
  const uploadAge = 2 * duration + MARGIN;
  const gaps: Gap[] = [];
  const ask = <Value>(compute: () => Value): Value | undefined => {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gaps.push(error.gap);
      return undefined;
    }
  };
  const words = wordsIn(component, known(hits));
  const inBucket = ask(bucket);
  const fresh =
    inBucket &&
    ask(() => ({ late: inBucket.newestMaxAge > uploadAge, never: inBucket.neverUploaded, newest: inBucket.newestMax }));
  const since = words.map(hit => hit.first).sort()[0] ?? '';
  if (fresh?.late) return { failing: true, proof: 'bucket', words, since: fresh.newest };
  const syncs = ask(() => metrics().dirSyncs);
  // Nothing under its labels, though its loop goes through: then the labels are new, and the blocks of before have others.
  const goesThrough = syncs !== undefined && syncs > 0 && words.length === 0;
  if (fresh?.never && !goesThrough) {
    const age = ask(oldest);
    if (age !== undefined && age > uploadAge) return { failing: true, proof: 'bucket', words, since };
  }
  if (component.component === 'sidecar' && syncs === 0 && component.runningAge >= SYNC_SILENCE) {
    return { failing: true, proof: 'metrics', words, since: component.runningSince };
  }
  const uploadedAge = ask(() => metrics().lastUploadAge);
  if (uploadedAge !== undefined && uploadedAge > uploadAge) return { failing: true, proof: 'metrics', words, since };
  if (words.some(hit => hit.count >= UPLOAD_ERRORS)) return { failing: true, proof: 'log', words, since };
  const wellKnown = fresh !== undefined && gapsIn(hits).length === 0;
  const uploadsNow = uploadedAge !== undefined && uploadedAge >= 0;
  if (wellKnown || uploadsNow) return { failing: false, proof: '', words, since: '' };
  // Its own loop of 30 s counts each pass that went through: where it grows and the log is quiet, nothing waits.
  if (syncs !== undefined && syncs > 0 && gapsIn(hits).length === 0)
    return { failing: false, proof: '', words, since: '' };
  throw new GapSignal(gapsIn(hits)[0] ?? gaps[0] ?? NO_PRODUCER);
}

/** Fresh lines of a failed upload, the one that says most first. */
function wordsIn(component: Component, hits: Hits): Row['words'] {
  const wanted = component.component === 'sidecar' ? 'sidecar-upload-failed' : 'rule-upload-failed';
  const generic = hits.find(hit => hit.id === wanted && hit.fresh);
  if (!generic) return [];
  const specific = hits.filter(hit => hit.id.startsWith('s3-') && hit.fresh);
  const row = ({ id, count, first, last, lastAge, sample }: Hits[number]) => ({
    id,
    count,
    first,
    last,
    lastAge,
    sample,
    containerKey: component.containerKey,
  });
  return [row(generic), ...specific.map(row)];
}

/**
 * When the first block that the bucket lacks is deleted: blocks go once the newest is `retention` past them, and are
 * cut one block duration after their begin.
 */
function lossOf(
  component: Component,
  duration: number,
  around: Around,
  bucket: () => BucketProducer,
  oldest: () => number,
): Pick<Row, 'retention' | 'retentionSize' | 'lossIn' | 'oldestMissingAge'> {
  const missing = bucket().neverUploaded ? oldest() : Math.min(bucket().newestMaxAge, oldest());
  const keeps =
    component.component === 'rule'
      ? { retention: retentionOfRuler(component), retentionSize: 0 }
      : prometheusOf(component, around.flags);
  const whole = Math.ceil(keeps.retention / duration) * duration;
  const lossIn = keeps.retention === 0 ? NEVER : duration + whole + duration - missing;
  return { ...keeps, oldestMissingAge: missing, lossIn };
}

/** Seconds: further than any retention. */
const NEVER = 10 * 365 * 86_400;

function retentionOfRuler({ args }: Component): number {
  return seconds(args.findLast(one => one.flag === '--tsdb.retention')?.value ?? '48h');
}

function prometheusOf(component: Component, flags: Around['flags']) {
  const found = known(flags).find(one => one.pod.key === component.pod.key);
  if (!found)
    throw new GapSignal(
      gapsIn(flags)[0] ?? { reason: 'unreachable', detail: 'Prometheus was not asked for its flags' },
    );
  return { retention: found.retention, retentionSize: found.retentionSize };
}

function attempt<Value>(compute: () => Value, otherwise: Value): Value {
  try {
    return compute() ?? otherwise;
  } catch (error) {
    if (error instanceof GapSignal || error instanceof TypeError) return otherwise;
    throw error;
  }
}
