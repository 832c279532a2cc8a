import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import type { Report } from '../../src/model/report.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { expiring } from './disturbances.ts';
import { diagnose, recording } from './recorded-reads.ts';

/** Milliseconds that a run may take. */
const DEADLINE = 60_000;

/** A whole run over a recorded fleet, where every list of one cluster expires. */
async function runWith(sick: string, faults: readonly Fault[]): Promise<Report> {
  const fleet = await startFleet(await recording('sidecar-speaks-https'), {
    faults: faults.map(fault => ({ ...fault, server: sick })),
  });
  onTestFinished(() => fleet.close());
  const folder = mkdtempSync(join(tmpdir(), 'expired-pages-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'kubeconfig'), fleet.kubeconfig);
  const sources = await openLive({
    kubeconfig: join(folder, 'kubeconfig'),
    contexts: fleet.clusters.map(({ name }) => name),
    ...AS_USUAL,
    signal: new AbortController().signal,
    deadline: Date.now() + DEADLINE,
    overrides: { redirect: fleet.redirect, retry: { delay: 1 } },
  });
  try {
    return await diagnose(sources);
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

const ids = ({ findings }: Report, cluster?: string) =>
  findings
    .filter(finding => !cluster || finding.cluster === cluster)
    .map(({ id }) => id)
    .sort();

test('every list of one cluster expires: once it makes no difference, without end it hides only what is read there', async () => {
  const before = await runWith('', []);
  const [sick, ...others] = before.clusters.map(({ name }) => name);
  expect(others.length).toBeGreaterThan(0);
  expect(exitCodeOf(before, 'warning')).toBe(1);

  const once = await runWith(sick!, expiring(1, 'a newer token'));
  expect(ids(once)).toEqual(ids(before));
  expect(once.unknowns.length).toBe(before.unknowns.length);

  for (const offer of ['nothing', 'a newer token'] as const) {
    const started = performance.now();
    const never = await runWith(sick!, expiring(99, offer));
    expect(performance.now() - started).toBeLessThan(DEADLINE);
    expect(ids(never).filter(id => !ids(before).includes(id))).toEqual([]);
    for (const other of others) expect(ids(never, other)).toEqual(ids(before, other));
    const gaps = never.unknowns.filter(({ cluster }) => cluster === sick).flatMap(unknown => unknown.gaps);
    expect(gaps.some(({ path, detail }) => path === '/api/v1/pods' && /too old/.test(detail))).toBe(true);
    const expected = never.findings.some(({ severity }) => severity !== 'info') ? 1 : 3;
    expect(exitCodeOf(never, 'warning')).toBe(expected);
  }
}, 60_000);
