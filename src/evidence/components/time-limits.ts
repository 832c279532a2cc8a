import { GapSignal } from '../../model/gap.ts';
import { seconds } from '../quantities.ts';
import { type Flag, flagValue } from './command-line.ts';

/** Milliseconds since the epoch; infinite where the Store Gateway is not limited. */
export interface TimeLimits {
  readonly from: number;
  readonly to: number;
}

/** What `--min-time` and `--max-time` let a Store Gateway serve; `now` in milliseconds. */
export function timeLimits(args: readonly Flag[], now: number): TimeLimits {
  return {
    from: limit(flagValue(args, '--min-time'), now, Number.NEGATIVE_INFINITY),
    to: limit(flagValue(args, '--max-time'), now, Number.POSITIVE_INFINITY),
  };
}

/** Without flags Thanos takes the years 0 and 9999, which are no limit either. */
function limit(value: string, now: number, absent: number): number {
  if (value === '' || value.startsWith('0000-') || value.startsWith('9999-')) return absent;
  const date = Date.parse(value);
  // `-2w` is a date to some parsers: what has a unit at its end is a duration.
  if (!Number.isNaN(date) && !/[a-z]$/.test(value)) return date;
  const sign = value.startsWith('-') ? -1 : 1;
  return now + sign * durationOf(value.replace(/^[+-]/, '')) * 1000;
}

/** A flag that cannot be read as a duration keeps the component from starting: other rules say so. */
function durationOf(value: string): number {
  try {
    return seconds(value);
  } catch (error) {
    if (error instanceof GapSignal) return 0;
    throw error;
  }
}
