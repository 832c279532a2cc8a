import { type Gap, GapSignal } from '../model/gap.ts';
import { withUnknownFields } from './gaps.ts';

/** Some fields of a row: computed together, and unknown together where computing them touches a gap. */
export function part<Part extends object>(fields: readonly (keyof Part & string)[], compute: () => Part): Part {
  try {
    return compute();
  } catch (error) {
    if (error instanceof GapSignal) return withUnknownFields<Part>({}, error.gap, fields);
    throw error;
  }
}

/** Parts as one row; what is unknown stays unknown. Later parts win. */
export function merged<Row extends object>(...parts: readonly object[]): Row {
  const row = {};
  for (const one of parts) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(one))) {
      Object.defineProperty(row, name, { ...descriptor, configurable: true });
    }
  }
  return row as Row;
}

/** The value, or the gap that computing it touches. */
export function attempt<Value>(compute: () => Value): { readonly value?: Value; readonly gap?: Gap } {
  try {
    return { value: compute() };
  } catch (error) {
    if (error instanceof GapSignal) return { gap: error.gap };
    throw error;
  }
}
