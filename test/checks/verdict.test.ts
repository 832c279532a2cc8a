import { expect, test } from 'vitest';
import { diagnose } from '../../src/checks/diagnose.ts';
import { gapElement } from '../../src/evidence/gaps.ts';
import type { Gap } from '../../src/model/gap.ts';
import { box, loadOne, storeOf } from './rule-texts.ts';

const GAP: Gap = { evidence: 'box.list', reason: 'timed-out', detail: 'no answer', path: '/boxes', notLookedAt: false };
const NOT_ASKED: Gap = { ...GAP, reason: 'not-asked', detail: 'nobody asked', notLookedAt: true };

const full = loadOne();
const heavy = loadOne({
  id: 'box-heavy',
  title: 'A box is heavy',
  evidence: '{ boxes: box.list, weight: { from: box.weight, with: { name: "${box.name}" } } }',
  problemWhen: 'weight.kilos > 10',
});
const fleetRule = loadOne({
  id: 'boxes-many',
  title: 'There are many boxes',
  scope: 'fleet',
  evidence: '{ all: fleet.boxes }',
  forEach: 'b in all',
  problemWhen: 'b.count > 5',
  subject: '{ kind: Box, name: "${b.name}" }',
  message: 'There are many boxes ${b.name}.',
  fix: '{ byHand: "give some boxes away" }',
});

const nothing = { fleet: storeOf({}, [], 'fleet'), unreachable: new Map<string, Gap>() };

test('healthy is counted, by rule, check and subject', async () => {
  const store = storeOf({
    'box.list': [box(), box({ name: 'blue' })],
    'box.weight red': { kilos: 1 },
    'box.weight blue': { kilos: 2 },
  });
  const result = await diagnose({ ...nothing, rules: [full, heavy], clusters: [store] });
  expect(result).toMatchObject({
    verdict: 'healthy',
    findings: [],
    roots: [],
    unknowns: [],
    notLookedAt: [],
    counts: { rules: 2, checks: 4, subjects: 2, unknown: 0 },
  });
});

test('problems in clusters and in the fleet, and what could not be read beside them', async () => {
  const attic = storeOf({ 'box.list': [box({ full: true }), gapElement(GAP)] }, [], 'attic');
  const cellar = storeOf({ 'box.list': [box({ name: 'blue' })] }, [], 'cellar');
  const fleet = storeOf({ 'fleet.boxes': [{ name: 'red', count: 7 }] }, [], 'fleet');
  const result = await diagnose({ ...nothing, fleet, rules: [full, heavy, fleetRule], clusters: [cellar, attic] });
  expect(result.verdict).toBe('problems');
  expect(result.findings.map(finding => finding.id)).toEqual(['box-full/attic/Box//red', 'boxes-many/fleet/Box//red']);
  // Sorted by cluster and rule, whatever the order of evaluation.
  expect(result.unknowns.map(({ cluster, rule, subject }) => [cluster, rule, subject?.name])).toEqual([
    ['attic', 'box-full', undefined],
    ['attic', 'box-heavy', undefined],
    ['attic', 'box-heavy', 'red'],
    ['cellar', 'box-heavy', 'blue'],
  ]);
});

test('an info finding is no problem', async () => {
  const note = loadOne({ severity: 'info' });
  const store = storeOf({ 'box.list': [box({ full: true })] });
  const result = await diagnose({ ...nothing, rules: [note], clusters: [store] });
  expect(result.verdict).toBe('healthy');
  expect(result.findings).toHaveLength(1);
});

test('a cluster that does not answer is one unknown, whatever the number of rules', async () => {
  const unreachable = new Map([['cellar', { ...GAP, reason: 'unreachable' as const }]]);
  const result = await diagnose({ ...nothing, rules: [full, heavy], clusters: [], unreachable });
  expect(result.verdict).toBe('unknown');
  expect(result.unknowns).toEqual([
    {
      rule: '',
      cluster: 'cellar',
      subject: { kind: 'Cluster', namespace: '', name: 'cellar' },
      gaps: [unreachable.get('cellar')],
    },
  ]);
});

test('what nobody asked for leaves it healthy, and is listed once, with the rules that would have read it', async () => {
  const store = (cluster: string) => storeOf({ 'box.list': [gapElement(NOT_ASKED), box({ name: '' })] }, [], cluster);
  const rules = [heavy, full].map(rule => ({ ...rule, problemWhen: full.problemWhen }));
  const result = await diagnose({ ...nothing, rules, clusters: [store('cellar'), store('attic')] });
  expect(result.verdict).toBe('healthy');
  expect(result.unknowns).toEqual([]);
  expect(result.notLookedAt).toEqual([
    { cluster: 'attic', gap: NOT_ASKED, rules: ['box-full', 'box-heavy'] },
    { cluster: 'cellar', gap: NOT_ASKED, rules: ['box-full', 'box-heavy'] },
  ]);
  expect(result.counts.subjects).toBe(0);
});

test('the order of clusters and rules changes nothing', async () => {
  const stores = () => [storeOf({ 'box.list': [box({ full: true })] }, [], 'attic'), storeOf({}, [], 'cellar')];
  const forward = await diagnose({ ...nothing, rules: [full, heavy], clusters: stores() });
  const backward = await diagnose({ ...nothing, rules: [heavy, full], clusters: stores().reverse() });
  expect(backward).toEqual(forward);
});
