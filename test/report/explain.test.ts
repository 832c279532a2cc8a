import { describe, expect, it } from 'vitest';
import type { Expression, Rule, Template } from '../../src/model/rule.ts';
import { type Explanation, explain, type PossibleCause } from '../../src/report/explain.ts';
import { templateText } from '../../src/report/placeholders.ts';
import { TERMINAL } from './samples.ts';

const expression = (text: string): Expression => ({ text, file: 'r.yaml', line: 1, column: 1 });
const template = (...parts: readonly (string | Expression)[]): Template => ({ parts, file: 'r.yaml', line: 1 });

const RULE: Rule = {
  id: 'object-store-speaks-http',
  file: 'rules/object-storage/object-store-speaks-http.yaml',
  folder: 'object-storage',
  title: 'Thanos speaks HTTPS to an object store that answers in plain HTTP',
  severity: 'critical',
  scope: 'cluster',
  tags: [],
  guide: 'object-store',
  symptom:
    'The sidecar logs `http: server gave HTTP response to HTTPS client`, or `connection refused` on port 443,\nand no block reaches the bucket.\n',
  why: 'Port 443 that is refused proves nothing: the store may be down.',
  thresholds: [{ name: 'silentFor', text: '10min', unit: 'duration', value: 600 }],
  evidence: {},
  let: [],
  problemWhen: expression('true'),
  subject: { kind: template('Secret'), namespace: template(''), name: template('') },
  message: template(''),
  show: [],
  involves: [],
  causedBy: [],
  atRisk: template('Blocks that are older than ', expression('retention'), ' are lost.'),
  fix: {
    byHand: template(
      'In Secret ',
      expression('store.secret'),
      ' set `insecure: true` under `config:`.\nkubectl -n ',
      expression('store.namespace'),
      ' rollout restart statefulset/prometheus\n',
    ),
    automatic: [
      {
        action: 'thanos.allow-plain-http',
        with: {},
        onlyIf: [],
        risk: 'Blocks and credentials cross the network unencrypted.',
      },
    ],
  },
};

const cause = (rule: string, ...causes: readonly PossibleCause[]): PossibleCause => ({
  rule,
  title: `What ${rule} is`,
  causes,
});

const EXPLANATION: Explanation = {
  rule: RULE,
  tuned: [],
  why: RULE.why,
  evidence: [
    { id: 'thanos.object-stores', about: 'Where blocks are kept, as the components are told.' },
    { id: 'network.probe', about: 'What answers at an address, seen from here.' },
  ],
  causes: [cause('dns-down', cause('node-not-ready'), cause('pod-crash-loops')), cause('object-store-unreachable')],
  access: [
    { verbs: ['get'], group: '', resource: 'secrets' },
    { verbs: ['list'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['get'], group: '', resource: '/version' },
  ],
  guide: 'docs/TROUBLESHOOTING.md#object-store',
};

describe('explain', () => {
  it('looks as it did', async () => {
    await expect(explain(EXPLANATION, TERMINAL)).toMatchFileSnapshot('golden/explain.txt');
    await expect(explain(EXPLANATION, { ...TERMINAL, width: 60, unicode: false })).toMatchFileSnapshot(
      'golden/explain-narrow-ascii.txt',
    );
  });

  it('fits a screen, however many causes there are', () => {
    const many = Array.from({ length: 60 }, (_, at) => cause(`cause-${at}`, cause(`deeper-${at}`)));
    const page = explain({ ...EXPLANATION, causes: many }, TERMINAL);
    expect(page.split('\n').length).toBeLessThanOrEqual(40);
    expect(page).toContain('and 108 more behind these (-v)');
    expect(explain({ ...EXPLANATION, causes: many }, { ...TERMINAL, all: true })).toContain('deeper-59');
  });

  it('bears causes that name each other', () => {
    const ring: { rule: string; title: string; causes: PossibleCause[] } = { rule: 'a', title: 'A', causes: [] };
    ring.causes.push({ rule: 'b', title: 'B', causes: [ring] });
    expect(explain({ ...EXPLANATION, causes: [ring] }, TERMINAL)).toContain('└─ b');
  });

  it('leaves out what there is nothing of', () => {
    const page = explain({ ...EXPLANATION, why: '', causes: [], access: [], guide: '', evidence: [] }, TERMINAL);
    expect(page).not.toMatch(/Not obvious|Possible causes|Needs|Guide|On evidence/);
  });

  it('says what the fleet file sets otherwise, and what the rule says', () => {
    const tuned = [
      { rule: RULE.id, what: 'silentFor', from: '5min', to: '10min' },
      { rule: RULE.id, what: 'severity', from: 'warning', to: 'critical' },
    ];
    const page = explain({ ...EXPLANATION, tuned }, TERMINAL).replace(/\s+/g, ' ');
    expect(page).toContain('Thresholds silentFor 10min (by the fleet file; the rule says 5min)');
    expect(page).toContain('Severity critical, by the fleet file; the rule says warning');
  });

  it.each([
    ['cluster', 'CLUSTER'],
    ['u.pod.name', 'POD'],
    ['s.pod.namespace', 'NAMESPACE'],
    ['s.name', 'SECRET'],
    ['store.key', 'KEY'],
    ['store.secret.key', 'SECRET'],
    ['m.instanceManager.name', 'INSTANCE-MANAGER'],
    ['i.addresses[0]', 'ADDRESS'],
    ['w.workload.kind.lowerAscii()', 'KIND'],
    ['size(u.pods) > 0 ? u.pods[0].name : "POD"', 'POD'],
    ['first(newer.map(c, c.version), "VERSION")', 'VERSION'],
    ['a.unreadyPods.map(x, x.name).join(" ")', 'UNREADY-PODS'],
    ['p.namespace == "" ? "" : "-n " + p.namespace + " "', '-n NAMESPACE '],
    ['n.near == "" ? "" : "; the nearest (by name) is " + n.near', '; the nearest (by name) is NEAR'],
    ['k.isSet ? "one: this" : "two: that?"', 'one: this | two: that?'],
    [
      'xs.map(w, "kubectl --context ${cluster} -n " + w.namespace + " get").join("\\n")',
      'kubectl --context CLUSTER -n NAMESPACE get',
    ],
  ])('in place of the value of %s stands %s', (text, expected) => {
    const forEach = { name: 's', over: expression('secrets') };
    expect(templateText(template('[', expression(text), ']'), { ...RULE, forEach })).toBe(`[${expected}]`);
  });

  it('paints the severity alone', () => {
    const painted = explain(EXPLANATION, { ...TERMINAL, color: true });
    expect(painted.startsWith('\u001b[1;31mCRITICAL\u001b[0m  Thanos')).toBe(true);
    expect(painted.replace(/\u001b\[[\d;]*m/g, '')).toBe(explain(EXPLANATION, TERMINAL));
  });
});
