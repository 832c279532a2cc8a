import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Collector } from '../../src/evidence/collector.ts';
import { openEvidence } from '../../src/evidence/store.ts';
import { type Gap, GapSignal } from '../../src/model/gap.ts';
import type { Shape, ShapeOf } from '../../src/model/shape.ts';
import type { ReadFailure } from '../../src/model/source.ts';
import { dense } from '../given-evidence.ts';
import { fakeSource } from './fake-source.ts';

/** Evidence of one cluster by collector id, partial as in a rule's case; a `GapSignal` for what is not known. */
export interface Given {
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly failures?: readonly ReadFailure[];
  /** The cluster's API server does not answer. */
  readonly unreachable?: Gap;
}

/** A gap, for evidence that could not be had. */
export function gap(reason: Gap['reason'] = 'forbidden', detail = `${reason}, in a test`): GapSignal {
  return new GapSignal({ reason, detail });
}

/** What a collector concludes from evidence that a test writes down: of the first cluster, or of the fleet. */
export async function derive<S extends Shape>(
  collector: Collector<S>,
  clusters: Readonly<Record<string, Given>>,
  params: Readonly<Record<string, string>> = {},
): Promise<ShapeOf<S>> {
  const stubs = new Map<string, Collector>();
  for (const [id, original] of COLLECTORS) {
    if (id === collector.id) continue;
    stubs.set(id, {
      ...original,
      async collect({ cluster, params }) {
        const given = clusters[cluster]?.evidence ?? clusters[Object.keys(clusters)[0]!]!.evidence;
        const value = given[id];
        if (value === undefined) throw gap('not-in-bundle', `${id} is not given`);
        if (value instanceof GapSignal) throw value;
        const answer = typeof value === 'function' ? value(params) : value;
        if (answer instanceof GapSignal) throw answer;
        return withGaps(original.shape, answer, id) as never;
      },
    });
  }
  const evidence = openEvidence(
    Object.entries(clusters).map(([name, { failures = [] }]) => fakeSource({ name, failures })),
    new Map(Object.entries(clusters).flatMap(([name, { unreachable }]) => (unreachable ? [[name, unreachable]] : []))),
    {
      collectors: new Map([...stubs, [collector.id, collector as unknown as Collector]]),
      concurrency: 4,
      expectations: {
        stated: false,
        clusters: [],
        clusterLabel: '',
        queryStores: 0,
        retention: { raw: 0, fiveMinutes: 0, oneHour: 0 },
        localRetention: 0,
        ignoredTargets: [],
      },
    },
  );
  const store = collector.scope === 'fleet' ? evidence.fleet : evidence.clusters[0]!;
  const found = await store.collect(collector.id, params);
  if (!found.known) throw new GapSignal(found.gap);
  return found.value as ShapeOf<S>;
}

/** Dense rows; a field that is given as a `GapSignal` throws it when it is read. */
function withGaps(shape: Shape, value: unknown, id: string): unknown {
  if (Array.isArray(value) && Array.isArray(shape)) return value.map(row => withGaps(shape[0], row, id));
  if (typeof value !== 'object' || value === null) return dense(shape, value, id);
  const unknown = Object.entries(value).filter(([, field]) => field instanceof GapSignal);
  const row = dense(
    shape,
    Object.fromEntries(Object.entries(value).filter(([, field]) => !(field instanceof GapSignal))),
    id,
  );
  for (const [name, signal] of unknown) {
    Object.defineProperty(row, name, {
      enumerable: true,
      get() {
        throw signal;
      },
    });
  }
  return row;
}
