import { writeWhole } from '../app/write-file.ts';
import type { FormatOptions, Report } from '../model/report.ts';
import { formatByFile } from '../report/formats.ts';
import type { Terminal } from './terminal.ts';

/** Options for standard output, which may be a terminal. */
export function screenOptions(terminal: Terminal, all: boolean): FormatOptions {
  return {
    width: terminal.width,
    color: terminal.color,
    unicode: terminal.unicode,
    all,
    timeZone: terminal.isTerminal ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC',
    terminal: terminal.isTerminal,
  };
}

/** Writes the report to files, each whole or not at all. */
export async function writeReports(report: Report, paths: readonly string[], all: boolean): Promise<void> {
  const options: FormatOptions = { width: 100, color: false, unicode: true, all, timeZone: 'UTC', terminal: false };
  for (const path of paths) await writeWhole(path, formatByFile(path)(report, options));
}
