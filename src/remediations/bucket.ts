import type { Guard, PlanInput, StoreKey } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { Refusal } from './refusal.ts';
import { targetOf, targetOfKey } from './targets.ts';

/** The bucket that a finding names, and a configuration of this cluster by which it can be written. */
export async function bucketOf(input: PlanInput): Promise<{ readonly bucket: RawObject; readonly store: StoreKey }> {
  const wanted = (input.parameters.bucket ?? '').replace(/^Bucket /, '');
  const buckets = (await rowsOf(input.fleet, 'bucket.blocks')).filter(row => row.place === wanted);
  const [bucket] = buckets;
  if (!bucket) throw new Refusal('object-there', `bucket ${wanted} was not listed`);
  const mine = bucket.stores.find((store: RawObject) => store.cluster === input.finding.cluster);
  const [namespace = '', name = '', ...key] = String(mine?.id ?? '').split('/');
  if (!mine || !name || key.length === 0)
    throw new Refusal('object-there', `no configuration of this cluster names bucket ${wanted}`);
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
