import type { Shape } from '../model/shape.ts';
import { CALLS } from './functions.ts';
import type { ASTNode } from './syntax.ts';

/** What an expression may name: variables with their shapes. */
export type Scope = ReadonlyMap<string, Shape>;

export interface TypeProblem {
  readonly message: string;
  /** Characters from the start of the expression. */
  readonly offset: number;
}

export interface Typed {
  readonly shape: Shape;
  readonly problems: readonly TypeProblem[];
  /** Names of the scope that the expression reads, and their fields as `name.field`. */
  readonly reads: ReadonlySet<string>;
  readonly nodes: number;
  /** Every string literal in it. */
  readonly literals: readonly string[];
}

const MACROS = new Set(['exists', 'all', 'filter', 'map', 'exists_one']);

const METHODS: Readonly<Record<string, { readonly on: 'str' | 'list' | 'any'; readonly gives: Shape }>> = {
  contains: { on: 'str', gives: 'bool' },
  startsWith: { on: 'str', gives: 'bool' },
  endsWith: { on: 'str', gives: 'bool' },
  split: { on: 'str', gives: ['str'] },
  trim: { on: 'str', gives: 'str' },
  lowerAscii: { on: 'str', gives: 'str' },
  upperAscii: { on: 'str', gives: 'str' },
  join: { on: 'list', gives: 'str' },
  size: { on: 'any', gives: 'int' },
};

const RESULTS: Readonly<Record<string, Shape>> = {
  size: 'int',
  string: 'str',
  int: 'int',
  double: 'float',
  minutes: 'int',
  hours: 'int',
  days: 'int',
  quantity: 'int',
  duration: 'str',
  bytes: 'str',
  sum: 'float',
  max: 'any',
  min: 'any',
  selects: 'bool',
  semver: 'bool',
  re: 'bool',
};

/**
 * Walks an expression against the shapes of what it may read. It is strict where a mistake would be swallowed by
 * three-valued logic: names, fields, functions, comparisons of text with numbers.
 */
