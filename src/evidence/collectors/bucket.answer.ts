import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, fetched } from '../collector.ts';
import { gapOf, mapKnown, withUnknownFields } from '../gaps.ts';
import { type ObjectStore, collector as storesCollector } from './thanos.object-stores.ts';

const ROW = {
  /** Id of the configuration: `namespace/name/key`. */
  store: 'str',
  bucketKey: 'str',
  reached: 'bool',
  /** S3's own code; '' where it answered well. */
  code: 'str',
  status: 'int',
  message: 'str',
  /** An S3 error or a listing, not a web page. */
  isS3: 'bool',
  /** Seconds: the store's clock less ours. */
  clockDifference: 'int',
  region: 'str',
  from: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

const FROM_ANSWER = ['reached', 'code', 'status', 'message', 'isS3'] as const;
const NOT_TOLD = ['clockDifference', 'region'] as const;

export const collector = fetched({
  id: 'bucket.answer',
  about: "What a store says to a signed listing of one key, asked with each configuration's own credentials.",
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const stores = await context.get(storesCollector);
    return Promise.all(stores.map(store => (gapOf(store) ? (store as never) : answerOf(context, store))));
  },
});

async function answerOf(context: Context, store: ObjectStore): Promise<Row> {
  const known = mapKnown([store], one => (one.usable ? one.bucketKey : ''))[0]!;
  const gapped = gapOf(known);
  const base = { store: store.id, bucketKey: gapped ? '' : known, from: 'here' };
  if (gapped) return unknown(base, gapped);
  try {
    if (!store.usable) {
      throw new GapSignal({
        reason: 'not-asked',
        detail: `${store.id} names no bucket that could be asked`,
        notLookedAt: true,
      });
    }
    const { code, status, message, isS3, clockDifference } = await context.source.bucketAnswer(store.id);
    const row = { ...base, reached: true, code, status, message, isS3, clockDifference: clockDifference ?? 0 };
    const untold = clockDifference === undefined ? NOT_TOLD : (['region'] as const);
    return withUnknownFields<Row>(row, notTold(store.id), untold);
  } catch (error) {
    if (error instanceof GapSignal) return unknown(base, error.gap);
    throw error;
  }
}

function unknown(base: Partial<Row>, gap: GapSignal['gap']): Row {
  return withUnknownFields<Row>(base, { ...gap, evidence: 'bucket.answer' }, [...FROM_ANSWER, ...NOT_TOLD]);
}

function notTold(id: string): GapSignal['gap'] {
  return {
    evidence: 'bucket.answer',
    reason: 'not-asked',
    detail: `the store of ${id} was not asked for its clock and region`,
    path: '',
    notLookedAt: true,
  };
}
