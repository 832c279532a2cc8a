import { derived } from '../collector.ts';
import { collector as rulesCollector } from '../collectors/prometheus.rules.ts';
import { gapOf, known, orGap } from '../gaps.ts';

export const collector = derived({
  id: 'prometheus.loaded-rule-files',
  about: 'Uids of the PrometheusRules that some evaluator has loaded: proof that one is there, never that it is not.',
  shape: { uids: ['str'] },
  async collect(context) {
    const evaluators = known(await context.get(rulesCollector));
    // An evaluator that was not heard proves nothing, so leaving it out cannot make a rule look loaded.
    const groups = evaluators.map(row => orGap(() => row.groups)).filter(row => gapOf(row) === undefined);
    const uids = groups.flatMap(row => row.map(group => group.uid)).filter(uid => uid !== '');
    return { uids: [...new Set(uids)] };
  },
});