export function typeCheck(ast: ASTNode, scope: Scope): Typed {
  const problems: TypeProblem[] = [];
  const reads = new Set<string>();
  const literals: string[] = [];
  let nodes = 0;

  const complain = (node: ASTNode, message: string) => {
    // Of `a.b` it is `b` that is meant.
    problems.push({ message, offset: node.op === '.' ? node.pos : node.start });
  };

  function visit(node: ASTNode, local: Scope): Shape {
    nodes += 1;
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'string') literals.push(node.args);
        return literalShape(node.args);
      case 'id': {
        const shape = local.get(node.args);
        if (shape === undefined) {
          complain(node, `there is no "${node.args}" here${suggest(node.args, [...local.keys()])}`);
          return 'any';
        }
        if (scope.has(node.args) && local.get(node.args) === scope.get(node.args)) reads.add(node.args);
        return shape;
      }
      case '.':
        // Of a record of the scope it is known which fields are read: what nobody reads is a mistake too.
        if (node.args[0].op === 'id' && scope.has(node.args[0].args)) reads.add(`${node.args[0].args}.${node.args[1]}`);
        return field(node, visit(node.args[0], local), node.args[1]);
      case '[]':
        return element(node, visit(node.args[0], local), visit(node.args[1], local));
      case 'call':
        return call(node, node.args[0], node.args[1], local);
      case 'rcall':
        return method(node, node.args[0], node.args[1], node.args[2], local);
      case 'list': {
        const shapes = node.args.map(part => visit(part, local));
        return [shapes[0] ?? 'any'];
      }
      case 'map':
        for (const [key, value] of node.args) {
          visit(key, local);
          visit(value, local);
        }
        return 'any';
      case '?:': {
        visit(node.args[0], local);
        const shape = visit(node.args[1], local);
        visit(node.args[2], local);
        return shape;
      }
      case '||':
      case '&&':
        for (const part of node.args) {
          const shape = visit(part, local);
          if (shape !== 'bool' && shape !== 'any')
            complain(part, `${name(shape)} stands where true or false is needed`);
        }
        return 'bool';
      case '!_': {
        const shape = visit(node.args, local);
        if (shape !== 'bool' && shape !== 'any') complain(node, `"!" stands before ${name(shape)}`);
        return 'bool';
      }
      case '-_':
        return visit(node.args, local);
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const [left, right] = [visit(node.args[0], local), visit(node.args[1], local)];
        if (!comparable(left, right)) complain(node, `${name(left)} is compared with ${name(right)}`);
        return 'bool';
      }
      case 'in': {
        visit(node.args[0], local);
        const container = visit(node.args[1], local);
        if (!isList(container) && container !== 'map' && container !== 'any') {
          complain(node, `"in" needs a list or a map, here is ${name(container)}`);
        }
        return 'bool';
      }
      case '+':
      case '-':
      case '*':
      case '/':
      case '%': {
        const [left, right] = [visit(node.args[0], local), visit(node.args[1], local)];
        if (!comparable(left, right)) complain(node, `"${node.op}" between ${name(left)} and ${name(right)}`);
        // Nothing divided by nothing is no number, and whatever it is compared with, the answer is no: that is not health.
        if ((node.op === '/' || node.op === '%') && !isNonZero(node.args[1])) {
          complain(node, `"${node.op}" by what may be 0: multiply on the other side, or make it derived evidence`);
        }
        return left === 'any' ? right : left === 'int' && right === 'float' ? 'float' : left;
      }
      default:
        complain(node, `"${node.op}" may not be used`);
        return 'any';
    }
  }

  function field(node: ASTNode, shape: Shape, wanted: string): Shape {
    if (shape === 'any') return 'any';
    if (shape === 'map') return 'str';
    if (typeof shape === 'object' && !isList(shape)) {
      const found = (shape as Readonly<Record<string, Shape>>)[wanted];
      if (found !== undefined) return found;
      complain(node, `there is no field "${wanted}"${suggest(wanted, Object.keys(shape))}`);
      return 'any';
    }
    complain(node, `${name(shape)} has no field "${wanted}"`);
    return 'any';
  }

  function element(node: ASTNode, shape: Shape, index: Shape): Shape {
    if (shape === 'any') return 'any';
    if (shape === 'map') return 'str';
    if (isList(shape)) {
      if (index === 'str') complain(node, 'a list is indexed by a text');
      return shape[0];
    }
    complain(node, `${name(shape)} cannot be indexed`);
    return 'any';
  }

  function call(node: ASTNode, called: string, given: readonly ASTNode[], local: Scope): Shape {
    const shapes = given.map(part => visit(part, local));
    const takes = CALLS[called]?.length;
    if (takes === undefined) {
      complain(node, `there is no function "${called}"${suggest(called, Object.keys(CALLS))}`);
      return 'any';
    }
    if (takes !== given.length) complain(node, `"${called}" takes ${takes} values, here are ${given.length}`);
    if (called === 'first') return isList(shapes[0]!) ? shapes[0]![0] : 'any';
    if (called === 'distinct') return shapes[0]!;
    if ((called === 'max' || called === 'min') && isList(shapes[0]!)) return shapes[0]![0];
    return RESULTS[called] ?? 'any';
  }

  function method(node: ASTNode, called: string, on: ASTNode, given: readonly ASTNode[], local: Scope): Shape {
    const shape = visit(on, local);
    if (MACROS.has(called)) return macro(node, called, shape, given, local);
    for (const part of given) visit(part, local);
    const known = METHODS[called];
    if (!known) {
      complain(node, `there is no method "${called}"${suggest(called, [...Object.keys(METHODS), ...MACROS])}`);
      return 'any';
    }
    const fits =
      known.on === 'any' ||
      shape === 'any' ||
      (known.on === 'list' ? isList(shape) : shape === 'str' || shape === 'time');
    if (!fits) complain(node, `"${called}" does not apply to ${name(shape)}`);
    return known.gives;
  }

  function macro(node: ASTNode, called: string, shape: Shape, given: readonly ASTNode[], local: Scope): Shape {
    const variable = given[0];
    // The parser has seen to it that a name comes first.
    if (variable?.op !== 'id') return 'any';
    if (!isList(shape) && shape !== 'any' && shape !== 'map')
      complain(node, `"${called}" does not apply to ${name(shape)}`);
    const inner = new Map(local);
    inner.set(variable.args, isList(shape) ? shape[0] : shape === 'map' ? 'str' : 'any');
    const results = given.slice(1).map(part => visit(part, inner));
    if (called === 'filter') return shape;
    if (called === 'map') return [results.at(-1) ?? 'any'];
    if (results[0] !== 'bool' && results[0] !== 'any') complain(node, `"${called}" needs a condition`);
    return 'bool';
  }

  const shape = visit(ast, scope);
  return { shape, problems, reads, nodes, literals };
}

function isNonZero(node: ASTNode): boolean {
  return node.op === 'value' && Number(node.args) !== 0 && !Number.isNaN(Number(node.args));
}

export function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function literalShape(value: unknown): Shape {
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  return typeof value === 'number' ? 'float' : 'any';
}

const FAMILIES: Readonly<Record<string, string>> = {
  str: 'text',
  time: 'text',
  int: 'number',
  float: 'number',
  bool: 'bool',
};

function comparable(left: Shape, right: Shape): boolean {
  const family = (shape: Shape) =>
    typeof shape === 'string' ? (FAMILIES[shape] ?? '') : isList(shape) ? 'list' : 'record';
  const [a, b] = [family(left), family(right)];
  return a === '' || b === '' || a === b;
}

function name(shape: Shape): string {
  if (isList(shape)) return 'a list';
  if (typeof shape === 'object') return 'a record';
  return {
    str: 'a text',
    time: 'a time',
    int: 'a number',
    float: 'a number',
    bool: 'true or false',
    map: 'a map',
    any: 'a value',
  }[shape];
}

/** `; did you mean "x"?`, where one of the names is near. */
export function suggest(wanted: string, names: readonly string[]): string {
  const near = names
    .map(candidate => ({ candidate, distance: editDistance(wanted.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3)),
    )
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))[0];
  return near ? `; did you mean "${near.candidate}"?` : '';
}

/** Levenshtein's distance of two texts. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
