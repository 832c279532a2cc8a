import { lstat } from 'node:fs/promises';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { collectionPlan } from './collection-plan.ts';
import { version } from './version.ts';
import { checkWritable, whyNotWritten } from './write-file.ts';

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

/** Throws a `UserError` where no bundle can be written: known before minutes are spent on what should be in it. */
export async function checkBundleTarget(target: string): Promise<void> {
  const refuse = (why: string, hint: string) => new UserError(`cannot write bundle ${target}: ${why}`, hint);
  if (/\.(?:zip|gz|tar|t?xz|t?bz2|zst|7z|rar)$/.test(target) && !target.endsWith('.tar.gz'))
    throw refuse('bundles are folders or .tar.gz files', 'name it .tar.gz, or without an ending for a folder');
  if (await lstat(target).catch(() => undefined))
    throw refuse('it is there already', 'give another name, or remove it first');
  await checkWritable(target);
}

const READ: ReadonlySet<string> = new Set(
  [...COLLECTORS.values()].flatMap(({ needs }) => needs.map(({ group, resource }) => `${group}/${resource}`)),
);

/** Saves what a diagnosis would read, redacted, as a bundle. Throws a `UserError` where it cannot be written. */
export async function collectFleet(sources: readonly Source[], options: CollectOptions): Promise<void> {
  const { recordBundle } = await import('../clusters/bundle-writer.ts');
  const { target, readSecrets, readLogs, since, onProgress } = options;
  const recorded = {
    createdBy: `thanos-doctor ${version()}`,
    plan: collectionPlan,
    isRead: ({ group, resource }: { readonly group: string; readonly resource: string }) =>
      READ.has(`${group}/${resource}`),
    logs: { ...LOGS, ...(since ? { since } : {}) },
    buckets: readSecrets,
    noLogs: !readLogs,
  };
  try {
    await recordBundle(sources, target, recorded, onProgress);
  } catch (error) {
    // What could not be read is in the bundle; a failed call of the system is of the writing.
    const failure = error as NodeJS.ErrnoException;
    if (failure.syscall === undefined) throw error;
    throw new UserError(`cannot write bundle ${target}: ${whyNotWritten(failure)}`);
  }
}
