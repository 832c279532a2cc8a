import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnoseFleet, NO_EXPECTATIONS } from '../src/app/diagnose.ts';
import { AS_USUAL, openLive } from '../src/app/open-live.ts';
import { builtinRules } from '../src/app/rule-files.ts';
import { builtinSignatures } from '../src/app/signature-files.ts';
import { openBundleFiles } from '../src/clusters/bundle-files.ts';
import { startFleet } from '../src/simulator/fleet.ts';

/** How many answers one after the other a diagnosis of one cluster may wait for. */
const DEEPEST = 12;
/** Milliseconds without a request after which everybody waits for an answer. */
const QUIET = 60;

/** Holds all answers back until nobody asks any more, and then gives all of them: one round trip. */
function rounds() {
  const asked: string[][] = [];
  let waiting: { readonly path: string; readonly go: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const release = () => {
    asked.push(waiting.map(({ path }) => path));
    const held = waiting;
    waiting = [];
    for (const { go } of held) go();
  };
  const latency = (_server: string, path: string) =>
    new Promise<void>(go => {
      waiting.push({ path, go });
      clearTimeout(timer);
      timer = setTimeout(release, QUIET);
    });
  return { latency, asked };
}

test('latency is hidden: one cluster is few round trips deep', { timeout: 60_000 }, async () => {
  const { latency, asked } = rounds();
  const bundle = join(import.meta.dirname, 'incidents/two-faults/bundle.tar.gz');
  const fleet = await startFleet(await openBundleFiles(bundle), { protobuf: true, latency });
  const folder = mkdtempSync(join(tmpdir(), 'round-trips-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    const sources = await openLive({
      kubeconfig,
      contexts: [fleet.clusters[0]!.name],
      ...AS_USUAL,
      signal: new AbortController().signal,
      deadline: Date.now() + 60_000,
      overrides: { redirect: fleet.redirect, storeCertificateAuthority: fleet.authorities.join('') },
    });
    await diagnoseFleet(sources, {
      rules: builtinRules(),
      signatures: builtinSignatures(),
      expectations: NO_EXPECTATIONS,
      fleet: '',
      concurrency: 32,
      version: 'test',
      command: 'thanos-doctor diagnose',
    });
    await Promise.all(sources.map(source => source.close()));

    expect(asked.length, JSON.stringify(asked)).toBeLessThanOrEqual(DEEPEST);
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true });
  }
});
