import type { ASTNode } from './syntax.ts';

/** What an element has to have at `path` to match: a text that stands in the rule, or one of another row. */
export interface Join {
  readonly path: readonly string[];
  readonly wanted: { readonly text: string } | { readonly root: string; readonly path: readonly string[] };
}

/**
 * Rules join lists by equal fields: `pods.exists(p, p.key == c.pod.key && …)`, once for every container. Read as it
 * stands, that looks at every pod for every container. So the list is narrowed first to those of its elements that can
 * match, by an index that is made once for the list. The condition itself stays whole: what is left out can only have been
 * false, and `false && unknown` is false too.
 *
 * Gives the first comparison of a field with one of another row, or else with a text. `isRow` tells which names are rows:
 * any other name might be evidence that would be collected for nothing.
 */
export function joinOf(condition: ASTNode, variable: string, isRow: (name: string) => boolean): Join | undefined {
  let literal: Join | undefined;
  for (const part of conjuncts(condition)) {
    if (part.op !== '==') continue;
    const [left, right] = part.args;
    for (const [own, other] of [[left, right] as const, [right, left] as const]) {
      const path = pathOf(own);
      if (path?.root !== variable || path.path.length === 0) continue;
      if (other.op === 'value' && typeof other.args === 'string') {
        literal ??= { path: path.path, wanted: { text: other.args } };
      }
      const wanted = pathOf(other);
      if (wanted && wanted.root !== variable && isRow(wanted.root)) return { path: path.path, wanted };
    }
  }
  return literal;
}

function conjuncts(node: ASTNode): readonly ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

function pathOf(node: ASTNode): { readonly root: string; readonly path: readonly string[] } | undefined {
  if (node.op === 'id') return { root: node.args, path: [] };
  if (node.op !== '.') return undefined;
  const above = pathOf(node.args[0]);
  return above && { root: above.root, path: [...above.path, node.args[1]] };
}

/** A shorter list is read faster than it is indexed. */
const SHORTEST_INDEXED = 16;

/** Places in a list. In numbers alone: a list in an index for every text took more memory than the rows. */
interface Index {
  /** The first place by the text that stands there at the path. */
  readonly first: ReadonlyMap<string, number>;
  /** The next place with the same text; -1 for none. */
  readonly next: Int32Array;
  /** Places of which it is not known, or that hold no text there. */
  readonly open: readonly number[];
}

const NOTHING: readonly unknown[] = [];
const indexes = new WeakMap<readonly unknown[], Map<string, Index>>();

/** The elements whose text at `path` is the wanted one, and those that might be; in their order. */
export function narrowed(list: readonly unknown[], path: readonly string[], wanted: unknown): readonly unknown[] {
  if (typeof wanted !== 'string' || list.length < SHORTEST_INDEXED) return list;
  const { first, next, open } = indexFor(list, path);
  const start = first.get(wanted) ?? -1;
  if (start < 0 && open.length === 0) return NOTHING;
  const places: number[] = [];
  for (let place = start; place >= 0; place = next[place]!) places.push(place);
  const all = open.length === 0 ? places : [...places, ...open].sort((a, b) => a - b);
  return all.map(place => list[place]);
}

function indexFor(list: readonly unknown[], path: readonly string[]): Index {
  let paths = indexes.get(list);
  if (!paths) {
    paths = new Map();
    indexes.set(list, paths);
  }
  const name = path.length === 1 ? path[0]! : path.join('.');
  let index = paths.get(name);
  if (!index) {
    index = indexOf(list, path);
    paths.set(name, index);
  }
  return index;
}

function indexOf(list: readonly unknown[], path: readonly string[]): Index {
  const first = new Map<string, number>();
  const next = new Int32Array(list.length).fill(-1);
  const open: number[] = [];
  // From the end, so that each text leads from its first place to its last.
  for (let place = list.length - 1; place >= 0; place -= 1) {
    const text = valueAt(list[place], path);
    if (typeof text === 'string') {
      next[place] = first.get(text) ?? -1;
      first.set(text, place);
    } else open.push(place);
  }
  return { first, next, open };
}

/** Undefined where touching it throws a gap, or there is nothing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  try {
    for (const field of path) found = (found as Readonly<Record<string, unknown>>)[field];
  } catch {
    return undefined;
  }
  return found;
}
