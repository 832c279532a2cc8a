import { type Gap, GapSignal, gapOf } from '../model/gap.ts';

/** A mistake of a rule that only shows when it is judged. It reaches the reader as a gap that is said to be ours. */
export class Mistake extends Error {
  constructor(message: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}

/** What an operator was given does not suit it: a gap where one of the values is not known, or else a mistake of the rule. */
export function misfit(what: string, ...values: readonly unknown[]): Error {
  for (const value of values) {
    const gap = gapOf(value);
    if (gap) return new GapSignal(gap);
  }
  return new Mistake(`no such overload: ${what} of ${values.map(kindOf).join(' and ')}`);
}

/**
 * Of two reasons why something is not known the first, unless that is only something that nobody asked for: what was tried
 * and failed is never hidden behind it.
 */
export function weightier(first: unknown, second: unknown): unknown {
  if (first === undefined) return second;
  if (second === undefined) return first;
  return wasNotAsked(first) && !wasNotAsked(second) ? second : first;
}

function wasNotAsked(error: unknown): boolean {
  return error instanceof GapSignal && error.gap.notLookedAt;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a record';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'nothing';
}

/** The elements of a list, or the names of a map. */
export function elementsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null) return Object.keys(value);
  throw misfit('the elements', value);
}

/** Whether two values are equal; nothing of JavaScript's identity but for texts, numbers and truth. */
export function equal(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' && typeof right !== 'object') return left === right;
  return equalRecords(left, right);
}

function equalRecords(left: unknown, right: unknown): boolean {
  const gap = gapOf(left) ?? gapOf(right);
  if (gap) throw new GapSignal(gap);
  if (typeof left !== typeof right || left === null || right === null || Array.isArray(left) !== Array.isArray(right)) {
    return left === right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const part = firstGap(left) ?? firstGap(right);
    if (part) throw new GapSignal(part);
    return left.length === right.length && left.every((element, index) => equal(element, right[index]));
  }
  type Fields = Readonly<Record<string, unknown>>;
  const names = Object.keys(left as Fields);
  return (
    names.length === Object.keys(right as Fields).length &&
    names.every(name => Object.hasOwn(right as Fields, name) && equal((left as Fields)[name], (right as Fields)[name]))
  );
}

/** Whether an element is there. Where it is not found and a part of the list is not known, neither is the answer. */
export function contains(container: unknown, wanted: unknown): boolean {
  if (!Array.isArray(container)) {
    if (typeof container !== 'object' || container === null || typeof wanted !== 'string') {
      throw misfit('"in"', wanted, container);
    }
    return Object.hasOwn(container, wanted);
  }
  let gap: Gap | undefined;
  for (const element of container) {
    if (typeof element !== 'object') {
      if (element === wanted) return true;
      continue;
    }
    gap ??= gapOf(element);
    if (!gapOf(element) && equal(element, wanted)) return true;
  }
  if (gap) throw new GapSignal(gap);
  return false;
}

export type Order = '<' | '<=' | '>' | '>=';

export function compares(order: Order, left: unknown, right: unknown): boolean {
  const fit =
    typeof left === typeof right && (typeof left === 'number' || typeof left === 'string' || typeof left === 'boolean');
  if (!fit) throw misfit(`"${order}"`, left, right);
  const [a, b] = [left as number, right as number];
  return order === '<' ? a < b : order === '<=' ? a <= b : order === '>' ? a > b : a >= b;
}

export type Arithmetic = '+' | '-' | '*' | '/' | '%';

export function calculate(operator: Arithmetic, left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return calculateNumbers(operator, left, right);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  }
  throw misfit(`"${operator}"`, left, right);
}

function calculateNumbers(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      if (right === 0) throw new Mistake('division by zero');
      return operator === '/' ? left / right : left % right;
  }
}

/** Names that every object or list of JavaScript answers to: of these it has to be asked whether they are its own. */
const inherited = (name: string) => name in Array.prototype;

/** A field of a record. Reading one of something that is not known throws its gap. */
export function fieldOf(record: unknown, name: string): unknown {
  const value = (record as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  if (value === undefined || typeof record !== 'object') throw new Mistake(`No such key: ${name}`);
  return value;
}

/** How a field of that name is read. */
export function fieldReader(name: string): (record: unknown, name: string) => unknown {
  return inherited(name) ? ownField : fieldOf;
}

function ownField(record: unknown, name: string): unknown {
  const value = fieldOf(record, name);
  if (Array.isArray(record) || !Object.hasOwn(record as object, name)) throw new Mistake(`No such key: ${name}`);
  return value;
}

/** An element of a list, or of a map by its name. Which one has a place behind a part that is not known, is not known. */
export function elementAt(container: unknown, place: unknown): unknown {
  if (Array.isArray(container)) {
    if (typeof place !== 'number') throw misfit('"[]"', container, place);
    for (let before = 0; before < Math.min(place, container.length); before += 1) {
      const gap = gapOf(container[before]);
      if (gap) throw new GapSignal(gap);
    }
    const element = container[place];
    if (element !== undefined) return element;
    const why = place < 0 ? '< 0' : `>= size ${container.length}`;
    throw new Mistake(`No such key: index out of bounds, index ${place} ${why}`);
  }
  if (typeof place !== 'string') throw misfit('"[]"', container, place);
  return ownField(container, place);
}

/** The gap of the first part of a list that is not known; undefined where all of it is known. */
export function firstGap(list: readonly unknown[]): Gap | undefined {
  if (list.length < LONG) return findGap(list);
  let found = longLists.get(list);
  if (found === undefined) {
    found = findGap(list) ?? null;
    longLists.set(list, found);
  }
  return found ?? undefined;
}

function findGap(list: readonly unknown[]): Gap | undefined {
  for (const element of list) {
    const gap = gapOf(element);
    if (gap) return gap;
  }
  return undefined;
}

/** From here on it is remembered of a list: every row may ask for the size of all pods. */
const LONG = 64;
const longLists = new WeakMap<readonly unknown[], Gap | null>();
