import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Gap } from '../../src/model/gap.ts';
import type { RawObject, Source } from '../../src/model/source.ts';
import { statusAnswer } from '../../src/simulator/answers.ts';
import { binaryList, binaryObject, binaryStatus } from '../../src/simulator/protobuf-encoding.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, type Handler, json, listOf, named, openTest, startServer, status } from './test-server.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const pods = (answer: Handler): Handler =>
  apiHandler((request, response, url) => {
    if (url.pathname.endsWith('/pods')) return answer(request, response, url);
  });

/** Asks as collectors do, which keep but a row of each object: only then is protobuf asked for. */
const podNames = async (source: Source) =>
  (await source.list('', 'pods', (pod: RawObject) => pod.metadata.name)).items as unknown as readonly string[];

const binaryPage = (names: readonly string[], next = ''): Buffer =>
  binaryList(
    'v1',
    'PodList',
    { resourceVersion: '1', continue: next },
    names.map(name => binaryObject('core.Pod', named(name))),
  ).body;

const wantsBinary = ({ headers }: { headers: { accept?: string | undefined } }) =>
  (headers.accept ?? '').startsWith(PROTOBUF);

function send(response: Parameters<Handler>[1], body: Buffer, contentType = PROTOBUF, more = {}): void {
  response.writeHead(200, { 'content-type': contentType, ...more }).end(body);
}

describe('a server that has no protobuf', () => {
  it('is asked for JSON, and all of its pages are read', async () => {
    const server = await startServer(
      pods((request, response, url) => {
        if (wantsBinary(request)) return status(response, 406, 'NotAcceptable', 'only JSON is served');
        const page = url.searchParams.get('continue');
        json(response, listOf([named(page ?? 'a')], page ? {} : { continue: 'b' }));
      }),
    );
    const source = await openTest(server.url);
    expect(await podNames(source)).toEqual(['a', 'b']);
    expect(server.requests.filter(line => line.includes('/pods'))).toHaveLength(3);
    expect(source.failures()).toEqual([]);
  });

  it('says so in protobuf, and in the middle of the pages', async () => {
    const server = await startServer(
      pods((request, response, url) => {
        const page = url.searchParams.get('continue');
        if (!page) return send(response, binaryPage(['a'], 'b'));
        if (!wantsBinary(request)) return json(response, listOf([named('b')]));
        const { body } = binaryStatus(statusAnswer(406, 'NotAcceptable', 'only JSON is served'));
        response.writeHead(406, { 'content-type': PROTOBUF }).end(body);
      }),
    );
    expect(await podNames(await openTest(server.url))).toEqual(['a', 'b']);
  });

  it('refuses JSON as well: a gap, after one more request', async () => {
    const server = await startServer(
      pods((_, response) => status(response, 406, 'NotAcceptable', 'nothing is served')),
    );
    const source = await openTest(server.url);
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'server-error', detail: 'nothing is served' });
    expect(server.requests.filter(line => line.includes('/pods'))).toHaveLength(2);
  });

  it('answers one page in protobuf and the next in JSON, and the other way round', async () => {
    for (const first of [true, false]) {
      const server = await startServer(
        pods((_, response, url) => {
          const page = url.searchParams.get('continue');
          const next = page ? '' : 'b';
          if (first === (page === null)) send(response, binaryPage([page ?? 'a'], next));
          else json(response, listOf([named(page ?? 'a')], next ? { continue: next } : {}));
        }),
      );
      expect(await podNames(await openTest(server.url))).toEqual(['a', 'b']);
    }
  });
});

describe('a continue token that has expired, said in protobuf', () => {
  const expired = (next: string) => {
    const told = statusAnswer(410, 'Expired', 'too old');
    const said = { ...JSON.parse(told.body.toString()), metadata: { continue: next } };
    return binaryStatus({ ...told, body: Buffer.from(JSON.stringify(said)) }).body;
  };

  it('goes on with the token that is offered, or begins anew', async () => {
    for (const offered of ['new', '']) {
      let again = 0;
      const server = await startServer(
        pods((_, response, url) => {
          const token = url.searchParams.get('continue');
          if (token === 'new' || (token === 'old' && again > 0)) return send(response, binaryPage(['b']));
          if (!token) return send(response, binaryPage(['a'], 'old'));
          again += 1;
          response.writeHead(410, { 'content-type': PROTOBUF }).end(expired(offered));
        }),
      );
      expect(await podNames(await openTest(server.url))).toEqual(['a', 'b']);
    }
  });
});

