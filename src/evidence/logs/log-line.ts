/** A line of a log, taken apart as far as every program's lines can be. */
export interface LogLine {
  /** What the program wrote: without the API's timestamp, without the line end. */
  readonly text: string;
  /** RFC 3339, UTC; '' where the line has no timestamp of the API's. */
  readonly time: string;
}

const API_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2}) /;

/** Decodes a line (bytes that are no UTF-8 become U+FFFD) and cuts off the timestamp that the API wrote before it. */
export function logLine(bytes: Uint8Array): LogLine {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return withoutApiTime(whole.endsWith('\r') ? whole.slice(0, -1) : whole);
}

export function withoutApiTime(whole: string): LogLine {
  const match = API_TIME.exec(whole);
  if (!match) return { text: whole, time: '' };
  return { text: whole.slice(match[0].length), time: inUtc(match[1]!, match[2]!) };
}

/** Some container runtimes write local time with an offset; a time that does not exist is no time. */
function inUtc(local: string, zone: string): string {
  if (zone === 'Z') return Number.isNaN(Date.parse(`${local}Z`)) ? '' : `${local}Z`;
  const moment = Date.parse(`${local.replace(/\.\d+$/, '')}${zone}`);
  if (Number.isNaN(moment)) return '';
  return new Date(moment).toISOString().replace('.000Z', `${/\.\d+$/.exec(local)?.[0] ?? ''}Z`);
}

const OWN_TIME =
  /(?:^|[\s{,])(?:ts|time|t|"ts"|"time"|"t"|"@timestamp")\s?[=:]\s?"?(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2})/;

/** The time that the program itself wrote into its line (logfmt and JSON); '' where it wrote none. */
export function ownTime(text: string): string {
  const match = OWN_TIME.exec(text.slice(0, 2000));
  return match ? inUtc(match[1]!, match[2]!) : '';
}

/** Lowest first. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

const KLOG = /^([IWEF])\d{4} \d{2}:\d{2}:\d{2}/;
const KLOG_LEVELS: Readonly<Record<string, Level>> = { I: 'info', W: 'warn', E: 'error', F: 'error' };
/** `level=warn`, `"level":"warn"`, `[WARN]`, Python's `WARNING:root:` and ` - WARNING - `. */
const WRITTEN =
  /(?:^|[\s{,])"?(?:level|lvl|severity)"?\s?[=:]\s?"?([A-Za-z]+)|^\s*(?:\S+ ){0,2}\[([A-Z]+)\]|^([A-Z]+):[\w.]+:|\s-\s(DEBUG|INFO|WARNING|ERROR|CRITICAL)\s-\s/;
const NAMES: Readonly<Record<string, Level>> = {
  trace: 'debug',
  debug: 'debug',
  dbug: 'debug',
  info: 'info',
  information: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  eror: 'error',
  error: 'error',
  err: 'error',
  fatal: 'error',
  critical: 'error',
  crit: 'error',
  panic: 'error',
  dpanic: 'error',
  emerg: 'error',
  alert: 'error',
};

/** How grave the program called its line; '' where it does not say. */
export function levelOf(text: string): Level | '' {
  const klog = KLOG.exec(text);
  if (klog) return KLOG_LEVELS[klog[1]!]!;
  const written = WRITTEN.exec(text.length > 4000 ? text.slice(0, 4000) : text);
  // JSON of some programs has the level at its end.
  const found = written ?? (text.length > 4000 ? WRITTEN.exec(text.slice(-200)) : null);
  const name = found?.[1] ?? found?.[2] ?? found?.[3] ?? found?.[4] ?? '';
  return NAMES[name.toLowerCase()] ?? '';
}

/** Whether a line of that level passes; one whose level cannot be read does. */
export function atLeastLevel(level: Level | '', lowest: Level | ''): boolean {
  return level === '' || lowest === '' || LEVELS.indexOf(level) >= LEVELS.indexOf(lowest);
}
