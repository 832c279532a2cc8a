import { readFileSync } from 'node:fs';
import type { Compiled } from '../../src/checks/cel.ts';
import { evaluateRule } from '../../src/checks/evaluate.ts';
import { type LoadedRules, loadRules } from '../../src/checks/load-rules.ts';
import type { Evidence, EvidenceDescription, EvidenceStore } from '../../src/model/evidence.ts';
import type { Verdict } from '../../src/model/finding.ts';
import type { Rule } from '../../src/model/rule.ts';
import type { Shape } from '../../src/model/shape.ts';

const SCHEMA = JSON.parse(readFileSync(new URL('../../rules/schema.json', import.meta.url), 'utf8'));

/** Evidence made up for tests of the engine, so that these do not depend on any real collector. */
export const EVIDENCE: Readonly<Record<string, Partial<EvidenceDescription> & { readonly shape: Shape }>> = {
  'box.list': {
    shape: [{ name: 'str', full: 'bool', size: 'int', share: 'float', labels: 'map', tags: ['str'], since: 'time' }],
  },
  'box.room': { shape: { name: 'str', open: 'bool' } },
  'box.weight': { shape: { kilos: 'int' }, params: ['name'] },
  'fleet.boxes': { shape: [{ name: 'str', count: 'int' }], scope: 'fleet' },
  'logs.signatures': {
    shape: {
      pod: { namespace: 'str', name: 'str' },
      container: 'str',
      hits: [{ id: 'str', sample: 'str', last: 'time', count: 'int' }],
    },
    params: ['pod'],
  },
};

/** An action made up for the same reason. */
const ACTIONS = new Map([['box.empty', { parameters: { box: 'needed', room: 'optional' } as const }]]);

export function describeEvidence(id: string): EvidenceDescription | undefined {
  const found = EVIDENCE[id];
  return found && { id, about: '', scope: 'cluster', core: false, derived: false, params: [], needs: [], ...found };
}

/** A rule that is right in every respect, as YAML lines by key; `changes` replaces or (with undefined) leaves out. */
export function ruleText(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const lines: Readonly<Record<string, string | undefined>> = {
    id: 'box-full',
    title: 'A box is full',
    severity: 'warning',
    symptom: 'Nothing goes into the box any more.',
    evidence: '{ boxes: box.list }',
    forEach: 'box in boxes',
    problemWhen: 'box.full',
    subject: '{ kind: Box, namespace: "", name: "${box.name}" }',
    message: 'Box ${box.name} is full.',
    fix: '{ byHand: "empty the box ${box.name}" }',
    ...changes,
  };
  return Object.entries(lines)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
}

/** Loads rules from texts; the file's name is the id that the text gives. */
export function load(texts: readonly string[], groups?: string, retired: readonly string[] = []): LoadedRules {
  const rules = texts.map(text => ({ path: `rules/boxes/${/^id: *(.*)$/m.exec(text)?.[1] ?? 'nameless'}.yaml`, text }));
  const groupFile = groups === undefined ? undefined : { path: 'rules/groups.yaml', text: groups };
  return loadRules({ rules, groups: groupFile, schema: SCHEMA, retired }, describeEvidence, ACTIONS);
}

export function loadOne(changes: Readonly<Record<string, string | undefined>> = {}): Rule {
  const { rules, mistakes } = load([ruleText(changes)]);
  if (rules.length !== 1) throw new Error(`the rule is not sound: ${JSON.stringify(mistakes)}`);
  return rules[0]!;
}

/** A store over plain values; what is not there is a gap. `asked` lists what was collected, in order. */
export function storeOf(
  values: Readonly<Record<string, unknown>>,
  asked: string[] = [],
  cluster = 'attic',
): EvidenceStore {
  const settled = new Map<string, Evidence>();
  const key = (id: string, params: Readonly<Record<string, string>>) => [id, ...Object.values(params)].join(' ');
  return {
    cluster,
    takenAt: 0,
    describe: describeEvidence,
    peek: (id, params) => settled.get(key(id, params)),
    async collect(id, params) {
      const name = key(id, params);
      asked.push(name);
      const value = values[name];
      const evidence: Evidence =
        value === undefined
          ? {
              known: false,
              gap: { evidence: id, reason: 'forbidden', detail: `${name} is forbidden`, path: '', notLookedAt: false },
            }
          : { known: true, value, from: [`/${id}`] };
      settled.set(name, evidence);
      return evidence;
    },
  };
}

export function evaluate(rule: Rule, store: EvidenceStore): Promise<readonly Verdict[]> {
  return evaluateRule(rule, { store, compiled: new Map<string, Compiled>() });
}

export function box(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { name: 'red', full: false, size: 1, share: 0.5, labels: {}, tags: [], since: '', ...changes };
}
