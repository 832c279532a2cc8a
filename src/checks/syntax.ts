import { type ASTNode, Environment } from '@marcbachmann/cel-js';

export type { ASTNode } from '@marcbachmann/cel-js';

/** What an expression is not: one that cannot be parsed. `offset` is where, in characters. */
export interface SyntaxProblem {
  readonly message: string;
  readonly offset: number;
}

// Only its parser is made use of: what an expression means here is settled in closures.ts.
const environment = new Environment({
  limits: { maxAstNodes: 2000, maxDepth: 60, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 },
});

/** The syntax tree of an expression, or what is wrong with it. */
export function parse(text: string): ASTNode | SyntaxProblem {
  try {
    return environment.parse(text).ast;
  } catch (error) {
    const { summary, message, range } = error as { summary?: string; message: string; range?: { start: number } };
    return { message: summary ?? message.split('\n')[0]!, offset: range?.start ?? 0 };
  }
}

export function isSyntaxProblem(result: object): result is SyntaxProblem {
  return 'offset' in result;
}
