import { hash } from 'node:crypto';
import type { RawObject } from '../model/source.ts';

/** Distinct values that are remembered; past them, all are forgotten. */
const LIMIT = 50_000;
/** Characters; a longer text is told from others by its digest, which is shorter to keep. */
const LONGEST_KEY = 64;

const made = new Map<string, unknown>();

/**
 * Makes each distinct value once: the pods of a workload, and its template, have the same containers, volumes and
 * variables, and thousands of pods are kept in the room of a few hundred. `text` is all that the value is made of.
 */
function interned<Value>(text: string, make: () => Value): Value {
  const key = text.length > LONGEST_KEY ? hash('sha256', text, 'base64') : text;
  const known = made.get(key);
  if (known !== undefined) return known as Value;
  const value = make();
  if (made.size >= LIMIT) made.clear();
  made.set(key, value);
  return value;
}

/** The name of a pod's token volume, of which only the ending is its own. */
const TOKEN_VOLUME = /\bkube-api-access-[a-z0-9]{5}\b/g;

/**
 * A conversion of parts of objects that siblings have alike, made once for all of them, with one name for every token
 * volume. `from` is what else the value is made of.
 */
export function ofSiblings<Value>(
  convert: (raw: RawObject, from: string) => Value,
): (raw: RawObject, from?: string) => Value {
  /** What a source gives as one and the same object needs no second look. */
  const known = new WeakMap<object, { readonly from: string; readonly value: Value }>();
  conversions += 1;
  const id = conversions;
  return (raw, from = '') => {
    if (typeof raw !== 'object' || raw === null) return convert(raw, from);
    const before = known.get(raw);
    if (before && before.from === from) return before.value;
    const json = JSON.stringify(raw).replaceAll(TOKEN_VOLUME, 'kube-api-access');
    const value = interned(`${id} ${from} ${json}`, () => convert(JSON.parse(json), from));
    known.set(raw, { from, value });
    return value;
  };
}

let conversions = 0;
