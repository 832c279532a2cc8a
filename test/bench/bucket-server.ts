// An object store with so many blocks, made up while they are asked for. Argument: blocks. Says where it listens; at
// `/-/requests` it says how often it was asked since it said so last.
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const count = Number(process.argv[2]);
const BLOCK = 7200_000;
const PRODUCERS = 100;
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const newest = Math.floor(Date.now() / BLOCK) * BLOCK;

function letters(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = LETTERS[rest % 32] + text;
  return text;
}

/** Index 0 is the oldest: names are in the order of the time at which blocks were made. */
function endOf(index: number): number {
  return newest - Math.floor((count - 1 - index) / PRODUCERS) * BLOCK;
}

function idOf(index: number): string {
  return letters(endOf(index) + 60_000 + (index % PRODUCERS) * 17, 10) + letters(index, 16);
}

function metaOf(index: number): string {
  const [id, producer, maxTime] = [idOf(index), index % PRODUCERS, endOf(index)];
  const replica = `prometheus-k8s-${producer % 2}`;
  const labels = { cluster: `edge-${Math.floor(producer / 2)}`, prometheus: 'shop/k8s', prometheus_replica: replica };
  const thanos = {
    version: 1,
    labels,
    downsample: { resolution: 0 },
    source: 'sidecar',
    segment_files: ['000001'],
    files: [
      { rel_path: 'chunks/000001', size_bytes: 64 },
      { rel_path: 'index', size_bytes: 48 },
      { rel_path: 'meta.json' },
    ],
    index_stats: { series_max_size: 1384, chunk_max_size: 1384 },
  };
  const stats = { numSamples: 28_000_000 + index, numSeries: 120_000, numChunks: 240_000 };
  const compaction = { level: 1, sources: [id] };
  return JSON.stringify(
    { ulid: id, minTime: maxTime - BLOCK, maxTime, stats, version: 1, compaction, thanos },
    null,
    '\t',
  );
}

const FILES = ['chunks/000001', 'index', 'meta.json'];
const ids = Array.from({ length: count }, (_, index) => idOf(index));
const indexes = new Map(ids.map((id, index) => [id, index]));

function bodyOf(key: string): string | undefined {
  const [id = '', ...rest] = key.split('/');
  const index = indexes.get(id);
  const file = rest.join('/');
  if (index === undefined || !FILES.includes(file)) return undefined;
  return file === 'meta.json' ? metaOf(index) : 'x'.repeat(file === 'index' ? 48 : 64);
}

const tagOf = (body: string) => createHash('md5').update(body).digest('hex');
const TIME = new Date(newest).toISOString();

function list(response: ServerResponse, query: URLSearchParams): void {
  const folders = query.get('delimiter') === '/';
  const perBlock = folders ? 1 : FILES.length;
  const start = Number(query.get('continuation-token') ?? 0);
  const end = Math.min(count * perBlock, start + Math.min(1000, Number(query.get('max-keys') ?? 1000)));
  const rows: string[] = [];
  for (let at = start; at < end; at += 1) {
    const id = ids[Math.floor(at / perBlock)]!;
    if (folders) {
      rows.push(`<CommonPrefixes><Prefix>${id}/</Prefix></CommonPrefixes>`);
      continue;
    }
    const key = `${id}/${FILES[at % perBlock]}`;
    const body = bodyOf(key)!;
    rows.push(
      `<Contents><Key>${key}</Key><LastModified>${TIME}</LastModified><ETag>&#34;${tagOf(body)}&#34;</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    );
  }
  const next = end < count * perBlock ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>blocks</Name><Prefix></Prefix><KeyCount>${rows.length}</KeyCount><MaxKeys>1000</MaxKeys>${next}<IsTruncated>${next !== ''}</IsTruncated>${rows.join('')}</ListBucketResult>`,
  );
}

let requests = 0;
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://store');
  if (url.pathname === '/-/requests') {
    response.end(String(requests));
    requests = 0;
    return;
  }
  requests += 1;
  response.setHeader('x-amz-request-id', '1');
  const key = url.pathname.replace(/^\/blocks\/?/, '');
  if (url.searchParams.has('location')) return void response.end('<LocationConstraint/>');
  if (key === '') return list(response, url.searchParams);
  const body = bodyOf(key);
  if (body === undefined) {
    response.writeHead(404, { 'content-type': 'application/xml' });
    return void response.end(
      '<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>',
    );
  }
  const about = { etag: `"${tagOf(body)}"`, 'last-modified': new Date(newest).toUTCString() };
  response.writeHead(200, { ...about, 'content-type': 'application/json', 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
