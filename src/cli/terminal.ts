import type { WriteStream } from 'node:tty';

/** What a stream can show. */
export interface Terminal {
  readonly isTerminal: boolean;
  readonly color: boolean;
  readonly unicode: boolean;
  /** Whether what was written can be written over. */
  readonly redraws: boolean;
  /** Columns; 100 where it is no terminal, or one that does not know (0). */
  readonly width: number;
}

export type ColorChoice = 'auto' | 'always' | 'never';

/** What this stream can show, given `--color`, `NO_COLOR`, `FORCE_COLOR`, `TERM` and the locale. */
export function terminalOf(stream: NodeJS.WriteStream, choice: ColorChoice, environment = process.env): Terminal {
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    color: colorOf(isTerminal, choice, environment),
    unicode: speaksUnicode(environment),
    redraws: isTerminal && environment.TERM !== 'dumb',
    width: Math.max(40, Math.min(120, (isTerminal && (stream as WriteStream).columns) || 100)),
  };
}

function colorOf(isTerminal: boolean, choice: ColorChoice, environment: NodeJS.ProcessEnv): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR) return !/^(0|false)$/.test(environment.FORCE_COLOR);
  return isTerminal && environment.TERM !== 'dumb';
}

/** Without any locale, such as in a container, UTF-8 is what terminals speak today; `C` and `POSIX` are a wish for ASCII. */
function speaksUnicode(environment: NodeJS.ProcessEnv): boolean {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  return locale === '' || /utf-?8/i.test(locale);
}
