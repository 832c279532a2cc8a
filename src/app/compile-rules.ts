import { writeFileSync } from 'node:fs';
import { describeMistakes, loadRulesFrom, RULES_FOLDER } from './rule-files.ts';

/**
 * Writes the built-in rules, checked, as JSON: reading YAML at every start would cost more than all evaluations.
 * Mistakes are returned; with any, nothing is written unless `lenient`.
 */
export function compileRules(target: string, options: { readonly lenient: boolean }): readonly string[] {
  const { rules, mistakes } = loadRulesFrom(RULES_FOLDER);
  if (mistakes.length === 0 || options.lenient) writeFileSync(target, JSON.stringify(rules));
  return describeMistakes(mistakes);
}
