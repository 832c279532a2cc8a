import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { diagnoseFleet, NO_EXPECTATIONS } from '../src/app/diagnose.ts';
import { openBundle } from '../src/app/open-bundle.ts';
import { AS_USUAL, openLive } from '../src/app/open-live.ts';
import { builtinRules } from '../src/app/rule-files.ts';
import { builtinSignatures } from '../src/app/signature-files.ts';
import { exitCodeOf } from '../src/cli/exit-codes.ts';
import { openBundleFiles } from '../src/clusters/bundle-files.ts';
import type { Finding } from '../src/model/finding.ts';
import type { Report } from '../src/model/report.ts';
import type { Source } from '../src/model/source.ts';
import { markdown } from '../src/report/markdown.ts';
import { text } from '../src/report/text.ts';
import { startFleet } from '../src/simulator/fleet.ts';

const FOLDER = join(import.meta.dirname, 'incidents');
const INCIDENTS = readdirSync(FOLDER).filter(name => existsSync(join(FOLDER, name, 'truth.yaml')));
/** Requests that one recorded cluster may take: lists, logs and HTTP together. */
const REQUESTS = 130;

interface Place {
  readonly rule: string;
  readonly cluster?: string;
  readonly subject?: { readonly kind: string; readonly namespace?: string; readonly name: string };
}

interface Truth {
  readonly verdict: Report['verdict'];
  readonly exit: number;
  readonly roots: readonly Place[];
  readonly symptoms?: readonly (Place & { readonly under: string | Place })[];
  readonly mustNotClaim?: readonly (string | Place)[];
  readonly unknowns?: readonly { readonly rule?: string; readonly cluster: string; readonly about: string }[];
}

const rules = builtinRules();
const signatures = builtinSignatures();

async function diagnose(sources: readonly Source[]): Promise<Report> {
  return diagnoseFleet(sources, {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'thanos-doctor diagnose --bundle bundle.tar.gz',
  });
}

function fits(finding: Finding, place: string | Place): boolean {
  const wanted = typeof place === 'string' ? { rule: place } : place;
  const { subject } = wanted as Place;
  if (finding.rule !== wanted.rule) return false;
  if ('cluster' in wanted && wanted.cluster !== undefined && finding.cluster !== wanted.cluster) return false;
  if (!subject) return true;
  return (
    finding.subject.kind === subject.kind &&
    finding.subject.namespace === (subject.namespace ?? '') &&
    finding.subject.name === subject.name
  );
}

const counts = (finding: Finding) => finding.severity !== 'info';
const shown = ({ rule, cluster, subject }: Finding) =>
  `${rule} ${cluster} ${subject.kind} ${subject.namespace}/${subject.name}`;

/** All findings that explain this one, in one step or several. */
function explaining(finding: Finding, report: Report): readonly Finding[] {
  const byId = new Map(report.findings.map(candidate => [candidate.id, candidate]));
  const reached = new Map<string, Finding>();
  for (let queue = [...finding.causedBy]; queue.length > 0; ) {
    const id = queue.pop()!;
    const cause = byId.get(id)!;
    if (reached.has(id)) continue;
    reached.set(id, cause);
    queue.push(...cause.causedBy);
  }
  return [...reached.values()];
}

function compareWithTruth(report: Report, truth: Truth): void {
  expect(report.verdict).toBe(truth.verdict);
  expect(exitCodeOf(report, 'warning')).toBe(truth.exit);
  const roots = report.findings.filter(finding => finding.root && counts(finding));
  expect(roots.filter(root => !truth.roots.some(place => fits(root, place))).map(shown), 'false roots').toEqual([]);
  expect(
    truth.roots.filter(place => !roots.some(root => fits(root, place))),
    'missing roots',
  ).toEqual([]);
  for (const symptom of truth.symptoms ?? []) {
    const found = report.findings.filter(finding => counts(finding) && fits(finding, symptom));
    const placed = found.some(finding =>
      explaining(finding, report).some(cause => cause.root && fits(cause, symptom.under)),
    );
    expect(placed, `${symptom.rule} under ${JSON.stringify(symptom.under)}`).toBe(true);
  }
  for (const place of truth.mustNotClaim ?? []) {
    expect(
      report.findings.filter(finding => counts(finding) && fits(finding, place)).map(shown),
      'claimed falsely',
    ).toEqual([]);
  }
  for (const { rule, cluster, about } of truth.unknowns ?? []) {
    const listed = report.unknowns.some(
      unknown =>
        unknown.cluster === cluster &&
        (!rule || unknown.rule === rule) &&
        JSON.stringify([unknown.subject, unknown.gaps]).toLowerCase().includes(about.toLowerCase()),
    );
    expect(listed, `${cluster}: ${about} is listed as not checked`).toBe(true);
  }
}

