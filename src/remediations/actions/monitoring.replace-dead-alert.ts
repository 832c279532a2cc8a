import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { type Replacement, replacementOf } from '../dead-expressions.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { metricsFor } from '../metric-names.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

interface Place {
  readonly alert: string;
  readonly path: readonly (string | number)[];
  readonly expr: string;
  readonly replacement: Replacement | undefined;
}

export const action: Action = {
  id: 'monitoring.replace-dead-alert',
  title: 'give the alert an expression that can fire',
  risk: 'change',
  parameters: { rule: 'needed', alert: 'needed' },
  access: [{ verbs: ['get', 'patch'], group: 'monitoring.coreos.com', resource: 'prometheusrules' }],
  async plan(input) {
    const target = targetOfKey(input.parameters.rule);
    if (target.kind !== 'PrometheusRule') throw new Refusal('object-known', `${nameOf(target)} is no PrometheusRule`);
    const object = await existing(input.api, target);
    const names = (input.parameters.alert ?? '').split(',').filter(Boolean);
    const places = placesIn(object).filter(({ alert }) => names.includes(alert));
    const unknown = [
      ...names.filter(name => !places.some(({ alert }) => alert === name)),
      ...places.filter(({ replacement }) => !replacement).map(({ alert }) => alert),
    ];
    if (names.length === 0 || unknown.length > 0)
      throw new Refusal(
        'known-dead-expression',
        `there is no ready expression in place of that of ${unknown.join(', ') || 'no alert'}`,
      );
    const step = changeStep(
      target,
      object,
      `replace the expression of ${names.join(', ')} in ${nameOf(target)}`,
      places.map(({ path, replacement }) => [path, replacement!.expr] as const),
    );
    return {
      steps: [step],
      guards: [
        await guard('replacement-evaluates', 'the new expression has its metrics, and can be evaluated', async () => {
          const loaded = (await rowsOf(input.evidence, 'prometheus.alert-expressions')).filter(
            row => row.object.key === nameOf(target) && row.loaded,
          );
          const evaluators = [...new Set(loaded.map(row => String(row.evaluator.key)))];
          if (evaluators.length === 0) return 'nobody has loaded it: what evaluates it is not known';
          for (const evaluator of evaluators) {
            const metrics = await metricsFor(input, evaluator);
            for (const { replacement } of places) {
              const absent = replacement!.metrics.find(metric => !metrics.has(metric));
              if (absent) return `${evaluator} has no metric ${absent}`;
              const prometheus = evaluator.startsWith('Prometheus ') ? evaluator.replace('Prometheus ', '') : '';
              await recordOf(input.evidence, 'prometheus.query', { expr: replacement!.expr, prometheus });
            }
          }
          return true;
        }),
      ],
      riskText: 'the alert may fire from now on',
      verify: {
        what: `${input.finding.rule} is healthy, and the alert is evaluated without an error`,
        seconds: 180,
        signals: [
          {
            is: 'alerts-loaded',
            rule: target,
            alerts: places.map(({ alert, replacement }) => ({
              alert,
              expr: replacement!.asWritten ? replacement!.expr : '',
            })),
          },
        ],
      },
      undo: { what: 'writes the old expression back', steps: undoStepsOf([step]) },
    };
  },
};

function placesIn(object: RawObject): readonly Place[] {
  return (object.spec?.groups ?? []).flatMap((group: RawObject, inGroup: number) =>
    (group.rules ?? []).flatMap((rule: RawObject, at: number) => {
      if (typeof rule.alert !== 'string') return [];
      const expr = String(rule.expr ?? '');
      const path = ['spec', 'groups', inGroup, 'rules', at, 'expr'];
      return [{ alert: rule.alert, path, expr, replacement: replacementOf(expr) }];
    }),
  );
}
