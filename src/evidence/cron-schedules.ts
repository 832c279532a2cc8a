import { seconds } from './quantities.ts';

interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Both are restricted: either is enough, as in every cron. */
  readonly eitherDay: boolean;
}

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const DAY = 86_400_000;
/** A 29th of February that is a certain weekday comes once in 28 years; nobody schedules by that. */
const DAYS_BACK = 366 * 5;

/**
 * The two latest moments (milliseconds since the epoch) at or before `until` at which a CronJob is due, the later one
 * first. `@every` counts from `base`, its last run. Fewer where there are none, and none where the schedule or the time
 * zone cannot be read: an API server refuses such a one.
 */
export function latestTimes(schedule: string, timeZone: string, until: number, base: number): readonly number[] {
  if (schedule.startsWith('@every ')) return everySoOften(seconds(schedule.slice(7).trim()) * 1000, until, base);
  const zone = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(schedule);
  const parsed = parse(zone?.[2] ?? schedule);
  const offset = parsed && offsetIn(zone?.[1] ?? timeZone, until);
  if (!parsed || !offset) return [];
  const found: number[] = [];
  const today = Math.floor((until + offset(until)) / DAY);
  for (let day = today; day > today - DAYS_BACK && found.length < 2; day -= 1) {
    if (isDay(parsed, new Date(day * DAY))) found.push(...timesOf(parsed, day, offset).filter(time => time <= until));
  }
  return found.slice(0, 2);
}

function everySoOften(period: number, until: number, base: number): readonly number[] {
  const runs = period > 0 ? Math.floor((until - base) / period) : 0;
  return [runs, runs - 1].filter(run => run > 0).map(run => base + run * period);
}

/** Moments of one day, the latest first. */
function timesOf({ hours, minutes }: Schedule, day: number, offset: (moment: number) => number): readonly number[] {
  const times = [...hours].flatMap(hour =>
    [...minutes].map(minute => {
      const wall = day * DAY + (hour * 60 + minute) * 60_000;
      const nearly = wall - offset(wall);
      return wall - offset(nearly);
    }),
  );
  return times.sort((first, second) => second - first);
}

function isDay({ days, months, weekdays, eitherDay }: Schedule, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const byDay = days.has(date.getUTCDate());
  const byWeekday = weekdays.has(date.getUTCDay());
  return eitherDay ? byDay || byWeekday : byDay && byWeekday;
}

function parse(schedule: string): Schedule | undefined {
  const words = (MACROS[schedule.trim()] ?? schedule).trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = words;
  const minutes = fieldOf(minute, 0, 59);
  const hours = fieldOf(hour, 0, 23);
  const days = fieldOf(day, 1, 31);
  const months = fieldOf(month, 1, 12, MONTHS, 1);
  const weekdays = fieldOf(weekday, 0, 7, WEEKDAYS);
  if (words.length !== 5 || !minutes || !hours || !days || !months || !weekdays) return undefined;
  const isAny = (word: string) => word.startsWith('*') || word === '?';
  return {
    minutes,
    hours,
    days,
    months,
    weekdays: weekdays.has(7) ? new Set([...weekdays, 0]) : weekdays,
    eitherDay: !isAny(day) && !isAny(weekday),
  };
}

/** The numbers that a field such as `*`, `1-5`, `mon,wed` or `0-30/10` stands for; undefined where it cannot be read. */
function fieldOf(
  field: string,
  lowest: number,
  highest: number,
  names: readonly string[] = [],
  firstName = 0,
): ReadonlySet<number> | undefined {
  const numberOf = (word: string) => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + firstName : /^[0-9]+$/.test(word) ? Number(word) : Number.NaN;
  };
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', stride, ...more] = part.split('/');
    const [start = '', end, ...rest] =
      range === '*' || range === '?' ? [String(lowest), String(highest)] : range.split('-');
    const from = numberOf(start);
    const to = end === undefined ? (stride === undefined ? from : highest) : numberOf(end);
    const step = stride === undefined ? 1 : Number(stride);
    const isSound = more.length === 0 && rest.length === 0 && Number.isInteger(step) && step > 0;
    if (!isSound || !(from >= lowest && from <= to && to <= highest)) return undefined;
    for (let value = from; value <= to; value += step) found.add(value);
  }
  return found;
}

/** How far the clocks of a time zone are ahead of UTC at a moment, in milliseconds; undefined for a zone that nobody knows. */
function offsetIn(timeZone: string, example: number): ((moment: number) => number) | undefined {
  if (timeZone === '' || timeZone === 'UTC' || timeZone === 'Etc/UTC') return () => 0;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const offset = (moment: number) => {
      const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
      const wall = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!);
      return wall - Math.floor(moment / 1000) * 1000;
    };
    offset(example);
    return offset;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
