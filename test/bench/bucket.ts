// Lists a bucket and reads what describes its blocks, as a diagnosis does. Arguments: endpoint, bucket, access key, secret
// key, and the folder of what was read before, or nothing. Says what it found and what it asked for.
import { createFailureRecord } from '../../src/clusters/failure-record.ts';
import { openBuckets } from '../../src/clusters/s3-bucket.ts';
import { collector as blocksCollector } from '../../src/evidence/collectors/bucket.blocks.ts';
import { gapsIn, known } from '../../src/evidence/gaps.ts';

const [endpoint = '', bucket = '', accessKey = '', secretKey = '', cacheFolder] = process.argv.slice(2);
const config = { bucket, endpoint, insecure: true, access_key: accessKey, secret_key: secretKey };
let requests = 0;
const buckets = openBuckets({
  configuration: () => ({ type: 'S3', config }),
  credentials: {},
  certificateAuthority: undefined,
  environment: {},
  proxyFor: () => '',
  redirect: new Map(),
  timeout: 5000,
  maxObjects: 10_000_000,
  ...(cacheFolder ? { cacheFolder } : {}),
  stop: new AbortController().signal,
  failures: createFailureRecord(),
  clean: text => text,
  onRequest(bytes) {
    if (bytes === 0) requests += 1;
  },
});
const place = `${bucket}@${endpoint}`;
const store = {
  id: 'it',
  usable: true,
  bucket,
  place,
  prefix: '',
  bucketKey: `Bucket ${place}`,
  endpointKey: endpoint,
};
const context = {
  cluster: 'it',
  params: {},
  takenAt: Date.now(),
  source: { bucketListing: buckets.listing, bucketObject: buckets.object },
  get: async () => [store],
};
const rows = await blocksCollector.collect({ ...context, clusters: [context] } as never);
buckets.close();
const { blocks, objects, bytes } = rows[0]!;
process.stdout.write(
  JSON.stringify({ blocks: known(blocks).length, unread: gapsIn(blocks).length, objects, bytes, requests }),
);
