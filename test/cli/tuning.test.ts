import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFleetFile, tunedRules } from '../../src/app/fleet-file.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import type { Report } from '../../src/model/report.ts';
import { type Program, program, temporaryFolder } from './program.ts';
import { namespaceRule, tinyBundle, writeFiles } from './tiny-fleet.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
const fleet = at('thanos-doctor.yaml');
let cli: Program;

/** Problems of one rule that has a threshold of each unit, and of two without any. */
const CROWDED = `id: own-crowded
title: There are too many namespaces
severity: critical
tags: [own, deep]
symptom: There are more namespaces than anybody can know.
thresholds:
  atMost: 2
  waited: 10min
  share: 80%
  room: 1GiB
evidence: { namespaces: kubernetes.namespaces }
problemWhen: size(namespaces) > thresholds.atMost && thresholds.waited * thresholds.share * thresholds.room >= 0
subject: { kind: Cluster, name: "\${cluster}" }
message: There are \${size(namespaces)} namespaces.
fix: { byHand: "kubectl delete namespace" }
`;

beforeAll(async () => {
  cli = await program();
  writeFiles(
    at('rules'),
    new Map([
      ['own-crowded.yaml', CROWDED],
      ['own-critical-namespace.yaml', namespaceRule('critical')],
      [
        'own-warning-namespace.yaml',
        namespaceRule('warning', 'causedBy: [{ rule: own-crowded, shares: [Cluster] }]\n').replace(
          'fix:',
          'involves: [\'"Cluster " + cluster\']\nfix:',
        ),
      ],
    ]),
  );
  writeFiles(at('bundle'), tinyBundle({ a: { namespaces: ['one', 'two', 'warning'] }, b: { namespaces: ['one'] } }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function diagnose(tuning: string, ...more: readonly string[]) {
  writeFileSync(fleet, `clusters:\n  - name: a\n  - name: b\ntuning:\n${tuning}`);
  const files = ['--bundle', at('bundle'), '--rules', at('rules'), '--fleet', fleet];
  return cli.run(['diagnose', ...files, '--only', 'own', ...more]);
}

async function report(tuning: string): Promise<Report & { readonly code: number | null; readonly stderr: string }> {
  const { code, stdout, stderr } = await diagnose(tuning, '--format', 'json');
  return { ...JSON.parse(stdout), code, stderr };
}

const rulesOf = ({ findings }: Report) => findings.map(({ rule, root }) => `${rule}${root ? ' (root)' : ''}`);
const suppress = (text: string) => `  suppress:\n    - { ${text} }\n`;

describe('thresholds and severities', () => {
  test('are those of the rules where the fleet file says nothing', async () => {
    const untouched = await report('  severity: {}\n');
    expect(rulesOf(untouched)).toEqual(['own-crowded (root)', 'own-warning-namespace']);
    expect(untouched.tuned).toBeUndefined();
  });

  test('are set by it, and the report says so', async () => {
    const tuned = await report(
      '  thresholds: { own-crowded: { atMost: 3, waited: 20min } }\n  severity: { own-warning-namespace: critical }\n',
    );
    expect(tuned.findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['own-warning-namespace', 'critical'],
    ]);
    expect(tuned.tuned).toEqual([
      { rule: 'own-crowded', what: 'atMost', from: '2', to: '3' },
      { rule: 'own-crowded', what: 'waited', from: '10min', to: '20min' },
      { rule: 'own-warning-namespace', what: 'severity', from: 'warning', to: 'critical' },
    ]);
    const text = await diagnose('  thresholds: { own-crowded: { atMost: 3 } }\n');
    expect(text.stdout).toMatch(/Tuned +1 setting by the fleet file/);
    const markdown = await diagnose('  thresholds: { own-crowded: { atMost: 3 } }\n', '--format', 'markdown');
    expect(markdown.stdout).toMatch(/- `own-crowded`: atMost 3 \(the rule says 2\)/);
  });

  test('are listed with the rules, and explained', async () => {
    const listed = await cli.run(['rules', '--rules', at('rules'), '--only', 'own-crowded', '--format', 'json']);
    expect(JSON.parse(listed.stdout)[0].thresholds).toEqual({
      atMost: '2',
      waited: '10min',
      share: '80%',
      room: '1GiB',
    });
    const explained = await cli.run(['explain', 'own-crowded', '--rules', at('rules')]);
    expect(explained.stdout).toMatch(/Thresholds +atMost 2, waited 10min, share 80%, room 1GiB/);
    expect(explained.stdout).toContain('tuning.thresholds.own-crowded');
    writeFileSync(fleet, 'clusters: [{ name: a }]\ntuning: { thresholds: { own-crowded: { atMost: 7 } } }\n');
    const tuned = await cli.run(['explain', 'own-crowded', '--rules', at('rules'), '--fleet', fleet]);
    expect(tuned.stdout).toContain('atMost 7 (by the fleet file; the rule says 2), waited 10min');
  });
});

describe('a suppression', () => {
  test('takes the finding out of the report and the exit code, and is counted', async () => {
    const before = 'rule: own-crowded, reason: known, until: 2026-01-02';
    const silent = await report(suppress(before));
    expect(silent.code).toBe(0);
    expect(silent.stderr).toBe('');
    expect(silent.verdict).toBe('healthy');
    expect(silent.findings).toEqual([]);
    expect(silent.suppressed.map(({ finding, through, expired }) => [finding, through, expired])).toEqual([
      ['own-crowded/a/Cluster//a', '', false],
      ['own-warning-namespace/a/Namespace//warning', 'own-crowded/a/Cluster//a', false],
    ]);
    const { stdout } = await diagnose(suppress(before));
    expect(stdout).toMatch(/^Healthy, as far as looked, but for 2 suppressed findings: 2 clusters/);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'Suppressed critical own-crowded, Cluster a, a, with 1 finding that it alone explains, until 2026-01-02: known',
    );
    const { stdout: markdown } = await diagnose(suppress(before), '--format', 'markdown');
    expect(markdown).toContain(
      '- critical `own-crowded` Cluster a, a (until 2026-01-02; known): There are 3 namespaces.',
    );
  });

  test('of a symptom leaves its cause alone', async () => {
    const silent = await report(suppress('rule: own-warning-namespace, reason: known, until: 2026-02-01'));
    expect(rulesOf(silent)).toEqual(['own-crowded (root)']);
    const { stdout } = await diagnose(suppress('rule: own-warning-namespace, reason: known, until: 2026-02-01'));
    expect(stdout).toContain('1 further finding is suppressed by the fleet file.');
  });

  test('of a warning never hides what is critical', async () => {
    const silent = await report(
      `  severity: { own-crowded: warning, own-warning-namespace: critical }\n${suppress('rule: own-crowded, reason: known, until: 2026-02-01')}`,
    );
    expect(silent.code).toBe(1);
    expect(rulesOf(silent)).toEqual(['own-warning-namespace (root)']);
  });

  test('fits by cluster and subject', async () => {
    const elsewhere = await report(suppress('rule: own-crowded, cluster: b, reason: known, until: 2026-02-01'));
    expect(rulesOf(elsewhere)).toEqual(['own-crowded (root)', 'own-warning-namespace']);
    const there = await report(
      suppress('rule: own-warning-namespace, cluster: a, subject: Namespace w*, reason: known, until: 2026-02-01'),
    );
    expect(rulesOf(there)).toEqual(['own-crowded (root)']);
  });

  test('that has expired is said, and works no longer', async () => {
    const expired = await report(suppress('rule: own-crowded, reason: known, until: 2026-01-01'));
    expect(expired.code).toBe(1);
    expect(rulesOf(expired)).toEqual(['own-crowded (root)', 'own-warning-namespace']);
    expect(expired.stderr).toBe(
      `${fleet}:6:7: the suppression of own-crowded ended with 2026-01-01 and no longer works\n`,
    );
    expect(expired.suppressed).toMatchObject([
      { rule: 'own-crowded', finding: '', expired: true, until: '2026-01-01' },
    ]);
    const { stdout } = await diagnose(suppress('rule: own-crowded, reason: known, until: 2026-01-01'));
    expect(stdout).toMatch(/Expired +the suppression of own-crowded ended with 2026-01-01: known/);
    const moment = await report(suppress('rule: own-crowded, reason: known, until: "2026-01-02T03:04:05Z"'));
    expect(moment.code).toBe(1);
  });
});

test('the fleet file of the README can be used', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, text = ''] = /```yaml\n(fleet:[\s\S]*?)```/.exec(readme) ?? [];
  writeFileSync(fleet, text);
  const { changes, suppressions } = tunedRules(builtinRules(), readFleetFile(fleet));
  expect(changes.length).toBeGreaterThan(1);
  expect(suppressions).toHaveLength(1);
});

