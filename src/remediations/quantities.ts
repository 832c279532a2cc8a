const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

const MEBIBYTE = 1024 ** 2;

/** Bytes of a Kubernetes quantity; undefined where it is none. */
export function bytesOf(quantity: unknown): number | undefined {
  const found = /^([0-9]+(?:\.[0-9]+)?)(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|)$/.exec(String(quantity ?? ''));
  if (!found) return undefined;
  return Number(found[1]) * FACTORS[found[2]!]!;
}

/** A quantity as the API server itself writes it: whole gibibytes where it is whole, else mebibytes, rounded up to `step`. */
export function quantityOf(bytes: number, step = MEBIBYTE): string {
  const rounded = Math.ceil(bytes / step) * step;
  const mebibytes = Math.ceil(rounded / MEBIBYTE);
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}

/** Seconds of a Prometheus duration such as `6h` or `1h30m`; undefined where it is none. */
export function secondsOf(duration: unknown): number | undefined {
  const text = String(duration ?? '');
  if (!/^(?:[0-9]+(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = {
    ms: 0.001,
    s: 1,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
    y: 31_536_000,
  };
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|[smhdwy])/g)) seconds += Number(count) * units[unit!]!;
  return seconds;
}
