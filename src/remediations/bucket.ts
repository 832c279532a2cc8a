import type { Guard, PlanInput, StoreKey } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { everywhere } from './looked-at.ts';
import { Refusal } from './refusal.ts';
import { nameOf, targetOf, targetOfKey } from './targets.ts';

/** What marks of this program say of themselves. */
export const MARKED_BY = 'thanos-doctor';

/** A bucket as it was listed, and the configuration of its Compactor, by which it can be written. */
export interface WritableBucket {
  readonly bucket: RawObject;
  readonly store: StoreKey;
}

/** The bucket that a finding names. Its Compactor's own credentials are used: it writes such marks itself. */
export async function bucketOf(input: PlanInput): Promise<WritableBucket> {
  const wanted = (input.parameters.bucket ?? '').replace(/^Bucket /, '');
  const compactor = targetOfKey(input.parameters.compactor);
  const workloads = await rowsOf(input.evidence, 'thanos.workloads');
  const mine = workloads.find(row => row.component === 'compact' && row.workload.key === nameOf(compactor));
  const id: string = mine?.objstore.id ?? '';
  const { cluster } = input.finding;
  const bucket = (await rowsOf(input.fleet, 'bucket.blocks')).find(
    row => row.place === wanted && row.stores.some((store: RawObject) => store.cluster === cluster && store.id === id),
  );
  if (!bucket) throw new Refusal('object-there', `bucket ${wanted} of ${nameOf(compactor)} was not listed`);
  const [namespace = '', name = '', ...key] = id.split('/');
  if (!name || key.length === 0)
    throw new Refusal('object-there', `the configuration of ${nameOf(compactor)} does not stand in a Secret`);
  return { bucket, store: { secret: targetOf('Secret', namespace, name), key: key.join('/') } };
}

/** The configuration of one Secret, and its only key that holds one. */
export function storeOf({ parameters }: PlanInput, key: string): StoreKey {
  return { secret: targetOfKey(parameters.secret), key };
}

/** Nothing is written to a bucket unless the person said that it may be. */
export function writesAllowed({ wishes }: PlanInput): Promise<Guard> {
  return guard(
    'bucket-writes-allowed',
    'you said that the bucket may be written',
    () => wishes.bucketWrites || 'say so with --allow-bucket-writes',
  );
}

/** No Compactor of the fleet is at work on the bucket: each has halted, or does not run. */
export function compactorRests(input: PlanInput, { bucket }: WritableBucket, id: string): Promise<Guard> {
  return guard(id, 'no Compactor works on it now', async () => {
    const compactors = await rowsOf(input.fleet, 'thanos.compactors');
    const busy = compactors.find(row => row.bucketKey === bucket.bucketKey && row.running && !row.halted);
    return busy ? `${busy.workload.name} has not halted` : everywhere(input.lookedAt);
  });
}
