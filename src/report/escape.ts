import { cap, LINE_CAP, oneLine } from './clean.ts';
import { wrap } from './wrap.ts';

/** A code block that nothing in it can end: its fence is longer than any run of back-ticks inside. */
export function fence(text: string, language: 'sh' | 'text'): readonly string[] {
  const content = withoutLongRuns(text, LONGEST_RUN_IN_BLOCK);
  const lines = content.split('\n').map(line => cap(line));
  const ticks = '`'.repeat(Math.max(3, longestRun(content) + 1));
  return [`${ticks}${language}`, ...lines, ticks];
}

/** A code span on one line of at most so many characters; '' for nothing. */
export function code(text: string, length: number = PROSE_CAP): string {
  return within(text, length, codeSpan);
}

/** A code span in a table's cell. Parsers differ about `\|` in code, so such a text is written with entities. */
export function cellCode(text: string, length: number): string {
  return within(text, length, codeInCell);
}

/**
 * One line of prose. What stands between back-ticks, and every word that Markdown, HTML, GitHub or GitLab could take for
 * something else (a mention, a link, emphasis, a formula), becomes a code span; so nothing needs to be escaped, and
 * names can be copied.
 */
export function prose(text: string, length: number = PROSE_CAP): string {
  return within(text, length, content => inline(content, codeSpan));
}

/** The same in a table's cell. */
export function cell(text: string, length: number): string {
  return within(text, length, content => inline(content, codeInCell));
}

/** Prose on as many lines as it takes, none of them longer than the cap. */
export function proseLines(text: string): readonly string[] {
  return wrap(text, PROSE_CAP).flatMap(line => {
    const escaped = inline(line, codeSpan);
    return escaped.length <= PROSE_CAP ? [escaped] : wrap(line, PROSE_CAP / 4).map(part => prose(part));
  });
}

const PROSE_CAP = LINE_CAP - 20;
const LONGEST_RUN = 8;
const LONGEST_RUN_IN_BLOCK = 80;

/** The escaped text; of a long one as much as keeps it within the length. */
function within(text: string, length: number, escaping: (content: string) => string): string {
  const line = withoutLongRuns(oneLine(text), LONGEST_RUN);
  for (let room = length; room > 0; room = Math.floor(room * 0.7)) {
    const escaped = escaping(shortened(line, room));
    if (escaped.length <= length) return escaped;
  }
  return '…';
}

/** Short cells say only that there was more; how much more would take the room. */
function shortened(text: string, room: number): string {
  if (room >= 120) return cap(text, room);
  return text.length <= room ? text : `${cap(text.slice(0, Math.max(1, room - 1)), room)}…`;
}

/** No text needs many back-ticks in a row, and a fence must be longer than they are. */
function withoutLongRuns(text: string, longest: number): string {
  return text.includes('`'.repeat(longest)) ? text.replace(new RegExp(`(\`{${longest}})\`+`, 'g'), '$1…') : text;
}

/** A line must not begin with three back-ticks, or it could be taken for a fence: then entities. */
function codeSpan(content: string): string {
  if (content === '') return '';
  if (content.includes('``')) return `<code>${entities(content)}</code>`;
  const ticks = '`'.repeat(longestRun(content) + 1);
  const space = content.startsWith('`') || content.endsWith('`') ? ' ' : '';
  return `${ticks}${space}${content}${space}${ticks}`;
}

function codeInCell(content: string): string {
  return /[|\\`]/.test(content) ? `<code>${entities(content)}</code>` : codeSpan(content);
}

/**
 * Quoted text with its punctuation, a word, or a blank. Blanks alone divide: two code spans that touch would be one.
 */
const PART = /([("']*)`([^`]+)`([)"'.,;:?!]*)(?=\s|$)|\S+|\s+/g;
const PLAIN_WORD = /^[\p{L}\p{N}\p{M}.,;:'"()%+=?!×…–→°-]+$/u;
const REFERENCE = /[!%]\w|:[a-z+][\w+-]*:|www\.|^GH-\d/i;
const LEADING_MARK = /^([-+=:]+|\d+[.)])(?=\s|$)/;

function inline(line: string, quote: (content: string) => string): string {
  const escaped = line.replace(PART, (part: string, before?: string, quoted?: string, after?: string) => {
    if (quoted !== undefined && quoted.trim() !== '') return `${before}${quote(quoted)}${after}`;
    if (/^\s+$/.test(part)) return ' ';
    return isPlain(part) ? part : quotedWord(part, quote);
  });
  return escaped.replace(LEADING_MARK, mark => `${mark.slice(0, -1)}\\${mark.slice(-1)}`);
}

function isPlain(word: string): boolean {
  return PLAIN_WORD.test(word) && !REFERENCE.test(word);
}

/** The word as code, the punctuation around it outside. */
function quotedWord(word: string, quote: (content: string) => string): string {
  const [, before = '', name = '', after = ''] = /^([("']*)(.*?)([)"'.,;:?!]*)$/.exec(word) ?? [];
  return name === '' ? quote(word) : `${before}${quote(name)}${after}`;
}

function entities(text: string): string {
  return text.replace(/[^\p{L}\p{N} ,=-]/gu, character => `&#${character.codePointAt(0)};`);
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}
