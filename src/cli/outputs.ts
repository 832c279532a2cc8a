import { checkWritable, writeWhole } from '../app/write-file.ts';
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

/** Throws a `UserError` for a file that has no known ending or cannot be written. */
export async function checkOutputs(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    formatByFile(path);
    await checkWritable(path);
  }
}

/** Writes the report to files, each whole or not at all. One that fails keeps no other from being written. */
export async function writeReports(report: Report, paths: readonly string[], all: boolean): Promise<void> {
  const options: FormatOptions = { width: 100, color: false, unicode: true, all, timeZone: 'UTC', terminal: false };
  const written = await Promise.allSettled(
    paths.map(async path => writeWhole(path, formatByFile(path)(report, options))),
  );
  const failed = written.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** The command as it can be pasted again. */
export function commandLine(argv: readonly string[]): string {
  return ['thanos-doctor', ...argv.map(quoted)].join(' ');
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
