import { explanationOf } from '../../app/explain-rule.ts';
import { tunedWhereKnown } from '../../app/fleet-file.ts';
import { allRules } from '../../app/rule-files.ts';
import { explain } from '../../report/explain.ts';
import { EXIT } from '../exit-codes.ts';
import type { GlobalOptions } from '../options.ts';
import { screenOptions } from '../outputs.ts';
import { fleetFileOf } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface ExplainArguments extends GlobalOptions {
  readonly rule: string;
  readonly rules: readonly string[];
  readonly fleet: string | undefined;
}

export async function runExplain(options: ExplainArguments): Promise<number> {
  const tuned = tunedWhereKnown(allRules(options.rules), fleetFileOf(options.fleet));
  const explanation = explanationOf(tuned, options.rule);
  process.stdout.write(explain(explanation, screenOptions(terminalOf(process.stdout, options.color), options.verbose)));
  return EXIT.healthy;
}
