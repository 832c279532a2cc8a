import type { FormatOptions } from '../model/report.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Shows moments in one zone, beside their age. All times are RFC 3339 in, text out; '' where there is no time. */
export interface Clock {
  /** Name of the zone, to be said once. */
  readonly zone: string;
  /** `2026-11-23 08:12`. */
  day(time: string): string;
  /** `08:12`, and the day before it where it is not the day of `now`. */
  moment(time: string, now: string): string;
  /** `08:12:52`, and the day before it where it is not the day of `now`. */
  second(time: string, now: string): string;
  /** `07:58 (4 h 14 min)`. */
  since(time: string, now: string): string;
}

/** Local times on a terminal, UTC in files. */
export function clockFor(options: FormatOptions): Clock {
  const parts = options.terminal ? partsIn(options.timeZone) : undefined;
  const zone = parts ? options.timeZone : 'UTC';
  const split = parts ?? utcParts;
  const show = (time: string, now: string, length: number) => {
    const there = split(Date.parse(time));
    if (there === undefined) return '';
    const clock = there.time.slice(0, length);
    return split(Date.parse(now))?.date === there.date ? clock : `${there.date} ${clock}`;
  };
  return {
    zone,
    day: time => {
      const there = split(Date.parse(time));
      return there ? `${there.date} ${there.time.slice(0, 5)}` : '';
    },
    moment: (time, now) => show(time, now, 5),
    second: (time, now) => show(time, now, 8),
    since: (time, now) => {
      const moment = show(time, now, 5);
      const seconds = secondsBetween(time, now);
      return moment === '' ? '' : `${moment} (${seconds === undefined ? 'age not known' : ageText(seconds)})`;
    },
  };
}

/** `35 s`, `12 min`, `4 h 14 min`, `3 d 4 h`. Seconds in. */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return twoUnits(whole, HOUR, 'h', MINUTE, 'min');
  return twoUnits(whole, DAY, 'd', HOUR, 'h');
}

/** Seconds from the one to the other, or undefined where one of them is no time. */
function secondsBetween(from: string, to: string): number | undefined {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}

const TIMESTAMP = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)/g;

/** Prose with the timestamps in it shown as the rest of the report shows them. Not for commands and log lines. */
export function withShownTimes(text: string, clock: Clock, now: string): string {
  return text.includes('T') ? text.replace(TIMESTAMP, time => clock.moment(time, now) || time) : text;
}

/** Whether the whole text is one timestamp. */
export function isTimestamp(text: string): boolean {
  return new RegExp(`^${TIMESTAMP.source}$`).test(text);
}

function twoUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

interface Parts {
  readonly date: string;
  readonly time: string;
}

function utcParts(milliseconds: number): Parts | undefined {
  if (Number.isNaN(milliseconds)) return undefined;
  const text = new Date(milliseconds).toISOString();
  return { date: text.slice(0, -14), time: text.slice(-13, -5) };
}

function partsIn(timeZone: string): ((milliseconds: number) => Parts | undefined) | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    return milliseconds => {
      if (Number.isNaN(milliseconds)) return undefined;
      const part = Object.fromEntries(format.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
      return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
    };
  } catch {
    return undefined; // A zone that this machine does not know: then UTC, which is named.
  }
}
