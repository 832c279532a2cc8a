import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFailureRecord } from '../../src/clusters/failure-record.ts';
import { createFingerprint } from '../../src/clusters/fingerprint.ts';
import { createRedactor } from '../../src/clusters/redact.ts';
import { openBuckets } from '../../src/clusters/s3-bucket.ts';
import { collector } from '../../src/evidence/collectors/bucket.blocks.ts';
import { gapOf, gapsIn, known } from '../../src/evidence/gaps.ts';
import { AUTHORITY } from './certificates.ts';
import { startServer } from './test-server.ts';

const ACCESS = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const TIME = '2026-05-04T10:00:00.000Z';

type Objects = Record<string, string>;

const idOf = (index: number) => `01HZ${String(index).padStart(22, '0')}`;

/** What a sidecar uploads, and what a collector does not read. */
const meta = (id: string, more: object = {}) =>
  JSON.stringify({
    ulid: id,
    minTime: 1_777_800_000_000,
    maxTime: 1_777_807_200_000,
    stats: { numSamples: 5, numSeries: 4, numChunks: 3 },
    compaction: { level: 1, sources: [id] },
    thanos: {
      labels: { cluster: 'edge' },
      downsample: { resolution: 0 },
      source: 'sidecar',
      files: [{ rel_path: 'index', size_bytes: 5 }],
      ...more,
    },
  });

function blocks(count: number, files = 1): Objects {
  const objects: Objects = {};
  for (let index = 0; index < count; index += 1) {
    const id = idOf(index);
    for (let file = 1; file <= files; file += 1) objects[`${id}/chunks/${String(file).padStart(6, '0')}`] = 'chunk';
    objects[`${id}/index`] = 'index';
    objects[`${id}/meta.json`] = meta(id);
  }
  return objects;
}

interface Asked {
  readonly path: string;
  readonly key: string;
}

interface Store {
  readonly objects: Objects;
  /** Keys of a page. */
  readonly page?: number;
  readonly tags?: boolean;
  readonly order?: (keys: string[]) => string[];
  readonly before?: (asked: Asked, response: ServerResponse, request: IncomingMessage) => unknown;
}

const tagOf = (text: string) => `"${createHash('md5').update(text).digest('hex')}"`;

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': '1' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} was said</Message></Error>`);
}

