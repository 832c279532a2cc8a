import type { FormatOptions, Report } from '../model/report.ts';
import { cap, oneLine } from './clean.ts';
import { type Symbols, symbolsFor } from './symbols.ts';
import { type Clock, clockFor, withShownTimes } from './times.ts';
import { displayWidth, pad, wrapTo } from './wrap.ts';

/** What every part of the text needs to lay itself out. */
export interface Page {
  readonly width: number;
  /** Where the text begins that belongs to a severity. */
  readonly indent: number;
  /** Where the notes begin, below the root causes. */
  readonly note: number;
  readonly all: boolean;
  readonly color: boolean;
  readonly symbols: Symbols;
  readonly clock: Clock;
  /** RFC 3339: when the evidence of a cluster was taken. */
  readonly now: (cluster: string) => string;
}

const NARROWEST = 40;
const WIDEST = 120;
/** Below this, labels stand above their text and not beside it. */
const ROOMY = 80;
/** Columns of a severity, and of a label under it. */
export const SEVERITY = 11;
export const LABELLED = 10;
/** No piece of prose is laid out beyond this: with everything shown, it would be a wall. */
export const PROSE = 2000;
const NOTE = 17;
const NARROW = 2;

export function pageFor(report: Report, options: FormatOptions): Page {
  const taken = new Map(report.clusters.map(({ name, takenAt }) => [name, takenAt]));
  const width = widthOf(options);
  const isRoomy = width >= ROOMY;
  return {
    width,
    indent: isRoomy ? SEVERITY : NARROW,
    note: isRoomy ? NOTE : NARROW,
    all: options.all,
    color: options.color,
    symbols: symbolsFor(options.unicode),
    clock: clockFor(options),
    now: cluster => taken.get(cluster) || report.takenAt,
  };
}

/** Columns that are used: never more than can be read with ease. */
export function widthOf({ width }: FormatOptions): number {
  return Number.isFinite(width) ? Math.min(WIDEST, Math.max(NARROWEST, Math.floor(width))) : WIDEST;
}

/** Prose on one line, its moments shown as the rest of the page shows them. */
export function shown(prose: string, cluster: string, page: Page): string {
  return withShownTimes(cap(oneLine(prose), PROSE), page.clock, page.now(cluster));
}

export function fitted(line: string, columns: number, rows: number, page: Page): readonly string[] {
  return wrapTo(line, columns, rows, page.symbols.more);
}

export function indented(line: string, page: Page): string {
  return `${' '.repeat(page.indent)}${line}`;
}

const NO_BREAK = '\u00a0';

/** Text that is not broken at its blanks; `finished` turns them into blanks again. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', NO_BREAK);
}

/** A laid out line as it is printed. */
export function finished(line: string): string {
  return line.replaceAll(NO_BREAK, ' ').trimEnd();
}

/** Lines beside a label, in the column of a root cause. */
export function labelled(label: string, lines: readonly string[], page: Page): readonly string[] {
  return beside(label, LABELLED, lines).map(line => indented(line, page));
}

/** Lines below the root causes: beside their label, or under it where there is no room. */
export function noted(label: string, lines: readonly string[], page: Page): readonly string[] {
  return beside(label, page.note, lines);
}

/** Lines beside a label of so many columns; a label that is wider stands above them. */
export function beside(label: string, columns: number, lines: readonly string[]): readonly string[] {
  const isAbove = displayWidth(label) >= columns && lines.length > 0;
  const rows = lines.map((line, at) => `${pad(at === 0 && !isAbove ? label : '', columns)}${line}`);
  return isAbove ? [label, ...rows] : rows;
}

/** The first elements, and how many are left. Never leaves out a single one: saying so would take the same line. */
export function firstOf<Element>(elements: readonly Element[], room: number): readonly [readonly Element[], number] {
  if (elements.length <= room + 1) return [elements, 0];
  return [elements.slice(0, room), elements.length - room];
}

/** Names of clusters; things of the fleet as a whole are in none. */
export function clusterText(clusters: readonly string[], room: number): string {
  const names = clusters.filter(name => name !== 'fleet');
  if (names.length <= room) return names.join(', ');
  return `${names.slice(0, room).join(', ')} and ${names.length - room} more`;
}
