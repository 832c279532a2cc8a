import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { memoryFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Report } from '../../src/model/report.ts';
import { type Choice, varied } from './variation.ts';

const FOLDER = join(import.meta.dirname, '..', 'incidents');
const INCIDENTS = readdirSync(FOLDER).filter(name => existsSync(join(FOLDER, name, 'truth.yaml')));
const RUNS = 3;

const rules = builtinRules();
const signatures = builtinSignatures();

/** Names as people give them: nothing of the stack's own words. */
const WORD = fc
  .tuple(
    fc.constantFrom(...'bdfghklmnprtvwz'),
    fc.constantFrom('a', 'e', 'i', 'o', 'u'),
    fc.constantFrom(...'bdgklmnprstvz'),
    fc.constantFrom('al', 'en', 'ix', 'or', 'um', 'ay', 'esk'),
  )
  .map(parts => parts.join(''));
const CHOICE: fc.Arbitrary<Choice> = fc.record({
  words: fc.uniqueArray(WORD, { minLength: 120, maxLength: 120 }),
  shift: fc.integer({ min: -40 * 86_400, max: 40 * 86_400 }),
  order: fc.nat(),
  chart: fc.record({
    mirror: fc.constantFrom('', 'registry.example/mirror', 'harbor.example:5000/cache/quay', 'rancher/mirrored-'),
    tag: fc.constantFrom('v1.2.3', '1.2.3', '1.2.3-debian-12-r1'),
    labels: fc.constantFrom('app.kubernetes.io', 'app.acme.example', 'app'),
  }),
});

test.each(INCIDENTS)(
  '%s is the same under other names, at another time, in another order',
  { timeout: 120_000 },
  async name => {
    const recording = await openBundleFiles(join(FOLDER, name, 'bundle.tar.gz'));
    const files = new Map<string, Uint8Array>();
    for (const path of recording.paths) files.set(path, (await recording.read(path)) ?? new Uint8Array());
    const report = await diagnosed(files);
    await fc.assert(
      fc.asyncProperty(CHOICE, async choice => {
        const variation = varied(files, choice);
        const again = await diagnosed(variation.files);
        expect(outcome(again)).toEqual(outcome(report, variation.rename));
        expect(again.verdict).toBe(report.verdict);
        for (const { name: before } of report.clusters) expect(JSON.stringify(again.findings)).not.toContain(before);
      }),
      { seed: 20, numRuns: RUNS, endOnFailure: true },
    );
  },
);

async function diagnosed(files: ReadonlyMap<string, Uint8Array>): Promise<Report> {
  const bundle = memoryFiles('variation', files);
  const { clusters } = await readManifest(bundle);
  return diagnoseFleet(await Promise.all(clusters.map(cluster => openBundleCluster(bundle, cluster))), {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'test',
  });
}

/** Every finding and what explains it, in an order that names do not decide. */
function outcome(report: Report, rename: (text: string) => string = text => text): readonly string[] {
  const place = (id: string) => {
    const finding = report.findings.find(candidate => candidate.id === id);
    if (!finding) return id;
    const { kind, namespace, name } = finding.subject;
    return `${finding.rule} @${rename(finding.cluster)} ${kind} ${rename(`${namespace}/${name}`)}`;
  };
  return report.findings
    .map(
      ({ id, severity, root, causedBy }) =>
        `${severity}${root ? ' root' : ''} ${place(id)} <- ${causedBy.map(place).sort().join(' & ')}`,
    )
    .sort();
}
