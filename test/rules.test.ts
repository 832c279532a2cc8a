import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RULES_FOLDER } from '../src/app/package-files.ts';
import { describeMistakes, loadRulesFrom } from '../src/app/rule-files.ts';
import type { Compiled } from '../src/checks/cel.ts';
import { correlate } from '../src/checks/correlate.ts';
import { evaluateRule } from '../src/checks/evaluate.ts';
import { subjectKey } from '../src/checks/object-keys.ts';
import type { Finding, Unknown, Verdict } from '../src/model/finding.ts';
import type { GapReason } from '../src/model/gap.ts';
import type { Rule } from '../src/model/rule.ts';
import { givenStore } from './given-evidence.ts';

interface Case {
  readonly about: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly gaps?: Readonly<Record<string, GapReason>>;
  readonly expect: 'problem' | 'healthy' | 'unknown' | 'nothing';
  readonly subject?: string;
  readonly subjects?: readonly string[];
  readonly message?: string;
  readonly with?: readonly string[];
  readonly causedBy?: readonly string[];
  /** The action that is offered, with what it is given; '' for none. */
  readonly fix?: { readonly action: string; readonly with: Readonly<Record<string, string>> } | '';
}

const KEYS = ['about', 'given', 'gaps', 'expect', 'subject', 'subjects', 'message', 'with', 'causedBy', 'fix'];
const CASES = new URL('./rules/', import.meta.url).pathname;
const { rules, mistakes } = loadRulesFrom(RULES_FOLDER);
const byId = new Map(rules.map(rule => [rule.id, rule]));

function casesOf(id: string): readonly { readonly name: string; readonly content: Case }[] {
  const folder = join(CASES, id);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .sort()
    .map(name => ({ name, content: parse(readFileSync(join(folder, name), 'utf8')) as Case }));
}

async function judge(rule: Rule, content: Case, gaps = content.gaps ?? {}): Promise<readonly Verdict[]> {
  const store = givenStore({ given: content.given, gaps, scope: rule.scope });
  return evaluateRule(rule, { store, compiled: new Map<string, Compiled>() });
}

function outcome(verdicts: readonly Verdict[]): Case['expect'] {
  for (const kind of ['problem', 'unknown', 'healthy'] as const)
    if (verdicts.some(verdict => verdict.is === kind)) return kind;
  return 'nothing';
}

test('all built-in rules are sound', () => {
  expect(describeMistakes(mistakes)).toEqual([]);
});

test('every folder of cases has its rule', () => {
  const orphans = readdirSync(CASES).filter(
    name => !byId.has(name) && !mistakes.some(mistake => mistake.file.includes(`/${name}.yaml`)),
  );
  expect(orphans, 'folders in test/rules/ without a rule: rename or delete them').toEqual([]);
});

