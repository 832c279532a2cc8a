import stringWidth from 'string-width';
import { cap } from './clean.ts';

/** What takes one column a character for certain: ASCII and the signs of our own layout. */
const NARROW = /^[\x20-\x7e\u00a0·→…×├└│─]*$/;

/** Columns that a text takes on a terminal: two for each CJK character. */
export function displayWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text);
}

/** Filled with blanks on the right up to `columns`. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/**
 * Lines of at most `columns`, broken at blanks only. A name, and whatever stands between back-ticks, is never broken:
 * where one is wider than the line, the line is wider. Text in a script without blanks is broken between its characters.
 */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of words(text, columns)) {
    const width = displayWidth(word);
    if (line !== '' && used + 1 + width > columns) {
      lines.push(line);
      line = '';
      used = 0;
    }
    used += width + (line === '' ? 0 : 1);
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** At most `rows` lines; the last one says with `more` that there was more. */
export function wrapTo(text: string, columns: number, rows: number, more: string): readonly string[] {
  const lines = wrap(text, columns);
  if (lines.length <= rows) return lines;
  const last = lines[rows - 1] ?? '';
  const room = columns - displayWidth(more) - 1;
  return [...lines.slice(0, rows - 1), `${wrap(last, room)[0] ?? ''} ${more}`];
}

/** Lines of at most `columns`, broken at blanks where there are any, else anywhere: for quoted log lines only. */
export function chopped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (displayWidth(rest) > columns) {
    const line = headOf(rest, columns) || rest.slice(0, 1);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return rest === '' ? lines : [...lines, rest];
}

/** Begin and end of a text that is too wide, with `more` in place of its middle: an error's cause stands at its end. */
export function withoutMiddle(text: string, columns: number, more: string): string {
  if (displayWidth(text) <= columns) return text;
  const room = Math.max(2, columns - displayWidth(more) - 2);
  const head = headOf(text, Math.floor(room * 0.35));
  const tail = reversed(headOf(reversed(text), room - displayWidth(head)));
  return `${head.trimEnd()} ${more} ${tail.trimStart()}`;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/;
/** Blanks that are no place to break at are part of a word. */
const QUOTED_OR_WORD = /[^ \n\t`]*`[^`\n]{0,200}`[^ \n\t]*|[^ \n\t]+/g;

function words(text: string, columns: number): readonly string[] {
  return (text.match(QUOTED_OR_WORD) ?? []).flatMap(word => {
    const shown = cap(word);
    return WIDE.test(shown) && displayWidth(shown) > columns ? pieces(shown, columns) : [shown];
  });
}

function pieces(word: string, columns: number): readonly string[] {
  const found: string[] = [];
  let piece = '';
  let width = 0;
  for (const character of word) {
    const more = displayWidth(character);
    if (piece !== '' && WIDE.test(character) && width + more > columns) {
      found.push(piece);
      piece = '';
      width = 0;
    }
    piece += character;
    width += more;
  }
  return [...found, piece];
}

/** As many characters as fit, cut at a blank where there is one in the last third. */
function headOf(text: string, columns: number): string {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns) break;
    end += character.length;
  }
  const blank = text.lastIndexOf(' ', end);
  return text.slice(0, blank > end * 0.66 ? blank : end);
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}
