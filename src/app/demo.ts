import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBundleFiles } from '../clusters/bundle-files.ts';
import { GapSignal } from '../model/gap.ts';
import type { Report } from '../model/report.ts';
import type { Source } from '../model/source.ts';
import { startFleet } from '../simulator/fleet.ts';
import { diagnoseFleet, NO_EXPECTATIONS, type Progress } from './diagnose.ts';
import { AS_USUAL, openLive } from './open-live.ts';
import { findUpward } from './package-files.ts';
import { builtinRules } from './rule-files.ts';
import { builtinSignatures } from './signature-files.ts';
import { version } from './version.ts';

/** The recorded incidents that are shipped. */
export const DEMO_FLEETS = ['pool-exhausted', 'sidecar-speaks-https'] as const;
export type DemoFleet = (typeof DEMO_FLEETS)[number];

/** Where the recording of a fleet lies. It is a bundle as well. */
export function recordingOf(fleet: DemoFleet): string {
  const place = findUpward(`fleets/${fleet}.tar.gz`) ?? findUpward(`src/simulator/fleets/${fleet}.tar.gz`);
  if (!place) throw new Error(`the package lacks the recorded fleet ${fleet}`);
  return place;
}

/**
 * Starts a recorded fleet on local ports and diagnoses it live, through the same code that reads real clusters: HTTP of
 * API servers, logs, components through the proxy, the object store, probes.
 */
export async function diagnoseDemo(
  fleet: DemoFleet,
  onProgress: (event: Progress) => void,
  signal: AbortSignal,
): Promise<Report> {
  const simulated = await startFleet(await openBundleFiles(recordingOf(fleet)));
  const folder = await mkdtemp(join(tmpdir(), 'thanos-doctor-demo-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, simulated.kubeconfig, { mode: 0o600 });
    const sources = await openLive({
      kubeconfig,
      contexts: simulated.clusters.map(cluster => cluster.name),
      ...AS_USUAL,
      signal,
      deadline: Date.now() + 60_000,
      overrides: {
        redirect: simulated.redirect,
        storeCertificateAuthority: simulated.authorities.join(''),
        retry: { retries: 0 },
      },
    });
    try {
      return await diagnoseFleet(sources.map(recorded), {
        rules: builtinRules(),
        signatures: builtinSignatures(),
        expectations: NO_EXPECTATIONS,
        fleet: 'demo',
        concurrency: 16,
        version: version(),
        command: 'thanos-doctor demo',
        onProgress,
      });
    } finally {
      await Promise.all(sources.map(source => source.close()));
    }
  } finally {
    await simulated.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const NOT_RECORDED = /the recording does not hold/;

/** What was not recorded is no failure of a server: nobody asked for it when there was somebody to ask. */
function recorded(source: Source): Source {
  return new Proxy(source, {
    get(target, name: keyof Source) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        const answer = (member as (...all: unknown[]) => unknown).apply(target, given);
        return answer instanceof Promise ? answer.catch(notRecorded) : answer;
      };
    },
  });
}

function notRecorded(error: unknown): never {
  if (!(error instanceof GapSignal) || !NOT_RECORDED.test(error.gap.detail)) throw error;
  const detail = 'the bundle does not hold it';
  throw new GapSignal({ ...error.gap, reason: 'not-in-bundle', detail, notLookedAt: true });
}
