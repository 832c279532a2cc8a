import { nearestName } from '../evidence/nearest-name.ts';
import { GapSignal } from '../model/gap.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';

/**
 * Throws a `UserError` for a namespace that none of the clusters has: what is read of it would be nothing, and nothing
 * looks healthy. Where a cluster does not tell its namespaces, it may be there.
 */
export async function checkNamespaces(sources: readonly Source[], wanted: readonly string[]): Promise<void> {
  if (wanted.length === 0) return;
  const told = await Promise.all(sources.map(namespacesOf));
  if (told.includes(undefined)) return;
  const names = new Set(told.flatMap(list => list ?? []));
  const missing = wanted.filter(name => !names.has(name));
  if (missing.length === 0) return;
  const where = sources.map(({ cluster }) => cluster).join(', ');
  const [first = ''] = missing;
  const near = nearestName(first, [...names]);
  throw new UserError(
    `there is no namespace ${missing.join(', ')} in ${where}`,
    near === '' ? `namespaces there: ${[...names].sort().join(', ')}` : `did you mean ${near}?`,
  );
}

async function namespacesOf(source: Source): Promise<readonly string[] | undefined> {
  try {
    await source.server();
    const { items } = await source.list('', 'namespaces', object => object.metadata.name);
    return items;
  } catch (error) {
    if (error instanceof GapSignal) return undefined;
    throw error;
  }
}
