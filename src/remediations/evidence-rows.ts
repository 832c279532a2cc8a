import type { EvidenceStore } from '../model/evidence.ts';
import { GapSignal } from '../model/gap.ts';
import type { RawObject } from '../model/source.ts';

/** The rows of one kind of evidence. Throws its gap where it is not known, or where a row that is read is not known. */
export async function rowsOf(
  store: EvidenceStore,
  id: string,
  params: Readonly<Record<string, string>> = {},
): Promise<readonly RawObject[]> {
  const value = await recordOf(store, id, params);
  return Array.isArray(value) ? value : [value];
}

/** One piece of evidence that is a record. Throws its gap where it is not known. */
export async function recordOf(
  store: EvidenceStore,
  id: string,
  params: Readonly<Record<string, string>> = {},
): Promise<RawObject> {
  const evidence = await store.collect(id, params);
  if (!evidence.known) throw new GapSignal(evidence.gap);
  return evidence.value;
}
