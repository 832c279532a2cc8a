import type { FormatOptions, Report } from '../model/report.ts';
import { oneLine } from './clean.ts';
import { type Symbols, symbolsFor } from './symbols.ts';
import { type Clock, clockFor, withShownTimes } from './times.ts';
import { pad, wrapTo } from './wrap.ts';

/** What every part of the text needs to lay itself out. */
export interface Page {
  readonly width: number;
  readonly all: boolean;
  readonly color: boolean;
  readonly symbols: Symbols;
  readonly clock: Clock;
  /** RFC 3339: when the evidence of a cluster was taken. */
  readonly now: (cluster: string) => string;
}

const NARROWEST = 40;
const WIDEST = 120;
/** Where the text begins that belongs to a severity, and the text that belongs to a label under it. */
export const INDENT = 11;
export const LABELLED = 10;

export function pageFor(report: Report, options: FormatOptions): Page {
  const taken = new Map(report.clusters.map(({ name, takenAt }) => [name, takenAt]));
  return {
    width: widthOf(options),
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
  return withShownTimes(oneLine(prose), page.clock, page.now(cluster));
}

export function fitted(line: string, columns: number, rows: number, page: Page): readonly string[] {
  return wrapTo(line, columns, rows, page.symbols.more);
}

export function indented(line: string): string {
  return `${' '.repeat(INDENT)}${line}`;
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
export function labelled(label: string, lines: readonly string[]): readonly string[] {
  return beside(label, LABELLED, lines).map(indented);
}

/** Lines beside a label of so many columns. */
export function beside(label: string, columns: number, lines: readonly string[]): readonly string[] {
  return lines.map((line, at) => `${pad(at === 0 ? label : '', columns)}${line}`);
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
