import { suggest } from '../checks/type-check.ts';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Access } from '../model/evidence.ts';
import type { Rule } from '../model/rule.ts';
import { UserError } from '../model/user-error.ts';
import type { Explanation, PossibleCause } from '../report/explain.ts';
import type { Tuned } from './tuning.ts';

/** Steps from a rule to a cause of its causes that are shown. */
const DEPTH = 2;

/** Rules that are named to somebody who typed a part of an id. */
const MOST_ALIKE = 8;

/** What there is to say of a rule. Throws a `UserError` where there is no such rule. */
export function explanationOf({ rules, changes }: Pick<Tuned, 'rules' | 'changes'>, id: string): Explanation {
  const byId = new Map(rules.map(rule => [rule.id, rule]));
  const rule = byId.get(id);
  if (!rule)
    throw new UserError(
      `there is no rule "${id}"${suggest(id, [...byId.keys()])}`,
      ...namedLike(id, [...byId.keys()]),
      'thanos-doctor rules lists them all',
    );
  const ids = [...new Set(Object.values(rule.evidence).map(use => use.from))];
  return {
    rule,
    tuned: changes.filter(change => change.rule === id),
    why: rule.why,
    evidence: ids.map(evidence => ({ id: evidence, about: COLLECTORS.get(evidence)?.about ?? '' })),
    causes: causesOf(rule, byId, DEPTH, new Set([rule.id])),
    access: accessOf(ids),
    guide: rule.guide === '' ? '' : `#${rule.guide}`,
  };
}

/** Rules that have the word in their ids: what somebody types who knows only a part of it. */
function namedLike(word: string, ids: readonly string[]): readonly string[] {
  const alike = word.length < 3 ? [] : ids.filter(id => id.includes(word.toLowerCase())).sort();
  if (alike.length === 0) return [];
  const more = alike.length > MOST_ALIKE ? ` and ${alike.length - MOST_ALIKE} more` : '';
  return [`with that in their names: ${alike.slice(0, MOST_ALIKE).join(', ')}${more}`];
}

function causesOf(
  rule: Rule,
  byId: ReadonlyMap<string, Rule>,
  depth: number,
  above: ReadonlySet<string>,
): readonly PossibleCause[] {
  if (depth === 0) return [];
  const ids = [...new Set(rule.causedBy.map(link => link.rule))].filter(id => !above.has(id));
  return ids.flatMap(id => {
    const cause = byId.get(id);
    return cause
      ? [{ rule: id, title: cause.title, causes: causesOf(cause, byId, depth - 1, new Set([...above, id])) }]
      : [];
  });
}

/** What fetching the evidence needs. */
function accessOf(ids: readonly string[]): readonly Access[] {
  const all = ids.flatMap(id => COLLECTORS.get(id)?.needs ?? []);
  return [...new Map(all.map(access => [`${access.group}/${access.resource}`, access])).values()];
}
