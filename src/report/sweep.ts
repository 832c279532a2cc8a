import { cap, clean } from './clean.ts';

/** Longer strings are cut before anything looks at them: no pattern is run over a line of ten megabytes. */
const STRING_CAP = 20_000;
const MASK = '[redacted]';

/**
 * One look that most strings pass. Everything that the patterns below could match contains one of these words.
 */
const GATE =
  /:\/\/[^\s/]{1,256}@|eyJ|AKIA|ASIA|PRIVATE KEY|LS0tLS1CRUdJTi|gh[pousr]_|xox[baprs]-|bearer|basic|authorization|passw|passphrase|pwd|secret|token|key|credential|signature|cookie|hook|telegram|[?&]sig=/i;

/** What is written in place of a credential is no credential; neither are states and placeholders. */
const NO_VALUE =
  '(?![\\\\"\']*(?:\\[redacted\\]|redacted\\b|hmac:|\\*{3}|<[^>]*>|\\$[({A-Z_]|(?:true|false|set|unset|null|none|absent|missing|empty|present|required|not|is|are)\\b))';
const NAMES =
  'secret[_-]?(?:access[_-]?)?key|access[_-]?key(?:[_-]?id)?|(?:account|api|private|encryption|routing|service|integration|signing)[_-]?key|client[_-]key[_-]data|client[_-]?secret|password|passwd|passphrase|pwd|token|x-amz-(?:signature|credential)|(?:set-)?cookie';
const VALUE = '\\\\"[^"\\\\]*\\\\"|"(?:[^"\\\\]|\\\\.)*"|\'[^\']*\'|[^\\s,;&"\'<>}\\]]+';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, MASK],
  [/LS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}/g, MASK],
  [/(:\/\/)[^\s/]{1,256}@/g, `$1${MASK}@`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MASK],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[baprs]-[\w-]{10,})/g, MASK],
  [/(authorization["'\\]*\s*[:=]\s*["'\\]*(?:basic|bearer|negotiate)\s+)(?!\[redacted\])[^"'\s\\]+/gi, `$1${MASK}`],
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+)(?=[a-z]{0,64}[A-Z0-9+/=_~])(?!\[redacted\])[A-Za-z0-9+/=._~-]{8,}/g,
    `$1$2${MASK}`,
  ],
  [/(signature["'\\]*\s*[:=]\s*["'\\]*)[0-9a-f]{32,}/gi, `$1${MASK}`],
  [
    /((?:hooks\.(?:slack|zapier)\.com\/\w+|\/webhooks?(?:b2)?|\/open-apis\/bot\/v2\/hook)\/|telegram\.org\/bot)(?!redacted:|\[redacted\])[^\s"'<>?#\\]{16,}/g,
    `$1${MASK}`,
  ],
  [/([?&]sig=)(?!\[redacted\])[^&\s"']+/gi, `$1${MASK}`],
  [new RegExp(`((?:${NAMES})["'\\\\]*\\s*[:=]\\s*)${NO_VALUE}(?:${VALUE})`, 'gi'), `$1${MASK}`],
];

/** Facts are records; there the name of a credential is a key. */
const SECRET_NAME = new RegExp(`^(?:${NAMES})$`, 'i');
const SECRET_VALUE = new RegExp(`^${NO_VALUE}(?=.)`, 'i');

/** The text cut to a bounded length, without terminal sequences, and with every credential in it replaced. */
export function sweepText(text: string): string {
  const cleaned = clean(cap(text, STRING_CAP));
  if (!GATE.test(cleaned)) return cleaned;
  let swept = cleaned;
  for (const [pattern, replacement] of PATTERNS) swept = swept.replace(pattern, replacement);
  return swept;
}

/**
 * The last line of defence: credentials are kept out where evidence is read, and this looks once more at every string
 * of a report, or of any other answer. Equal strings stay equal, so that ids still lead where they led; sweeping twice
 * changes nothing.
 */
export function sweep<Answer>(answer: Answer): Answer {
  return swept(answer) as Answer;
}

function swept(value: unknown): unknown {
  if (typeof value === 'string') return sweepText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(swept);
  if (typeof value !== 'object' || value === null) return value;
  // fromEntries defines own properties: a key `__proto__` in a fact stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [sweepText(key), sweptOf(key, inner)]));
}

function sweptOf(key: string, value: unknown): unknown {
  if (typeof value === 'string' && SECRET_NAME.test(key) && SECRET_VALUE.test(value)) return MASK;
  return swept(value);
}
