import type { Shape, ShapeOf } from '../model/shape.ts';

type Fields = { readonly [field: string]: Shape };

/**
 * Makes rows of one shape out of parts. Every row starts as a copy of one that has all fields already: an object to which
 * dozens of fields are added one by one is kept by V8 as a hash table, at five times the memory.
 */
export function rowsOf<const F extends Fields>(fields: F): (...parts: readonly object[]) => ShapeOf<F> {
  const empty = Object.fromEntries(Object.keys(fields).map(name => [name, null]));
  const template: object = JSON.parse(JSON.stringify(empty));
  return (...parts) => Object.assign({ ...template }, ...parts) as ShapeOf<F>;
}
