import type { ShapeOf } from '../model/shape.ts';
import type { RawObject } from '../model/source.ts';
import { age, list, text } from './objects.ts';

/** Who wrote an object, newest first. `age` is -1 where the time was not kept. */
export const LAST_WRITERS = [{ manager: 'str', operation: 'str', time: 'time', age: 'int' }] as const;

export function lastWriters(metadata: RawObject, now: { readonly takenAt: number }): ShapeOf<typeof LAST_WRITERS> {
  return list(metadata?.managedFields)
    .map(entry => ({
      manager: text(entry?.manager),
      operation: text(entry?.operation),
      time: text(entry?.time),
      age: age(now, text(entry?.time)),
    }))
    .sort((first, second) => (first.time < second.time ? 1 : first.time > second.time ? -1 : 0));
}
