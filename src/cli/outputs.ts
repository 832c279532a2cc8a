import { writeWhole } from '../app/write-file.ts';
import type { FormatOptions, Report } from '../model/report.ts';
import { UserError } from '../model/user-error.ts';
import type { Terminal } from './terminal.ts';

export const FORMAT_NAMES = ['text', 'markdown', 'json'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const ENDINGS: Readonly<Record<string, FormatName>> = { '.md': 'markdown', '.markdown': 'markdown', '.json': 'json', '.txt': 'text' };

/** The format that a file's ending asks for. Throws a `UserError` for any other ending, before anything is read. */
export function formatOfFile(path: string): FormatName {
  const ending = /\.[A-Za-z]+$/.exec(path)?.[0].toLowerCase() ?? '';
  const format = ENDINGS[ending];
  if (format) return format;
  throw new UserError(`cannot tell the format of ${path} from its ending`, `endings known: ${Object.keys(ENDINGS).join(', ')}`);
}

/** The report in one format. */
export async function render(report: Report, name: FormatName, options: FormatOptions): Promise<string> {
  if (name === 'json') return (await import('../report/json.ts')).json(report, options);
  if (name === 'markdown') return (await import('../report/markdown.ts')).markdown(report, options);
  return (await import('../report/text.ts')).text(report, options);
}

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
  for (const path of paths) await writeWhole(path, await render(report, formatOfFile(path), options));
}
