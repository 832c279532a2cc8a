import { explanationOf } from '../../app/explain-rule.ts';
import { allRules } from '../../app/rule-files.ts';
import { explain } from '../../report/explain.ts';
import { EXIT } from '../exit-codes.ts';
import type { GlobalOptions } from '../options.ts';
import { screenOptions } from '../outputs.ts';
import { terminalOf } from '../terminal.ts';

export interface ExplainArguments extends GlobalOptions {
  readonly rule: string;
  readonly rules: readonly string[];
}

export async function runExplain(options: ExplainArguments): Promise<number> {
  const explanation = explanationOf(allRules(options.rules), options.rule);
  process.stdout.write(explain(explanation, screenOptions(terminalOf(process.stdout, options.color), options.verbose)));
  return EXIT.healthy;
}
