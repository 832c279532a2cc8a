import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedRules, loadRules } from '../checks/load-rules.ts';
import type { RuleMistake, TextFile } from '../checks/rule-file.ts';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Rule } from '../model/rule.ts';
import { UserError } from '../model/user-error.ts';
import { ACTIONS } from '../remediations/catalogue.ts';
import { findUpward, inRules, RULES_FOLDER } from './package-files.ts';

/** Reads and checks the rules in a folder as they are written. */
export function loadRulesFrom(folder: string, known: readonly Rule[] = []): LoadedRules {
  const builtin = folder === RULES_FOLDER;
  const schema = JSON.parse(readFileSync(inRules('schema.json'), 'utf8'));
  const texts = {
    rules: ruleFiles(folder, builtin ? 'rules/' : `${folder.replace(/\/$/, '')}/`),
    groups: groupsFor(folder, known),
    schema,
    retired: retiredIds(),
  };
  return loadRules(texts, id => COLLECTORS.get(id), ACTIONS, known);
}

/** A folder beside the built-in rules names their groups, unless it has its own. */
function groupsFor(folder: string, known: readonly Rule[]): TextFile | undefined {
  const builtin = () => optionalText(join(RULES_FOLDER, 'groups.yaml'), 'rules/groups.yaml');
  if (folder === RULES_FOLDER) return builtin();
  const path = join(folder, 'groups.yaml');
  return optionalText(path, path) ?? (known.length > 0 ? builtin() : undefined);
}

/** The built-in rules: compiled at build time where that is at hand, else from their YAML. */
export function builtinRules(): readonly Rule[] {
  const compiled = findUpward('rules.json');
  if (compiled) return JSON.parse(readFileSync(compiled, 'utf8'));
  const { rules, mistakes } = loadRulesFrom(RULES_FOLDER);
  if (mistakes.length > 0) throw new Error(`built-in rules are broken:\n${describeMistakes(mistakes).join('\n')}`);
  return rules;
}

/** Built-in rules and those of the folders given. Throws a `UserError` with every mistake at once. */
export function allRules(folders: readonly string[]): readonly Rule[] {
  let rules = builtinRules();
  for (const folder of folders) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new UserError(`cannot read rules from ${folder}: there is no such folder`);
    }
    const own = loadRulesFrom(folder, rules);
    if (own.mistakes.length > 0) throw brokenRules(own.mistakes);
    if (own.rules.length === 0)
      throw new UserError(`cannot read rules from ${folder}: it holds no .yaml file with a rule`);
    rules = [...rules, ...own.rules].sort((a, b) => a.id.localeCompare(b.id, 'en'));
  }
  return rules;
}

export function brokenRules(mistakes: readonly RuleMistake[]): UserError {
  const many = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new UserError(`cannot use the rules: ${many}`, ...describeMistakes(mistakes));
}

export function describeMistakes(mistakes: readonly RuleMistake[]): readonly string[] {
  return mistakes.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

/** Rules lie in folders of `rules/`, or directly in a folder of the user's. */
function ruleFiles(folder: string, shown: string): readonly TextFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name).slice(folder.replace(/\/?$/, '/').length))
    .filter(path => path !== 'groups.yaml' && !path.startsWith('signatures/'))
    .sort()
    .map(path => ({ path: shown + path, text: readFileSync(join(folder, path), 'utf8') }));
}

function optionalText(path: string, shown: string): TextFile | undefined {
  return existsSync(path) ? { path: shown, text: readFileSync(path, 'utf8') } : undefined;
}

function retiredIds(): readonly string[] {
  const path = join(RULES_FOLDER, 'RETIRED.md');
  if (!existsSync(path)) return [];
  return [...readFileSync(path, 'utf8').matchAll(/^\| `([a-z0-9-]+)`/gm)].map(match => match[1]!);
}
