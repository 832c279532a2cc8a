import { collectFleet } from '../../app/collect.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions, ReadingOptions } from '../options.ts';
import { openClusters } from '../read-clusters.ts';

export interface CollectArguments extends ReadingOptions, GlobalOptions {
  readonly output: string;
}

/** Writes a bundle. Standard output stays empty: the bundle is the only result. */
export async function runCollect(options: CollectArguments): Promise<number> {
  const interrupt = listenForInterrupt();
  const { sources } = await openClusters({ ...options, bundle: undefined }, interrupt.signal);
  try {
    await collectFleet(sources, {
      target: options.output,
      since: options.since ?? '',
      readLogs: options.logs,
      readSecrets: options.secrets,
      onProgress(cluster, step) {
        if (!options.quiet && (options.verbose || process.stderr.isTTY)) process.stderr.write(`${cluster}: ${step}\n`);
      },
    });
    const failures = sources.reduce((count, source) => count + source.failures().length, 0);
    if (!options.quiet) {
      const gaps = failures === 0 ? '' : `; ${failures} reads failed, they are listed in it`;
      process.stderr.write(`wrote ${options.output}${gaps}\n`);
      process.stderr.write(`next: thanos-doctor diagnose --bundle ${options.output}\n`);
    }
    return interrupt.signal.aborted ? EXIT.interrupted : EXIT.healthy;
  } finally {
    interrupt.end();
    await Promise.all(sources.map(source => source.close()));
  }
}
