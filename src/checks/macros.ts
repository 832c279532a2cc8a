import { type Gap, GapSignal, gapElement, gapOf } from '../model/gap.ts';
import { joinOf, narrowed, valueAt } from './joins.ts';
import { elementsOf, misfit, weightier } from './operators.ts';
import { Suspension } from './suspension.ts';
import type { ASTNode } from './syntax.ts';

/** The names that an expression may read. */
export type Scope = Readonly<Record<string, unknown>>;

/** A part of an expression as a function of the scope and of the row that `forEach` has come to. Throws what is not known. */
export type Run = (scope: Scope, row: unknown) => unknown;

/** What a macro iterates: its name, and the element at which it stands. */
export interface Variable {
  readonly name: string;
  value: unknown;
}

/** Where a part of an expression stands. */
export interface Place {
  /** Variables of the macros around it, the innermost last. */
  readonly variables: readonly Variable[];
  /** The name of what `forEach` iterates. */
  readonly row: string;
  /** What an error of a part means for the part. */
  readonly asGap: (error: unknown) => Gap;
}

type ClosureOf = (node: ASTNode, place: Place) => Run;

/** Macros, and how many parts each takes beside the name of what it iterates. */
const MACROS: Readonly<Record<string, readonly number[]>> = {
  exists: [1],
  exists_one: [1],
  all: [1],
  filter: [1],
  map: [1, 2],
};
/** Those for which an element that does not match is as good as absent. */
const JOINING = new Set(['exists', 'filter', 'exists_one']);

/** `list.exists(variable, condition)` and its like as a function; undefined for anything else. */
export function macroOf(node: ASTNode & { readonly op: 'rcall' }, place: Place, closureOf: ClosureOf): Run | undefined {
  const [name, receiver, [first, ...parts]] = node.args;
  if (!MACROS[name]?.includes(parts.length) || first?.op !== 'id') return undefined;
  const variable: Variable = { name: first.args, value: undefined };
  const inside = { ...place, variables: [...place.variables, variable] };
  const [condition, transform] = parts.map(part => closureOf(part, inside)) as [Run, Run | undefined];
  const list = JOINING.has(name)
    ? joined(receiver, parts[0]!, variable, place, closureOf)
    : listOf(receiver, place, closureOf);
  switch (name) {
    case 'exists':
      return decidedBy(true, list, variable, condition);
    case 'all':
      return decidedBy(false, list, variable, condition);
    case 'exists_one':
      return only(list, variable, condition);
    case 'filter':
      return chosen(list, variable, condition, place);
    default:
      return transform
        ? mapped(chosen(list, variable, condition, place), variable, transform, place)
        : mapped(list, variable, condition, place);
  }
}

type ListRun = (scope: Scope, row: unknown) => readonly unknown[];

function listOf(receiver: ASTNode, place: Place, closureOf: ClosureOf): ListRun {
  const run = closureOf(receiver, place);
  return (scope, row) => elementsOf(run(scope, row));
}

/** A list that stands under a name, narrowed to what can match. */
function joined(
  receiver: ASTNode,
  condition: ASTNode,
  { name }: Variable,
  place: Place,
  closureOf: ClosureOf,
): ListRun {
  const whole = listOf(receiver, place, closureOf);
  const isVariable = (wanted: string) => place.variables.some(one => one.name === wanted);
  if (receiver.op !== 'id' || isVariable(receiver.args)) return whole;
  const join = joinOf(condition, name, root => root === place.row || isVariable(root));
  if (!join) return whole;
  const { path, wanted } = join;
  if ('text' in wanted) return (scope, row) => narrowed(whole(scope, row), path, wanted.text);
  const variable = place.variables.findLast(one => one.name === wanted.root);
  return (scope, row) => narrowed(whole(scope, row), path, valueAt(variable ? variable.value : row, wanted.path));
}

/** `exists` is settled by one element that is so, `all` by one that is not; by none of which it is not known whether it is there. */
function decidedBy(settles: boolean, list: ListRun, variable: Variable, condition: Run): Run {
  return (scope, row) => {
    let failure: unknown;
    for (const element of list(scope, row)) {
      variable.value = element;
      try {
        const value = condition(scope, row);
        if (value === !settles) continue;
        const gap = gapOf(element);
        if (value === settles && !gap) return settles;
        failure = weightier(failure, gap ? new GapSignal(gap) : misfit('a condition', value));
      } catch (error) {
        failure = weightier(failure, error);
      }
    }
    if (failure !== undefined) throw failure;
    return !settles;
  };
}

function only(list: ListRun, variable: Variable, condition: Run): Run {
  return (scope, row) => {
    let failure: unknown;
    let count = 0;
    for (const element of list(scope, row)) {
      variable.value = element;
      try {
        const value = condition(scope, row);
        if (value === false) continue;
        const gap = gapOf(element);
        if (value === true && !gap) count += 1;
        else failure = weightier(failure, gap ? new GapSignal(gap) : misfit('a condition', value));
      } catch (error) {
        failure = weightier(failure, error);
      }
    }
    if (failure !== undefined && count < 2) throw failure;
    return count === 1;
  };
}

/** What is chosen of a list. An element of which that is not known stays as a part that is not known. */
function chosen(list: ListRun, variable: Variable, condition: Run, place: Place): ListRun {
  return (scope, row) => {
    const found: unknown[] = [];
    // Many elements that are not known for one reason are one part: it says that there may be more.
    let reason: Gap | undefined;
    for (const element of list(scope, row)) {
      variable.value = element;
      try {
        const value = condition(scope, row);
        if (value === false) continue;
        if (value !== true) throw misfit('a condition', value);
        found.push(element);
        reason = gapOf(element);
      } catch (error) {
        const part = unknownPart(element, error, place);
        const why = gapOf(part);
        if (why !== reason) found.push(part);
        reason = why;
      }
    }
    return found;
  };
}

/** What is made of each element. A part that is not known stays one, and so becomes one of which nothing can be made. */
function mapped(list: ListRun, variable: Variable, transform: Run, place: Place): Run {
  return (scope, row) => {
    const elements = list(scope, row);
    const made = new Array<unknown>(elements.length);
    for (let index = 0; index < elements.length; index += 1) {
      const element = elements[index];
      variable.value = element;
      try {
        made[index] = gapOf(element) ? element : transform(scope, row);
      } catch (error) {
        made[index] = unknownPart(element, error, place);
      }
    }
    return made;
  };
}

function unknownPart(element: unknown, error: unknown, place: Place): unknown {
  // Not a gap yet: it is collected, and then everything is looked at again.
  if (error instanceof Suspension) throw error;
  return gapOf(element) ? element : gapElement(place.asGap(error));
}
