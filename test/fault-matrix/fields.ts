import type { HttpAnswer, RawObject, Source } from '../../src/model/source.ts';

/** A field of a raw answer: `items[].spec.replicas`, one name for all elements of a list. */
export type FieldPath = readonly string[];

const EACH = '[]';

/** The value with every field that is read told, by its path. */
export function tracked(value: RawObject, onRead: (path: FieldPath) => void, path: FieldPath = []): RawObject {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name, receiver) {
      const found = Reflect.get(target, name, receiver);
      if (typeof name !== 'string' || typeof found === 'function' || (Array.isArray(target) && name === 'length'))
        return found;
      const inside = [...path, Array.isArray(target) ? EACH : name];
      if (!Array.isArray(target)) onRead(inside);
      return tracked(found, onRead, inside);
    },
  });
}

/** A copy in which the first field of that path is another; where there is none yet, it is put where it would be. */
export function changed(value: RawObject, path: FieldPath, to: (before: unknown) => unknown): RawObject {
  return changedWhere(value, path, to, true) ?? changedWhere(value, path, to, false) ?? value;
}

/** Stands for a field that is taken away. */
export const GONE = Symbol('gone');

function changedWhere(
  value: RawObject,
  path: FieldPath,
  to: (before: unknown) => unknown,
  there: boolean,
): RawObject | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return to(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (name === EACH) {
    if (!Array.isArray(value)) return undefined;
    for (const [index, element] of value.entries()) {
      const copy = changedWhere(element, rest, to, there);
      if (copy !== undefined) return value.with(index, copy);
    }
    return undefined;
  }
  if (Array.isArray(value) || (there && !(name in value))) return undefined;
  const copy = changedWhere(value[name], rest, to, there);
  if (copy === undefined) return undefined;
  const { [name]: _, ...others } = value;
  return copy === GONE ? others : { ...value, [name]: copy };
}

/** What a verb of a source gave, before a collector sees it. */
export type Alter = (read: string, raw: RawObject) => RawObject;

/** The source, with every raw answer altered on its way. */
export function altered(source: Source, alter: Alter): Source {
  const inJson = (read: string, text: string): string => {
    if (!/^\s*[[{]/.test(text)) return text;
    return JSON.stringify(alter(read, JSON.parse(text)));
  };
  return {
    ...source,
    server: async () => alter('server', await source.server()),
    discovery: async () => alter('discovery', await source.discovery()),
    access: async namespaces => alter('access', await source.access(namespaces)),
    async list(group, resource, take) {
      const answer = await source.list(group, resource);
      const items = alter(`list ${group}/${resource}`, { items: answer.items }).items as readonly RawObject[];
      return { ...answer, items: take ? items.map(take) : items };
    },
    async http(request): Promise<HttpAnswer> {
      const answer = await source.http(request);
      return { ...answer, body: inJson(`http ${request.path}`, answer.body) };
    },
    async objectStore(reference) {
      const answer = await source.objectStore(reference);
      return { ...answer, config: alter('objectStore', answer.config) };
    },
    async bucketObject(store, key, listed) {
      const text = await source.bucketObject(store, key, listed);
      return text === null ? null : inJson(`bucketObject ${key.split('/').at(-1)}`, text);
    },
    probe: async endpoint => alter('probe', await source.probe(endpoint)),
  };
}
