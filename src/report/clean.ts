/** No log line, and no cell of a table, is longer than this in a report that a person reads. */
export const LINE_CAP = 400;

/** The parts of a C1 or 7-bit string sequence: DCS, SOS, OSC, PM and APC carry a payload that a terminal would obey. */
const STRING_SEQUENCE =
  /(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)/g;
const CONTROL_SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
const ESCAPE_SEQUENCE = /\u001b[ -/]*[0-Z\\-~]/g;

/** What may not be printed as it is: controls, bidirectional overrides, invisible characters, other line separators. */
const UNPRINTABLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const SUSPICIOUS = new RegExp(UNPRINTABLE.source);

/**
 * Text that nothing can be hidden in: terminal sequences are removed, carriage returns before a line end too, and every
 * other control or invisible character is printed as `\uXXXX`. Line feeds and tabs stay.
 */
export function clean(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return text
    .replace(STRING_SEQUENCE, '')
    .replace(CONTROL_SEQUENCE, '')
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/\r+(?=\n|$)/g, '')
    .replace(UNPRINTABLE, escapeCharacter);
}

/** The same on one line: line feeds and tabs become blanks. */
export function oneLine(text: string): string {
  const cleaned = clean(text);
  return /[\n\t]/.test(cleaned) ? cleaned.replace(/\s*\n\s*|\t/g, ' ').trim() : cleaned.trim();
}

/** At most `cap` characters, and how many were left out. */
export function cap(text: string, length: number = LINE_CAP): string {
  if (text.length <= length) return text;
  const room = Math.max(1, length - 30);
  const kept = withoutHalfPair(text.slice(0, room));
  return `${kept}… (${text.length - kept.length} more characters)`;
}

/** `\uXXXX` of each character that is not printable ASCII, so that nothing is lost where the locale is not UTF-8. */
export function toAscii(text: string): string {
  if (!/[^\n\t\u0020-\u007e\u001b]/.test(text)) return text;
  return text.replace(/[^\n\t\u0020-\u007e\u001b]/g, character => PLAIN[character] ?? escapeCharacter(character));
}

const PLAIN: Readonly<Record<string, string>> = {
  '…': '...',
  '×': 'x',
  '·': '-',
  '→': '->',
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '≥': '>=',
  '≤': '<=',
  ' ': ' ',
};

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function withoutHalfPair(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}
