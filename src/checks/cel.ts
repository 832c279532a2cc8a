import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { GapSignal } from '../model/gap.ts';
import { bytesText, compareVersions, distinct, durationText, quantity, selects } from './functions.ts';
import { withIndexedJoins } from './joins.ts';

/** A parsed expression: its syntax tree, and a function from a scope to a value. */
export interface Compiled {
  readonly text: string;
  readonly ast: ASTNode;
  /** Throws `GapSignal` where the outcome depends on something that is not known. */
  evaluate(scope: object): unknown;
}

/** What an expression is not: one that cannot be parsed. `offset` is where, in characters. */
export interface SyntaxProblem {
  readonly message: string;
  readonly offset: number;
}

export type { ASTNode } from '@marcbachmann/cel-js';

/** Names of the functions that may be called, and the number of their arguments. */
export const FUNCTIONS: Readonly<Record<string, readonly number[]>> = {
  size: [1],
  string: [1],
  int: [1],
  double: [1],
  minutes: [1],
  hours: [1],
  days: [1],
  quantity: [1],
  duration: [1],
  bytes: [1],
  first: [2],
  distinct: [1],
  sum: [1],
  max: [1],
  min: [1],
  selects: [2],
  semver: [3],
  re: [2],
  has: [1],
};

const environment = makeEnvironment();

function makeEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2000, maxDepth: 60, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 },
  });
  // Evidence holds JavaScript numbers, which CEL takes for doubles; literals are ints. CEL has no arithmetic between the two.
  const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, calculate] of Object.entries(arithmetic)) {
    const handler = (a: unknown, b: unknown) => calculate(Number(a), Number(b));
    made.registerOperator(`double ${operator} int`, handler);
    made.registerOperator(`int ${operator} double`, handler);
    if (operator === '%') made.registerOperator('double % double', handler);
  }
  // CEL has functions of the same names that give other types than ours; what ours give is text, and joins with text.
  for (const type of ['bytes', 'google.protobuf.Duration']) {
    made.registerOperator(`string + ${type}`, (a: unknown, b: unknown) => `${a}${b}`);
    made.registerOperator(`${type} + string`, (a: unknown, b: unknown) => `${a}${b}`);
  }
  const define = (signature: string, handler: (...values: never[]) => unknown) =>
    made.registerFunction(signature, handler as (...values: unknown[]) => unknown);
  define('minutes(dyn): dyn', (n: number) => Number(n) * 60);
  define('hours(dyn): dyn', (n: number) => Number(n) * 3600);
  define('days(dyn): dyn', (n: number) => Number(n) * 86400);
  define('quantity(string): dyn', quantity);
  define('duration(int): string', (n: bigint) => durationText(Number(n)));
  define('duration(double): string', durationText);
  define('bytes(int): string', (n: bigint) => bytesText(Number(n)));
  define('bytes(double): string', bytesText);
  define('first(list, dyn): dyn', (values: readonly unknown[], otherwise: unknown) =>
    values.length > 0 ? values[0] : otherwise,
  );
  define('distinct(list): list', distinct);
  // A fact is a text, or a list of them where several rows have told it: a link asks for the words of either.
  define('string(list): string', (values: readonly unknown[]) => values.map(String).join(', '));
  define('sum(list): dyn', (values: readonly unknown[]) =>
    values.reduce((total: number, value) => total + Number(value), 0),
  );
  define('max(list): dyn', (values: readonly unknown[]) => extreme(values, (a, b) => a > b));
  define('min(list): dyn', (values: readonly unknown[]) => extreme(values, (a, b) => a < b));
  define('selects(dyn, dyn): bool', selects);
  define('semver(string, string, string): bool', compareVersions);
  // Linear in the text, whatever the pattern: texts come from logs and annotations that anybody may write.
  const patterns = new Map<string, RE2JS>();
  define('re(string, string): bool', (text: string, pattern: string) => {
    const compiled = patterns.get(pattern) ?? RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
    return compiled.matcher(text).find();
  });
  return made;
}

/** The largest or smallest of a list of numbers or texts; 0 for an empty list. */
function extreme(
  values: readonly unknown[],
  beats: (a: number | string, b: number | string) => boolean,
): number | string {
  const comparable = values.map(value => (typeof value === 'bigint' ? Number(value) : (value as number | string)));
  return comparable.length === 0 ? 0 : comparable.reduce((best, value) => (beats(value, best) ? value : best));
}

/** Parses an expression. Returns what is wrong with it where it cannot be parsed. `row` names what `forEach` iterates. */
export function compile(text: string, row = ''): Compiled | SyntaxProblem {
  let ast: ASTNode;
  let indexed: ReturnType<typeof withIndexedJoins>;
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
    ast = parsed.ast;
    indexed = withIndexedJoins(ast, text, row);
    if (indexed.text !== text) parsed = environment.parse(indexed.text);
  } catch (error) {
    const { summary, message, range } = error as { summary?: string; message: string; range?: { start: number } };
    return { message: summary ?? message.split('\n')[0]!, offset: range?.start ?? 0 };
  }
  return {
    text,
    ast,
    evaluate(scope) {
      try {
        return plain(parsed(indexed.scope(scope) as Record<string, unknown>));
      } catch (error) {
        if (error instanceof GapSignal || error instanceof Suspension) throw error;
        const { summary, message } = error as { summary?: string; message: string };
        throw new GapSignal({
          reason: 'rule-error',
          detail: `${summary ?? message.split('\n')[0]} in \`${text.trim()}\``,
        });
      }
    },
  };
}

export function isSyntaxProblem(result: Compiled | SyntaxProblem): result is SyntaxProblem {
  return 'offset' in result;
}

/** Thrown by a scope where an expression touches evidence that has not been collected yet. */
export class Suspension extends Error {
  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super('evidence is not collected yet');
    Error.stackTraceLimit = limit;
  }
}

/** CEL's integers are bigints; everything outside an expression works with numbers. Lists and maps that CEL made are copied. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value) && value.some(element => typeof element === 'bigint')) return value.map(plain);
  if (
    typeof value === 'object' &&
    value !== null &&
    !Object.isFrozen(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    // Descriptors, because reading a field of evidence may throw its gap.
    const entries = Object.entries(Object.getOwnPropertyDescriptors(value));
    if (entries.some(([, { value: entry }]) => typeof entry === 'bigint')) {
      return Object.fromEntries(entries.map(([key, { value: entry }]) => [key, plain(entry)]));
    }
  }
  return value;
}
