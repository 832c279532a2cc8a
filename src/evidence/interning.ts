import type { RawObject } from '../model/source.ts';

/**
 * A conversion of parts of objects that siblings have alike, made once for all of them: a source gives such parts as one
 * and the same object, so that thousands of pods are kept in the room of a few hundred. `from` is what else the value is
 * made of.
 */
export function ofSiblings<Value>(
  convert: (raw: RawObject, from: string) => Value,
): (raw: RawObject, from?: string) => Value {
  const known = new WeakMap<object, { readonly from: string; readonly value: Value }>();
  return (raw, from = '') => {
    const before = known.get(raw);
    if (before && before.from === from) return before.value;
    const value = convert(raw, from);
    if (typeof raw === 'object' && raw !== null) known.set(raw, { from, value });
    return value;
  };
}

/** Values that are remembered; past them, all are forgotten. */
const LIMIT = 20_000;

/** Keeps each distinct one of small values that thousands of containers have; the key is all that one is made of. */
export function kept<Value>(): (key: string, make: () => Value) => Value {
  const values = new Map<string, Value>();
  return (key, make) => {
    let value = values.get(key);
    if (value === undefined) {
      value = make();
      if (values.size >= LIMIT) values.clear();
      values.set(key, value);
    }
    return value;
  };
}

/** The name of a pod's token volume, of which only the ending is its own: one name stands for all. */
export function volumeName(name: string): string {
  return name.startsWith('kube-api-access-') ? 'kube-api-access' : name;
}
