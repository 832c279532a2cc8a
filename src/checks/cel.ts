import { GapSignal, gapOf } from '../model/gap.ts';
import { closureOf } from './closures.ts';
import type { Run, Scope } from './macros.ts';
import { Suspension } from './suspension.ts';
import { type ASTNode, isSyntaxProblem, parse, type SyntaxProblem } from './syntax.ts';

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

/** Parses an expression. Returns what is wrong with it where it cannot be parsed. `row` names what `forEach` iterates. */
export function compile(text: string, row = ''): Compiled | SyntaxProblem {
  const ast = parse(text);
  if (isSyntaxProblem(ast)) return ast;
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
        const value = run(scope as Scope, of ?? (scope as Scope)[row]);
        const gap = gapOf(value);
        // An element that is not known is no answer, whatever it was taken out of.
        if (gap) throw new GapSignal(gap);
        return value;
      } catch (error) {
        throw error instanceof Suspension ? error : explained(error);
      }
    },
  };
}
