import { type Gap, GapSignal } from '../../model/gap.ts';

/** Makes fields of a row that is being put together unknown: reading one throws its gap. */
export function makeUnknown<Row extends object>(row: Row, fields: readonly string[], gap: Gap): Row {
  for (const field of fields) {
    Object.defineProperty(row, field, {
      enumerable: true,
      configurable: true,
      get() {
        throw new GapSignal(gap);
      },
    });
  }
  return row;
}