describe('a mistake in it is said with its place, before anything is read', () => {
  test.each([
    [
      'an unknown rule',
      '  severity: { own-crowdet: info }\n',
      '5:15: there is no rule own-crowdet; did you mean "own-crowded"?',
    ],
    [
      'an unknown threshold',
      '  thresholds: { own-crowded: { atMots: 3 } }\n',
      '5:32: own-crowded has no threshold "atMots"; did you mean "atMost"?',
    ],
    [
      'a threshold where there is none',
      '  thresholds: { own-critical-namespace: { most: 3 } }\n',
      '5:43: own-critical-namespace has no threshold "most"; it has none',
    ],
    [
      'another unit',
      '  thresholds: { own-crowded: { share: 20min } }\n',
      '5:39: share of own-crowded is a share such as 80%, not "20min"',
    ],
    [
      'no unit',
      '  thresholds: { own-crowded: { waited: 20 } }\n',
      '5:40: waited of own-crowded is a time such as 10min or 6h, not "20"',
    ],
    [
      'an unknown severity',
      '  severity: { own-crowded: high }\n',
      '5:28: tuning.severity.own-crowded: must be one of critical, warning, info',
    ],
    [
      'critical made info',
      '  severity: { own-crowded: info }\n',
      '5:28: own-crowded is critical, and cannot become info: suppress it, with a reason and an end',
    ],
    ['no reason', suppress('rule: own-crowded, until: 2026-02-01'), '6:7: tuning.suppress.0: "reason" is missing'],
    [
      'an empty reason',
      suppress('rule: own-crowded, reason: " ", until: 2026-02-01'),
      '6:36: a suppression needs a reason',
    ],
    ['no end', suppress('rule: own-crowded, reason: known'), '6:7: tuning.suppress.0: "until" is missing'],
    ['no day', suppress('rule: own-crowded, reason: known, until: soon'), '6:50: "soon" is no day: write 2027-01-31'],
    [
      'a day that is not',
      suppress('rule: own-crowded, reason: known, until: 2026-02-31'),
      '6:50: "2026-02-31" is no day',
    ],
    [
      'an unknown cluster',
      suppress('rule: own-crowded, cluster: c, reason: known, until: 2026-02-01'),
      '6:37: there is no cluster c',
    ],
    [
      'a subject without kind',
      suppress('rule: own-crowded, subject: a, reason: known, until: 2026-02-01'),
      '6:37: a subject is written as "Kind namespace/name"',
    ],
    [
      'a subject of another kind',
      suppress('rule: own-crowded, subject: Pod a/b, reason: known, until: 2026-02-01'),
      '6:37: findings of own-crowded are about a Cluster, not a Pod',
    ],
    [
      'an unknown key',
      suppress('rul: own-crowded, reason: known, until: 2026-02-01'),
      '6:9: tuning.suppress.0: there is no key "rul"',
    ],
  ])('%s', async (_name, tuning, expected) => {
    const { code, stdout, stderr } = await diagnose(tuning);
    expect(stderr).toContain(`${fleet}:${expected}`);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('all of them at once: those of the form, of names, and against the rules', async () => {
    writeFileSync(
      fleet,
      [
        'clusters:',
        '  - name: a',
        '    rol: hub',
        '  - name: a',
        'expect: { queryStores: many }',
        'tuning:',
        '  thresholds: { own-crowded: { atMost: [], waited: 20 } }',
        '  severity: { own-crowdet: info, own-crowded: high }',
        '  suppress:',
        '    - { rule: own-crowded }',
        '    - { rule: own-crowded, cluster: b, reason: known, until: soon }',
        '',
      ].join('\n'),
    );
    const { code, stderr } = await cli.run([
      'diagnose',
      '--bundle',
      at('bundle'),
      '--rules',
      at('rules'),
      '--fleet',
      fleet,
    ]);
    expect(code).toBe(2);
    const places = stderr
      .split('\n')
      .flatMap(line => /thanos-doctor\.yaml:(\d+:\d+): (.*)/.exec(line)?.slice(1, 3).join(' ') ?? []);
    expect(places).toEqual([
      expect.stringMatching(/^3:5 clusters.0: there is no key "rol"; did you mean "role"/),
      '4:11 the name a is taken by an earlier cluster',
      '5:24 expect.queryStores: must be an integer',
      '7:40 tuning.thresholds.own-crowded.atMost: must be a string or a number',
      expect.stringMatching(/^7:52 waited of own-crowded is a time/),
      expect.stringMatching(/^8:15 there is no rule own-crowdet/),
      expect.stringMatching(/^8:47 tuning.severity.own-crowded: must be one of/),
      '10:7 tuning.suppress.0: "reason" is missing',
      '10:7 tuning.suppress.0: "until" is missing',
      expect.stringMatching(/^11:37 there is no cluster b/),
      expect.stringMatching(/^11:62 "soon" is no day/),
    ]);
  });

  test('what it tunes of rules that a command does not know is none there', async () => {
    writeFileSync(fleet, 'clusters: [{ name: a }]\ntuning:\n  severity: { own-crowded: warning }\n');
    const { stderr } = await cli.run(['why-not-scraped', 'x', '--bundle', at('bundle'), '--fleet', fleet]);
    expect(stderr).not.toContain('own-crowded');
  });

  test('also where the clusters would have been asked', async () => {
    writeFileSync(fleet, 'clusters:\n  - { name: a, context: nowhere }\ntuning:\n  severity: { no-such-rule: info }\n');
    const { code, stderr } = await cli.run(['diagnose', '--fleet', fleet]);
    expect(code).toBe(2);
    expect(stderr).toContain(':4:15: there is no rule no-such-rule');
    const fix = await cli.run(['fix', 'target-down', '--fleet', fleet]);
    expect(fix.stderr).toContain(':4:15: there is no rule no-such-rule');
  });
});

test('a cluster of the fleet file that nobody looks at is said', async () => {
  writeFileSync(fleet, 'clusters: [{ name: a }, { name: c }, { name: d }]\n');
  const files = ['--bundle', at('bundle'), '--rules', at('rules'), '--fleet', fleet];
  const { stderr } = await cli.run(['diagnose', ...files, '--only', 'own']);
  expect(stderr).toBe(`not looked at: c, d of ${fleet}\n`);
  expect((await cli.run(['diagnose', ...files, '--only', 'own', '--quiet'])).stderr).toBe('');
});

test('a fleet file that lies here and is not used is said', async () => {
  writeFileSync(fleet, 'clusters: [{ name: a }]\n');
  const started = cli.start(['diagnose', '--context', 'a', '--kubeconfig', at('none')], { cwd: folder });
  const { code, stderr } = await started.result;
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^thanos-doctor\.yaml is not used, since clusters were chosen without it: name it with --fleet\n/,
  );
});

describe('a pack', () => {
  const ids = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await cli.run(['rules', '--rules', at('rules'), '--format', 'json', ...args]);
    return JSON.parse(stdout).map(({ id }: { readonly id: string }) => id);
  };

  test('holds what its rules may be caused by, and the packs before it', async () => {
    const [daily, weekly, deep, all] = [
      await ids('--pack', 'daily'),
      await ids('--pack', 'weekly'),
      await ids('--pack', 'deep'),
      await ids(),
    ];
    expect(deep).toEqual(all);
    expect(weekly.filter(id => daily.includes(id))).toEqual(daily);
    expect(daily).toContain('own-critical-namespace');
    expect(daily).not.toContain('own-warning-namespace');
    expect(daily).not.toContain('own-crowded');
    expect(weekly).toContain('own-warning-namespace');
    expect(weekly, 'it is behind a rule of the pack').toContain('own-crowded');
    const causes = new Map<string, readonly string[]>(
      JSON.parse(readFileSync(join(cli.folder, 'dist/rules.json'), 'utf8')).map(
        ({ id, causedBy }: { readonly id: string; readonly causedBy: readonly { readonly rule: string }[] }) => [
          id,
          causedBy.map(({ rule }) => rule),
        ],
      ),
    );
    expect(daily.flatMap(id => causes.get(id) ?? []).filter(id => !daily.includes(id))).toEqual([]);
  });

  test('that there is not is a mistake', async () => {
    const { code, stderr } = await cli.run(['diagnose', '--pack', 'dayly']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/daily/);
  });
});