/** The first length in the envelope's content, made another. */
const tampered = (at: number, bytes: readonly number[]): Buffer => {
  const body = binaryPage(['a']);
  return Buffer.concat([body.subarray(0, at), Buffer.from(bytes), body.subarray(at)]);
};

const JSON_PAGE = Buffer.from(JSON.stringify(listOf([named('a')])));
const deep = (depth: number) =>
  Buffer.from(
    `{"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"a"},"spec":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}]}`,
  );

describe('a page that is not what it says', () => {
  const cases: readonly [name: string, body: Buffer, contentType: string][] = [
    ['protobuf, cut in the middle', binaryPage(['a', 'b']).subarray(0, 40), PROTOBUF],
    ['protobuf that is JSON', JSON_PAGE, PROTOBUF],
    ['JSON that is protobuf', binaryPage(['a']), 'application/json'],
    ['JSON that is compressed, without a word of it', gzipSync(JSON_PAGE), 'application/json'],
    ['a web page', Buffer.from('<html>log in</html>'), PROTOBUF],
    [
      'an error in protobuf that is said to be well',
      binaryStatus(statusAnswer(500, 'InternalError', 'no')).body,
      PROTOBUF,
    ],
    ['an error in JSON that is said to be well', statusAnswer(500, 'InternalError', 'no').body, 'application/json'],
    ['a number that goes on for a megabyte', tampered(4, Array<number>(1024 ** 2).fill(0x80)), PROTOBUF],
    ['a length beyond the end', tampered(4, [0x12, 0xff, 0xff, 0xff, 0x0f]), PROTOBUF],
    ['a group, which nobody writes', tampered(4, [0x1b]), PROTOBUF],
    [
      'a list of nothing that says that there is more',
      Buffer.from('{"kind":"PodList","metadata":{"remainingItemCount":3},"items":[]}'),
      'application/json',
    ],
    [
      'a token that is no text',
      Buffer.from('{"kind":"PodList","metadata":{"continue":{"a":1}},"items":[]}'),
      'application/json',
    ],
    ['items that are no list', Buffer.from('{"kind":"PodList","metadata":{},"items":{"a":1}}'), 'application/json'],
    ['an answer to another question', Buffer.from('{"items":[],"total":0}'), 'application/json'],
    [
      'a list of something else, of which there is nothing',
      Buffer.from('{"kind":"Status","items":null}'),
      'application/json',
    ],
    [
      'objects without names',
      Buffer.from('{"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"a"}},null]}'),
      'application/json',
    ],
    ['an object that is 100,000 levels deep', deep(100_000), 'application/json'],
  ];
  it.each(cases)('%s', async (_name, body, contentType) => {
    const server = await startServer(pods((_request, response) => send(response, body, contentType)));
    const source = await openTest(server.url);
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'malformed', path: '/api/v1/pods' });
    expect(source.failures()).toHaveLength(1);
  });

  it('fields and types that nobody knows yet are skipped', async () => {
    // Number 200 as a number, as eight bytes, as bytes and as four bytes.
    const strange = Buffer.from([
      0xc0, 0x0c, 0x05, 0xc1, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x0c, 1, 0xff, 0xc5, 0x0c, 1, 2, 3, 4,
    ]);
    const pod = binaryObject('core.Pod', named('a'));
    const { body } = binaryList('v1', 'PodList', { resourceVersion: '1' }, [Buffer.concat([strange, pod, strange])]);
    const server = await startServer(pods((_request, response) => send(response, body)));
    expect(await podNames(await openTest(server.url))).toEqual(['a']);
  });
});

