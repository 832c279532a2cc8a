import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnoseFleet, NO_EXPECTATIONS } from '../src/app/diagnose.ts';
import { builtinRules } from '../src/app/rule-files.ts';
import { builtinSignatures } from '../src/app/signature-files.ts';
import { openBundleFiles } from '../src/clusters/bundle-files.ts';
import { openLiveCluster } from '../src/clusters/live-source.ts';
import type { Rule } from '../src/model/rule.ts';
import type { RawObject, Source } from '../src/model/source.ts';
import { startFleet } from '../src/simulator/fleet.ts';
import { syntheticBundle } from '../src/simulator/synthetic.ts';

const BASE = new URL('../src/simulator/fleets/pool-exhausted.tar.gz', import.meta.url).pathname;
const PODS = 400;
const rules = builtinRules();
const signatures = builtinSignatures();

/** Fields by which collectors and rules choose among objects. */
const COUNTED = ['key', 'phase', 'node', 'namespace', 'name', 'object', 'service'];

/** The source, whose rows count how often one of these fields is read. */
function counting(source: Source, count: () => void): Source {
  const counted = (row: RawObject): unknown => {
    for (const field of COUNTED) {
      if (!(field in row)) continue;
      const value = row[field];
      const get = () => {
        count();
        return value;
      };
      Object.defineProperty(row, field, { enumerable: true, configurable: true, get });
    }
    return row;
  };
  return {
    ...source,
    list: (group, resource, take) =>
      source.list(group, resource, take ? object => counted(take(object) as RawObject) : take),
  };
}

interface Work {
  readonly requests: number;
  /** Of the counted fields, by collectors and rules. */
  readonly reads: number;
  readonly subjects: number;
}

async function work(pods: number, judged: readonly Rule[]): Promise<Work> {
  const bundle = await syntheticBundle({ clusters: 1, podsPerCluster: pods, base: await openBundleFiles(BASE) });
  const fleet = await startFleet(bundle, { enforceAccess: false, protobuf: true });
  const folder = mkdtempSync(join(tmpdir(), 'growth-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    const { redirect } = fleet;
    const opened = await openLiveCluster({ name: 'it', context: fleet.clusters[0]!.name, kubeconfig, redirect });
    let reads = 0;
    const source = counting(opened, () => {
      reads += 1;
    });
    const { counts } = await diagnoseFleet([source], {
      rules: judged,
      signatures,
      expectations: NO_EXPECTATIONS,
      fleet: '',
      concurrency: 32,
      version: 'test',
      command: 'thanos-doctor diagnose',
    });
    const { requests } = opened.usage();
    await opened.close();
    return { requests, reads, subjects: counts.subjects };
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true });
  }
}

test('twice the pods are twice the work at most', { timeout: 120_000 }, async () => {
  const [small, large] = [await work(PODS, rules), await work(2 * PODS, rules)];
  expect(large.subjects).toBeGreaterThan(1.6 * small.subjects);
  expect(large.reads / small.reads).toBeLessThan(2.1);
  // Both are one page of each list.
  expect(large.requests).toBeLessThan(1.1 * small.requests);
});

test('three times as many rules cost no more requests', { timeout: 120_000 }, async () => {
  const again = (suffix: string) => rules.map(rule => ({ ...rule, id: `${rule.id}-${suffix}` }));
  const [once, thrice] = [await work(50, rules), await work(50, [...rules, ...again('two'), ...again('three')])];
  expect(thrice.requests).toBe(once.requests);
});
