import { checkBundleTarget, collectFleet } from '../../app/collect.ts';
import type { Source } from '../../model/source.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions, ReadingOptions } from '../options.ts';
import { commandLine } from '../outputs.ts';
import { type ProgressDisplay, startProgress } from '../progress.ts';
import { fleetOf, openClusters } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface CollectArguments extends ReadingOptions, GlobalOptions {
  readonly output: string;
}

/** Objects, logs, HTTP, stores, buckets, probes and the end; only the progress bar reads it. */
const STEPS = 7;

/** Writes a bundle. Standard output stays empty: the bundle is the only result. */
export async function runCollect(options: CollectArguments): Promise<number> {
  await checkBundleTarget(options.output);
  let progress: ProgressDisplay | undefined;
  const interrupt = listenForInterrupt(line => progress?.say(line));
  let sources: readonly Source[] = [];
  try {
    const live = { ...options, bundle: undefined };
    sources = await openClusters(live, fleetOf(live), interrupt.signal);
    progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
      clusters: sources.map(source => source.cluster),
      quiet: options.quiet,
      verbose: options.verbose,
      expected: STEPS,
    });
    const { onProgress } = progress;
    const steps = new Map<string, string>();
    await collectFleet(sources, {
      target: options.output,
      since: options.since ?? '',
      readLogs: options.logs,
      readSecrets: options.secrets,
      onProgress(cluster, step) {
        const requests = sources.find(source => source.cluster === cluster)?.usage().requests ?? 0;
        const before = steps.get(cluster);
        if (before) onProgress({ is: 'read', cluster, evidence: before, requests });
        steps.set(cluster, step);
        onProgress(
          step === 'done' ? { is: 'done', cluster, requests } : { is: 'reading', cluster, evidence: step, requests },
        );
      },
    });
    progress.end();
    if (!options.quiet) process.stderr.write(whatWasWritten(options.output, sources));
    if (interrupt.signal.aborted) return EXIT.interrupted;
    return sources.some(isUnread) ? EXIT.unknown : EXIT.healthy;
  } finally {
    progress?.end();
    interrupt.end();
    await Promise.all(sources.map(source => source.close()));
  }
}

function whatWasWritten(output: string, sources: readonly Source[]): string {
  const failures = sources.reduce((count, source) => count + source.failures().length, 0);
  const gaps = failures === 0 ? '' : `; ${failures === 1 ? '1 read' : `${failures} reads`} failed, listed in it`;
  const lines = [
    ...sources.filter(isUnread).map(source => `${source.cluster}: not read, ${source.failures()[0]?.message}`),
    `wrote ${output}${gaps}`,
    `next: ${commandLine(['diagnose', '--bundle', output])}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Whether the API server did not answer, so that nothing of the cluster is in the bundle. */
function isUnread(source: Source): boolean {
  return source.failures().some(({ path }) => path === '/version' || path === 'kubeconfig');
}
