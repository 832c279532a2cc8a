import { createHash } from 'node:crypto';
import type { ReadFailure } from '../model/source.ts';
import { type Answer, answer, type WholeAnswer } from './answers.ts';
import { withMadeUpCredentials } from './credentials.ts';
import type { SimulatedRequest } from './local-server.ts';
import type { ClusterRecording, RecordedStore } from './recording.ts';
import { accessKeyOf, isSignedWith } from './signature.ts';

/** What one pair of keys may do at one endpoint. */
interface Account {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  readonly failures: readonly ReadFailure[];
}

interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly lastModified: string;
}

interface Bucket {
  readonly objects: readonly StoredObject[];
  /** The recorded body; undefined where only the listing was recorded. */
  body(key: string): Promise<Uint8Array | undefined>;
}

/** `host:port` of an object store's configured endpoint. */
export function storeEndpoint(store: RecordedStore): string | undefined {
  const config = store.config?.config;
  if (store.config?.type !== 'S3' || typeof config?.endpoint !== 'string' || config.endpoint === '') return undefined;
  return /:\d+$/.test(config.endpoint) ? config.endpoint : `${config.endpoint}:${config.insecure === true ? 80 : 443}`;
}

/** Answers S3 requests (path style) as the object store at one endpoint did for the clusters of the recording. */
export function objectStore(
  endpoint: string,
  clusters: readonly ClusterRecording[],
  onWrite: (method: string, path: string) => void,
): (request: SimulatedRequest) => Promise<Answer> {
  const accounts = clusters.flatMap(cluster => accountsAt(endpoint, cluster));
  const buckets = new Map<string, Promise<Bucket>>();
  for (const cluster of clusters) {
    for (const entry of cluster.buckets) {
      const isHere = entry.endpoint === endpoint || endpoint.replace(/:\d+$/, '') === entry.endpoint;
      if (isHere && !buckets.has(entry.bucket)) buckets.set(entry.bucket, readBucket(cluster, entry.folder));
    }
  }

  return async request => {
    const url = new URL(request.target, 'http://s3');
    const [bucket = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const key = rest.join('/');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      onWrite(request.method, request.target);
      return failed(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
    }
    const accessKey = accessKeyOf(request);
    const candidates = accounts.filter(account => account.accessKey === (accessKey ?? ''));
    if (candidates.length === 0) {
      return accessKey === undefined
        ? failed(403, 'AccessDenied', 'Access Denied.')
        : failed(403, 'InvalidAccessKeyId', 'The Access Key Id you provided does not exist in our records.');
    }
    const account = chosen(candidates, bucket, request);
    if (bucket === '') return failed(403, 'AccessDenied', 'Access Denied.');
    const failure =
      account.failures.find(entry => entry.path === `s3://${bucket}`) ??
      account.failures.find(entry => key !== '' && entry.path === `s3://${bucket}/${key}`);
    if (failure?.status === 0) return { is: failure.reason === 'timeout' ? 'silence' : 'reset' };
    if (failure) return failed(failure.status, failure.reason, failure.message);
    const content = await buckets.get(bucket);
    if (!content) return failed(501, 'NotImplemented', `the recording does not hold bucket ${bucket}`);
    if (key !== '') return object(content, key);
    if (request.method === 'HEAD') return answer(200, 'application/xml', '');
    if (url.searchParams.has('location')) return xml(200, '<LocationConstraint/>');
    if (url.searchParams.get('list-type') !== '2')
      return failed(501, 'NotImplemented', `the recording does not hold this of bucket ${bucket}`);
    return listing(bucket, content, url.searchParams);
  };
}

/** Failures that come about by themselves, because the endpoint is as it was. */
const FROM_THE_ENDPOINT: readonly string[] = ['tls', 'dns', 'refused', 'unreachable'];

function accountsAt(endpoint: string, cluster: ClusterRecording): readonly Account[] {
  return cluster.stores
    .filter(store => storeEndpoint(store) === endpoint)
    .map(store => {
      const { access_key = '', secret_key = '', bucket = '' } = withMadeUpCredentials(store.config).config;
      const failures = cluster.failures.filter(
        failure => failure.store === store.id && !FROM_THE_ENDPOINT.includes(failure.reason),
      );
      return { accessKey: access_key, secretKey: secret_key, bucket, failures };
    });
}

/** Of accounts with the same access key, the one whose secret key made the signature and whose bucket is asked for. */
function chosen(candidates: readonly Account[], bucket: string, request: SimulatedRequest): Account {
  const secrets = new Set(candidates.map(account => account.secretKey));
  const signers =
    secrets.size > 1 ? candidates.filter(account => isSignedWith(request, account.secretKey)) : candidates;
  const among = signers.length > 0 ? signers : candidates;
  // The same keys in two clusters are one account: what it was refused once, it is refused, unless nothing was refused.
  const mine = among.filter(account => account.bucket === bucket);
  return mine.find(account => account.failures.length === 0) ?? mine[0] ?? among[0]!;
}

async function readBucket(cluster: ClusterRecording, folder: string): Promise<Bucket> {
  const lines = await cluster.file(`buckets/${folder}/objects.jsonl`);
  const objects: StoredObject[] = Buffer.from(lines ?? '')
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
  objects.sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
  return {
    objects,
    body: key => {
      const [file = '', block = ''] = key.split('/').reverse();
      const path = file === 'meta.json' ? `metas/${block}.json` : `marks/${block}.${file}`;
      return cluster.file(`buckets/${folder}/${path}`);
    },
  };
}

async function object(bucket: Bucket, key: string): Promise<WholeAnswer> {
  const found = bucket.objects.find(candidate => candidate.key === key);
  if (!found) return failed(404, 'NoSuchKey', 'The specified key does not exist.');
  const body = await bucket.body(key);
  if (!body) return failed(501, 'NotImplemented', `the recording does not hold the body of ${key}`);
  return {
    ...answer(200, 'application/octet-stream', body),
    headers: { 'last-modified': new Date(found.lastModified).toUTCString(), etag: entityTag(found) },
  };
}

function listing(name: string, bucket: Bucket, query: URLSearchParams): WholeAnswer {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const after =
    Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString() || query.get('start-after') || '';
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escaped;
  const rows: string[] = [];
  let last = '';
  let isTruncated = false;
  for (const entry of bucket.objects) {
    if (!entry.key.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const shown = end === -1 ? entry.key : entry.key.slice(0, end + delimiter.length);
    if (shown === last || Buffer.compare(Buffer.from(shown), Buffer.from(after)) <= 0) continue;
    isTruncated = rows.length === limit;
    if (isTruncated) break;
    last = shown;
    rows.push(
      end === -1
        ? `<Contents><Key>${encode(shown)}</Key><LastModified>${new Date(entry.lastModified).toISOString()}</LastModified><ETag>${escaped(entityTag(entry))}</ETag><Size>${entry.size}</Size><StorageClass>STANDARD</StorageClass></Contents>`
        : `<CommonPrefixes><Prefix>${encode(shown)}</Prefix></CommonPrefixes>`,
    );
  }
  const token = isTruncated
    ? `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>`
    : '';
  return xml(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${escaped(name)}</Name><Prefix>${encode(prefix)}</Prefix><KeyCount>${rows.length}</KeyCount><MaxKeys>${limit}</MaxKeys>${token}<IsTruncated>${isTruncated}</IsTruncated>${rows.join('')}</ListBucketResult>`,
  );
}

function entityTag(entry: StoredObject): string {
  return `"${createHash('md5').update(`${entry.key} ${entry.size}`).digest('hex')}"`;
}

function failed(status: number, code: string, message: string): WholeAnswer {
  return xml(status, `<Error><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error>`);
}

function xml(status: number, body: string): WholeAnswer {
  return answer(status, 'application/xml', `<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, character => `&#${character.charCodeAt(0)};`);
}
