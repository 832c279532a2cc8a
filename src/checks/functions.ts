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
