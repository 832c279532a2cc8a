import { GapSignal } from '../../model/gap.ts';
import type { HttpAnswer, RawObject } from '../../model/source.ts';
import type { Context } from '../collector.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { gapElement, gapOf } from '../gaps.ts';
import { apiOf, ask, bodyOf, jsonOf } from './ask.ts';
import { makeUnknown } from './unknown-fields.ts';

/**
 * The pods of some components, one row a container; pods that are being deleted are left out. Gap elements stay: they
 * stand for pods that may be there.
 */
export async function replicasOf(context: Context, components: readonly string[]): Promise<readonly Component[]> {
  const rows = await context.get(componentsCollector);
  return rows.filter(
    row => gapOf(row) !== undefined || (components.includes(row.component) && row.pod.name !== '' && !row.podDeleting),
  );
}

/** Of what all replicas of a resource know alike, one replica can tell: one that runs, where there is one. */
export function onePerResource(replicas: readonly Component[]): readonly Component[] {
  const chosen = new Map<string, Component>();
  for (const replica of replicas) {
    const key = gapOf(replica) ? `gap ${chosen.size}` : replica.subject.key;
    const other = chosen.get(key);
    if (!other || (!other.running && replica.running)) chosen.set(key, replica);
  }
  return [...chosen.values()];
}

/** HTTP to one container, below the prefix that it serves under. What was answered once is not asked again by `answer`. */
export interface Asker {
  answer(path: string): Promise<HttpAnswer>;
  text(path: string): Promise<string>;
  json(path: string): Promise<RawObject>;
  /** The `data` of Prometheus' envelope. */
  api(path: string): Promise<RawObject>;
}

export function askerOf(context: Context, replica: Component): Asker {
  const listener = { namespace: replica.pod.namespace, pod: replica.pod.name, port: replica.httpPort };
  const below = (path: string) => `${replica.prefix}${path}`;
  const answers = new Map<string, Promise<HttpAnswer>>();
  const answer = (path: string): Promise<HttpAnswer> => {
    const given = answers.get(path) ?? ask(context.source, listener, below(path));
    answers.set(path, given);
    return given;
  };
  return {
    answer,
    text: async path => bodyOf(await answer(path)),
    json: async path => jsonOf(await answer(path)),
    api: async path => apiOf(await answer(path)),
  };
}

/** Whether `/-/ready` answered 200. Throws its gap: who cannot be asked this cannot be asked anything. */
export async function isReady(asker: Asker): Promise<boolean> {
  return (await asker.answer('/-/ready')).status === 200;
}

/** Some fields of a row, and how they are obtained together. */
export interface Part<Row> {
  readonly fields: readonly (keyof Row & string)[];
  /** What is known without asking where the container does not run. */
  readonly ofStopped?: Partial<Row>;
  read(asker: Asker, replica: Component): Promise<Partial<Row>>;
}

/**
 * One row a replica. A part that cannot be read leaves its fields unknown and the others as they are; a container that
 * does not run is not asked, and everything that it would have said is unknown. No replica is left out.
 */
export async function askEach<Row extends object>(
  context: Context,
  evidence: { readonly id: string; readonly core: boolean },
  replicas: readonly Component[],
  base: (replica: Component) => Partial<Row>,
  parts: readonly Part<Row>[],
): Promise<readonly Row[]> {
  return Promise.all(
    replicas.map(async replica => {
      const gap = gapOf(replica);
      if (gap) return gapElement(gap);
      if (!replica.running)
        return rowOf<Row>(
          base(replica),
          parts.map(part => [part.fields, part.ofStopped ?? notRunning(replica, evidence.id)] as const),
        );
      const asker = askerOf(context, replica);
      const answers = await Promise.all(
        parts.map(async part => [part.fields, await outcome(part.read(asker, replica), evidence)] as const),
      );
      return rowOf<Row>(base(replica), answers);
    }),
  );
}

function notRunning(replica: Component, evidence: string): GapSignal {
  const { namespace, name } = replica.pod;
  return new GapSignal({
    evidence,
    reason: 'unreachable',
    detail: `container ${replica.container} of pod ${namespace}/${name} does not run, so it was not asked`,
  });
}

/** A gap inside a row is explained here, as the store explains one of a whole piece of evidence. */
async function outcome<Value>(
  promise: Promise<Value>,
  evidence: { readonly id: string; readonly core: boolean },
): Promise<Value | GapSignal> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const { gap } = error;
    const notLookedAt = gap.notLookedAt || (gap.reason === 'not-in-bundle' && !evidence.core);
    return new GapSignal({ ...gap, evidence: gap.evidence || evidence.id, notLookedAt });
  }
}

function rowOf<Row extends object>(
  base: Partial<Row>,
  answers: readonly (readonly [readonly string[], Partial<Row> | GapSignal])[],
): Row {
  // A copy would read what is not known.
  const row = Object.defineProperties({}, Object.getOwnPropertyDescriptors(base));
  for (const [fields, answer] of answers) {
    if (answer instanceof GapSignal) makeUnknown(row, fields, answer.gap);
    else Object.defineProperties(row, Object.getOwnPropertyDescriptors(answer));
  }
  return row as Row;
}
