import type { ASTNode } from '@marcbachmann/cel-js';

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

interface Group {
  readonly elements: unknown[];
  readonly places: number[];
}

interface Index {
  /** Elements by the text that stands at the path. */
  readonly matching: ReadonlyMap<string, Group>;
  /** Elements of which it is not known, or that hold no text there. */
  readonly open: Group;
}

const NOTHING: readonly unknown[] = [];
const indexes = new WeakMap<readonly unknown[], Map<string, Index>>();

/** The elements whose text at `path` is the wanted one, and those that might be; in their order. */
export function narrowed(list: readonly unknown[], path: readonly string[], wanted: unknown): readonly unknown[] {
  if (typeof wanted !== 'string' || list.length < SHORTEST_INDEXED) return list;
  const { matching, open } = indexFor(list, path);
  const group = matching.get(wanted);
  if (open.places.length === 0) return group?.elements ?? NOTHING;
  const places = [...(group?.places ?? []), ...open.places].sort((a, b) => a - b);
  return places.map(place => list[place]);
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
  const matching = new Map<string, Group>();
  const open: Group = { elements: [], places: [] };
  list.forEach((element, place) => {
    const text = valueAt(element, path);
    let group = typeof text === 'string' ? matching.get(text) : open;
    if (!group) {
      group = { elements: [], places: [] };
      matching.set(text as string, group);
    }
    group.elements.push(element);
    group.places.push(place);
  });
  return { matching, open };
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
