import { describe, expect, test } from 'vitest';
import { type Suppression, silence, suppressionsAt } from '../../src/checks/silence.ts';
import type { Finding, Severity } from '../../src/model/finding.ts';

function finding(rule: string, severity: Severity = 'warning', cluster = 'here'): Finding {
  return {
    id: rule,
    rule,
    title: rule,
    severity,
    cluster,
    subject: { kind: 'Pod', namespace: 'team', name: 'web-1' },
    message: '',
    since: '',
    facts: {},
    evidence: [],
    root: false,
    causedBy: [],
    atRisk: '',
    fix: { byHand: '', automatic: '' },
    involves: [],
  };
}

function suppression(changes: Partial<Suppression> = {}): Suppression {
  return { rule: 'a', cluster: '', subject: '', reason: 'known', until: '', endsAt: 1000, place: '', ...changes };
}

describe('a suppression fits', () => {
  const fits = (changes: Partial<Suppression>, now = 0) =>
    suppressionsAt([suppression(changes)], now)(finding('a')) !== undefined;

  test.each([
    [{}, true],
    [{ rule: 'b' }, false],
    [{ cluster: 'here' }, true],
    [{ cluster: 'there' }, false],
    [{ subject: 'Pod team/web-1' }, true],
    [{ subject: 'Pod team/web' }, false],
    [{ subject: 'Pod team/web-*' }, true],
    [{ subject: 'Pod */web-1' }, true],
    [{ subject: '* team/*' }, true],
    [{ subject: 'Pod team/web-1*1' }, false],
    [{ subject: 'Pod other/*' }, false],
    [{ subject: `${'*a'.repeat(50)}*` }, false],
  ])('%j: %s', (changes, expected) => {
    expect(fits(changes)).toBe(expected);
  });

  test('until it ends', () => {
    expect(fits({}, 999)).toBe(true);
    expect(fits({}, 1000)).toBe(false);
  });
});

/** `effect: [causes]`; a name is followed by `!` where the finding is critical. */
function silenced(edges: Readonly<Record<string, readonly string[]>>, ...suppressed: readonly string[]) {
  const severityOf = (name: string): Severity => (name.endsWith('!') ? 'critical' : 'warning');
  const names = [...new Set([...Object.keys(edges), ...Object.values(edges).flat()])];
  const findings = names.map(name => finding(name, severityOf(name)));
  const named = (name: string) => findings.find(({ id }) => id === name)!;
  const result = silence(
    findings,
    new Map(names.map(name => [name, (edges[name] ?? []).map(named)])),
    suppressionsAt(
      suppressed.map(rule => suppression({ rule })),
      0,
    ),
  );
  return {
    kept: result.kept.map(({ id }) => id),
    causes: Object.fromEntries(result.kept.map(({ id }) => [id, result.edges.get(id)!.map(cause => cause.id)])),
    through: Object.fromEntries(result.silenced.map(({ finding: { id }, through }) => [id, through])),
  };
}

describe('of findings that explain each other', () => {
  test('nothing changes without a suppression', () => {
    expect(silenced({ effect: ['cause'] })).toEqual({
      kept: ['effect', 'cause'],
      causes: { effect: ['cause'], cause: [] },
      through: {},
    });
  });

  test('a suppressed cause takes along what it alone explains, over several steps', () => {
    expect(silenced({ last: ['middle'], middle: ['cause'] }, 'cause')).toEqual({
      kept: [],
      causes: {},
      through: { cause: '', middle: 'cause', last: 'cause' },
    });
  });

  test('what has a second cause stays under that', () => {
    expect(silenced({ effect: ['cause', 'other'] }, 'cause')).toEqual({
      kept: ['effect', 'other'],
      causes: { effect: ['other'], other: [] },
      through: { cause: '' },
    });
  });

  test('two suppressed causes leave nothing', () => {
    expect(silenced({ effect: ['cause', 'other'] }, 'cause', 'other').kept).toEqual([]);
  });

  test('a suppressed symptom hands its cause on', () => {
    expect(silenced({ last: ['middle'], middle: ['cause'] }, 'middle')).toEqual({
      kept: ['last', 'cause'],
      causes: { last: ['cause'], cause: [] },
      through: { middle: '' },
    });
  });

  test('what is more severe than what was accepted stays, as a root', () => {
    expect(silenced({ 'loss!': ['cause'], 'below!': ['loss!'] }, 'cause')).toEqual({
      kept: ['loss!', 'below!'],
      causes: { 'loss!': [], 'below!': ['loss!'] },
      through: { cause: '' },
    });
  });

  test('the severity that counts is that of what was suppressed, not of what lies between', () => {
    expect(silenced({ 'loss!': ['middle'], middle: ['cause!'] }, 'cause!').kept).toEqual([]);
    expect(silenced({ 'loss!': ['middle'], middle: ['cause'] }, 'cause').kept).toEqual(['loss!']);
  });
});
