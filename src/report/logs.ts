import { cap, oneLine } from './clean.ts';
import { essence } from './log-lines.ts';
import { counted } from './summary.ts';
import { sweepText } from './sweep.ts';
import { wrap } from './wrap.ts';

/** What one signature says of one log. */
export interface LogHit {
  readonly signature: string;
  readonly means: string;
  readonly rules: readonly string[];
  readonly marker: boolean;
  readonly source: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly sample: string;
}

/** A log and its hits. */
export interface LogMeaning {
  readonly file: string;
  readonly lines: number;
  readonly hits: readonly LogHit[];
}

/** What the known lines of logs mean, for people. Lines that only prove life are shown with `all`. */
export function logMeanings(
  logs: readonly LogMeaning[],
  options: { readonly width: number; readonly all: boolean },
): string {
  const blocks = logs.flatMap(log => {
    const shown = log.hits.filter(hit => options.all || !hit.marker);
    const left = log.hits.length - shown.length;
    const name = log.file === '-' ? 'standard input' : oneLine(log.file);
    const known = shown.length === 0 ? 'none of them known to mean trouble' : counted(shown.length, 'known meaning');
    const proofs = left > 0 ? ` (and ${left} that prove life, -v)` : '';
    const head = `${name}: ${log.lines === 0 ? 'empty, so nothing is known of it' : `${counted(log.lines, 'line')}, ${known}${proofs}`}`;
    return [head, ...shown.flatMap((hit, at) => hitLines(hit, shown[at - 1], options.width)), ''];
  });
  return `${blocks.join('\n').trimEnd()}\n`;
}

/** The line itself once, where it means two things, and as much of it as says what failed. */
function hitLines(hit: LogHit, before: LogHit | undefined, width: number): readonly string[] {
  const times =
    hit.first === '' ? '' : hit.first === hit.last ? `  at ${hit.last}` : `  from ${hit.first} to ${hit.last}`;
  const source = hit.source ? `  ${hit.source}` : '';
  const line = cap(essence(oneLine(sweepText(hit.sample))), Math.max(40, width * 4));
  const rules = hit.rules.map(rule => `thanos-doctor explain ${rule}`);
  return [
    '',
    ...wrap(hit.means, width - 2).map(line => `  ${line}`),
    `    ${hit.signature}  ×${hit.count}${times}${source}`,
    ...(hit.sample === before?.sample ? ['the same line'] : wrap(line, width - 4)).map(row => `    ${row}`),
    ...rules.slice(0, 3).map(rule => `    ${rule}`),
  ];
}
