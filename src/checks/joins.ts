/** What this file looks at of a node of the syntax tree. */
interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
}

/** A list of the scope narrowed to what can match, under a name of its own. */
interface Join {
  readonly name: string;
  readonly list: string;
  readonly path: string;
  readonly wanted: { readonly text: string } | { readonly path: string };
}

/**
 * Rules join lists by equal fields: `pods.exists(p, p.key == c.pod.key && …)`, once for every container. Read as it
 * stands, that looks at every pod for every container. Here the list is narrowed first to those of its elements that can
 * match, by an index that is made once for the list: `narrowed0.exists(p, p.key == c.pod.key && …)`.
 *
 * The condition itself stays whole, so that what is left out can only have been false: `false && unknown` is false too.
 * `row` is the name of what `forEach` iterates. Returns the expression and what makes a scope for it.
 */
export function withIndexedJoins(
  ast: Node,
  text: string,
  row: string,
): { readonly text: string; readonly scope: (scope: object) => object } {
  const joins: (Join & { readonly start: number; readonly end: number })[] = [];

  function visit(node: Node, bound: ReadonlySet<string>): void {
    const macro = macroOf(node);
    if (!macro) {
      for (const child of childrenOf(node)) visit(child, bound);
      return;
    }
    const { name, receiver, variable, condition } = macro;
    if (JOINING.has(name) && typeof receiver.args === 'string' && receiver.op === 'id' && !bound.has(receiver.args)) {
      const join = joinOf(condition, variable, bound.has(row) ? '' : row);
      const { start, end, args: list } = receiver;
      if (join) joins.push({ name: `narrowed${joins.length}`, list, ...join, start, end });
    }
    visit(receiver, bound);
    visit(condition, new Set([...bound, variable]));
  }

  visit(ast, new Set());
  if (joins.length === 0) return { text, scope: scope => scope };
  let output = '';
  let from = 0;
  for (const { name, start, end } of [...joins].sort((a, b) => a.start - b.start)) {
    output += text.slice(from, start) + name;
    from = end;
  }
  return { text: output + text.slice(from), scope: scopes(joins, row) };
}

/** The names of a scope and the narrowed lists. A scope serves many rows, and so does what is made here. */
function scopes(joins: readonly Join[], row: string): (scope: object) => object {
  const made = new WeakMap<object, object>();
  return scope => {
    let extended = made.get(scope);
    if (!extended) {
      const names = scope as Readonly<Record<string, unknown>>;
      const narrowing = joins.map(({ name, list, path, wanted }) => {
        const get = () => {
          const text = 'text' in wanted ? wanted.text : textAt(names[row], wanted.path);
          return narrowed(names[list] as readonly unknown[], path, text);
        };
        return [name, { get, enumerable: true }];
      });
      extended = Object.create(scope, Object.fromEntries(narrowing)) as object;
      made.set(scope, extended);
    }
    return extended;
  };
}

const MACROS = new Set(['exists', 'all', 'filter', 'map', 'exists_one']);
/** Those for which an element that does not match is as good as absent. */
const JOINING = new Set(['exists', 'filter', 'exists_one']);

interface Macro {
  readonly name: string;
  readonly receiver: Node;
  readonly variable: string;
  readonly condition: Node;
}

/** `receiver.name(variable, condition)`; undefined for anything else. */
function macroOf({ op, args }: Node): Macro | undefined {
  if (op !== 'rcall') return undefined;
  const [name, receiver, [variable, condition, ...more]] = args as [string, Node, Node[]];
  if (!MACROS.has(name) || variable?.op !== 'id' || !condition || more.length > 0) return undefined;
  return { name, receiver, variable: variable.args as string, condition };
}

function childrenOf(node: Node): readonly Node[] {
  return [node.args].flat(3).filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value;
}

/** The first comparison of a field with one of the row, or else with a text. */
function joinOf(condition: Node, variable: string, row: string): Pick<Join, 'path' | 'wanted'> | undefined {
  let literal: Pick<Join, 'path' | 'wanted'> | undefined;
  for (const part of conjuncts(condition)) {
    if (part.op !== '==') continue;
    const [left, right] = part.args as [Node, Node];
    for (const [own, other] of [[left, right] as const, [right, left] as const]) {
      const path = pathOf(own);
      if (path?.root !== variable || path.fields === '') continue;
      if (other.op === 'value' && typeof other.args === 'string') {
        literal ??= { path: path.fields, wanted: { text: other.args } };
      }
      const wanted = pathOf(other);
      // Only the row: any other name might be evidence that would be collected for nothing.
      if (wanted && wanted.root === row && row !== variable) {
        return { path: path.fields, wanted: { path: wanted.fields } };
      }
    }
  }
  return literal;
}

function conjuncts(node: Node): readonly Node[] {
  return node.op === '&&' ? (node.args as Node[]).flatMap(conjuncts) : [node];
}

function pathOf({ op, args }: Node): { readonly root: string; readonly fields: string } | undefined {
  if (op === 'id') return { root: args as string, fields: '' };
  if (op !== '.') return undefined;
  const [of, field] = args as [Node, string];
  const above = pathOf(of);
  return above && { root: above.root, fields: above.fields ? `${above.fields}.${field}` : field };
}

/** A shorter list is read faster than it is indexed. */
const SHORTEST_INDEXED = 16;

interface Index {
  /** Places in the list by the text that stands at the path. */
  readonly places: ReadonlyMap<string, readonly number[]>;
  /** Elements of which it is not known, or that hold no text there. */
  readonly open: readonly number[];
}

const indexes = new WeakMap<readonly unknown[], Map<string, Index>>();

/** The elements whose text at `path` is the wanted one, and those that might be; in their order. */
function narrowed(list: readonly unknown[], path: string, wanted: string | undefined): readonly unknown[] {
  if (wanted === undefined || !Array.isArray(list) || list.length < SHORTEST_INDEXED) return list;
  let paths = indexes.get(list);
  if (!paths) {
    paths = new Map();
    indexes.set(list, paths);
  }
  let index = paths.get(path);
  if (!index) {
    index = indexOf(list, path);
    paths.set(path, index);
  }
  const places = index.places.get(wanted) ?? [];
  const all = index.open.length === 0 ? places : [...places, ...index.open].sort((a, b) => a - b);
  return all.map(place => list[place]);
}

function indexOf(list: readonly unknown[], path: string): Index {
  const places = new Map<string, number[]>();
  const open: number[] = [];
  list.forEach((element, place) => {
    const text = textAt(element, path);
    const same = text === undefined ? open : places.get(text);
    if (same) same.push(place);
    else places.set(text!, [place]);
  });
  return { places, open };
}

/** Undefined where it is no text, or touching it throws a gap. */
function textAt(value: unknown, path: string): string | undefined {
  let found = value;
  try {
    if (path !== '') for (const field of path.split('.')) found = (found as Readonly<Record<string, unknown>>)[field];
  } catch {
    return undefined;
  }
  return typeof found === 'string' ? found : undefined;
}
