import { GapSignal } from '../model/gap.ts';
import type { Source } from '../model/source.ts';
import type { ClusterPlan } from './bundle-plan.ts';

/** A cluster as it is being written. */
export interface ClusterFolder {
  readonly source: Source;
  readonly plan: ClusterPlan;
  write(path: string, content: string | Uint8Array): Promise<void>;
  writeYaml(path: string, value: unknown): Promise<void>;
  writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The text without credentials; a second look, after the source's own. */
  clean(text: string): string;
  /** Counts what stands in the text in place of credentials. */
  count(where: string, text: string): void;
  leaveOut(what: string, why: string): void;
}

/** The answer, or undefined for a gap: the source has recorded it. */
export async function orUndefined<Answer>(reading: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof GapSignal) return undefined;
    throw error;
  }
}

/** Does something with each element, so many at once. */
export async function eachAtOnce<Element>(
  elements: readonly Element[],
  width: number,
  run: (element: Element) => Promise<void>,
): Promise<void> {
  const queue = elements[Symbol.iterator]();
  const worker = async () => {
    for (const element of queue) await run(element);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
