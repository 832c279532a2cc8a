import type { Action } from '../model/remediation.ts';
import type { RuleMistake, WrittenRule } from './rule-file.ts';
import { suggest } from './type-check.ts';

/** What is known of each action when rules are checked. */
export type KnownActions = ReadonlyMap<string, Pick<Action, 'parameters'>>;

/** Whether the actions of a rule exist, take what they are given, and are given what they need. */
export function fixMistakes(rule: WrittenRule, actions: KnownActions): readonly RuleMistake[] {
  const { automatic } = rule.fix;
  return automatic.flatMap((written, index) => {
    const at = (...path: readonly string[]) => {
      const place = automatic.length > 1 ? ['fix', 'automatic', index, ...path] : ['fix', 'automatic', ...path];
      return { file: rule.file, ...rule.locate(...place) };
    };
    const action = actions.get(written.action);
    if (!action) {
      const message = `there is no action ${written.action}${suggest(written.action, [...actions.keys()])}`;
      return [{ ...at('action'), message }];
    }
    const names = Object.keys(action.parameters);
    const given = Object.keys(written.with);
    const strange = given.filter(name => !names.includes(name));
    const missing = names.filter(name => action.parameters[name] === 'needed' && !given.includes(name));
    return [
      ...strange.map(name => ({
        ...at('with', name),
        message: `${written.action} takes no ${name}${suggest(name, names)} (it takes ${names.join(', ')})`,
      })),
      ...missing.map(name => ({ ...at('with'), message: `${written.action} needs ${name}` })),
    ];
  });
}
