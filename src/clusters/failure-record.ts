import type { ReadFailure } from '../model/source.ts';

/** Every read that failed, in the form of a bundle's `failures.yaml`; one line for a path and store, the newest. */
export interface FailureRecord {
  add(failure: ReadFailure): void;
  /** Forgets what turned out to be an answer. */
  remove(path: string, store: string): void;
  /** Sorted by path and store. */
  all(): readonly ReadFailure[];
}

export function createFailureRecord(): FailureRecord {
  const failures = new Map<string, ReadFailure>();
  const keyOf = ({ path, store }: Pick<ReadFailure, 'path' | 'store'>) => `${path}\n${store ?? ''}`;
  return {
    add: failure => {
      failures.set(keyOf(failure), failure);
    },
    remove: (path, store) => {
      failures.delete(keyOf({ path, store }));
    },
    all: () => [...failures.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, failure]) => failure),
  };
}
