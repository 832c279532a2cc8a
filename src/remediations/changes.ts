import type { Change, Json } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';

type Path = readonly (string | number)[];

/** Stands in a step for the time at which the plan is applied. */
export const TIME = '{{time}}';
/** The same in seconds since the epoch. */
export const SECONDS = '{{seconds}}';
/** Stands in a step for the plan's id. */
export const PLAN = '{{plan}}';
/** Stands in a step for the id of the run that does it: of the undo, where the step is one of an undo. */
export const RUN = '{{run}}';

/** What stands at a path; undefined where there is nothing. */
export function valueAt(object: RawObject, path: Path): Json | undefined {
  let value: RawObject = object;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = value[part];
  }
  return value === null ? undefined : value;
}

/** Deep equality of JSON; the order of fields does not matter. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted fields: equal values give equal text. Fields that are undefined are left out. */
export function canonical(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** Whether the object is as it was before, as it is to be, or neither. */
export function stateOf(object: RawObject, changes: readonly Change[]): 'before' | 'after' | 'neither' {
  if (changes.every(change => same(valueAt(object, change.path), change.after))) return 'after';
  if (changes.every(change => same(valueAt(object, change.path), change.before))) return 'before';
  return 'neither';
}

/** The same changes backwards. */
export function backwards(changes: readonly Change[]): readonly Change[] {
  return [...changes].reverse().map(({ path, before, after }) => ({
    path,
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  }));
}

/** Whether a merge patch says all of it: no path leads into a list. */
export function fitsMergePatch(changes: readonly Change[]): boolean {
  return changes.every(change => change.path.every(part => typeof part === 'string'));
}

/** The changes as a JSON merge patch. */
export function mergePatchOf(changes: readonly Change[]): RawObject {
  const patch: RawObject = {};
  for (const { path, after } of changes) {
    let place = patch;
    for (const part of path.slice(0, -1)) {
      place[part] ??= {};
      place = place[part];
    }
    place[path.at(-1)!] = after === undefined ? null : after;
  }
  return patch;
}

/** The changes as a JSON patch, with a test of the old value before each. Missing parents are added. */
export function jsonPatchOf(object: RawObject, changes: readonly Change[]): readonly RawObject[] {
  const operations: RawObject[] = [];
  const added = new Set<string>();
  for (const { path, before, after } of changes) {
    const pointer = pointerOf(path);
    if (before !== undefined) operations.push({ op: 'test', path: pointer, value: before });
    if (after === undefined) {
      operations.push({ op: 'remove', path: pointer });
      continue;
    }
    for (let length = 1; length < path.length; length += 1) {
      const parent = path.slice(0, length);
      const key = pointerOf(parent);
      if (valueAt(object, parent) !== undefined || added.has(key)) continue;
      operations.push({ op: 'add', path: key, value: typeof path[length] === 'number' ? [] : {} });
      added.add(key);
    }
    operations.push({ op: before === undefined ? 'add' : 'replace', path: pointer, value: after });
  }
  return operations;
}

function pointerOf(path: Path): string {
  return path.map(part => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
/** A step's data with the time and the id of its plan filled in. */
export function filledIn<Value>(value: Value, time: string, plan: string, run = RUN): Value {
  const seconds = String(Math.floor(Date.parse(time) / 1000));
  const text = JSON.stringify(value)
    .replaceAll(TIME, time)
    .replaceAll(PLAN, plan)
    .replaceAll(RUN, run)
    .replaceAll(SECONDS, seconds);
  return JSON.parse(text) as Value;
}

/** `spec.retention: 2h → 6h` as two lines, for people. */
export function diffOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(({ path, before, after }) => {
    const name = path.join('.');
    return [
      ...(before === undefined ? [] : [`- ${name}: ${shown(before)}`]),
      ...(after === undefined ? [] : [`+ ${name}: ${shown(after)}`]),
    ];
  });
}

function shown(value: Json): string {
  if (value === TIME) return '(the time of the change)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Paths at which two objects differ, apart from what the API server keeps itself. */
export function differences(a: RawObject, b: RawObject): readonly string[] {
  const found: string[] = [];
  compare(withoutOwn(a), withoutOwn(b), [], found);
  return found;
}

/** The API server counts in it how often the template of a DaemonSet changed. */
const DAEMONSET_GENERATION = 'deprecated.daemonset.template.generation';

function withoutOwn(object: RawObject): RawObject {
  const { status: _status, apiVersion: _version, kind: _kind, ...rest } = object ?? {};
  const {
    managedFields: _fields,
    resourceVersion: _resource,
    generation: _generation,
    annotations = {},
    ...metadata
  } = rest.metadata ?? {};
  const { [DAEMONSET_GENERATION]: _counted, ...own } = annotations;
  return { ...rest, metadata: { ...metadata, annotations: own } };
}

function compare(a: unknown, b: unknown, path: Path, found: string[]): void {
  if (same(a, b)) return;
  const isList = Array.isArray(a);
  const isInside = (value: unknown) => typeof value === 'object' && value !== null && Array.isArray(value) === isList;
  if (!isInside(a) || !isInside(b)) {
    found.push(path.join('.'));
    return;
  }
  const [left, right] = [a as RawObject, b as RawObject];
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    compare(left[key], right[key], [...path, key], found);
  }
}
