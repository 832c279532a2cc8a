import { listOf } from '../collector.ts';
import { wholeSeconds } from '../components/operator.ts';
import { REJECTION, rejectionOf } from '../components/rejections.ts';
import { list, strings, text } from '../objects.ts';

export const collector = listOf({
  id: 'prometheus-operator.rules',
  about: 'PrometheusRules with their groups: alerts and recording rules as they are meant.',
  group: 'monitoring.coreos.com',
  resource: 'prometheusrules',
  kind: 'PrometheusRule',
  fields: {
    groups: [
      {
        name: 'str',
        /** Seconds; 0 where the group leaves it to the evaluator. */
        interval: 'int',
        alerts: [{ name: 'str', expr: 'str', for: 'int', labels: 'map' }],
        records: [{ name: 'str', expr: 'str' }],
      },
    ],
    ...REJECTION,
  },
  row(object) {
    return {
      groups: list(object.spec?.groups).map(group => {
        const rules = list(group?.rules);
        return {
          name: text(group?.name),
          interval: wholeSeconds(group?.interval),
          alerts: rules
            .filter(rule => rule?.alert)
            .map(rule => ({
              name: text(rule.alert),
              expr: expression(rule.expr),
              for: wholeSeconds(rule.for),
              labels: strings(rule.labels),
            })),
          records: rules
            .filter(rule => rule?.record)
            .map(rule => ({ name: text(rule.record), expr: expression(rule.expr) })),
        };
      }),
      ...rejectionOf(object),
    };
  },
});

/** An expression may be written as a bare number. */
function expression(raw: unknown): string {
  return typeof raw === 'number' ? String(raw) : text(raw);
}