async function openStore({ objects, page = 1000, tags = true, order = keys => keys, before }: Store, tls = false) {
  const gets: string[] = [];
  const lists: string[] = [];
  const server = await startServer(
    async (request, response, url) => {
      const key = decodeURIComponent(url.pathname.replace(/^\/blocks\/?/, ''));
      (key === '' ? lists : gets).push(key || url.search);
      await before?.({ path: url.pathname, key }, response, request);
      if (response.headersSent || request.socket.destroyed) return;
      response.setHeader('x-amz-request-id', '1');
      const body = objects[key];
      if (key !== '' && body === undefined) return refuse(response, 404, 'NoSuchKey');
      if (body !== undefined) return void response.writeHead(200, tags ? { etag: tagOf(body) } : {}).end(body);
      const keys = order(Object.keys(objects).sort());
      const start = Number(url.searchParams.get('continuation-token') ?? 0);
      const end = start + Math.min(page, Number(url.searchParams.get('max-keys') ?? page));
      const contents = keys.slice(start, end).map(name => {
        const tag = tags ? `<ETag>${tagOf(objects[name]!)}</ETag>` : '';
        return `<Contents><Key>${name}</Key><LastModified>${TIME}</LastModified>${tag}<Size>${objects[name]!.length}</Size></Contents>`;
      });
      const next = end < keys.length ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(
        `<?xml version="1.0"?><ListBucketResult><Name>blocks</Name><KeyCount>${contents.length}</KeyCount><IsTruncated>${next !== ''}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
      );
    },
    { tls },
  );
  return { objects, gets, lists, endpoint: `127.0.0.1:${server.port}`, server, tls };
}

type Opened = Awaited<ReturnType<typeof openStore>>;

function cacheFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'listed-blocks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Reading {
  readonly cache?: string;
  readonly maxObjects?: number;
  readonly timeout?: number;
  readonly stop?: AbortSignal;
}

/** What one run says of the bucket, and how often it asked. */
async function read(store: Opened, { cache, maxObjects = 1_000_000, timeout = 2000, stop }: Reading = {}) {
  const { endpoint, tls } = store;
  const config = { bucket: 'blocks', endpoint, insecure: !tls, access_key: ACCESS, secret_key: SECRET };
  const failures = createFailureRecord();
  const redactor = createRedactor(createFingerprint());
  redactor.learn(SECRET);
  const buckets = openBuckets({
    configuration: () => ({ type: 'S3', config }),
    credentials: {},
    certificateAuthority: AUTHORITY,
    environment: {},
    proxyFor: () => '',
    redirect: new Map(),
    timeout,
    maxObjects,
    ...(cache ? { cacheFolder: cache } : {}),
    stop: stop ?? new AbortController().signal,
    failures,
    clean: redactor.text,
    onRequest() {},
  });
  onTestFinished(() => buckets.close());
  const place = `blocks@${endpoint}`;
  const row = { id: 'it', usable: true, bucket: 'blocks', place, prefix: '', bucketKey: place, endpointKey: endpoint };
  let most = 0;
  const context = {
    cluster: 'it',
    params: {},
    takenAt: Date.parse('2026-05-04T12:00:00Z'),
    source: {
      bucketListing: (id: string, take?: (objects: readonly object[]) => Promise<void>) =>
        buckets.listing(
          id,
          take &&
            (objects => {
              most = Math.max(most, objects.length);
              return take(objects);
            }),
        ),
      bucketObject: buckets.object,
    },
    get: async () => [row],
  };
  const [asked, listed] = [store.gets.length, store.lists.length];
  const rows = await collector.collect({ ...context, clusters: [context] } as never);
  return {
    row: rows[0]!,
    gets: store.gets.slice(asked),
    lists: store.lists.length - listed,
    most,
    failures: failures.all(),
  };
}

const idsOf = ({ row }: Awaited<ReturnType<typeof read>>) => known(row.blocks).map(({ id }) => id);

describe('blocks of a bucket', () => {
  test('are read once each, page by page, and not at all when seen before', async () => {
    const store = await openStore({ objects: blocks(25, 3), page: 7 });
    const cache = cacheFolder();
    const cold = await read(store, { cache });
    expect(cold.gets.sort()).toEqual(Object.keys(store.objects).filter(key => key.endsWith('meta.json')));
    expect(cold.row).toMatchObject({ listed: true, objects: 125, foreign: 0 });
    expect(idsOf(cold)).toEqual(Array.from({ length: 25 }, (_, index) => idOf(index)));
    const warm = await read(store, { cache });
    expect(warm.gets).toEqual([]);
    expect(warm.lists).toBe(cold.lists);
    expect(warm.row).toEqual(cold.row);
    expect((await read(store)).row).toEqual(cold.row);
  });

  test('are read again where they were changed', async () => {
    const store = await openStore({ objects: blocks(6), page: 4 });
    const cache = cacheFolder();
    await read(store, { cache });
    const changed = `${idOf(3)}/meta.json`;
    store.objects[changed] = meta(idOf(3), { source: 'compactor' });
    store.objects[`${idOf(4)}/deletion-mark.json`] = JSON.stringify({ deletion_time: 1_777_800_000, details: 'x' });
    const next = await read(store, { cache });
    expect(next.gets.sort()).toEqual([changed, `${idOf(4)}/deletion-mark.json`]);
    expect(known(next.row.blocks)[3]!.source).toBe('compactor');
    expect(known(next.row.blocks)[4]!.marks.deletion).toBe(true);
    expect((await read(store, { cache })).gets).toEqual([]);
  });

  test('are read in every run where the store tells no content from another', async () => {
    const store = await openStore({ objects: blocks(3), tags: false });
    const cache = cacheFolder();
    await read(store, { cache });
    expect((await read(store, { cache })).gets).toHaveLength(3);
    expect(readdirSync(cache)).toEqual([]);
  });

  test('are not remembered where they changed between the listing and the reading', async () => {
    const store = await openStore({ objects: blocks(2) });
    const key = `${idOf(0)}/meta.json`;
    const told = tagOf(store.objects[key]!);
    const cache = cacheFolder();
    let first = true;
    const late = await openStore({
      objects: store.objects,
      before: ({ key: asked }, response) => {
        if (asked !== key || !first) return;
        first = false;
        response.writeHead(200, { etag: '"another"' }).end(meta(idOf(0), { source: 'late' }));
      },
    });
    expect(told).not.toBe('"another"');
    expect(known((await read(late, { cache })).row.blocks)[0]!.source).toBe('late');
    expect((await read(late, { cache })).gets).toEqual([key]);
  });

  test('that went since they were listed are no blocks', async () => {
    const gone = `${idOf(1)}/meta.json`;
    const store = await openStore({
      objects: blocks(3),
      before: ({ key }, response) => key === gone && refuse(response, 404, 'NoSuchKey'),
    });
    const { row, failures } = await read(store);
    expect(known(row.blocks).map(({ id }) => id)).toEqual([idOf(0), idOf(2)]);
    expect(gapsIn(row.blocks)).toEqual([]);
    expect(failures).toEqual([]);
  });

  test('that may not be read are gaps, each asked for once', async () => {
    const store = await openStore({
      objects: blocks(4),
      before: ({ key }, response) => key === `${idOf(2)}/meta.json` && refuse(response, 403, 'AccessDenied'),
    });
    const { row, gets, failures } = await read(store);
    expect(row.blocks.map(block => gapOf(block)?.reason)).toEqual([undefined, undefined, 'forbidden', undefined]);
    expect(gets).toHaveLength(4);
    expect(failures).toMatchObject([
      {
        path: `s3://blocks/${idOf(2)}/meta.json`,
        status: 403,
        reason: 'AccessDenied',
        message: 'AccessDenied was said',
      },
    ]);
  });

  test.each([
    ['is busy', (response: ServerResponse) => refuse(response, 503, 'SlowDown')],
    ['breaks off', (response: ServerResponse) => response.destroy()],
    ['is cut off', (response: ServerResponse) => response.writeHead(200, { 'content-length': 99 }).end('{')],
    [
      'does not accept how it was asked',
      (response: ServerResponse) => refuse(response, 400, 'AuthorizationHeaderMalformed'),
    ],
  ])('are read all the same where the store %s once', async (_, trouble) => {
    const troubled = new Set<string>();
    const store = await openStore({
      objects: blocks(3),
      before: ({ key }, response) => {
        if (key === '' || troubled.has(key)) return;
        troubled.add(key);
        return trouble(response);
      },
    });
    const { row, failures } = await read(store);
    expect(row.blocks.map(block => gapOf(block))).toEqual([undefined, undefined, undefined]);
    expect(failures).toEqual([]);
  });

  test('are a gap each where no answer comes in time', async () => {
    const silent = `${idOf(0)}/meta.json`;
    const store = await openStore({
      objects: blocks(2),
      before: ({ key }) => (key === silent ? new Promise(() => {}) : undefined),
    });
    const { row } = await read(store, { timeout: 100 });
    expect(row.blocks.map(block => gapOf(block)?.reason)).toEqual(['timed-out', undefined]);
  });

  test('are not known where the listing ends in the middle, and what was read is not lost', async () => {
    let fails = true;
    const store = await openStore({
      objects: blocks(9),
      page: 9,
      before: ({ key, path }, response, request) =>
        fails && key === '' && path && /token=18/.test(request.url ?? '') && refuse(response, 403, 'AccessDenied'),
    });
    const cache = cacheFolder();
    const { row } = await read(store, { cache });
    expect(() => row.blocks).toThrow(
      expect.objectContaining({ gap: expect.objectContaining({ reason: 'forbidden' }) }),
    );
    fails = false;
    const next = await read(store, { cache });
    expect(idsOf(next)).toHaveLength(9);
    expect(next.gets.length).toBeLessThan(6);
  });

  test('are more than these where the listing was cut off', async () => {
    const store = await openStore({ objects: blocks(9), page: 6 });
    const { row } = await read(store, { maxObjects: 12 });
    expect(known(row.blocks)).toHaveLength(4);
    expect(gapsIn(row.blocks)).toMatchObject([{ reason: 'truncated' }]);
    const exactly = await read(store, { maxObjects: 27 });
    expect(gapsIn(exactly.row.blocks)).toEqual([]);
  });

  test('are the same where the store lists in another order', async () => {
    const objects = blocks(5, 2);
    const inOrder = await read(await openStore({ objects }));
    const mixed = await openStore({
      objects,
      page: 4,
      order: keys => [...keys.filter(key => !key.includes('chunks')), ...keys.filter(key => key.includes('chunks'))],
    });
    const { row } = await read(mixed, { cache: cacheFolder() });
    expect(row.blocks).toEqual(inOrder.row.blocks);
    expect(row.objects).toBe(inOrder.row.objects);
  });

  test('are read over TLS, and end with the run', async () => {
    const secure = await openStore({ objects: blocks(3) }, true);
    expect(idsOf(await read(secure))).toHaveLength(3);
    const stopping = new AbortController();
    const store = await openStore({
      objects: blocks(200),
      page: 60,
      before: ({ key }) => {
        if (key === '' || store.gets.length < 30) return;
        stopping.abort(new Error('the run was stopped'));
        return new Promise(() => {});
      },
    });
    const { row } = await read(store, { stop: stopping.signal });
    expect(() => row.blocks).toThrow(
      expect.objectContaining({ gap: expect.objectContaining({ reason: 'timed-out' }) }),
    );
  });

  test('let no credential into what is remembered', async () => {
    const objects = blocks(2);
    objects[`${idOf(0)}/meta.json`] = meta(idOf(0), {
      labels: { cluster: 'edge', note: 'password=hunter2hunter2', keys: SECRET },
      extensions: { secret_key: SECRET, token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh' },
    });
    objects[`${idOf(1)}/deletion-mark.json`] = JSON.stringify({
      deletion_time: 1,
      details: 'Bearer 8f14e45fceea167a5a36dedd4bea2543',
    });
    const store = await openStore({ objects });
    const cache = cacheFolder();
    const cold = await read(store, { cache });
    const kept = readdirSync(cache).map(name => readFileSync(join(cache, name), 'utf8'));
    expect(kept.join('').split('\n').length).toBe(5);
    expect(kept.join('')).not.toMatch(/hunter2|wJalr|AKIA|eyJ|8f14e/);
    expect(JSON.stringify(cold.row)).not.toMatch(/hunter2|wJalr|AKIA|eyJ|8f14e/);
  });

  test('cost by their number, however many files they have', async () => {
    const few = await read(await openStore({ objects: blocks(40), page: 50 }));
    const many = await read(await openStore({ objects: blocks(40, 30), page: 50 }));
    expect(many.gets).toHaveLength(few.gets.length);
    // No more than a page is ever there at once, and of files their sizes are all that is left.
    expect(many.most).toBe(50);
    expect(JSON.stringify(many.row.blocks).length).toBeLessThan(1.01 * JSON.stringify(few.row.blocks).length);
    const twice = await read(await openStore({ objects: blocks(80), page: 50 }));
    expect(twice.gets.length + twice.lists).toBeLessThanOrEqual(2 * (few.gets.length + few.lists));
  });
});
