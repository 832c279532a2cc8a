import { malformed } from '../objects.ts';

/** One line of `/metrics`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was kept of one `/metrics`. A family that is not there is absent, which is not 0. */
export interface Exposition {
  readonly samples: readonly Sample[];
  /** Names of the samples, each once, in the order of the text. */
  readonly families: readonly string[];
}

/**
 * Parses Prometheus' text exposition format, keeping the samples whose name is wanted (`name`, or `prefix*`; all by
 * default). Lines that are not wanted are not parsed. Throws `malformed` for a text that is something else.
 */
export function parseExposition(text: string, wanted: readonly string[] = ['*']): Exposition {
  const exact = new Set(wanted.filter(name => !name.endsWith('*')));
  const prefixes = wanted.filter(name => name.endsWith('*')).map(name => name.slice(0, -1));
  // Every line ends with a line feed, the last one too: a number may have lost digits where it does not.
  if (text !== '' && !text.endsWith('\n')) {
    throw malformed('the metrics end in the middle of a line');
  }
  const samples: Sample[] = [];
  const families = new Set<string>();
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const name = nameOf(trimmed);
    if (!exact.has(name) && !prefixes.some(prefix => name.startsWith(prefix))) continue;
    samples.push(sampleOf(trimmed));
    families.add(name);
  }
  return { samples, families: [...families] };
}

/** Values of one family, of the series that carry all of `labels`. */
export function valuesOf(
  exposition: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): readonly number[] {
  const wanted = Object.entries(labels);
  return exposition.samples
    .filter(sample => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
    .map(sample => sample.value);
}

/** The sum over a family's series, or undefined where the family is absent. */
export function sumOf(
  exposition: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const values = valuesOf(exposition, name, labels);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;

/** A name that needs quotes stands inside the braces, as the first entry: `{"name.with.dots", label="value"} 1`. */
function nameOf(line: string): string {
  const name = NAME.exec(line)?.[0];
  if (name !== undefined) return name;
  if (!line.startsWith('{')) throw malformed(`"${line.slice(0, 40)}" is no line of a metrics exposition`);
  return sampleOf(line).name;
}

function sampleOf(line: string): Sample {
  const reader = new Reader(line);
  const labels: Record<string, string> = Object.create(null);
  let name = reader.take(NAME) ?? '';
  reader.skipSpace();
  if (reader.accept('{')) {
    for (reader.skipSpace(); !reader.accept('}'); reader.skipSpace()) {
      const label = reader.quoted() ?? reader.take(NAME);
      if (label === undefined) throw reader.fault();
      reader.skipSpace();
      if (reader.accept('=')) {
        reader.skipSpace();
        const value = reader.quoted();
        if (value === undefined) throw reader.fault();
        labels[label] = value;
      } else if (name === '') {
        name = label;
      } else {
        throw reader.fault();
      }
      reader.skipSpace();
      reader.accept(',');
    }
  }
  reader.skipSpace();
  const value = reader.take(/^[^ \t]+/);
  if (name === '' || value === undefined) throw reader.fault();
  return { name, labels, value: numberOf(value, reader) };
}

function numberOf(text: string, reader: Reader): number {
  if (/^[+]?Inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-Inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  if (/^NaN$/i.test(text)) return Number.NaN;
  const value = Number(text);
  if (Number.isNaN(value)) throw reader.fault();
  return value;
}

class Reader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  skipSpace(): void {
    while (this.#line[this.#at] === ' ' || this.#line[this.#at] === '\t') this.#at++;
  }

  accept(character: string): boolean {
    if (this.#line[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  take(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.#line.slice(this.#at))?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** A string in double quotes with the escapes `\\`, `\"` and `\n`. */
  quoted(): string | undefined {
    if (this.#line[this.#at] !== '"') return undefined;
    let value = '';
    for (let at = this.#at + 1; at < this.#line.length; at++) {
      const character = this.#line[at]!;
      if (character === '"') {
        this.#at = at + 1;
        return value;
      }
      if (character !== '\\') {
        value += character;
        continue;
      }
      at++;
      const escaped = this.#line[at];
      if (escaped === undefined) break;
      value += escaped === 'n' ? '\n' : escaped === '"' || escaped === '\\' ? escaped : `\\${escaped}`;
    }
    throw this.fault();
  }

  fault() {
    return malformed(`"${this.#line.slice(0, 80)}" is no line of a metrics exposition`);
  }
}
