import { describe, expect, it } from 'vitest';
import type { FormatOptions, Report } from '../../src/model/report.ts';
import { text } from '../../src/report/text.ts';
import { displayWidth } from '../../src/report/wrap.ts';
import {
  clusterOf,
  FILE,
  FORBIDDEN,
  findingOf,
  gapOf,
  HEALTHY,
  HOSTILE,
  hostileReport,
  MANY_PLACES,
  ONE_ROOT,
  reportOf,
  subject,
  TERMINAL,
  THREE_ROOTS,
  unknownOf,
} from './samples.ts';

const lines = (report: Report, options: Partial<FormatOptions> = {}) =>
  text(report, { ...TERMINAL, ...options })
    .trimEnd()
    .split('\n');

describe('text', () => {
  it.each([
    ['three-roots', THREE_ROOTS, {}],
    ['three-roots-all', THREE_ROOTS, { all: true, width: 120 }],
    ['three-roots-narrow-ascii', THREE_ROOTS, { width: 60, unicode: false }],
    ['one-root', ONE_ROOT, {}],
    ['healthy', HEALTHY, {}],
    ['forbidden', FORBIDDEN, {}],
    ['many-places', MANY_PLACES, {}],
  ] as const)('%s looks as it did', async (name, report, options) => {
    await expect(text(report, { ...TERMINAL, ...options })).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it('names a symptom by its object where there is no room for the kind too', () => {
    for (const width of [60, 80]) {
      const rows = lines(ONE_ROOT, { width });
      expect(rows.length).toBeGreaterThan(5);
      for (const row of rows) expect(row).not.toMatch(/ {2}[A-Z]\w+ (?:…|\.\.\.)$/);
    }
  });

  it.each([
    ['a', ['a']],
    ['all clusters', ['a', 'b']],
    ['all clusters', ['a', 'b', 'fleet']],
    ['a', ['a', 'fleet']],
    ['fleet', ['fleet']],
  ])('says %s of what could not be read in %j', (words, where) => {
    const report = reportOf({
      clusters: [clusterOf('a'), clusterOf('b')],
      unknowns: where.map(cluster => unknownOf('pod-crash-loops', cluster, gapOf({ path: '/api/v1/pods' }))),
    });
    expect(text(report, TERMINAL)).toMatch(new RegExp(`^Could not check  ${words}  pods`, 'm'));
  });

  it('fits a screen for up to three root causes', () => {
    for (const report of [THREE_ROOTS, ONE_ROOT, MANY_PLACES, talkative(3), hostileReport(HOSTILE.join(' '))]) {
      expect(lines(report).length).toBeLessThanOrEqual(40);
    }
  });

  it('says first what is broken, and of each: since when, what is at risk, what to type', () => {
    const [first, , , ...rest] = lines(THREE_ROOTS);
    expect(first).toBe('3 root causes explain 4 other problems in 3 of 4 clusters. 1 cluster could not be read.');
    const page = rest.join('\n');
    expect(page.match(/since /g)).toHaveLength(3);
    expect(page.match(/At risk/g)).toHaveLength(3);
    expect(page.match(/^ {11}Do /gm)).toHaveLength(3);
  });

  it.each([40, 60, 80, 100, 120, 300])('is not wider than %d columns, but for names and commands', width => {
    for (const report of [THREE_ROOTS, HEALTHY, FORBIDDEN, MANY_PLACES]) {
      const wide = lines(report, { width }).filter(line => displayWidth(line) > Math.max(40, Math.min(width, 120)));
      for (const line of wide) expect(line).toMatch(/kubectl|thanos-doctor|deploy\/rbac|\S{20,}/);
    }
  });

  it('never breaks a command', () => {
    const command = THREE_ROOTS.findings[3]?.fix.byHand.split('\n')[1] ?? '';
    for (const width of [40, 80, 120]) {
      expect(lines(THREE_ROOTS, { width }).some(line => line.endsWith(command))).toBe(true);
    }
  });

  it('has colours for severities alone, and says the same without', () => {
    const plain = text(THREE_ROOTS, TERMINAL);
    const painted = text(THREE_ROOTS, { ...TERMINAL, color: true });
    expect(plain).not.toContain('\u001b');
    expect(painted.match(/\u001b\[[\d;]+m [A-Z]+ +\u001b\[0m/g)).toHaveLength(3);
    expect(painted.replace(/\u001b\[[\d;]*m/g, '')).toBe(plain);
  });

  it('is ASCII where the terminal is', () => {
    for (const report of [THREE_ROOTS, hostileReport(`한국어 ${HOSTILE.join(' ')}`)]) {
      for (const all of [false, true]) {
        expect(text(report, { ...TERMINAL, unicode: false, all })).toMatch(/^[\n\x20-\x7e]*$/);
      }
    }
  });

  it('shows local times on a terminal and UTC in files, the zone named once', () => {
    expect(text(ONE_ROOT, TERMINAL)).toContain('since 12:58 (4 h 14 min)');
    expect(text(ONE_ROOT, FILE)).toContain('since 03:58 (4 h 14 min)');
    expect(text(ONE_ROOT, TERMINAL).match(/Asia\/Seoul/g)).toHaveLength(1);
    expect(text(ONE_ROOT, { ...FILE, timeZone: 'Asia/Seoul' }).match(/UTC/g)).toHaveLength(1);
  });

  it('lets nothing through that a terminal obeys', () => {
    for (const all of [false, true]) {
      const page = text(hostileReport(HOSTILE.join('\n')), { ...TERMINAL, all });
      expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    }
  });

  it('bears a line of ten megabytes', () => {
    const page = text(hostileReport('x'.repeat(10_000_000)), TERMINAL);
    expect(page.length).toBeLessThan(60_000);
  });

  it('unfolds with --all', () => {
    expect(text(MANY_PLACES, TERMINAL)).toContain('and 5 more places');
    const page = text(MANY_PLACES, { ...TERMINAL, all: true });
    for (const { message } of MANY_PLACES.findings) expect(page).toContain(message);
  });
});

describe('what is said first', () => {
  const first = (report: Report) => lines(report)[0];

  it('healthy is never said without how far was looked', () => {
    expect(first(HEALTHY)).toBe('Healthy, as far as looked: 3 clusters, 143 checks on 96 things, 1.9 s.');
    expect(text(HEALTHY, TERMINAL)).toContain('Not looked at    hub, west  bucket.blocks: not asked for');
    expect(text(HEALTHY, TERMINAL)).toContain('Worth knowing    Thanos runs in several versions');
  });

  it('unknown says what could not be done, and how to allow it', () => {
    expect(first(FORBIDDEN)).toBe('No problem found, but 10 of 143 checks could not be made.');
    expect(text(FORBIDDEN, TERMINAL)).toContain('→ deploy/rbac/reader.yaml');
  });

  it('a cluster that was not reached is never left out', () => {
    const report = reportOf({
      verdict: 'unknown',
      clusters: [clusterOf('hub'), clusterOf('west', { reachable: false, problem: 'connection refused' })],
    });
    expect(first(report)).toBe('No problem found, but 1 of 2 clusters could not be read.');
    expect(text(report, TERMINAL)).toContain('west  everything: connection refused');
  });

  it('a run that was stopped says so', () => {
    const report = reportOf({ run: { ...HEALTHY.run, partial: true } });
    expect(text(report, TERMINAL).replaceAll('\n', ' ')).toContain('The run was stopped before everything was read');
  });

  it('a problem that no root leads to is shown as one', () => {
    const circle = ['a', 'b'].map(name =>
      findingOf({ rule: `${name}-fails`, title: `${name} fails`, root: false, causedBy: [`${name}-gone`] }),
    );
    expect(first(reportOf({ findings: circle, roots: [] }))).toBe('2 root causes in 1 of 3 clusters.');
  });

  it('equal things in several clusters are one', () => {
    const bucket = (cluster: string) =>
      findingOf({
        rule: 'object-store-bucket-missing',
        title: 'The bucket does not exist',
        cluster,
        subject: subject('Bucket', '', 'thanos@minio:9000'),
      });
    const report = reportOf({ findings: [bucket('hub'), bucket('west')] });
    expect(first(report)).toBe('1 root cause in 2 of 3 clusters.');
    expect(text(report, TERMINAL)).toContain('hub, west · Bucket thanos@minio:9000');
  });
});

describe('size and order', () => {
  it('draws five times as many findings in about five times the time', () => {
    const taken = (count: number) => {
      const report = talkative(count);
      const times = [1, 2, 3].map(() => {
        const started = performance.now();
        text(report, TERMINAL);
        text(report, { ...TERMINAL, all: true });
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    taken(500);
    // Work that grew with the square would take 25 times as long.
    expect(taken(5000) / taken(1000)).toBeLessThan(15);
    expect(lines(talkative(5000)).length).toBeLessThan(120);
  });

  it('is the same twice, but for what differs from run to run', () => {
    const other = { ...THREE_ROOTS, run: { ...THREE_ROOTS.run, requests: 1, bytes: 2 } };
    expect(text(other, TERMINAL)).toBe(text(THREE_ROOTS, TERMINAL));
  });

  it('folds many gaps', () => {
    const unknowns = Array.from({ length: 3000 }, (_, at) =>
      unknownOf(
        `rule-${at % 40}`,
        'hub',
        gapOf({ detail: 'forbidden', path: `/api/v1/namespaces/ns-${at % 50}/pods/p-${at}/log` }),
      ),
    );
    const page = lines(reportOf({ unknowns }));
    expect(page.length).toBeLessThan(60);
    expect(page.join('\n')).toMatch(/and 30 more \(--all\)/);
  });
});

/** Findings that say a lot: a third of them roots, of fifty rules. */
function talkative(count: number): Report {
  const words = 'every word of this sentence takes its place on the page and none of it may be lost '.repeat(4).trim();
  const findings = Array.from({ length: count }, (_, at) => {
    const rootAt = count > 3 ? at - (at % 3) : at;
    return findingOf({
      rule: `rule-${rootAt % 50}`,
      title: words.slice(0, 120),
      subject: subject('Pod', 'metrics', `pod-${at}`),
      message: words,
      since: '2026-11-22T01:02:03Z',
      facts: Object.fromEntries(Array.from({ length: 4 }, (_unused, fact) => [`Fact ${fact}`, words])),
      atRisk: words,
      causedBy: rootAt === at ? [] : [`rule-${rootAt % 50}/west/Pod/metrics/pod-${rootAt}`],
      fix: {
        byHand: Array.from({ length: 8 }, (_unused, step) => `kubectl get pods -n ns-${step}`).join('\n'),
        automatic: 'x.y',
      },
    });
  });
  return reportOf({ findings });
}
