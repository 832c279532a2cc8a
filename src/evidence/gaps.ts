import { type Gap, GapSignal, gapElement, gapOf } from '../model/gap.ts';

export { gapElement, gapOf };

/** The elements that are known. Use it where a gap cannot change the answer, and nowhere else. */
export function known<Element>(list: readonly Element[]): readonly Element[] {
  return list.filter(element => gapOf(element) === undefined);
}

/** The gaps in a list, to be passed on to what is derived from it. */
export function gapsIn(list: readonly unknown[]): readonly Gap[] {
  return list.map(gapOf).filter(gap => gap !== undefined);
}

/**
 * Maps what is known and keeps the gap elements where they are, so that "there is no other" stays unknown in what is
 * derived. A mapping that touches a gap becomes a gap element itself.
 */
export function mapKnown<From, To>(list: readonly From[], map: (element: From) => To): readonly To[] {
  return list.map(element => {
    if (gapOf(element) !== undefined) return element as never;
    return orGap(() => map(element));
  });
}

/** The value, or a gap element where computing it touches a gap. */
export function orGap<Value>(compute: () => Value): Value {
  try {
    return compute();
  } catch (error) {
    if (error instanceof GapSignal) return gapElement(error.gap);
    throw error;
  }
}

/** The same for a promise: `await gapped(context.get(…))` never throws a `GapSignal`. */
export async function gapped<Value>(promise: Promise<Value>): Promise<Value> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof GapSignal) return gapElement(error.gap);
    throw error;
  }
}

/**
 * A list that could not be obtained, as a list: empty but for one gap element. `await listOrGap(context.get(pods))`
 * lets a derivation go on with what it has, and whatever depends on the missing list is unknown.
 */
export async function listOrGap<Element>(promise: Promise<readonly Element[]>): Promise<readonly Element[]> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof GapSignal) return [gapElement(error.gap)];
    throw error;
  }
}

/**
 * A record of which some fields are not known: reading one of them throws its gap. The other fields are as given.
 */
export function withUnknownFields<Row extends object>(
  row: Partial<Row>,
  gap: Gap,
  fields: readonly (keyof Row & string)[],
): Row {
  const copy = { ...row };
  for (const field of fields) {
    Object.defineProperty(copy, field, {
      enumerable: true,
      get() {
        throw new GapSignal(gap);
      },
    });
  }
  return copy as Row;
}

/**
 * The first element that is so, or undefined if none is. Throws the gap of an element that is not known and might have
 * been it.
 */
export function findKnown<Element>(list: readonly Element[], isSo: (element: Element) => boolean): Element | undefined {
  const found = known(list).find(isSo);
  const gap = found === undefined ? gapsIn(list)[0] : undefined;
  if (gap) throw new GapSignal(gap);
  return found;
}

/** Rows by a key of theirs, in their order. They must be known. */
export function groupedBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
