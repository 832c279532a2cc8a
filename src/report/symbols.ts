import type { Severity } from '../model/finding.ts';

/** The signs that a layout uses, for terminals that can show them and for those that cannot. */
export interface Symbols {
  readonly dot: string;
  readonly times: string;
  readonly arrow: string;
  readonly more: string;
  readonly branch: string;
  readonly lastBranch: string;
  readonly stem: string;
}

const UNICODE: Symbols = { dot: '·', times: '×', arrow: '→', more: '…', branch: '├─ ', lastBranch: '└─ ', stem: '│  ' };
const ASCII: Symbols = {
  dot: '-',
  times: 'x',
  arrow: '->',
  more: '...',
  branch: '|- ',
  lastBranch: '`- ',
  stem: '|  ',
};

export function symbolsFor(unicode: boolean): Symbols {
  return unicode ? UNICODE : ASCII;
}

const COLORS: Readonly<Record<Severity, string>> = {
  critical: '\u001b[1;31m',
  warning: '\u001b[1;33m',
  info: '\u001b[36m',
};
const RESET = '\u001b[0m';

/** Colours are for severities alone, and never the only sign of one. */
export function painted(text: string, severity: Severity, color: boolean): string {
  return color ? `${COLORS[severity]}${text}${RESET}` : text;
}
