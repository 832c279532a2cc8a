import { describe, expect, test } from 'vitest';
import { correlate } from '../../src/checks/correlate.ts';
import { isOfKind, qualify, subjectKey } from '../../src/checks/object-keys.ts';
import type { Finding, Severity, Unknown } from '../../src/model/finding.ts';
import type { CauseLink, Rule } from '../../src/model/rule.ts';
import { loadOne } from './rule-texts.ts';

function finding(
  rule: string,
  kind: string,
  involves: readonly string[],
  severity: Severity = 'warning',
  namespace = 'n',
): Finding {
  const subject = { kind, namespace, name: rule };
  return {
    id: `${rule}/here/${kind}/${namespace}/${rule}`,
    rule,
    title: rule,
    severity,
    cluster: 'here',
    subject,
    message: '',
    since: '',
    facts: { code: 2 },
    evidence: [],
    root: false,
    causedBy: [],
    atRisk: '',
    fix: { byHand: '', automatic: '' },
    involves: [subjectKey(subject), ...involves],
  };
}

function rulesOf(links: Readonly<Record<string, readonly CauseLink[]>>): ReadonlyMap<string, Rule> {
  const template = loadOne();
  return new Map(Object.entries(links).map(([id, causedBy]) => [id, { ...template, id, causedBy }]));
}

function arrange(
  findings: readonly Finding[],
  links: Readonly<Record<string, readonly CauseLink[]>>,
  unknowns: readonly Unknown[] = [],
) {
  const { findings: arranged, roots, suspects } = correlate(findings, unknowns, rulesOf(links), new Map());
  const causes = Object.fromEntries(arranged.map(({ rule, causedBy }) => [rule, causedBy.map(id => id.split('/')[0])]));
  return { causes, roots: roots.map(id => id.split('/')[0]), suspects, arranged };
}

const by = (rule: string, ...shares: readonly string[]): CauseLink => ({ rule, shares });

describe('a cause explains a finding', () => {
  test('with which it shares an object of the right kind', () => {
    const findings = [
      finding('down', 'Service', ['StatefulSet n/s @here']),
      finding('crash', 'StatefulSet', ['StatefulSet n/s @here']),
    ];
    expect(arrange(findings, { down: [by('crash', 'Workload')] })).toMatchObject({
      causes: { down: ['crash'], crash: [] },
      roots: ['crash'],
    });
    expect(arrange(findings, { down: [by('crash', 'Pod')] }).roots).toEqual(['crash', 'down']);
  });

  test('only if its condition holds; one that cannot be shown does not', () => {
    const findings = [finding('down', 'Service', ['Pod n/p @here']), finding('crash', 'Pod', ['Pod n/p @here'])];
    const when = (text: string): CauseLink => ({
      rule: 'crash',
      shares: ['Pod'],
      when: { text, file: '', line: 1, column: 1 },
    });
    expect(arrange(findings, { down: [when('cause.facts["code"] == 2')] }).roots).toEqual(['crash']);
    expect(arrange(findings, { down: [when('cause.facts["code"] == 3')] }).roots).toEqual(['crash', 'down']);
    expect(arrange(findings, { down: [when('cause.facts["nothing"] == 3')] }).roots).toEqual(['crash', 'down']);
  });

  test('never itself, never twice, and info explains only info', () => {
    const key = 'Pod n/p @here';
    const findings = [
      finding('a', 'Pod', [key]),
      finding('b', 'Pod', [key], 'info'),
      finding('c', 'Pod', [key], 'info'),
    ];
    const { causes, roots } = arrange(findings, {
      a: [by('a', 'Pod'), by('b', 'Pod')],
      c: [by('b', 'Pod'), by('b', 'Pod')],
    });
    expect(causes).toEqual({ a: [], b: [], c: ['b'] });
    expect(roots).toEqual(['a']);
  });
});

