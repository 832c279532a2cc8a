import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { diagnose } from '../../src/checks/diagnose.ts';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import { openEvidence } from '../../src/evidence/store.ts';
import type { Report } from '../../src/model/report.ts';
import { json } from '../../src/report/json.ts';
import { markdown } from '../../src/report/markdown.ts';
import { text } from '../../src/report/text.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { syntheticBundle } from '../../src/simulator/synthetic.ts';

/** Parts of a diagnosis, each alone in this process: parts.mjs BASE PODS FINDINGS. Times are of the processor. */
const [base, ...sizes] = process.argv.slice(2);
const [pods, findings] = sizes.map(Number) as [number, number];
const signatures = builtinSignatures();
const rules = builtinRules();
const OPTIONS = { width: 100, color: false, unicode: true, all: true, timeZone: 'UTC', terminal: false };

/** Milliseconds of the processor. */
async function spent(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function evaluated() {
  const bundle = await syntheticBundle({ clusters: 1, podsPerCluster: pods, base: await openBundleFiles(base!) });
  const fleet = await startFleet(bundle, { enforceAccess: false, protobuf: true });
  const folder = mkdtempSync(join(tmpdir(), 'thanos-doctor-parts-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    const { redirect } = fleet;
    const options = { name: 'it', context: fleet.clusters[0]!.name, kubeconfig, redirect };
    const source = await openLiveCluster(options);
    const settings = { collectors: COLLECTORS, expectations: NO_EXPECTATIONS, signatures, concurrency: 32 };
    const evidence = openEvidence([source], new Map(), settings);
    const input = { rules, clusters: evidence.clusters, fleet: evidence.fleet, unreachable: new Map() };
    // The first time collects the evidence; after that, rules alone are judged.
    const { counts } = await diagnose(input);
    const ms = await spent(() => diagnose(input));
    await source.close();
    const again = await openLiveCluster(options);
    const asked = { rules, signatures, expectations: NO_EXPECTATIONS, fleet: '', concurrency: 32 };
    const report = await diagnoseFleet([again], { ...asked, version: 'bench', command: 'bench' });
    await again.close();
    return { report, result: { ms, checks: counts.checks, subjects: counts.subjects, rules: rules.length, pods } };
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true });
  }
}

async function rendered(report: Report) {
  const some = report.findings;
  const many = Array.from({ length: findings }, (_, index) => {
    const finding = some[index % some.length]!;
    return { ...finding, id: `${finding.id}-${index}`, causedBy: [], root: true };
  });
  const large = { ...report, findings: many, roots: many.map(({ id }) => id) };
  const times: Record<string, number> = {};
  for (const [name, format] of Object.entries({ text, markdown, json })) {
    times[name] = await spent(() => format(large, OPTIONS));
  }
  return { findings, ...times };
}

const { report, result } = await evaluated();
console.log(JSON.stringify({ rules: result, render: await rendered(report) }));
