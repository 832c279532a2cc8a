import { GapSignal, gapOf } from '../model/gap.ts';
import { CALLS, METHODS, sizeOf } from './functions.ts';
import { macroOf, type Place, type Run } from './macros.ts';
import {
  type Arithmetic,
  calculate,
  compares,
  contains,
  elementAt,
  equal,
  fieldReader,
  firstGap,
  Mistake,
  misfit,
  type Order,
  weightier,
} from './operators.ts';
import type { ASTNode } from './syntax.ts';

/**
 * An expression as functions that call each other: a rule is judged for thousands of rows, and what can be settled by
 * looking at the expression is settled once. `&&` and `||` absorb what is not known; that is all there is to three-valued
 * logic.
 */
export function closureOf(node: ASTNode, place: Place): Run {
  switch (node.op) {
    case 'value': {
      // Everything outside works with JavaScript's numbers, and so does all of this.
      const value = typeof node.args === 'bigint' ? Number(node.args) : node.args;
      return () => value;
    }
    case 'id':
      return named(node.args, place);
    case '.':
      return field(node.args[0], node.args[1], place);
    case '[]': {
      const [container, at] = [closureOf(node.args[0], place), closureOf(node.args[1], place)];
      return (scope, row) => elementAt(container(scope, row), at(scope, row));
    }
    case 'call':
      return call(node.args[0], node.args[1], place);
    case 'rcall':
      return macroOf(node, place, closureOf) ?? method(node.args[0], node.args[1], node.args[2], place);
    case 'list': {
      const parts = node.args.map(part => closureOf(part, place));
      if (node.args.every(part => part.op === 'value')) {
        const values = parts.map(part => part({}, undefined));
        return () => values;
      }
      return (scope, row) => parts.map(part => part(scope, row));
    }
    case 'map': {
      const entries = node.args.map(([key, value]) => [closureOf(key, place), closureOf(value, place)] as const);
      return (scope, row) => Object.fromEntries(entries.map(([key, value]) => [key(scope, row), value(scope, row)]));
    }
    case '?:':
      return choice(node.args, place);
    case '&&':
      return settledBy(false, partsOf('&&', node), place);
    case '||':
      return settledBy(true, partsOf('||', node), place);
    case '!_': {
      const of = closureOf(node.args, place);
      return (scope, row) => {
        const value = of(scope, row);
        if (typeof value !== 'boolean') throw misfit('"!"', value);
        return !value;
      };
    }
    case '-_': {
      const of = closureOf(node.args, place);
      return (scope, row) => calculate('-', 0, of(scope, row));
    }
    case '==':
    case '!=':
      return equality(node.op === '==', node.args, place);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(node.op, node.args, place);
    case 'in': {
      const [wanted, container] = [closureOf(node.args[0], place), closureOf(node.args[1], place)];
      return (scope, row) => {
        const value = wanted(scope, row);
        return contains(container(scope, row), value);
      };
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(node.op, node.args, place);
    default:
      return () => {
        throw new Mistake(`"${node.op}" may not be used`);
      };
  }
}

function named(name: string, place: Place): Run {
  const variable = place.variables.findLast(one => one.name === name);
  if (variable) return () => variable.value;
  if (name === place.row) return (_scope, row) => row;
  return scope => {
    const value = scope[name];
    if (value === undefined) throw new Mistake(`Unknown variable: ${name}`);
    return value;
  };
}

function field(of: ASTNode, name: string, place: Place): Run {
  const read = fieldReader(name);
  const variable = of.op === 'id' ? place.variables.findLast(one => one.name === of.args) : undefined;
  if (variable) return () => read(variable.value, name);
  if (of.op === 'id' && of.args === place.row) return (_scope, row) => read(row, name);
  const record = closureOf(of, place);
  return (scope, row) => read(record(scope, row), name);
}

function call(name: string, given: readonly ASTNode[], place: Place): Run {
  const parts = given.map(part => closureOf(part, place));
  const called = CALLS[name];
  if (!called) {
    return () => {
      throw new Mistake(`there is no function "${name}"`);
    };
  }
  const [first, second] = parts;
  if (parts.length === 1) return (scope, row) => called(first!(scope, row));
  if (parts.length === 2) return (scope, row) => called(first!(scope, row), second!(scope, row));
  return (scope, row) => called(...parts.map(part => part(scope, row)));
}

function method(name: string, on: ASTNode, given: readonly ASTNode[], place: Place): Run {
  const receiver = closureOf(on, place);
  const parts = given.map(part => closureOf(part, place));
  const called = METHODS[name];
  if (!called) {
    return () => {
      throw new Mistake(`there is no method "${name}"`);
    };
  }
  const [first] = parts;
  if (parts.length === 0) return (scope, row) => called(receiver(scope, row));
  if (parts.length === 1) return (scope, row) => called(receiver(scope, row), first!(scope, row));
  return (scope, row) => called(receiver(scope, row), ...parts.map(part => part(scope, row)));
}

function choice(parts: readonly [ASTNode, ASTNode, ASTNode], place: Place): Run {
  const [condition, yes, no] = parts.map(part => closureOf(part, place)) as [Run, Run, Run];
  return (scope, row) => {
    const value = condition(scope, row);
    if (value === true) return yes(scope, row);
    if (value === false) return no(scope, row);
    throw misfit('"?"', value);
  };
}

/** `a && b && c` as one list: it is all the same how the pairs are put together. */
function partsOf(operator: '&&' | '||', node: ASTNode): readonly ASTNode[] {
  return node.op === operator ? node.args.flatMap(part => partsOf(operator, part)) : [node];
}

/** `&&` is settled by one part that is false, `||` by one that is true, whatever is not known of the others. */
function settledBy(settles: boolean, nodes: readonly ASTNode[], place: Place): Run {
  const parts = nodes.map(part => closureOf(part, place));
  const what = settles ? '"||"' : '"&&"';
  return (scope, row) => {
    let failure: unknown;
    for (const part of parts) {
      try {
        const value = part(scope, row);
        if (value === settles) return settles;
        if (value !== !settles) failure = weightier(misfit(what, value), failure);
      } catch (error) {
        failure = weightier(error, failure);
      }
    }
    if (failure !== undefined) throw failure;
    return !settles;
  };
}

function equality(wanted: boolean, sides: readonly [ASTNode, ASTNode], place: Place): Run {
  const sized = sizeComparison(wanted ? '==' : '!=', sides, place);
  if (sized) return sized;
  const [left, right] = [closureOf(sides[0], place), closureOf(sides[1], place)];
  const literal = sides.find(side => side.op === 'value');
  if (literal) {
    const of = literal === sides[0] ? right : left;
    const value = closureOf(literal, place)({}, undefined);
    return (scope, row) => {
      const given = of(scope, row);
      if (typeof given === 'object') return equal(given, value) === wanted;
      return (given === value) === wanted;
    };
  }
  return (scope, row) => {
    const first = left(scope, row);
    return equal(first, right(scope, row)) === wanted;
  };
}

function comparison(order: Order, sides: readonly [ASTNode, ASTNode], place: Place): Run {
  const sized = sizeComparison(order, sides, place);
  if (sized) return sized;
  const [left, right] = [closureOf(sides[0], place), closureOf(sides[1], place)];
  return (scope, row) => {
    const first = left(scope, row);
    return compares(order, first, right(scope, row));
  };
}

type Comparison = Order | '==' | '!=';
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/**
 * A comparison of a list's size: of a list of which a part is not known, it is known that it has at least as many elements
 * as are known. That proves `size(list) > 0`, and never that it is empty.
 */
function sizeComparison(written: Comparison, sides: readonly [ASTNode, ASTNode], place: Place): Run | undefined {
  const [left, right] = sides.map(sizedBy);
  if (!left === !right) return undefined;
  const operator = left ? written : MIRRORED[written];
  const sized = closureOf(left ?? right!, place);
  const other = closureOf(left ? sides[1] : sides[0], place);
  return (scope, row) => {
    const list = sized(scope, row);
    const gap = Array.isArray(list) ? firstGap(list) : undefined;
    const bound = other(scope, row);
    const size = gap ? (list as unknown[]).filter(element => !gapOf(element)).length : sizeOf(list);
    if (!gap || typeof bound !== 'number') return holds(operator, size, bound);
    const more = size > bound;
    if ((operator === '>' || operator === '!=') && more) return true;
    if ((operator === '<=' || operator === '==') && more) return false;
    if (operator === '>=' && size >= bound) return true;
    if (operator === '<' && size >= bound) return false;
    throw new GapSignal(gap);
  };
}

function holds(operator: Comparison, left: unknown, right: unknown): boolean {
  if (operator === '==' || operator === '!=') return equal(left, right) === (operator === '==');
  return compares(operator, left, right);
}

/** Of what `size(x)` or `x.size()` is the size. */
function sizedBy(node: ASTNode): ASTNode | undefined {
  if (node.op === 'call' && node.args[0] === 'size') return node.args[1][0];
  return node.op === 'rcall' && node.args[0] === 'size' ? node.args[1] : undefined;
}

function arithmetic(operator: Arithmetic, sides: readonly [ASTNode, ASTNode], place: Place): Run {
  const [left, right] = [closureOf(sides[0], place), closureOf(sides[1], place)];
  if (operator === '/' && sides.every(isWhole)) {
    return (scope, row) => Math.trunc(calculate('/', left(scope, row), right(scope, row)) as number);
  }
  return (scope, row) => {
    const first = left(scope, row);
    return calculate(operator, first, right(scope, row));
  };
}

/** Whether CEL takes it for an integer. Evidence is none: its numbers divide to fractions. */
function isWhole(node: ASTNode): boolean {
  switch (node.op) {
    case 'value':
      return typeof node.args === 'bigint';
    case 'call':
      return node.args[0] === 'size' || node.args[0] === 'int';
    case '+':
    case '-':
    case '*':
    case '/':
      return node.args.every(isWhole);
    default:
      return sizedBy(node) !== undefined;
  }
}
