import { malformed } from './objects.ts';

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

function quantity(value: unknown): number {
  if (value === undefined || value === null || value === '') return 0;
  if (typeof value !== 'string' && typeof value !== 'number') throw malformed('expected a quantity');
  const match = /^([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(String(value).trim());
  const factor = match?.[2] !== undefined ? 10 ** Number(match[2]) : FACTORS[match?.[3] ?? ''];
  if (!match || factor === undefined || Number.isNaN(Number(match[1]))) throw malformed(`"${value}" is no quantity`);
  return Number(match[1]) * factor;
}

/** A Kubernetes quantity of memory or storage, in whole bytes; 0 where it is absent. */
export function bytes(value: unknown): number {
  return Math.round(quantity(value));
}

/** A Kubernetes quantity of CPU, in millicores, rounded up as Kubernetes does; 0 where it is absent. */
export function millicores(value: unknown): number {
  return Math.ceil(Number((quantity(value) * 1000).toFixed(6)));
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
  y: 31536000,
};

/** A duration as Prometheus, Thanos and Go write it (`15d`, `1h30m`, `2h0m0s`), in seconds; 0 for '' and `0`. */
export function seconds(value: string): number {
  if (value === '' || value === '0') return 0;
  let total = 0;
  let rest = value;
  while (rest !== '') {
    const match = /^([0-9]+(?:\.[0-9]+)?)(ms|[smhdwy])/.exec(rest);
    if (!match) throw malformed(`"${value}" is no duration`);
    total += Number(match[1]) * (DURATION_UNITS[match[2]!] as number);
    rest = rest.slice(match[0].length);
  }
  return total;
}
