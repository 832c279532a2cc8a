import { explainLogs } from '../../app/explain-logs.ts';
import { logMeanings } from '../../report/logs.ts';
import { EXIT } from '../exit-codes.ts';
import type { GlobalOptions } from '../options.ts';
import { terminalOf } from '../terminal.ts';

export interface LogsArguments extends GlobalOptions {
  readonly files: readonly string[];
  readonly component: string;
  readonly format: 'text' | 'json';
}

/** Standard output gets `hits[]` of all files as JSON, or what they mean in words. Exit code 1: something means trouble. */
export async function runLogs(options: LogsArguments): Promise<number> {
  const files = options.files.length > 0 ? options.files : ['-'];
  const component = options.component === 'any' ? '' : options.component;
  const logs = await explainLogs(files, component, process.stdin);
  if (options.format === 'json') {
    const hits = logs.flatMap(log => log.hits.map(hit => ({ file: log.file, ...hit })));
    process.stdout.write(
      `${JSON.stringify({ logs: logs.map(({ file, lines, from, to }) => ({ file, lines, from, to })), hits }, null, 2)}\n`,
    );
  } else {
    const { width } = terminalOf(process.stdout, options.color);
    process.stdout.write(logMeanings(logs, { width, all: options.verbose }));
  }
  return logs.some(log => log.hits.some(hit => !hit.marker)) ? EXIT.problems : EXIT.healthy;
}
