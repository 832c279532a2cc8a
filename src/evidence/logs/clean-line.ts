/** Characters of a log line that a report quotes. */
export const SAMPLE_LENGTH = 600;

const MASK = '[redacted]';

/** Terminal sequences first, whole; then control characters and those that turn the direction of writing. */
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const NAMES =
  'secret[_-]?(?:access[_-]?)?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|api[_-]?key|private[_-]?key|client[_-]?secret|password|passwd|passphrase|token|x-amz-(?:signature|credential|security-token)|awsaccesskeyid|sig(?:nature)?';

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*/g, MASK],
  [/(:\/\/)[^\s/"'<>@]{1,256}@/g, `$1${MASK}@`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MASK],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[baprs]-[\w-]{10,})/g, MASK],
  [/(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/-]+/g, `$1${MASK}`],
  [/(\/bot)\d{6,}:[\w-]{20,}/g, `$1${MASK}`],
  [/(\b(?:bearer|basic)\s+)(?=[a-z]{0,64}[A-Z0-9+/=_~])[\w+/=.~-]{8,}/gi, `$1${MASK}`],
  [
    new RegExp(
      `((?<![\\w])(?:[\\w-]{0,40}[_-])?(?:${NAMES})\\\\?["']?\\s?[=:]\\s?)(?!\\[redacted)(\\\\?["']?)[^\\s"'&\\\\,;})\\]]{4,}`,
      'gi',
    ),
    `$1$2${MASK}`,
  ],
];

/** A line as it may be shown: no control characters, no credentials, at most `SAMPLE_LENGTH` characters. */
export function cleanLine(line: string): string {
  // A credential that is cut in two is no longer recognised: redact first, on a bounded piece.
  const text = redacted(
    line
      .slice(0, SAMPLE_LENGTH * 4)
      .replace(TERMINAL, '')
      .replace(CONTROL, ' '),
  ).trim();
  if (text.length <= SAMPLE_LENGTH) return text;
  const cut = text.slice(0, SAMPLE_LENGTH - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

function redacted(text: string): string {
  let result = text;
  for (const [pattern, replacement] of SECRETS) result = result.replace(pattern, replacement);
  return result;
}