/** A server that writes to its connections whatever it is told, in answer to requests for pods. */
async function rawPods(answer: (socket: Socket) => void): Promise<string> {
  const behind = await startServer(apiHandler(() => {}));
  const server = createServer(socket => {
    socket.on('error', () => {});
    let head = '';
    socket.on('data', async chunk => {
      head += chunk;
      if (!head.includes('\r\n\r\n')) return;
      const [, path = ''] = head.split(' ');
      head = '';
      if (path.includes('/pods')) return answer(socket);
      const usual = await fetch(behind.url + path);
      const body = await usual.text();
      socket.write(
        `HTTP/1.1 ${usual.status} x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const PAGE = JSON_PAGE.toString();
const head = (...lines: readonly string[]) =>
  `HTTP/1.1 200 OK\r\n${['content-type: application/json', ...lines].join('\r\n')}\r\n\r\n`;

describe('an answer that breaks off, or does not end', () => {
  const cases: readonly [name: string, text: string, gap: Partial<Gap>][] = [
    ['a length that is too long', head(`content-length: ${PAGE.length + 50}`) + PAGE, { reason: 'truncated' }],
    ['a length that is too short', head(`content-length: ${PAGE.length - 9}`) + PAGE, { reason: 'malformed' }],
    ['two lengths', head('content-length: 5', 'content-length: 9') + PAGE, { reason: 'unreachable' }],
    ['a length below zero', head('content-length: -5') + PAGE, { reason: 'unreachable' }],
    [
      'a chunk that is cut',
      `${head('transfer-encoding: chunked')}${PAGE.length.toString(16)}\r\n${PAGE.slice(0, 20)}`,
      { reason: 'truncated' },
    ],
    [
      'chunks without their end',
      `${head('transfer-encoding: chunked')}${PAGE.length.toString(16)}\r\n${PAGE}\r\n`,
      { reason: 'truncated' },
    ],
    ['a chunk of no size', `${head('transfer-encoding: chunked')}zz\r\n${PAGE}`, { reason: 'truncated' }],
    ['headers without an end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`, { reason: 'unreachable' }],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', { reason: 'unreachable' }],
    [
      'an encoding that nobody asked for',
      `${head('content-encoding: br', 'content-length: 3')}abc`,
      { reason: 'malformed' },
    ],
  ];
  it.each(cases)('%s', async (_name, text, gap) => {
    const url = await rawPods(socket => void socket.write(text, () => socket.end()));
    const source = await openTest(url, { timeouts: { request: 3000 } });
    expect(await gapOf(podNames(source))).toMatchObject({ path: '/api/v1/pods', ...gap });
  });

  it('one byte after the other: ends when the request’s time is over', async () => {
    const url = await rawPods(socket => {
      socket.write(head(`content-length: ${PAGE.length}`));
      let at = 0;
      const timer = setInterval(() => socket.write(PAGE[at++ % PAGE.length]!), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const source = await openTest(url, { timeouts: { request: 400 } });
    expect(await gapOf(podNames(source))).toMatchObject({
      reason: 'timed-out',
      detail: 'no whole answer within 0.4 s',
    });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('one byte of the head after the other: ends at the run’s deadline', async () => {
    const text = head();
    const url = await rawPods(socket => {
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const source = await openTest(url, { deadline: Date.now() + 600 });
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'timed-out' });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('page after page, each with a new token: ends at the run’s deadline', async () => {
    let page = 0;
    const server = await startServer(
      pods((_, response) => {
        page += 1;
        json(response, listOf([named(`pod-${page}`)], { continue: String(page) }));
      }),
    );
    const source = await openTest(server.url, { deadline: Date.now() + 500 });
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'timed-out' });
  });
});

describe('more than anybody can hold', () => {
  /** So many bytes of zeros, in a thousandth of them. */
  function bomb(bytes: number): Buffer {
    const zeros = gzipSync(Buffer.alloc(64 * 1024 ** 2), { level: 9 });
    return Buffer.concat(Array<Buffer>(Math.ceil(bytes / (64 * 1024 ** 2))).fill(zeros));
  }
  const BOMB = bomb(10 * 1024 ** 3);

  it('is what it is said to be', () => {
    expect(BOMB.length).toBeLessThan(11 * 1024 ** 2);
    expect(gunzipSync(BOMB.subarray(0, BOMB.length / 160)).length).toBe(64 * 1024 ** 2);
  });

  const PROXY = '/api/v1/namespaces/one/pods/a:9090/proxy/metrics';
  const http = { via: 'pod', namespace: 'one', name: 'a', port: 9090, path: '/metrics' } as const;
  const log = { namespace: 'one', pod: 'a', container: 'a', previous: false };
  const reads: readonly [name: string, path: string, ask: (source: Source) => Promise<unknown>][] = [
    ['a list', '/api/v1/pods', source => podNames(source)],
    ['discovery', '/apis', source => source.discovery()],
    ['the version', '/version', source => source.server()],
    ['an answer of a component', PROXY, source => source.http(http)],
    [
      'a log',
      '/api/v1/namespaces/one/pods/a/log',
      async source => {
        const answer = await source.logs(log);
        if (answer.is === 'lines') for await (const _ of answer.chunks);
      },
    ],
    [
      'an object store’s Secret',
      '/api/v1/namespaces/one/secrets/s',
      source => source.objectStore({ id: 's', kind: 'Secret', namespace: 'one', name: 's', key: 'k' }),
    ],
  ];
  it.each(reads)(
    '%s of 10 GB in 10 MB is a gap, and takes no memory',
    async (_name, path, ask) => {
      const server = await startServer(
        apiHandler((_request, response, url) => {
          if (url.pathname !== path) return;
          send(response, BOMB, 'application/json', { 'content-encoding': 'gzip' });
        }),
      );
      const source = await openTest(server.url, {
        timeouts: { request: 20_000, preflight: 20_000 },
        retry: { retries: 0 },
      });
      await source.server().catch(() => {});
      const before = process.memoryUsage().rss;
      let most = before;
      const timer = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 10);
      const gap = await gapOf(ask(source));
      clearInterval(timer);
      expect(gap.reason).toBe('truncated');
      expect((most - before) / 1024 ** 2).toBeLessThan(700);
    },
    30_000,
  );

  it('an error of 10 GB is an error', async () => {
    const server = await startServer(
      pods((_request, response) => void response.writeHead(500, { 'content-encoding': 'gzip' }).end(BOMB)),
    );
    const source = await openTest(server.url, { retry: { retries: 0 } });
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'truncated' });
  });
});

describe('Retry-After', () => {
  const cases: readonly [name: string, value: string, attempts: number][] = [
    ['a date an hour ahead', new Date(Date.now() + 3_600_000).toUTCString(), 1],
    ['an hour', '3600', 1],
    ['longer than the universe', '99999999999999999999999', 1],
    ['a date that is past', 'Mon, 23 Nov 2020 08:12:00 GMT', 4],
    ['below zero', '-5', 4],
    ['nothing', '0', 4],
    ['no number', 'soon', 4],
  ];
  it.each(cases)('%s', async (_name, value, attempts) => {
    const server = await startServer(
      pods((_request, response) => void response.writeHead(429, { 'retry-after': value }).end('slow down')),
    );
    const started = performance.now();
    const source = await openTest(server.url, { retry: { delay: 30, longest: 1000 } });
    expect(await gapOf(podNames(source))).toMatchObject({ reason: 'server-error' });
    const took = performance.now() - started;
    expect(server.requests.filter(line => line.includes('/pods'))).toHaveLength(attempts);
    expect(took).toBeLessThan(3000);
    // It never asks again at once.
    if (attempts > 1) expect(took).toBeGreaterThan(30 + 60 + 120 - 10);
  });

  it('a date ten seconds ahead is waited for, by the server’s own clock, until the deadline', async () => {
    const now = Date.parse('2030-01-01T00:00:00Z');
    const server = await startServer(
      pods((_request, response) => {
        const headers = { date: new Date(now).toUTCString(), 'retry-after': new Date(now + 9000).toUTCString() };
        response.writeHead(429, headers).end('slow down');
      }),
    );
    const started = performance.now();
    const source = await openTest(server.url, { retry: { longest: 10_000 }, deadline: Date.now() + 800 });
    const gap = await gapOf(podNames(source));
    expect(performance.now() - started).toBeLessThan(3000);
    expect(performance.now() - started).toBeGreaterThan(600);
    expect(['server-error', 'timed-out']).toContain(gap.reason);
  });
});
