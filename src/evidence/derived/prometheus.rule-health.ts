import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as rulesCollector } from '../collectors/prometheus.rules.ts';
import { collector as customRulesCollector } from '../collectors/prometheus-operator.rules.ts';
import { gapElement, gapOf, known, listOrGap, orGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';

const SHAPE = [
  {
    /** The PrometheusRule that the rules come from; RuleGroup for a file of another kind. */
    object: REF,
    evaluator: REF,
    pod: REF,
    /** prometheus or rule */
    component: 'str',
    rules: 'int',
    failing: [{ name: 'str', group: 'str', type: 'str', error: 'str', lastAge: 'int' }],
    /** Groups that take longer than their interval. */
    slow: [{ group: 'str', took: 'float', interval: 'float' }],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Evaluator = ShapeOf<typeof rulesCollector.shape>[number];

/** Intervals, and seconds besides, after which an evaluation says nothing of now. */
const INTERVALS = 3;
const SLACK = 300;

export const collector = derived({
  id: 'prometheus.rule-health',
  about: 'For each object that rules come from, and each evaluator: the rules that fail, and the groups that are late.',
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const evaluators = await context.get(rulesCollector);
    const custom = known(await listOrGap(context.get(customRulesCollector)));
    const byUid = new Map(custom.map(rule => [rule.uid, ref('PrometheusRule', rule.namespace, rule.name, rule.uid)]));
    return evaluators.flatMap((evaluator): readonly Row[] => {
      const gap = gapOf(evaluator) ?? gapOf(orGap(() => evaluator.rules));
      if (gap) return !gapOf(evaluator) && !evaluator.running ? [] : [gapElement(gap)];
      return objectsOf(evaluator, byUid);
    });
  },
});

function objectsOf(evaluator: Evaluator, byUid: ReadonlyMap<string, Row['object']>): readonly Row[] {
  const objects = new Map<string, Row['object']>();
  const keyOf = (uid: string, group: string) => {
    const object = byUid.get(uid) ?? ref('RuleGroup', evaluator.evaluator.namespace, group);
    objects.set(object.key, object);
    return object.key;
  };
  const rules = evaluator.rules.map(rule => ({ ...rule, key: keyOf(rule.uid, rule.group) }));
  const groups = evaluator.groups.map(group => ({ ...group, key: keyOf(group.uid, group.name) }));
  return [...objects.values()].map(object => {
    const mine = rules.filter(rule => rule.key === object.key);
    return {
      object,
      evaluator: evaluator.evaluator,
      pod: evaluator.pod,
      component: evaluator.component,
      rules: mine.length,
      failing: mine
        .filter(rule => rule.health === 'err' && rule.lastAge >= 0 && rule.lastAge < INTERVALS * rule.interval + SLACK)
        .map(({ name, group, type, error, lastAge }) => ({ name, group, type, error, lastAge })),
      slow: groups
        .filter(group => group.key === object.key && group.interval > 0 && group.took > group.interval)
        .map(group => ({ group: group.name, took: group.took, interval: group.interval })),
    };
  });
}
