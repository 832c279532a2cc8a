import type { Action, Guard, PlanInput, Step, Target } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { metricsFor } from '../metric-names.ts';
import { Refusal } from '../refusal.ts';
import { type Evaluator, evaluatorsOf, labelsFor, takesRule } from '../selectors.ts';
import { existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { THANOS_ALERTS, type ThanosAlert } from '../thanos-alerts.ts';
import { undoStepsOf } from '../undo.ts';

const NAME = 'thanos-doctor-alerts';

export const action: Action = {
  id: 'monitoring.install-alerts',
  title: 'install the alerts that lack',
  risk: 'change',
  parameters: { prometheus: 'needed' },
  access: [
    { verbs: ['get', 'create', 'delete'], group: 'monitoring.coreos.com', resource: 'prometheusrules' },
    { verbs: ['get', 'list'], group: 'monitoring.coreos.com', resource: 'prometheuses' },
    { verbs: ['list'], group: 'monitoring.coreos.com', resource: 'thanosrulers' },
    { verbs: ['get', 'list'], group: '', resource: 'namespaces' },
  ],
  async plan(input) {
    const evaluator = targetOfKey(input.parameters.prometheus);
    if (evaluator.kind !== 'Prometheus')
      throw new Refusal(
        'operator-owned',
        `${nameOf(evaluator)} takes no PrometheusRule: load the alerts by its own file`,
      );
    const object = await existing(input.api, evaluator);
    const labels = labelsFor(object.spec?.ruleSelector);
    if (!labels)
      throw new Refusal('selected-by-one-evaluator', `no labels make ${nameOf(evaluator)} take a PrometheusRule`);
    const namespace = await namespaceFor(input, { kind: 'Prometheus', object }, labels);
    const target = targetOf('PrometheusRule', namespace.metadata.name, NAME);
    const { alerts, leftOut } = await alertsFor(input, evaluator);
    if (alerts.length === 0)
      throw new Refusal('metrics-are-scraped', `no alert is left that could fire: ${leftOut.join('; ')}`);
    const step: Step = {
      do: 'create',
      title: `create ${nameOf(target)} with ${alerts.map(one => one.alert).join(', ')}`,
      target,
      object: ruleObject(labels, alerts),
    };
    return {
      steps: [step],
      guards: [await noSameName(input, target), await oneEvaluator(input, labels, namespace)],
      riskText: 'they may fire from now on',
      verify: {
        what: `${nameOf(evaluator)} evaluates the alerts without an error`,
        seconds: 180,
        inPart: true,
        signals: [{ is: 'alerts-loaded', rule: target, alerts: alerts.map(({ alert, expr }) => ({ alert, expr })) }],
      },
      undo: { what: `deletes ${nameOf(target)}`, steps: undoStepsOf([step]) },
      notes: leftOut.map(text => `left out: ${text}`),
    };
  },
};

/** The alerts that no loaded one stands for, with the jobs of this site; and those that are left out, with the reason. */
async function alertsFor(input: PlanInput, evaluator: Target) {
  const key = nameOf(evaluator);
  const metrics = await metricsFor(input, key);
  const loaded = (await rowsOf(input.evidence, 'prometheus.alert-expressions')).filter(row => row.loaded);
  const watched = new Set(loaded.filter(row => row.known === '').flatMap(row => row.watches as readonly string[]));
  const alerts: ThanosAlert[] = [];
  const leftOut: string[] = [];
  for (const one of THANOS_ALERTS) {
    if (watched.has(one.watches) || (one.watches === '' && loaded.some(row => asksFor(row, one.metrics)))) continue;
    const absent = one.metrics.find(metric => !metrics.has(metric));
    const jobs = one.component === '' ? [] : await jobsOf(input, key, one.component);
    if (loaded.some(row => row.alert === one.alert)) leftOut.push(`${one.alert}, of which name one is loaded`);
    else if (absent) leftOut.push(`${one.alert}, because ${key} has no metric ${absent}`);
    else if (one.component !== '' && jobs.length === 0)
      leftOut.push(`${one.alert}, because ${key} scrapes no ${one.component}`);
    else alerts.push({ ...one, expr: withJobs(one.expr, jobs) });
  }
  return { alerts, leftOut };
}

function asksFor(row: RawObject, metrics: readonly string[]): boolean {
  return row.known === '' && row.selectors.some((selector: RawObject) => metrics.includes(selector.metric));
}

async function jobsOf({ evidence }: PlanInput, evaluator: string, component: string): Promise<readonly string[]> {
  const rows = (await rowsOf(evidence, 'prometheus.targets')).filter(
    row => row.prometheus.key === evaluator && row.running,
  );
  const targets: readonly RawObject[] = rows.flatMap(row => row.targets);
  return [...new Set(targets.filter(one => one.component === component).map(one => String(one.job)))].sort();
}

function withJobs(expr: string, jobs: readonly string[]): string {
  return jobs.length === 0 ? expr : jobs.map(job => expr.replace('"JOB"', () => JSON.stringify(job))).join(' or ');
}

function ruleObject(labels: Readonly<Record<string, string>>, alerts: readonly ThanosAlert[]): RawObject {
  const rules = alerts.map(one => ({
    alert: one.alert,
    expr: one.expr,
    ...(one.for === '0s' ? {} : { for: one.for }),
    labels: { severity: one.severity },
    annotations: { summary: one.summary },
  }));
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    metadata: { labels },
    spec: { groups: [{ name: 'thanos-doctor', rules }] },
  };
}

/** Where the rule is to lie: beside the Prometheus, else in the only namespace that it takes rules from. */
async function namespaceFor(
  { api }: PlanInput,
  evaluator: Evaluator,
  labels: Readonly<Record<string, string>>,
): Promise<RawObject> {
  const all = await api.list('', 'namespaces', '');
  const taken = all.filter(namespace => takesRule(evaluator, labels, namespace));
  const own = taken.find(({ metadata }) => metadata.name === evaluator.object.metadata.namespace);
  if (own) return own;
  if (taken.length === 1) return taken[0]!;
  const names = taken.map(({ metadata }) => metadata.name).join(', ');
  throw new Refusal(
    'selected-by-one-evaluator',
    `it takes rules from ${names || 'no namespace that there is'}, and not from its own`,
  );
}

function noSameName({ api }: PlanInput, target: Target): Promise<Guard> {
  return guard('no-same-name', 'nothing of that name is there', async () =>
    (await api.get(target)) ? `${nameOf(target)} exists already: look what is in it` : true,
  );
}

function oneEvaluator(
  { api }: PlanInput,
  labels: Readonly<Record<string, string>>,
  namespace: RawObject,
): Promise<Guard> {
  return guard('selected-by-one-evaluator', 'one evaluator takes them, and no second', async () => {
    const managed = { 'app.kubernetes.io/managed-by': 'thanos-doctor', ...labels };
    const takers = (await evaluatorsOf(api)).filter(one => takesRule(one, managed, namespace));
    const names = takers.map(({ kind, object }) => `${kind} ${object.metadata.namespace}/${object.metadata.name}`);
    return takers.length === 1 || `${names.join(' and ') || 'nobody'} would take them`;
  });
}
