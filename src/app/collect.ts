import type { Source } from '../model/source.ts';
import { collectionPlan } from './collection-plan.ts';
import { version } from './version.ts';

export interface CollectOptions {
  /** Folder, or file that ends in `.tar.gz`. */
  readonly target: string;
  /** A duration, or '' for whole logs within their bounds. */
  readonly since: string;
  readonly readLogs: boolean;
  readonly readSecrets: boolean;
  readonly onProgress: (cluster: string, step: string) => void;
}

/** Lines and bytes of a log that are read at most. */
const LOGS = { lines: 5000, bytes: 8 * 1024 ** 2 };

/** Saves what a diagnosis would read, redacted, as a bundle. Throws a `UserError` where it cannot be written. */
export async function collectFleet(sources: readonly Source[], options: CollectOptions): Promise<void> {
  const { recordBundle } = await import('../clusters/bundle-writer.ts');
  await recordBundle(
    sources,
    options.target,
    {
      createdBy: `thanos-doctor ${version()}`,
      plan: collectionPlan,
      logs: { ...LOGS, ...(options.since ? { since: options.since } : {}) },
      buckets: options.readSecrets,
      noLogs: !options.readLogs,
    },
    options.onProgress,
  );
}
