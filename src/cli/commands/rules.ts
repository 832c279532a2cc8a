import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { chooseRules } from '../../app/choose-rules.ts';
import { allRules, builtinRules, describeMistakes, loadRulesFrom } from '../../app/rule-files.ts';
import type { Rule } from '../../model/rule.ts';
import { UserError } from '../../model/user-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { RuleOptions } from '../options.ts';

export interface RulesArguments extends RuleOptions {
  readonly lint: string | undefined;
  readonly format: 'text' | 'json';
}

export async function runRules(options: RulesArguments): Promise<number> {
  if (options.lint !== undefined) return lint(options.lint);
  const rules = chooseRules(allRules(options.rules), options);
  if (options.format === 'json') {
    const rows = rules.map(({ id, title, severity, folder, scope, tags, guide, thresholds }) => ({
      id,
      title,
      severity,
      folder,
      scope,
      tags,
      guide,
      thresholds: Object.fromEntries(thresholds.map(({ name, text }) => [name, text])),
    }));
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return EXIT.healthy;
  }
  const folders = [...new Set(rules.map(rule => rule.folder))].sort();
  const width = Math.max(...rules.map(rule => rule.id.length));
  const blocks = folders.map(folder => {
    const rows = rules
      .filter(rule => rule.folder === folder)
      .flatMap(rule => [
        `  ${rule.id.padEnd(width)}  ${rule.severity.padEnd(8)}  ${rule.title}`,
        ...(rule.thresholds.length > 0 ? [`${' '.repeat(width + 14)}${thresholdsText(rule)}`] : []),
      ]);
    return [folder, ...rows].join('\n');
  });
  process.stdout.write(`${blocks.join('\n\n')}\n\n${rules.length} rules\n`);
  return EXIT.healthy;
}

/** What a fleet file may set otherwise. */
function thresholdsText({ thresholds }: Rule): string {
  return `(${thresholds.map(({ name, text }) => `${name} ${text}`).join(', ')})`;
}

function lint(folder: string): number {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new UserError(`cannot check ${folder}: there is no such folder`);
  const { rules, mistakes } = loadRulesFrom(resolve(folder), builtinRules());
  if (mistakes.length > 0) {
    process.stderr.write(`${describeMistakes(mistakes).join('\n')}\n`);
    return EXIT.usage;
  }
  if (rules.length === 0) throw new UserError(`${folder} holds no .yaml file with a rule`);
  process.stdout.write(`${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}, no mistake\n`);
  return EXIT.healthy;
}
