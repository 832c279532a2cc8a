import { oneLine } from './clean.ts';
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
    const head = `${oneLine(log.file)}: ${log.lines} lines, ${shown.length === 0 ? 'none of them known to mean trouble' : `${shown.length} known ${shown.length === 1 ? 'meaning' : 'meanings'}`}${left > 0 ? ` (and ${left} that prove life, -v)` : ''}`;
    return [head, ...shown.flatMap(hit => hitLines(hit, options.width)), ''];
  });
  return `${blocks.join('\n').trimEnd()}\n`;
}

function hitLines(hit: LogHit, width: number): readonly string[] {
  const times =
    hit.first === '' ? '' : hit.first === hit.last ? `  at ${hit.last}` : `  from ${hit.first} to ${hit.last}`;
  const source = hit.source ? `  ${hit.source}` : '';
  const rules = hit.rules.map(rule => `thanos-doctor explain ${rule}`);
  return [
    '',
    ...wrap(hit.means, width - 2).map(line => `  ${line}`),
    `    ${hit.signature}  ×${hit.count}${times}${source}`,
    `    ${oneLine(sweepText(hit.sample)).slice(0, Math.max(40, width * 2))}`,
    ...rules.slice(0, 3).map(rule => `    ${rule}`),
  ];
}
