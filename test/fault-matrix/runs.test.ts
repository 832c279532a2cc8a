import { beforeAll, describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import type { BundleFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Finding, Subject, Unknown } from '../../src/model/finding.ts';
import { GapSignal } from '../../src/model/gap.ts';
import type { Report } from '../../src/model/report.ts';
import type { ReadFailure, Source } from '../../src/model/source.ts';
import { diagnose, recording, watched } from './recorded-reads.ts';
import { richFleet } from './rich-fleet.ts';

const ON_PURPOSE = 'fails on purpose';

/** Reads of one kind: one list, one page of all components, all logs, all objects of buckets. */
function kindOf(read: string): string {
  if (read.startsWith('list ')) return read;
  if (read.startsWith('http ')) return `http ${read.replace(/^[^:]*:\d+/, '').split('?')[0]}`;
  return read.split(' ')[0]!;
}

/** The source, where every read of that kind fails as a live cluster would say it. */
function failing(source: Source, kind: string): Source {
  const failures = new Map<string, ReadFailure>();
  const told = watched(source, read => {
    if (kindOf(read) !== kind) return;
    failures.set(read, { path: read, status: 500, reason: 'InternalError', message: ON_PURPOSE });
    throw new GapSignal({ reason: 'server-error', detail: ON_PURPOSE, path: read });
  });
  const rejecting = Object.entries(told).map(([name, verb]) => [
    name,
    // A read that fails rejects; it never throws at once.
    name === 'takenAt' || name === 'usage' || typeof verb !== 'function'
      ? verb
      : async (...rest: unknown[]) => (verb as (...rest: unknown[]) => unknown)(...rest),
  ]);
  return { ...Object.fromEntries(rejecting), failures: () => [...source.failures(), ...failures.values()] };
}

const placeOf = (rule: string, cluster: string, subject: Subject | undefined) =>
  `${rule} @${cluster} ${subject ? `${subject.kind} ${subject.namespace}/${subject.name}` : '(all)'}`;
const ofFinding = ({ rule, cluster, subject }: Finding) => placeOf(rule, cluster, subject);
const ofUnknown = ({ rule, cluster, subject }: Unknown) => placeOf(rule, cluster, subject);
const isSerious = ({ severity }: Finding) => severity !== 'info';

/** What a report leaves open, by rule, cluster and subject. */
function openIn(report: Report): ReadonlySet<string> {
  const skipped = report.notLookedAt.flatMap(({ cluster, rules }) =>
    rules.map(rule => placeOf(rule, cluster, undefined)),
  );
  return new Set([...report.unknowns.map(ofUnknown), ...skipped]);
}

const isOpen = (open: ReadonlySet<string>, { rule, cluster, subject }: Finding | Unknown) =>
  open.has(placeOf(rule, cluster, subject)) || open.has(placeOf(rule, cluster, undefined));

/**
 * Rules of one cluster that compare it with the others, or ask whether others reach it: what another cluster does not
 * let be read leaves them open.
 */
const ABOUT_OTHERS = [
  'certificate-issuer-unknown',
  'prometheus-external-label-cluster-missing',
  'replica-label-missing',
  'sidecar-not-exposed',
  'sidecar-not-uploading',
  'unuploaded-blocks-expire-soon',
];

/** In the second fleet only what most is concluded from. */
const CENTRAL =
  /^list (apps\/|pods|nodes|services|events|configmaps|persistentvolume|discovery|monitoring)|^[^l]|^logs/;

const FLEETS: readonly (readonly [string, () => Promise<BundleFiles>, RegExp])[] = [
  ['a healthy fleet', richFleet, /^/],
  ['a sidecar that speaks HTTPS', () => recording('sidecar-speaks-https'), CENTRAL],
];

describe.each(FLEETS)('%s', (_name, open, chosen) => {
  const isChosen = (kind: string) => chosen.test(kind);
  let files: BundleFiles;
  let names: readonly string[];
  let before: Report;
  const kinds = new Set<string>();

  const sources = () => Promise.all(names.map(name => openBundleCluster(files, name)));

  beforeAll(async () => {
    files = await open();
    names = (await readManifest(files)).clusters;
    const [sick, ...others] = await sources();
    before = await diagnose([watched(sick!, read => void kinds.add(kindOf(read))), ...others]);
    kinds.delete('server');
  }, 30_000);

  test('whatever fails in one cluster: nothing is invented, nothing is lost, nothing else is unknown', async () => {
    const mistakes: string[] = [];
    const known = new Set(before.findings.map(({ id }) => id));
    const openBefore = openIn(before);
    expect(kinds.size).toBeGreaterThan(60);
    for (const kind of [...kinds].filter(isChosen)) {
      const [sick, ...others] = await sources();
      const report = await diagnose([failing(sick!, kind), ...others]);
      const say = (what: string, places: readonly string[]) =>
        mistakes.push(...places.map(place => `${kind}: ${place} ${what}`));
      const still = new Set(report.findings.map(({ id }) => id));
      const openNow = openIn(report);
      const fresh = report.unknowns.filter(unknown => !openBefore.has(ofUnknown(unknown)));
      say('is invented', report.findings.filter(one => isSerious(one) && !known.has(one.id)).map(ofFinding));
      say('is lost', before.findings.filter(one => !still.has(one.id) && !isOpen(openNow, one)).map(ofFinding));
      say(
        'was open and is well now',
        before.unknowns
          .filter(one => !isOpen(openNow, one) && !report.findings.some(({ rule }) => rule === one.rule))
          .map(ofUnknown),
      );
      say('is open for no reason', fresh.filter(one => !isOfTheFault(one)).map(ofUnknown));
      say(
        'is of another cluster',
        fresh
          .filter(
            ({ cluster, rule }) => others.some(other => other.cluster === cluster) && !ABOUT_OTHERS.includes(rule),
          )
          .map(ofUnknown),
      );
      const verdict = report.findings.some(isSerious) ? 'problems' : report.unknowns.length > 0 ? 'unknown' : 'healthy';
      if (report.verdict !== verdict) say(`is not ${verdict}`, [report.verdict]);
      const code = { problems: 1, unknown: 3, healthy: 0 }[verdict];
      if (exitCodeOf(report, 'warning') !== code)
        say(`is no exit code of ${verdict}`, [String(exitCodeOf(report, 'warning'))]);
    }
    expect(mistakes).toEqual([]);
  }, 180_000);
});

/** Its gap names the fault; or the bucket, which another cluster's configuration could not open either. */
function isOfTheFault({ gaps }: Unknown): boolean {
  return gaps.some(({ detail, path }) => detail.includes(ON_PURPOSE) || path.startsWith('s3://'));
}
