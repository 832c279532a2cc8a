import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Report } from '../../src/model/report.ts';
import type { WholeAnswer } from '../../src/simulator/answers.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { diagnose, recording } from './recorded-reads.ts';

const NAME = 'two-faults';
const MINUTES = 60_000;

afterEach(() => void vi.useRealTimers());

/** A whole run while our clock is so many minutes off, and the API servers answer as they did. */
async function liveAt(minutes: number, faultsOf: (clusters: readonly string[], takenAt: number) => readonly Fault[]) {
  const files = await recording(NAME);
  const { clusters, takenAt } = await readManifest(files);
  // The simulated stores tell the time of this machine.
  const faults = [clockOf('s3', Date.parse(takenAt)), ...faultsOf(clusters, Date.parse(takenAt))];
  const fleet = await startFleet(files, { faults });
  onTestFinished(() => fleet.close());
  const folder = mkdtempSync(join(tmpdir(), 'clocks-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'kubeconfig'), fleet.kubeconfig);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(takenAt) + minutes * MINUTES });
  const sources = await openLive({
    kubeconfig: join(folder, 'kubeconfig'),
    contexts: clusters,
    ...AS_USUAL,
    signal: new AbortController().signal,
    deadline: Date.now() + 10 * MINUTES,
    overrides: { redirect: fleet.redirect, storeCertificateAuthority: fleet.authorities.join('') },
  });
  try {
    return await diagnose(sources);
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

/** What a server says that the time is. */
function clockOf(server: string, time: number): Fault {
  const date = new Date(time).toUTCString();
  const change = (right: WholeAnswer) => ({ ...right, headers: { ...right.headers, date } });
  return { server, path: /^/, effect: { is: 'changed', change } };
}

const concluded = ({ findings, unknowns, roots, takenAt }: Report) => ({
  takenAt,
  findings: findings.map(({ id, message }) => `${id}: ${message}`),
  unknowns: unknowns.map(({ rule, cluster, subject }) => `${rule} ${cluster} ${subject?.name ?? ''}`).sort(),
  roots,
});

test('our own clock, 10 minutes off either way, changes nothing', async () => {
  const right = concluded(await liveAt(0, () => []));
  expect(right.findings.length).toBeGreaterThan(3);
  expect(right.findings.join()).not.toContain('clocks-differ');
  for (const minutes of [10, -10]) expect(concluded(await liveAt(minutes, () => []))).toEqual(right);
}, 60_000);

test.each([10, -10])(
  'the clock of one API server, %i minutes off, is told',
  async minutes => {
    const right = await liveAt(0, () => []);
    const off = await liveAt(0, ([first], takenAt) => [clockOf(first!, takenAt + minutes * MINUTES)]);
    const [sick, healthy] = off.clusters.map(({ name }) => name);
    const told = off.findings.filter(({ rule }) => rule === 'clocks-differ');
    expect(told.map(({ cluster, subject }) => `${cluster} ${subject.name}`)).toEqual([`fleet ${sick}`]);
    // Everything that is renewed looks old then, and nothing that is down for that.
    const known = new Set(right.findings.map(({ id }) => id));
    const invented = off.findings.filter(({ id }) => !known.has(id)).map(({ rule }) => rule);
    expect(invented.filter(rule => /-down$|-not-(?:ready|announced)$/.test(rule))).toEqual([]);
    const of = (report: Report) =>
      report.findings
        .filter(({ cluster }) => cluster === healthy)
        .map(({ id }) => id)
        .sort();
    expect(of(off)).toEqual(of(right));
  },
  60_000,
);

test('a bundle says the same whenever it is read', async () => {
  const files = await recording(NAME);
  const { clusters, takenAt } = await readManifest(files);
  const read = async () =>
    concluded(await diagnose(await Promise.all(clusters.map(name => openBundleCluster(files, name)))));
  const now = await read();
  for (const minutes of [-10, 10, 500_000]) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(takenAt) + minutes * MINUTES });
    expect(await read()).toEqual(now);
  }
}, 60_000);
