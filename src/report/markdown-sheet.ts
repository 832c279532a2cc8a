import type { FormatOptions, Report } from '../model/report.ts';
import { type Clock, clockFor } from './times.ts';

/** What every part of the document needs. */
export interface Sheet {
  readonly clock: Clock;
  readonly all: boolean;
  /** RFC 3339: when the evidence of a cluster was taken. */
  readonly now: (cluster: string) => string;
}

export function sheetFor(report: Report, options: FormatOptions): Sheet {
  const taken = new Map(report.clusters.map(({ name, takenAt }) => [name, takenAt]));
  return { clock: clockFor(options), all: options.all, now: cluster => taken.get(cluster) || report.takenAt };
}

/** GitHub and GitLab need the empty lines to render what is inside. */
export function folded(summary: string, lines: readonly string[]): readonly string[] {
  return ['', `<details><summary>${summary}</summary>`, '', ...lines, '', '</details>'];
}
