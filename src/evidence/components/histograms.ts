/** A histogram's cumulative buckets, in order; the last may end at `Number.MAX_VALUE`. */
export interface Buckets {
  readonly count: number;
  readonly buckets: readonly { readonly le: number; readonly value: number }[];
}

/** The value below which a share of all lies, interpolated inside its bucket as Prometheus does. */
export function quantile({ count, buckets }: Buckets, share: number): number {
  const rank = share * count;
  let lower = 0;
  let under = 0;
  for (const { le, value } of buckets) {
    if (value >= rank && value > under) {
      if (le === Number.MAX_VALUE) return lower;
      return lower + (le - lower) * ((rank - under) / (value - under));
    }
    lower = le;
    under = value;
  }
  return lower;
}

/** How many lie at or below a value: of the bucket that ends next to it. */
export function countBelow({ buckets, count }: Buckets, value: number): number {
  return buckets.find(bucket => bucket.le >= value)?.value ?? count;
}
