import { GapSignal } from '../model/gap.ts';

/** The record with fields that are computed now; reading one that touched a gap throws that gap. */
export function lazily<Row extends object>(
  row: Partial<Row>,
  fields: { readonly [Field in keyof Row]?: () => Row[Field] },
): Row {
  const copy: Record<string, unknown> = { ...row };
  for (const [field, compute] of Object.entries(fields) as [string, () => unknown][]) {
    try {
      copy[field] = compute();
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      Object.defineProperty(copy, field, {
        enumerable: true,
        get() {
          throw error;
        },
      });
    }
  }
  return copy as Row;
}
