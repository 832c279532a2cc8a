import { RE2JS } from 're2js';
import { GapSignal } from '../model/gap.ts';
import { elementsOf, firstGap, misfit } from './operators.ts';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes as text: `1.5 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${BINARY[unit]}`;
}

/** Seconds as text, in the two largest units: `4 h 14 min`, `3 d`, `12 s`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units: readonly (readonly [number, string])[] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => whole >= size);
  if (first === -1) return '0 s';
  const [size, name] = units[first]!;
  const rest = whole % size;
  const [nextSize, nextName] = units[first + 1] ?? [1, ''];
  const second = nextName ? Math.floor(rest / nextSize) : 0;
  return `${Math.floor(whole / size)} ${name}${second > 0 ? ` ${second} ${nextName}` : ''}`;
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** A Kubernetes quantity as a number. Throws on anything else. */
export function quantity(text: string): number {
  const match = /^([0-9.]+)([A-Za-z]*)$/.exec(text);
  const factor = match && SUFFIXES[match[2]!];
  if (!match || !factor) throw new Error(`"${text}" is no quantity`);
  return Number(match[1]) * factor;
}

/** Whether a label selector of equal pairs takes these labels. An empty selector takes everything. */
export function selects(selector: unknown, labels: unknown): boolean {
  const has = labels as Readonly<Record<string, string>>;
  return Object.entries(selector as Readonly<Record<string, string>>).every(([name, value]) => has[name] === value);
}

/** Each value once, in the order of their first appearance. */
export function distinct(values: readonly unknown[]): readonly unknown[] {
  return [...new Set(values)];
}

/** Compares two versions (`v0.37.2`, `3.6`): major, minor, patch; what follows a `-` is ignored. */
export function compareVersions(left: string, operator: string, right: string): boolean {
  const parts = (version: string) => version.replace(/^v/, '').split(/[-+]/)[0]!.split('.').map(Number);
  const [a, b] = [parts(left), parts(right)];
  if ([...a, ...b].some(Number.isNaN)) throw new Error(`"${left}" or "${right}" is no version`);
  const order = [0, 1, 2].map(index => (a[index] ?? 0) - (b[index] ?? 0)).find(difference => difference !== 0) ?? 0;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '==':
      return order === 0;
    default:
      throw new Error(`"${operator}" is no comparison`);
  }
}

type Call = (...values: readonly never[]) => unknown;

/** The functions that an expression may call. Each takes as many values as it has parameters. */
export const CALLS: Readonly<Record<string, (...values: unknown[]) => unknown>> = calls({
  size: (of: unknown) => sizeOf(of),
  string: (value: unknown) => stringOf(value),
  int: (value: unknown) => Math.trunc(numberOf('int', value)),
  double: (value: unknown) => numberOf('double', value),
  minutes: (count: unknown) => numberOf('minutes', count) * 60,
  hours: (count: unknown) => numberOf('hours', count) * 3600,
  days: (count: unknown) => numberOf('days', count) * 86400,
  quantity: (text: unknown) => quantity(textOf('quantity', text)),
  duration: (seconds: unknown) => durationText(onlyNumber('duration', seconds)),
  bytes: (count: unknown) => bytesText(onlyNumber('bytes', count)),
  first: (values: unknown, otherwise: unknown) => {
    const list = listOf('first', values);
    return list.length > 0 ? list[0] : otherwise;
  },
  distinct: (values: unknown) => distinct(listOf('distinct', values)),
  sum: (values: unknown) => listOf('sum', values).reduce((total: number, value) => total + numberOf('sum', value), 0),
  max: (values: unknown) => extreme(listOf('max', values), (a, b) => a > b),
  min: (values: unknown) => extreme(listOf('min', values), (a, b) => a < b),
  selects: (selector: unknown, labels: unknown) => selects(selector, labels),
  semver: (left: unknown, operator: unknown, right: unknown) =>
    compareVersions(textOf('semver', left), textOf('semver', operator), textOf('semver', right)),
  re: (text: unknown, pattern: unknown) => matches(textOf('re', text), textOf('re', pattern)),
});

/** The methods that an expression may call, on what stands before the dot. */
export const METHODS: Readonly<Record<string, (...values: unknown[]) => unknown>> = calls({
  size: (of: unknown) => sizeOf(of),
  contains: (text: unknown, part: unknown) => textOf('contains', text).includes(textOf('contains', part)),
  startsWith: (text: unknown, start: unknown) => textOf('startsWith', text).startsWith(textOf('startsWith', start)),
  endsWith: (text: unknown, end: unknown) => textOf('endsWith', text).endsWith(textOf('endsWith', end)),
  lowerAscii: (text: unknown) => textOf('lowerAscii', text).toLowerCase(),
  upperAscii: (text: unknown) => textOf('upperAscii', text).toUpperCase(),
  trim: (text: unknown) => textOf('trim', text).trim(),
  split: (text: unknown, separator: unknown) => textOf('split', text).split(textOf('split', separator)),
  join: (values: unknown, separator: unknown = '') =>
    listOf('join', values)
      .map(value => textOf('join', value))
      .join(textOf('join', separator)),
});

function calls(written: Readonly<Record<string, Call>>): Readonly<Record<string, (...values: unknown[]) => unknown>> {
  return { __proto__: null, ...written } as unknown as Readonly<Record<string, (...values: unknown[]) => unknown>>;
}

/** Letters of a text, elements of a list, names of a map. Of a list of which a part is not known, it is not known. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return [...value].length;
  if (!Array.isArray(value)) return elementsOf(value).length;
  const gap = firstGap(value);
  if (gap) throw new GapSignal(gap);
  return value.length;
}

function textOf(what: string, value: unknown): string {
  if (typeof value !== 'string') throw misfit(what, value);
  return value;
}

function listOf(what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw misfit(what, value);
  return value;
}

function onlyNumber(what: string, value: unknown): number {
  if (typeof value !== 'number') throw misfit(what, value);
  return value;
}

function numberOf(what: string, value: unknown): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw misfit(what, value);
  return number;
}

/** A fact is a text, or a list of them where several rows have told it: a link asks for the words of either. */
function stringOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  if (typeof value === 'object' || value === undefined) throw misfit('string', value);
  return String(value);
}

/** The largest or smallest of a list of numbers or texts; 0 for an empty list. */
function extreme(values: readonly unknown[], beats: (a: never, b: never) => boolean): unknown {
  return values.length === 0
    ? 0
    : values.reduce((best, value) => (beats(value as never, best as never) ? value : best));
}

const patterns = new Map<string, RE2JS>();

/** Linear in the text, whatever the pattern: texts come from logs and annotations that anybody may write. */
function matches(text: string, pattern: string): boolean {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    compiled = RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}
