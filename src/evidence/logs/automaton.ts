/** Width of a row of the transition table: one entry a byte. */
const BYTES = 256;
const LINE_FEED = 10;

/**
 * An Aho-Corasick automaton over bytes, as one flat table. States are premultiplied (a state is the offset of its row),
 * and every state that a caller has to look at, the end of a line included, is `>= attention`: the hot loop is one load,
 * one addition and one comparison a byte.
 */
export interface Automaton {
  readonly table: Int32Array;
  readonly attention: number;
  /** The state after a line feed; matching begins anew on every line. */
  readonly lineEnd: number;
  /** Places, in the list that was given, of the literals that end in a state. */
  literalsAt(state: number): readonly number[];
}

interface Node {
  readonly next: Map<number, Node>;
  readonly literals: number[];
  fail: Node | undefined;
  state: number;
}

function node(): Node {
  return { next: new Map(), literals: [], fail: undefined, state: 0 };
}

/** Builds the automaton of some literals; an empty literal is never found. */
export function buildAutomaton(literals: readonly string[]): Automaton {
  const root = node();
  for (const [index, literal] of literals.entries()) {
    if (literal !== '') insert(root, Buffer.from(literal), index);
  }
  const nodes = linked(root);
  const quiet = nodes.filter(each => each.literals.length === 0);
  const loud = nodes.filter(each => each.literals.length > 0);
  // The root is the first of the quiet ones, so its state is 0; the line end comes between quiet and loud.
  const ordered = [...quiet, undefined, ...loud];
  for (const [row, each] of ordered.entries()) {
    if (each) each.state = row * BYTES;
  }
  const lineEnd = quiet.length * BYTES;
  const table = new Int32Array(ordered.length * BYTES);
  for (const each of nodes) fillRow(table, each);
  table.copyWithin(lineEnd, 0, BYTES);
  for (let row = 0; row < table.length; row += BYTES) table[row + LINE_FEED] = lineEnd;
  return { table, attention: lineEnd, lineEnd, literalsAt: state => ordered[state / BYTES]?.literals ?? [] };
}

function insert(root: Node, bytes: Uint8Array, index: number): void {
  let at = root;
  for (const byte of bytes) {
    let next = at.next.get(byte);
    if (!next) {
      next = node();
      at.next.set(byte, next);
    }
    at = next;
  }
  at.literals.push(index);
}

/** All nodes in order of depth, with failure links set and the literals of shorter suffixes added. */
function linked(root: Node): readonly Node[] {
  const nodes = [root];
  for (const at of nodes) {
    for (const [byte, next] of at.next) {
      next.fail = at === root ? root : follow(at.fail!, byte, root);
      next.literals.push(...next.fail.literals);
      nodes.push(next);
    }
  }
  return nodes;
}

function follow(from: Node, byte: number, root: Node): Node {
  for (let at: Node | undefined = from; at; at = at.fail) {
    const next = at.next.get(byte);
    if (next) return next;
  }
  return root;
}

/** The row of a node is that of its failure link, overwritten by its own edges; rows are filled in order of depth. */
function fillRow(table: Int32Array, at: Node): void {
  if (at.fail) table.copyWithin(at.state, at.fail.state, at.fail.state + BYTES);
  for (const [byte, next] of at.next) table[at.state + byte] = next.state;
}

/** Where `advance` stopped: module state instead of a returned object, for no allocation a line. */
export const stopped = { state: 0 };

/**
 * Runs the automaton over `bytes` from `from`, and stops behind the first byte that needs attention. Returns the place of
 * that byte, or `bytes.length`; the state is in `stopped`. Small and at top level, so that it is compiled to a tight loop.
 */
export function advance(
  table: Int32Array,
  attention: number,
  bytes: Uint8Array,
  from: number,
  startState: number,
): number {
  let state = startState;
  const length = bytes.length;
  for (let index = from; index < length; index += 1) {
    state = table[state + bytes[index]!]!;
    if (state >= attention) {
      stopped.state = state;
      return index;
    }
  }
  stopped.state = state;
  return length;
}
