import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as answerCollector } from '../collectors/bucket.answer.ts';
import { collector as logCollector } from '../collectors/logs.signatures.ts';
import { collector as loadedCollector } from '../collectors/thanos.loaded-blocks.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { OBJECT_STORE, type ObjectStore, collector as storesCollector } from '../collectors/thanos.object-stores.ts';
import { isFresh } from '../components/freshness.ts';
import { gapElement, gapOf, known, listOrGap } from '../gaps.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';

const HIT = {
  id: 'str',
  /** As the signature itself is healed. */
  open: 'bool',
  /** Recent enough for the component, in a run that counts, and without a later sign of success. */
  fresh: 'bool',
  containerKey: 'str',
  workloadKey: 'str',
  subjectKey: 'str',
  podKey: 'str',
  component: 'str',
  container: 'str',
  running: 'bool',
  crashLooping: 'bool',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  count: 'int',
  level: 'str',
  sample: 'str',
  captured: 'map',
  previous: 'bool',
} as const;

const ROW = {
  ...OBJECT_STORE,
  /** A user of it failed by its own log: fresh hits with ids `s3-…` and `objstore-…`; a log that could not be read is a gap. */
  hits: [HIT],
  /** S3's own code to a signed request from here; '' where it answered well. A gap where it was not asked. */
  answerCode: 'str',
  answerMessage: 'str',
  answerStatus: 'int',
  answerIsS3: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
export type StoreHit = ShapeOf<typeof HIT>;

export const collector = derived({
  id: 'thanos.store-failures',
  about: 'Each object storage configuration with what its store says from here and what the logs of its users say now.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [stores, answers, components] = await Promise.all([
      context.get(storesCollector),
      listOrGap(context.get(answerCollector)),
      context.get(componentsCollector),
    ]);
    const successes = await successesOf(context);
    return Promise.all(
      stores.map(async store => {
        if (gapOf(store)) return store as never;
        const users = known(components).filter(component =>
          store.usedBy.some(user => user.containerKey === component.containerKey),
        );
        const logs = await Promise.all(users.map(user => hitsOf(context, user, successes)));
        return rowOf(store, logs.flat(), answers);
      }),
    );
  },
});

type Answers = readonly ShapeOf<typeof answerCollector.shape>[number][];

/** The store's own fields, known or not, with what was found. */
function rowOf(store: ObjectStore, hits: readonly StoreHit[], answers: Answers): Row {
  const answer = answers.find(candidate => !gapOf(candidate) && candidate.store === store.id);
  const missing = answers.map(gapOf).find(gap => gap !== undefined);
  const read = <Value>(pick: (found: Answers[number]) => Value) => ({
    enumerable: true,
    get(): Value {
      if (answer) return pick(answer);
      throw new GapSignal(missing ?? NOT_ASKED);
    },
  });
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(store),
      hits: { value: hits, enumerable: true },
      answerCode: read(found => found.code),
      answerMessage: read(found => found.message),
      answerStatus: read(found => found.status),
      answerIsS3: read(found => found.isS3),
    },
  ) as unknown as Row;
}

const NOT_ASKED: Gap = {
  evidence: 'bucket.answer',
  reason: 'not-asked',
  detail: 'the store was not asked from here',
  path: '',
  notLookedAt: true,
};

async function hitsOf(
  context: Context,
  user: Component,
  successes: ReadonlyMap<string, readonly string[]>,
): Promise<readonly StoreHit[]> {
  const { namespace, name } = user.pod;
  try {
    const log = await context.get(logCollector, { namespace, pod: name, container: user.container });
    const all = known(log.hits);
    return log.hits.flatMap(hit => {
      if (gapOf(hit)) return [hit as never];
      if (!/^(?:s3|objstore)-/.test(hit.id)) return [];
      const { id, open, first, last, lastAge, count, level, sample, captured, previous } = hit;
      return [
        {
          id,
          open,
          fresh: isFresh(hit, all, user, successes.get(user.containerKey) ?? []),
          containerKey: user.containerKey,
          workloadKey: user.workload.key,
          subjectKey: user.subject.key,
          podKey: user.pod.key,
          component: user.component,
          container: user.container,
          running: user.running,
          crashLooping: user.crashLooping,
          first,
          last,
          lastAge,
          count,
          level,
          sample,
          captured,
          previous,
        },
      ];
    });
  } catch (error) {
    if (error instanceof GapSignal) return [gapElement({ ...error.gap, evidence: 'logs.signatures' })];
    throw error;
  }
}

/** Times at which components are known to have reached their bucket, by container. What is not known is no success. */
async function successesOf(context: Context): Promise<ReadonlyMap<string, readonly string[]>> {
  const [metrics, loaded] = await Promise.all([
    listOrGap(context.get(metricsCollector)),
    listOrGap(context.get(loadedCollector)),
  ]);
  const times = new Map<string, string[]>();
  const note = (key: string, read: () => string) => {
    try {
      const time = read();
      if (time) times.set(key, [...(times.get(key) ?? []), time]);
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
    }
  };
  for (const row of known(metrics)) note(row.containerKey, () => row.lastUpload);
  for (const row of known(loaded)) note(row.containerKey, () => (row.error === '' ? row.refreshed : ''));
  return times;
}