describe.each(rules.map(rule => [rule.id, rule] as const))('%s', (id, rule) => {
  const cases = casesOf(id);

  test('has a problem case and a healthy one', () => {
    const expected = new Set(cases.map(({ content }) => content.expect));
    const hint = `add test/rules/${id}/<case>.yaml`;
    expect(expected.has('problem'), `no problem case: ${hint}`).toBe(true);
    expect(expected.has('healthy') || expected.has('nothing'), `no healthy case: ${hint}`).toBe(true);
  });

  test('is worded as all rules are', () => {
    expect(rule.symptom, 'the symptom ends with a full stop').toMatch(/[.…]$/);
    expect(rule.title, 'the title starts with a capital letter').toMatch(/^[A-Z`"$]/);
  });

  for (const { name, content } of cases) {
    test(`${name}: ${content.about}`, async () => {
      expect(
        Object.keys(content).filter(key => !KEYS.includes(key)),
        'keys that no case has',
      ).toEqual([]);
      expect(content.about, 'about is a sentence').toMatch(/\.$/);
      const verdicts = await judge(rule, content);
      const details = verdicts
        .filter(verdict => verdict.is === 'unknown')
        .map(verdict => verdict.unknown.gaps.map(gap => gap.detail));
      expect(outcome(verdicts), `unknown because of ${JSON.stringify(details)}`).toBe(content.expect);
      const findings = verdicts.filter(verdict => verdict.is === 'problem').map(verdict => verdict.finding);
      const subjects = content.subjects ?? (content.subject ? [content.subject] : undefined);
      if (content.expect === 'problem') expect(subjects, 'a problem case says its subject').toBeDefined();
      if (subjects) expect(findings.map(finding => subjectKey(finding.subject)).sort()).toEqual([...subjects].sort());
      for (const finding of findings) {
        expect(finding.message, 'nothing of the message is left open').not.toMatch(/not known|\$\{/);
      }
      if (content.message) expect(findings.map(finding => finding.message).join('\n')).toContain(content.message);
      if (content.fix !== undefined) expect(findings.map(offerOf)).toEqual(findings.map(() => content.fix));
      if (content.causedBy) await expectCauses(rule, content, verdicts);
    });
  }

  if (rule.fix.automatic.length > 0) {
    test('each of its actions is offered in a case', async () => {
      const offers = await Promise.all(cases.map(async ({ content }) => findingsIn(await judge(rule, content))));
      const offered = new Set(offers.flat().map(({ fix }) => fix.automatic));
      const missing = rule.fix.automatic.map(({ action }) => action).filter(action => !offered.has(action));
      expect(missing, `add test/rules/${id}/<case>.yaml with fix:`).toEqual([]);
    });
  }

  test('evidence that turns into a gap never turns its verdict round', async () => {
    for (const { name, content } of cases) {
      const ids = Object.keys(content.given);
      const before = outcome(await judge(rule, content));
      for (const subset of subsets(ids)) {
        const gaps = {
          ...content.gaps,
          ...Object.fromEntries(subset.map(evidence => [evidence, 'forbidden' as const])),
        };
        const after = outcome(await judge(rule, content, gaps));
        const allowed = [before, 'unknown', ...(before === 'healthy' ? ['nothing'] : [])];
        expect(allowed, `${name} without ${subset.join(', ')}`).toContain(after);
      }
    }
  });
});

function findingsIn(verdicts: readonly Verdict[]): readonly Finding[] {
  return verdicts.flatMap(verdict => (verdict.is === 'problem' ? [verdict.finding] : []));
}

function offerOf({ fix: { action } }: Finding): Case['fix'] {
  return action ? { action: action.id, with: action.with } : '';
}

async function expectCauses(rule: Rule, content: Case, verdicts: readonly Verdict[]): Promise<void> {
  const others = (content.with ?? []).map(id => {
    const other = byId.get(id);
    if (!other) throw new Error(`with: there is no rule ${id}`);
    return other;
  });
  const more = (await Promise.all(others.map(other => judge(other, content)))).flat();
  const all = [...verdicts, ...more];
  const findings = all.filter(verdict => verdict.is === 'problem').map(verdict => verdict.finding);
  const unknowns: Unknown[] = all.filter(verdict => verdict.is === 'unknown').map(verdict => verdict.unknown);
  const { findings: arranged } = correlate(findings, unknowns, byId, new Map());
  const causes = new Set(
    arranged
      .filter(finding => finding.rule === rule.id)
      .flatMap(finding => finding.causedBy)
      .map(cause => arranged.find(finding => finding.id === cause)!.rule),
  );
  expect([...causes].sort()).toEqual([...content.causedBy!].sort());
}

/** Every subset of a few names; single ones, pairs and all of many. */
function subsets(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length <= 5) {
    return Array.from({ length: 2 ** names.length - 1 }, (_, index) =>
      names.filter((_name, bit) => ((index + 1) >> bit) & 1),
    );
  }
  const pairs = names.flatMap((first, index) => names.slice(index + 1).map(second => [first, second]));
  return [...names.map(name => [name]), ...pairs, names];
}