describe('a ring', () => {
  const key = 'Pod n/p @here';
  const ring = { a: [by('b', 'Pod')], b: [by('c', 'Pod')], c: [by('a', 'Pod'), by('outside', 'Pod')] };

  test('is opened where a cause outside explains it', () => {
    const findings = [
      finding('a', 'Pod', [key]),
      finding('b', 'Pod', [key]),
      finding('c', 'Pod', [key]),
      finding('outside', 'Pod', [key]),
    ];
    const { roots, causes } = arrange(findings, ring);
    expect(roots).toEqual(['outside']);
    expect(causes).toEqual({ a: ['b'], b: ['c'], c: ['outside'], outside: [] });
  });

  test('without such a cause is opened at its most basic finding', () => {
    const findings = [
      finding('a', 'Prometheus', [key]),
      finding('b', 'Secret', [key]),
      finding('c', 'Deployment', [key]),
    ];
    expect(arrange(findings, ring).roots).toEqual(['b']);
    const system = [
      finding('a', 'Prometheus', [key]),
      finding('b', 'Deployment', [key], 'warning', 'kube-system'),
      finding('c', 'Secret', [key]),
    ];
    expect(arrange(system, ring).roots).toEqual(['b']);
    const nameless = [finding('a', 'Thing', [key]), finding('b', 'Thing', [key]), finding('c', 'Thing', [key])];
    expect(arrange(nameless, ring).roots).toEqual(['a']);
  });

  test('of two pairs that touch is cut once for all', () => {
    const findings = ['a', 'b', 'c', 'd'].map(name => finding(name, 'Pod', [key]));
    const links = {
      a: [by('b', 'Pod')],
      b: [by('a', 'Pod'), by('c', 'Pod')],
      c: [by('b', 'Pod'), by('d', 'Pod')],
      d: [by('c', 'Pod')],
    };
    const { roots, arranged } = arrange(findings, links);
    expect(roots).toEqual(['a']);
    for (const { id, causedBy } of arranged) expect(causedBy).not.toContain(id);
  });
});

test('roots: critical first, then what explains more, then since when, then the name', () => {
  const key = 'Pod n/p @here';
  const findings = [
    finding('warns', 'Pod', []),
    finding('late', 'Secret', []),
    { ...finding('early', 'Secret', []), since: '2026-01-01T00:00:00Z' },
    finding('explains', 'Secret', [key]),
    finding('symptom', 'Service', [key]),
    finding('burns', 'Secret', [], 'critical'),
  ];
  expect(arrange(findings, { symptom: [by('explains', 'Pod')] }).roots).toEqual([
    'burns',
    'explains',
    'early',
    'late',
    'warns',
  ]);
});

test('suspects: what might explain a root and could not be checked', () => {
  const gaps = [{ evidence: 'x', reason: 'forbidden', detail: 'no', path: '', notLookedAt: false }] as const;
  const open = (cluster: string): Unknown => ({ rule: 'crash', cluster, gaps });
  const links = { down: [by('crash', 'Pod'), by('calm', 'Pod')] };
  expect(arrange([finding('down', 'Service', [])], links, [open('here')]).suspects).toMatchObject([
    { rule: 'crash', cluster: 'here' },
  ]);
  expect(arrange([finding('down', 'Service', [])], links, [open('there')]).suspects).toEqual([]);
  expect(arrange([finding('down', 'Service', [])], links, [open('fleet')]).suspects).toHaveLength(1);
});

test('keys', () => {
  expect(qualify('Pod n/p', 'a')).toBe('Pod n/p @a');
  expect(qualify('Pod n/p @b', 'a')).toBe('Pod n/p @b');
  expect(qualify('Address 1.2.3.4:1 @b', 'a')).toBe('Address 1.2.3.4:1');
  expect(qualify('Odd', 'a')).toBe('Odd @a');
  expect(isOfKind('CronJob n/x @a', ['Workload'])).toBe(true);
  expect(isOfKind('Pod n/x @a', ['Workload'])).toBe(false);
});
