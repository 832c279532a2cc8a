import { describe, expect, test } from 'vitest';
import { checkWanted, fixableRoots } from '../../src/app/fix.ts';
import { deadSelector } from '../../src/evidence/components/dead-alerts.ts';
import { parsePromql, selectorsOf } from '../../src/evidence/components/promql.ts';
import { WATCHES } from '../../src/evidence/components/watched-components.ts';
import type { Finding } from '../../src/model/finding.ts';
import { replacementOf } from '../../src/remediations/dead-expressions.ts';
import { labelsFor, takesRule } from '../../src/remediations/selectors.ts';
import { THANOS_ALERTS } from '../../src/remediations/thanos-alerts.ts';
import { refusals, stage } from './harness.ts';
import { SCENES } from './scenes.ts';

const FLEET = { sidecarVersions: ['0.37.2'], onlyEndpointFlags: true };
const selectorsIn = (expr: string) => {
  const node = parsePromql(expr);
  expect(node, expr).toBeDefined();
  return selectorsOf(node!);
};

describe('alerts that are installed', () => {
  test.each(THANOS_ALERTS.map(one => [one.alert, one] as const))('%s can fire, and names its metrics', (_, one) => {
    const selectors = selectorsIn(one.expr);
    for (const selector of selectors) expect(deadSelector(selector, FLEET)).toBeUndefined();
    const metrics = new Set(selectors.map(({ metric }) => metric));
    expect(new Set(one.metrics)).toEqual(metrics);
    const watch = WATCHES.find(({ id }) => id === one.watches);
    if (watch && one.component === '') expect([...metrics].some(metric => watch.metrics.test(metric))).toBe(true);
  });

  test('lack those whose metrics are not scraped, and those that are there, by what they watch', async () => {
    const { plan } = await stage(SCENES['monitoring.install-alerts']!);
    const planned = await plan();
    const lines = planned.diffs.flatMap(diff => diff.lines);
    const names = lines.flatMap(line => /alert: (\w+)/.exec(line)?.[1] ?? []);
    expect(names).toEqual([
      'ThanosSidecarNoUpload',
      'ThanosSidecarSyncStalled',
      'ThanosCompactHalted',
      'ThanosCompactNotRunning',
      'ThanosQueryDown',
      'TargetDown',
    ]);
    expect(lines.join('\n')).toContain('absent(up{job="the-query"} == 1)');
    expect(planned.notes.join('\n')).toMatch(
      /left out: ThanosStoreNoBlocks, because .* has no metric thanos_bucket_store/,
    );
    expect(planned.patches[0]).toMatchObject({ file: 'ns-prometheusrule-thanos-doctor-alerts.yaml' });
  });

  test('are refused where two evaluators would take them, or none, or one of that name is there', async () => {
    const scene = SCENES['monitoring.install-alerts']!;
    const second = { ...scene.objects[1], metadata: { name: 'second', namespace: 'ns' } };
    const two = await stage({ ...scene, objects: [...scene.objects, second] });
    expect(refusals(await two.plan())).toEqual([
      'selected-by-one-evaluator failed: Prometheus ns/main and Prometheus ns/second would take them',
    ]);
    const nobody = await stage({ ...scene, objects: [scene.objects[0], { ...scene.objects[1], spec: {} }] });
    expect(refusals(await nobody.plan()).join()).toMatch(/selected-by-one-evaluator failed: no labels/);
    const elsewhere = { ruleSelector: {}, ruleNamespaceSelector: { matchLabels: { team: 'b' } } };
    const far = await stage({ ...scene, objects: [scene.objects[0], { ...scene.objects[1], spec: elsewhere }] });
    expect(refusals(await far.plan()).join()).toMatch(
      /selected-by-one-evaluator failed: it takes rules from no namespace/,
    );
    const unknown = await stage({ ...scene, evidence: { ...scene.evidence, 'prometheus.metric-names': undefined } });
    expect(refusals(await unknown.plan())).toEqual(['evidence-known unknown: prometheus.metric-names was not given']);
  });
});

