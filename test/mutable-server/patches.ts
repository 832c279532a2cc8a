import type { RawObject } from '../../src/model/source.ts';

/** RFC 7386. */
export function merged(target: RawObject, patch: RawObject): RawObject {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** Lists that the API server merges by a key, among the kinds of the tests. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  ports: 'containerPort',
  ownerReferences: 'uid',
};

/** A strategic merge patch, for the lists above. */
export function strategicallyMerged(target: RawObject, patch: RawObject, field = ''): RawObject {
  const key = MERGE_KEYS[field];
  if (Array.isArray(patch) && key && Array.isArray(target)) {
    const rows = target.map(row => patch.find(entry => entry[key] === row[key]) ?? row);
    const kept = rows.map((row, at) => (row === target[at] ? row : strategicallyMerged(target[at], row)));
    return [...kept, ...patch.filter(entry => !target.some(row => row[key] === entry[key]))].filter(
      row => row.$patch !== 'delete',
    );
  }
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = strategicallyMerged(result[name], value, name);
  }
  return result;
}

const ESCAPED_BY_GO = /[<>&\u2028\u2029]/;

/**
 * RFC 6902, as the API server has it: a test compares texts, and in its own one some characters are escaped. Undefined
 * where a test fails or a path leads nowhere.
 */
export function patchedAsText(
  target: RawObject,
  operations: readonly RawObject[],
  text: string,
): RawObject | undefined {
  const isUnescaped = ESCAPED_BY_GO.test(text);
  const fails = operations.some(({ op, value }) => op === 'test' && ESCAPED_BY_GO.test(JSON.stringify(value)));
  return isUnescaped && fails ? undefined : patched(target, operations);
}

function patched(target: RawObject, operations: readonly RawObject[]): RawObject | undefined {
  const result = structuredClone(target);
  for (const { op, path, value } of operations) {
    const parts = String(path)
      .split('/')
      .slice(1)
      .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop()!;
    let place = result;
    for (const part of parts) {
      place = place?.[part];
      if (typeof place !== 'object' || place === null) return undefined;
    }
    if (op === 'test') {
      if (JSON.stringify(sorted(place[last])) !== JSON.stringify(sorted(value))) return undefined;
      continue;
    }
    const exists = Array.isArray(place) ? Number(last) < place.length : last in place;
    if (op !== 'add' && !exists) return undefined;
    if (!Array.isArray(place)) {
      if (op === 'remove') delete place[last];
      else place[last] = value;
      continue;
    }
    if (op === 'remove') place.splice(Number(last), 1);
    else if (op === 'replace') place[Number(last)] = value;
    else place.splice(last === '-' ? place.length : Number(last), 0, value);
  }
  return result;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
