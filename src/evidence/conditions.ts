import type { ShapeOf } from '../model/shape.ts';
import { age, list, text } from './objects.ts';

/** Conditions of a status, as every shape writes them. `age` is seconds since the last change; -1 if that is not said. */
export const CONDITIONS = [
  { type: 'str', status: 'str', reason: 'str', message: 'str', since: 'time', age: 'int' },
] as const;

export type Condition = ShapeOf<typeof CONDITIONS>[number];

export function conditionsOf(raw: unknown, now: { readonly takenAt: number }): readonly Condition[] {
  return list(raw).map(condition => ({
    type: text(condition?.type),
    status: text(condition?.status),
    reason: text(condition?.reason),
    message: text(condition?.message),
    since: text(condition?.lastTransitionTime),
    age: age(now, text(condition?.lastTransitionTime)),
  }));
}
