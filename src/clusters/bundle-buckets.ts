import { GapSignal } from '../model/gap.ts';
import type { BucketListing, BucketSettings, StoreAnswer } from '../model/source.ts';
import { type ClusterFolder, eachAtOnce, orUndefined } from './bundle-cluster-folder.ts';

/** The newest so many `meta.json` of a bucket are kept. */
export const METAS_KEPT = 150;

const META = /(?:^|\/)([0-9A-HJKMNP-TV-Z]{26})\/meta\.json$/;
const MARK = /(?:^|\/)([0-9A-HJKMNP-TV-Z]{26})\/((?:deletion|no-compact|no-downsample)-mark)\.json$/;

interface Recorded {
  readonly bucket: string;
  readonly endpoint: string;
  readonly stores: string[];
  readonly objects: Map<string, BucketListing['objects'][number]>;
  readonly prefixes: Set<string>;
  truncated: boolean;
  readonly clockDifference: number | undefined;
  /** Undefined where it could not be read. */
  readonly lifecycle: BucketSettings['lifecycle'] | undefined;
}

/** Lists each bucket once for each prefix, with the first configuration that may, and keeps metas and marks. */
export async function recordBuckets(
  folder: ClusterFolder,
  stores: readonly StoreAnswer[],
  atOnce: number,
): Promise<void> {
  const buckets = new Map<string, Recorded>();
  for (const store of stores) await addStore(folder, store, buckets);
  const names = new Set<string>();
  const index: object[] = [];
  for (const { bucket, endpoint, stores: ids, objects, truncated, clockDifference, lifecycle } of buckets.values()) {
    const name = names.has(bucket) ? `${bucket}@${endpoint}` : bucket;
    names.add(bucket);
    const sorted = [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const lines = sorted.map(({ key, size, lastModified }) => `${JSON.stringify({ key, size, lastModified })}\n`);
    await folder.write(`buckets/${name}/objects.jsonl`, lines.join(''));
    await recordBodies(
      folder,
      ids[0]!,
      name,
      sorted.map(({ key }) => key),
      atOnce,
    );
    const told = { ...(clockDifference === undefined ? {} : { clockDifference }), ...(lifecycle ? { lifecycle } : {}) };
    index.push({
      bucket,
      endpoint,
      folder: name,
      via: 'here',
      stores: ids,
      objects: sorted.length,
      truncated,
      ...told,
    });
  }
  await folder.writeYaml('buckets/index.yaml', index);
}

async function addStore(folder: ClusterFolder, store: StoreAnswer, buckets: Map<string, Recorded>): Promise<void> {
  const { id } = store.reference;
  try {
    const answer = await folder.source.bucketAnswer(id);
    if (answer.code !== '') return;
    const { bucket = '', endpoint = '' } = store.config.config ?? {};
    const key = `${bucket}@${endpoint}`;
    const prefix = String(store.config.prefix ?? '');
    const known = buckets.get(key);
    if (known?.prefixes.has(prefix)) {
      known.stores.push(id);
      return;
    }
    const listing = await folder.source.bucketListing(id);
    const settings = known ? undefined : await orUndefined(settingsOf(folder, id));
    const entry: Recorded = known ?? {
      bucket,
      endpoint,
      stores: [],
      objects: new Map(),
      prefixes: new Set(),
      truncated: false,
      clockDifference: answer.clockDifference,
      lifecycle: settings?.lifecycle,
    };
    buckets.set(key, entry);
    entry.stores.push(id);
    entry.prefixes.add(prefix);
    entry.truncated ||= listing.truncated;
    for (const object of listing.objects) entry.objects.set(object.key, object);
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    if (error.gap.notLookedAt) folder.leaveOut(`bucket of ${id}`, error.gap.detail);
  }
}

async function settingsOf({ source }: ClusterFolder, store: string): Promise<BucketSettings | undefined> {
  return source.bucketSettings?.(store);
}

async function recordBodies(
  folder: ClusterFolder,
  store: string,
  name: string,
  keys: readonly string[],
  atOnce: number,
): Promise<void> {
  const block = (key: string) => META.exec(key)?.[1] ?? '';
  const metas = keys.filter(key => META.test(key)).sort((a, b) => (block(a) < block(b) ? 1 : -1));
  if (metas.length > METAS_KEPT)
    folder.leaveOut(`buckets/${name}: meta.json of ${metas.length - METAS_KEPT} older blocks`, 'size');
  const wanted = [...metas.slice(0, METAS_KEPT), ...keys.filter(key => MARK.test(key))];
  await eachAtOnce(wanted, atOnce, async key => {
    const body = await orUndefined(folder.source.bucketObject(store, key));
    if (body === undefined || body === null) return;
    const mark = MARK.exec(key);
    const file = mark ? `marks/${mark[1]}.${mark[2]}.json` : `metas/${block(key)}.json`;
    await folder.write(`buckets/${name}/${file}`, body);
  });
}
