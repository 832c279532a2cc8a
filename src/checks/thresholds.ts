import type { Rule, Threshold } from '../model/rule.ts';

type Measure = Omit<Threshold, 'name'>;

const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, m: 60, h: 3600, d: 86400, w: 604800 };
const BYTES: Readonly<Record<string, number>> = {
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** A threshold as people write it: `90s`, `10min`, `1h30min`, `80%`, `1.5GiB`, `3`. Undefined for anything else. */
export function parseThreshold(written: string | number): Measure | undefined {
  const text = String(written).trim();
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return { text, unit: 'count', value: Number(text) };
  const [, share] = /^([0-9]+(?:\.[0-9]+)?) ?%$/.exec(text) ?? [];
  if (share !== undefined) return Number(share) > 100 ? undefined : { text, unit: 'percentage', value: Number(share) };
  const [, size, unit] = /^([0-9]+(?:\.[0-9]+)?) ?(kB|[MGT]B|[KMGT]iB)$/.exec(text) ?? [];
  if (unit !== undefined) return { text, unit: 'size', value: Math.round(Number(size) * BYTES[unit]!) };
  if (!/^(?:[0-9]+ ?(?:min|[smhdw]) ?)+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([0-9]+) ?(min|[smhdw])/g)];
  const value = parts.reduce((sum, [, count, name]) => sum + Number(count) * SECONDS[name!]!, 0);
  return { text, unit: 'duration', value };
}

/** What a threshold of this unit looks like, for messages. */
export const UNIT_EXAMPLES: Readonly<Record<Threshold['unit'], string>> = {
  duration: 'a time such as 10min or 6h',
  percentage: 'a share such as 80%',
  size: 'a size such as 1GiB',
  count: 'a number',
};

/** What expressions read as `thresholds.name`: seconds, percent, bytes or a number. */
export function thresholdValues({ thresholds }: Rule): Readonly<Record<string, number>> {
  return Object.fromEntries(thresholds.map(({ name, value }) => [name, value]));
}
