import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES_FOLDER } from './package-files.ts';
import { describeMistakes, loadRulesFrom } from './rule-files.ts';
import { readSignatures } from './signature-files.ts';

/**
 * Writes the built-in rules and signatures, checked, as JSON: reading YAML at every start would cost more than all
 * evaluations. Mistakes are returned; with any, nothing is written unless `lenient`.
 */
export function compileRules(folder: string, options: { readonly lenient: boolean }): readonly string[] {
  const { rules, mistakes } = loadRulesFrom(RULES_FOLDER);
  const read = readSignatures();
  const all = [...mistakes, ...read.mistakes];
  if (all.length === 0 || options.lenient) {
    writeFileSync(join(folder, 'rules.json'), JSON.stringify(rules));
    // Examples are for tests and readers.
    const signatures = read.signatures.map(signature => ({ ...signature, examples: { problem: [], benign: [] } }));
    writeFileSync(join(folder, 'signatures.json'), JSON.stringify(signatures));
  }
  return describeMistakes(all);
}
