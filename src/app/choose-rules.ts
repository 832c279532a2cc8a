import { suggest } from '../checks/type-check.ts';
import type { Rule } from '../model/rule.ts';
import { UserError } from '../model/user-error.ts';

/** How often a rule is worth its reads: what is broken now, what will break, what is worth knowing. */
export type Pack = 'daily' | 'weekly' | 'deep';

const PACKS: readonly Pack[] = ['daily', 'weekly', 'deep'];

export interface RuleChoice {
  readonly pack: Pack | undefined;
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/**
 * The rules that are to be judged: those of the pack (all, without one) that `only` names (all, if it names none) without
 * those that `skip` names. A name is a rule's id, a folder of `rules/` or a tag. A name that fits nothing is a `UserError`.
 */
export function chooseRules(rules: readonly Rule[], { pack = 'deep', only, skip }: RuleChoice): readonly Rule[] {
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
  const chosen = packed(rules, pack).filter(rule => (only.length === 0 || fits(rule, only)) && !fits(rule, skip));
  // With nothing to judge, everything would look healthy.
  if (chosen.length === 0) throw new UserError('no rule is left: what --pack and --only name, --skip takes away');
  return chosen;
}

/** A pack holds the packs before it, and whatever may be behind its rules: without it a symptom would pass for a cause. */
function packed(rules: readonly Rule[], pack: Pack): readonly Rule[] {
  const byId = new Map(rules.map(rule => [rule.id, rule]));
  const ids = new Set(rules.filter(rule => PACKS.indexOf(packOf(rule)) <= PACKS.indexOf(pack)).map(({ id }) => id));
  for (const id of ids) for (const cause of byId.get(id)?.causedBy ?? []) ids.add(cause.rule);
  return rules.filter(({ id }) => ids.has(id));
}

function packOf({ tags, severity }: Rule): Pack {
  return (
    PACKS.find(pack => tags.includes(pack)) ??
    ({ critical: 'daily', warning: 'weekly', info: 'deep' } as const)[severity]
  );
}
