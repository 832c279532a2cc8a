import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { GapSignal } from '../model/gap.ts';
import { closureOf } from './closures.ts';
import type { Run, Scope } from './macros.ts';
import { Suspension } from './suspension.ts';

/** A parsed expression: its syntax tree, and a function from a scope to a value. */
export interface Compiled {
  readonly text: string;
  readonly ast: ASTNode;
  /**
   * Throws `GapSignal` where the outcome depends on something that is not known. `row` is what `forEach` has come to; without
   * it, it is found in the scope.
   */
  evaluate(scope: object, row?: unknown): unknown;
}

/** What an expression is not: one that cannot be parsed. `offset` is where, in characters. */
export interface SyntaxProblem {
  readonly message: string;
  readonly offset: number;
}

export type { ASTNode } from '@marcbachmann/cel-js';

// Only its parser is made use of: what an expression means here is settled in closures.ts.
const environment = new Environment({
  limits: { maxAstNodes: 2000, maxDepth: 60, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 },
});

/** Parses an expression. Returns what is wrong with it where it cannot be parsed. `row` names what `forEach` iterates. */
export function compile(text: string, row = ''): Compiled | SyntaxProblem {
  let ast: ASTNode;
  try {
    ast = environment.parse(text).ast;
  } catch (error) {
    const { summary, message, range } = error as { summary?: string; message: string; range?: { start: number } };
    return { message: summary ?? message.split('\n')[0]!, offset: range?.start ?? 0 };
  }
  const explained = (error: unknown): GapSignal => {
    if (error instanceof GapSignal) return error;
    const detail = `${(error as Error).message.split('\n')[0]} in \`${text.trim()}\``;
    return new GapSignal({ reason: 'rule-error', detail });
  };
  let run: Run | undefined;
  return {
    text,
    ast,
    evaluate(scope, of) {
      run ??= closureOf(ast, { variables: [], row, asGap: error => explained(error).gap });
      try {
        return run(scope as Scope, of ?? (scope as Scope)[row]);
      } catch (error) {
        throw error instanceof Suspension ? error : explained(error);
      }
    },
  };
}

export function isSyntaxProblem(result: Compiled | SyntaxProblem): result is SyntaxProblem {
  return 'offset' in result;
}
