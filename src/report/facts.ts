import type { FactValue } from '../model/finding.ts';
import { oneLine } from './clean.ts';
import { type Clock, isTimestamp } from './times.ts';

/** How many elements of a list are written before "and n more". */
const LIST_ROOM = 8;

/** One fact on one line: lists joined, records as `name: value`, moments with their age. */
export function factText(value: FactValue, clock: Clock, now: string): string {
  if (typeof value === 'string') return isTimestamp(value) ? clock.since(value, now) : oneLine(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isList(value)) return listText(value.map(element => factText(element, clock, now)));
  return Object.entries(value)
    .map(([name, inner]) => `${oneLine(name)}: ${factText(inner, clock, now)}`)
    .join(', ');
}

/** `a, b, c and 4 more`; `none` for an empty list. */
function listText(elements: readonly string[], room: number = LIST_ROOM): string {
  if (elements.length === 0) return 'none';
  if (elements.length <= room) return elements.join(', ');
  return `${elements.slice(0, room).join(', ')} and ${elements.length - room} more`;
}

function isList(value: FactValue): value is readonly FactValue[] {
  return Array.isArray(value);
}
