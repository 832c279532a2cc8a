import { GapSignal } from '../model/gap.ts';
import type { RawObject, StoreAnswer, StoreReference } from '../model/source.ts';
import type { ClusterFolder } from './bundle-cluster-folder.ts';
import type { PlannedStore } from './bundle-plan.ts';

/** Writes the object storage configurations; returns those whose bucket can be asked. */
export async function recordStores(folder: ClusterFolder): Promise<readonly StoreAnswer[]> {
  const rows: object[] = [];
  const answers: StoreAnswer[] = [];
  for (const store of folder.plan.stores) {
    try {
      const answer = await folder.source.objectStore(store.reference);
      rows.push(rowOf(store, answer, folder.source.failures().find(failure => failure.path === answer.path)?.message));
      if (answer.config) answers.push(answer);
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      const { notLookedAt, detail } = error.gap;
      // What nobody asked for has no row: one with an error would say that it was tried.
      if (notLookedAt) folder.leaveOut(`stores: ${store.reference.id}`, detail);
      else rows.push({ ...identity(store), error: detail });
    }
  }
  await folder.writeYaml('stores.yaml', rows);
  return answers;
}

function identity({ reference, usedBy, namedBy }: PlannedStore) {
  return { id: reference.id, ...placeOf(reference, namedBy), usedBy, namedBy };
}

function placeOf({ kind, namespace, name, key }: StoreReference, namedBy: PlannedStore['namedBy']) {
  if (kind === 'Secret') return { secret: { namespace, name, key } };
  if (kind === 'ConfigMap') return { configMap: { namespace, name, key } };
  const workload = namedBy.find(by => by.namespace === namespace && by.name === name);
  return { inline: { namespace, ...(workload ? { kind: workload.kind, name } : { pod: name }), container: key } };
}

function rowOf(store: PlannedStore, answer: StoreAnswer, said: string | undefined): object {
  const { config, error, keys, changedAt, resourceVersion } = answer;
  return {
    ...identity(store),
    ...(keys.length > 0 ? { keys } : {}),
    ...(changedAt ? { changedAt } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(error ? { error: error === 'not-found' ? (said ?? error) : error } : { config: plain(config) }),
  };
}

/** Fingerprints without what says nothing. */
function plain(value: RawObject): RawObject {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value.set === 'boolean' && typeof value.fingerprint === 'string') {
    const { set, fingerprint, edgeSpace } = value;
    return { set, ...(fingerprint ? { fingerprint } : {}), ...(edgeSpace ? { edgeSpace } : {}) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