test('advice is followed where it is asked for by name, and never for being there', () => {
  const finding = (more: Partial<Finding>): Finding => ({
    id: 'thanos-alerts-absent/test/Prometheus/ns/main',
    rule: 'thanos-alerts-absent',
    title: 'x',
    severity: 'info',
    cluster: 'test',
    subject: { kind: 'Prometheus', namespace: 'ns', name: 'main' },
    message: 'x',
    since: '',
    facts: {},
    evidence: [],
    root: false,
    causedBy: [],
    atRisk: '',
    fix: {
      byHand: '',
      automatic: 'monitoring.install-alerts',
      action: { id: 'monitoring.install-alerts', with: {}, risk: '', onlyIf: [] },
    },
    involves: [],
    ...more,
  });
  const advice = finding({});
  expect(fixableRoots([advice], '')).toEqual([]);
  expect(fixableRoots([advice], 'thanos-alerts-absent')).toEqual([advice]);
  expect(() => checkWanted([advice], 'thanos-alerts-absent')).not.toThrow();
  const symptom = finding({ causedBy: ['something'] });
  expect(fixableRoots([symptom], 'thanos-alerts-absent')).toEqual([]);
  expect(() => checkWanted([symptom], 'thanos-alerts-absent')).toThrow(/it is a symptom/);
  expect(fixableRoots([finding({ severity: 'warning' })], 'thanos-alerts-absent')).toEqual([]);
});

describe('expressions in circulation', () => {
  test.each([
    ['(time() - thanos_shipper_last_successful_upload_time) > 7200'],
    ['time() - thanos_shipper_last_successful_upload_time > 3*3600'],
    ['rate(thanos_compact_iterations_total{result="error"}[5m]) > 0'],
    ['up{job="thanos-query"} == 0'],
    ['rate(thanos_shipper_dir_sync_failures_total[5m]) > 0'],
    ['increase(thanos_query_store_apis_dns_failures_total[5m]) / 5 > 1'],
    ['prometheus_config_last_reload_success == 0'],
  ])('%s has a replacement that can fire', expr => {
    const replacement = replacementOf(expr);
    const selectors = selectorsIn(replacement!.expr);
    for (const selector of selectors) expect(deadSelector(selector, FLEET)).toBeUndefined();
    expect([...new Set(selectors.map(({ metric }) => metric))]).toEqual(replacement!.metrics);
  });

  test.each([
    'up{job="thanos-query",cluster="a"} == 0',
    'thanos_compact_iterations_total > 0',
    'up == 0',
    'my_prometheus_config_last_reload_success == 0',
  ])('%s is left alone', expr => expect(replacementOf(expr)).toBeUndefined());

  test('one that nobody has an answer to keeps the others from being replaced', async () => {
    const scene = SCENES['monitoring.replace-dead-alert']!;
    const objects = structuredClone(scene.objects);
    objects[0].spec.groups[0].rules[2].expr = 'something_else > 1';
    expect(refusals(await (await stage({ ...scene, objects })).plan()).join()).toMatch(
      /known-dead-expression failed: .* QueryDown/,
    );
    const without = {
      ...scene.evidence,
      'prometheus.metric-names': [{ evaluator: { key: 'Prometheus ns/main' }, names: ['up'] }],
    };
    expect(refusals(await (await stage({ ...scene, evidence: without })).plan())).toEqual([
      'replacement-evaluates failed: Prometheus ns/main has no metric thanos_objstore_bucket_last_successful_upload_time',
    ]);
  });
});

test('labels are found for whatever a selector asks for', () => {
  const In = { key: 'tier', operator: 'In', values: ['a', 'b'] };
  const Exists = { key: 'there', operator: 'Exists' };
  const NotIn = { key: 'off', operator: 'NotIn', values: ['yes'] };
  expect(labelsFor({ matchLabels: { x: 'y' }, matchExpressions: [In, Exists, NotIn] })).toEqual({
    x: 'y',
    tier: 'a',
    there: 'true',
  });
  expect(labelsFor({ matchLabels: { off: 'yes' }, matchExpressions: [NotIn] })).toBeUndefined();
  expect(labelsFor(undefined)).toBeUndefined();
  const own = { kind: 'Prometheus' as const, object: { metadata: { namespace: 'ns' }, spec: { ruleSelector: {} } } };
  expect(takesRule(own, {}, { metadata: { name: 'ns' } })).toBe(true);
  expect(takesRule(own, {}, { metadata: { name: 'other' } })).toBe(false);
});
