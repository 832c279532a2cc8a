import type { UserError } from '../model/user-error.ts';
import { oneLine } from './clean.ts';
import { sweepText } from './sweep.ts';

const PROGRAM = 'thanos-doctor';

/** A mistake of the user's: what and where, then what it means and what to do, a line each. No stack. */
export function userErrorText({ message, hints }: Pick<UserError, 'message' | 'hints'>): string {
  const [first = '', ...more] = linesOf(message);
  return block(`${PROGRAM}: ${first}`, [...more, ...hints.flatMap(linesOf)]);
}

/** Where a bug showed; nothing here is read from the process. */
export interface Circumstances {
  readonly version: string;
  /** `Node 22.12.0 on linux x64`. */
  readonly platform: string;
}

/** An error that nobody foresaw: said as ours, with the stack and the version, for whoever mends it. */
export function bugText(error: unknown, { version, platform }: Circumstances): string {
  const message = error instanceof Error ? error.message : String(error);
  const [first = 'an error without a message', ...more] = linesOf(message);
  return block(`${PROGRAM}: unexpected error: ${first}`, [
    ...more,
    `This is a bug of ${PROGRAM} ${version} (${platform}); it says nothing about your clusters.`,
    'Nothing was diagnosed: do not read the absence of findings as health.',
    'To have it mended, report these lines and the command that you ran:',
    ...stackOf(error).map(line => `  ${line}`),
  ]);
}

const STACK_LINES = 30;
const CAUSES = 5;

/** The calls of the error and of its causes, without its message. */
function stackOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES && current instanceof Error; depth += 1) {
    if (depth > 0) lines.push(`caused by ${oneLine(sweepText(`${current.name}: ${current.message}`))}`);
    const calls = (current.stack ?? '').split('\n').filter(line => /^\s+at /.test(line));
    lines.push(...calls.slice(0, STACK_LINES).map(line => oneLine(sweepText(line))));
    current = current.cause;
  }
  return lines;
}

function linesOf(text: string): readonly string[] {
  return sweepText(text)
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '');
}

function block(head: string, rest: readonly string[]): string {
  return `${[head, ...rest.map(line => `  ${line}`)].join('\n')}\n`;
}
