import { suggest } from '../checks/type-check.ts';
import type { Rule } from '../model/rule.ts';
import { UserError } from '../model/user-error.ts';

/**
 * The rules that are to be judged: those that `only` names (all, if it names none) without those that `skip` names.
 * A name is a rule's id, a folder of `rules/` or a tag. A name that fits nothing is a `UserError`.
 */
export function chooseRules(rules: readonly Rule[], only: readonly string[], skip: readonly string[]): readonly Rule[] {
  const names = new Set(rules.flatMap(rule => [rule.id, rule.folder, ...rule.tags]));
  for (const name of [...only, ...skip]) {
    if (names.has(name)) continue;
    throw new UserError(
      `there is no rule, folder or tag "${name}"${suggest(name, [...names])}`,
      'thanos-doctor rules lists them all',
    );
  }
  const fits = (rule: Rule, wanted: readonly string[]) =>
    wanted.some(name => name === rule.id || name === rule.folder || rule.tags.includes(name));
  const chosen = rules.filter(rule => (only.length === 0 || fits(rule, only)) && !fits(rule, skip));
  // With nothing to judge, everything would look healthy.
  if (chosen.length === 0) throw new UserError('no rule is left: what --only names, --skip takes away');
  return chosen;
}