const OPTIONS = { width: 100, color: false, unicode: true, all: false, timeZone: 'UTC', terminal: false };

/** What differs from run to run is taken out of golden reports. */
function settled(report: Report): Report {
  const run = {
    ...report.run,
    seconds: 1,
    requests: 100,
    bytes: 1_000_000,
    clusters: report.run.clusters.map(cluster => ({ ...cluster, seconds: 1, requests: 50, bytes: 500_000 })),
  };
  return { ...report, run };
}

function compareWithGolden(name: string, file: string, content: string): void {
  const path = join(FOLDER, name, file);
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, content);
  expect(content, `${file} differs: look at it, then UPDATE_GOLDEN=1 npx vitest run test/incidents.test.ts`).toBe(
    readFileSync(path, 'utf8'),
  );
}

/**
 * Live, more is asked than a bundle can hold, and the simulated servers refuse to invent an answer. Such gaps are those
 * of the recording and not of the run.
 */
function withoutWhatWasNotRecorded(report: Report): Report {
  const unknowns = report.unknowns.filter(
    unknown => !unknown.gaps.every(gap => gap.notLookedAt || /the recording does not hold/.test(gap.detail)),
  );
  const verdict = report.verdict === 'unknown' && unknowns.length === 0 ? 'healthy' : report.verdict;
  return { ...report, unknowns, verdict };
}

describe.each(INCIDENTS)('%s', name => {
  const bundle = join(FOLDER, name, 'bundle.tar.gz');
  const truth = parse(readFileSync(join(FOLDER, name, 'truth.yaml'), 'utf8')) as Truth;

  test('from its bundle: the roots are those of its truth, and the same in every run', async () => {
    const report = await diagnose(await openBundle(bundle));
    compareWithTruth(report, truth);
    const again = await diagnose(await openBundle(bundle));
    expect(JSON.stringify({ ...again, run: null })).toBe(JSON.stringify({ ...report, run: null }));
    compareWithGolden(name, 'report.md', markdown(settled(report), OPTIONS));
    compareWithGolden(name, 'report.txt', text(settled(report), OPTIONS));
  });

  test('from live servers: the same', async () => {
    const fleet = await startFleet(await openBundleFiles(bundle), { protobuf: true });
    const folder = mkdtempSync(join(tmpdir(), 'incident-'));
    try {
      const kubeconfig = join(folder, 'kubeconfig');
      writeFileSync(kubeconfig, fleet.kubeconfig);
      const sources = await openLive({
        kubeconfig,
        contexts: fleet.clusters.map(cluster => cluster.name),
        ...AS_USUAL,
        signal: new AbortController().signal,
        deadline: Date.now() + 60_000,
        overrides: {
          redirect: fleet.redirect,
          storeCertificateAuthority: fleet.authorities.join(''),
          retry: { retries: 0 },
          timeouts: { preflight: 1000 },
        },
      });
      const read = await diagnose(sources);
      await Promise.all(sources.map(source => source.close()));
      const live = withoutWhatWasNotRecorded(read);
      compareWithTruth(live, truth);
      const recorded = await diagnose(await openBundle(bundle));
      const arranged = (report: Report) =>
        report.findings.map(({ id, severity, root, causedBy }) => ({ id, severity, root, causedBy }));
      expect(arranged(live)).toEqual(arranged(recorded));
      for (const { name: cluster } of fleet.clusters) {
        const requests = fleet
          .requests()
          .filter(request => request.server === cluster && request.method === 'GET').length;
        expect(requests, `requests to ${cluster}`).toBeLessThan(REQUESTS);
      }
    } finally {
      await fleet.close();
      rmSync(folder, { recursive: true });
    }
  });
});
