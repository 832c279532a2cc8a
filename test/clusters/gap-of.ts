import { type Gap, GapSignal } from '../../src/model/gap.ts';

/** The gap that a read ends with; an error where it ends otherwise. */
export async function gapOf(promise: Promise<unknown>): Promise<Gap> {
  const error = await promise.then(
    value => new Error(`expected a gap, found ${JSON.stringify(value)}`),
    reason => reason,
  );
  if (error instanceof GapSignal) return error.gap;
  throw error;
}
