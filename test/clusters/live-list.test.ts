import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/model/gap.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, GROUPS, type Handler, json, listOf, named, openTest, startServer, status } from './test-server.ts';

/** Answers requests for pods; other paths as usual. */
const pods = (answer: Handler): Handler =>
  apiHandler((request, response, url) => {
    if (url.pathname.endsWith('/pods')) return answer(request, response, url);
  });

describe('list', () => {
  it('joins pages, asks discovery once and keeps one connection', async () => {
    const server = await startServer(
      pods((_, response, url) => {
        const page = Number(url.searchParams.get('continue') ?? 0);
        const items = [named(`pod-${page}`)];
        json(response, listOf(items, page < 2 ? { continue: String(page + 1) } : {}));
      }),
    );
    const source = await openTest(server.url);
    const answer = await source.list('', 'pods');
    expect(answer.items.map(item => item.metadata.name)).toEqual(['pod-0', 'pod-1', 'pod-2']);
    expect(answer).toMatchObject({
      installed: true,
      kind: 'Pod',
      path: '/api/v1/pods',
      unread: [],
      onlyNamespaces: null,
    });
    await source.list('', 'pods');
    expect(server.requests.filter(line => /apis?$/.test(line))).toHaveLength(2);
    expect(server.requests).toHaveLength(8);
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(server.requests[2]).toBe('GET /api/v1/pods?limit=500');
    expect(source.failures()).toEqual([]);
    expect(source.usage().requests).toBe(8);
  });

  it('goes on after a 410 with the token that is offered', async () => {
    const server = await startServer(
      pods((_, response, url) => {
        const token = url.searchParams.get('continue');
        if (!token) return json(response, listOf([named('a')], { continue: 'old' }));
        if (token === 'old') return status(response, 410, 'Expired', 'too old', { metadata: { continue: 'new' } });
        json(response, listOf([named('b')]));
      }),
    );
    const answer = await (await openTest(server.url)).list('', 'pods');
    expect(answer.items.map(item => item.metadata.name)).toEqual(['a', 'b']);
  });

  it('begins anew after a 410 without a token, and gives up in the end', async () => {
    let again = 0;
    const server = await startServer(
      pods((_, response, url) => {
        if (!url.searchParams.get('continue')) return json(response, listOf([named('a')], { continue: 'old' }));
        again += 1;
        if (again === 1) return status(response, 410, 'Expired', 'too old');
        json(response, listOf([named('b')]));
      }),
    );
    const answer = await (await openTest(server.url)).list('', 'pods');
    expect(answer.items.map(item => item.metadata.name)).toEqual(['a', 'b']);
    const stubborn = await startServer(
      pods((_, response, url) => {
        if (!url.searchParams.get('continue')) return json(response, listOf([named('a')], { continue: 'old' }));
        status(response, 410, 'Expired', 'too old');
      }),
    );
    const gap = await gapOf((await openTest(stubborn.url)).list('', 'pods'));
    expect(gap).toMatchObject({ reason: 'server-error', detail: 'too old' });
  });

  it('throws the gap of a page that fails, never the pages before it', async () => {
    const server = await startServer(
      pods((_, response, url) => {
        if (!url.searchParams.get('continue')) return json(response, listOf([named('a')], { continue: 'x' }));
        status(response, 500, 'InternalError', 'etcdserver: request timed out');
      }),
    );
    const source = await openTest(server.url);
    expect(await gapOf(source.list('', 'pods'))).toMatchObject({ reason: 'server-error', path: '/api/v1/pods' });
    expect(source.failures()).toEqual([
      { path: '/api/v1/pods', status: 500, reason: 'InternalError', message: 'etcdserver: request timed out' },
    ]);
  });

  it('knows a kind that is not served, and a custom one that is gone, to be absent; never a built-in one', async () => {
    const server = await startServer(apiHandler(() => {}));
    const source = await openTest(server.url);
    expect(await source.list('example.com', 'widgets')).toMatchObject({ installed: false, items: [] });
    expect(await source.list('longhorn.io', 'volumes')).toMatchObject({ installed: false, items: [] });
    expect(source.failures()).toEqual([]);
    expect(await gapOf(source.list('apps', 'deployments'))).toMatchObject({ reason: 'not-found' });
    expect(await gapOf(source.list('', 'pods'))).toMatchObject({ reason: 'not-found' });
  });

  it('takes the preferred version, and does not take an API service that is down for absent', async () => {
    const server = await startServer(
      apiHandler((_, response, url) => {
        if (url.pathname === '/apis/longhorn.io/v1beta2/volumes') json(response, listOf([named('v')]));
      }),
    );
    const source = await openTest(server.url);
    expect((await source.list('longhorn.io', 'volumes')).path).toBe('/apis/longhorn.io/v1beta2/volumes');
    expect(await gapOf(source.list('metrics.k8s.io', 'pods'))).toMatchObject({ reason: 'server-error' });
    const { unreadable, resources } = await source.discovery();
    expect(unreadable).toMatchObject([{ group: 'metrics.k8s.io', version: 'v1beta1' }]);
    expect(resources.find(entry => entry.resource === 'pods/log')?.verbs).toEqual(['get']);
    expect(resources.some(entry => entry.resource === 'pods/status')).toBe(false);
    expect(resources.find(entry => entry.resource === 'nodes')?.verbs).toEqual(['get', 'list', 'patch']);
  });

  it('reads group after group where discovery is not aggregated', async () => {
    const server = await startServer(
      apiHandler((_, response, url) => {
        const versions = (name: string) => ({
          name,
          versions: [{ version: 'v1' }, { version: 'v2' }],
          preferredVersion: { version: 'v2' },
        });
        const pod = { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] };
        if (url.pathname === '/api') json(response, { kind: 'APIVersions', versions: ['v1'] });
        else if (url.pathname === '/apis')
          json(response, { kind: 'APIGroupList', groups: [versions('autoscaling'), versions('broken.io')] });
        else if (url.pathname === '/api/v1') json(response, { resources: [pod] });
        else if (url.pathname.startsWith('/apis/autoscaling/'))
          json(response, { resources: [{ ...pod, name: 'horizontalpodautoscalers' }] });
        else if (url.pathname.startsWith('/apis/broken.io/')) status(response, 503, 'ServiceUnavailable', 'down');
      }),
    );
    const source = await openTest(server.url);
    const { resources, unreadable } = await source.discovery();
    expect(resources.map(entry => `${entry.group}/${entry.version}/${entry.resource}`)).toEqual([
      '/v1/pods',
      'autoscaling/v2/horizontalpodautoscalers',
      'autoscaling/v1/horizontalpodautoscalers',
    ]);
    expect(unreadable.map(entry => entry.error)).toEqual(['down', 'down']);
    expect(GROUPS.length).toBeGreaterThan(0);
  });

  it('falls back to the named namespaces where the whole LIST is forbidden', async () => {
    const server = await startServer(
      apiHandler((_, response, url) => {
        const refuse = (where: string) => status(response, 403, 'Forbidden', `pods is forbidden ${where}`);
        if (url.pathname === '/api/v1/pods') refuse('at the cluster scope');
        else if (url.pathname === '/api/v1/namespaces/two/pods') refuse('in the namespace "two"');
        else if (url.pathname === '/api/v1/namespaces/one/pods') json(response, listOf([named('a')]));
      }),
    );
    const source = await openTest(server.url, { namespaces: ['one', 'two'] });
    const answer = await source.list('', 'pods');
    expect(answer.items).toHaveLength(1);
    expect(answer.unread).toEqual([{ namespace: 'two', detail: 'pods is forbidden in the namespace "two"' }]);
    expect(answer.onlyNamespaces).toEqual(['one', 'two']);
    const nothing = await openTest(server.url, { namespaces: ['two'] });
    expect(await gapOf(nothing.list('', 'pods'))).toMatchObject({
      reason: 'forbidden',
      detail: 'pods is forbidden at the cluster scope',
    });
    const unnamed = await openTest(server.url);
    expect(await gapOf(unnamed.list('', 'pods'))).toMatchObject({ reason: 'forbidden' });
    const only = await openTest(server.url, { onlyNamespaces: ['one'] });
    expect(await only.list('', 'pods')).toMatchObject({ onlyNamespaces: ['one'], unread: [] });
    expect(only.failures()).toEqual([]);
  });

  it('never lists Secrets', async () => {
    const server = await startServer(apiHandler(() => {}));
    const source = await openTest(server.url);
    expect(await gapOf(source.list('', 'secrets'))).toMatchObject({ reason: 'not-asked', notLookedAt: true });
    expect(server.requests.some(line => line.includes('secrets'))).toBe(false);
  });

  it('drops what nobody reads of an object', async () => {
    const metadata = {
      name: 'a',
      namespace: 'one',
      deletionTimestamp: null,
      managedFields: [{ manager: 'helm', operation: 'Apply', time: 't', fieldsV1: { 'f:spec': {} } }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"a":1}' },
    };
    const server = await startServer(pods((_, response) => json(response, listOf([{ metadata }]))));
    const { items } = await (await openTest(server.url)).list('', 'pods');
    expect(items[0]).toEqual({
      metadata: {
        name: 'a',
        namespace: 'one',
        managedFields: [{ manager: 'helm', operation: 'Apply', time: 't' }],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'present' },
      },
    });
  });
});

describe('failures of a list', () => {
  // A reset on a kept connection is tried at once on a new one, which is not counted as a repetition.
  const whole = gzipSync(JSON.stringify(listOf([named('a')])));
  const cases: readonly [string, Handler, Partial<Gap>, { status: number; reason: string }, number][] = [
    [
      '401',
      (_, r) => status(r, 401, 'Unauthorized', 'Unauthorized'),
      { reason: 'unauthenticated' },
      { status: 401, reason: 'Unauthorized' },
      1,
    ],
    [
      '403',
      (_, r) => status(r, 403, 'Forbidden', 'no'),
      { reason: 'forbidden', detail: 'no' },
      { status: 403, reason: 'Forbidden' },
      1,
    ],
    [
      '429',
      (_, r) => status(r, 429, 'TooManyRequests', 'slow'),
      { reason: 'server-error' },
      { status: 429, reason: 'TooManyRequests' },
      4,
    ],
    [
      '500',
      (_, r) => status(r, 500, 'InternalError', 'oops'),
      { reason: 'server-error' },
      { status: 500, reason: 'InternalError' },
      4,
    ],
    [
      '503 in HTML',
      (_, r) => void r.writeHead(503).end('<html>'),
      { reason: 'unreachable' },
      { status: 503, reason: 'ServiceUnavailable' },
      4,
    ],
    ['reset', request => void request.socket.destroy(), { reason: 'unreachable' }, { status: 0, reason: 'reset' }, 5],
    [
      'silence',
      () => new Promise(() => {}),
      { reason: 'timed-out', detail: 'no answer within 0.2 s' },
      { status: 0, reason: 'timeout' },
      1,
    ],
    [
      'garbage',
      (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[{'),
      { reason: 'malformed' },
      { status: 200, reason: 'malformed' },
      1,
    ],
    [
      'a web page',
      (_, r) => void r.writeHead(200).end('<html>log in</html>'),
      { reason: 'malformed' },
      { status: 200, reason: 'malformed' },
      1,
    ],
    [
      'no list',
      (_, r) => json(r, { kind: 'PodList' }),
      { reason: 'malformed' },
      { status: 200, reason: 'malformed' },
      1,
    ],
    [
      'a cut body',
      (request, r) => {
        r.writeHead(200, { 'content-length': '1000' });
        r.write('{"items":[');
        setTimeout(() => request.socket.destroy(), 5);
      },
      { reason: 'truncated' },
      { status: 0, reason: 'truncated' },
      4,
    ],
    [
      'a cut gzip',
      (_, r) => void r.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.subarray(0, whole.length - 9)),
      { reason: 'truncated' },
      { status: 0, reason: 'truncated' },
      4,
    ],
  ];
  it.each(cases)('%s', async (_name, handler, gap, failure, attempts) => {
    const server = await startServer(pods(handler));
    const source = await openTest(server.url, { timeouts: { request: 200 } });
    expect(await gapOf(source.list('', 'pods'))).toMatchObject({ path: '/api/v1/pods', notLookedAt: false, ...gap });
    expect(source.failures()).toMatchObject([{ path: '/api/v1/pods', ...failure }]);
    expect(server.requests.filter(line => line.includes('/pods'))).toHaveLength(attempts);
  });

  it('a refused connection and an unknown name', async () => {
    const server = await startServer(() => {});
    server.server.close();
    expect(await gapOf((await openTest(server.url)).server())).toMatchObject({
      reason: 'unreachable',
      path: '/version',
    });
    const nowhere = await openTest('http://name.invalid:6443', { timeouts: { preflight: 5000 } });
    await gapOf(nowhere.server());
    expect(nowhere.failures()[0]).toMatchObject({ path: '/version', status: 0 });
  });

  it('waits as long as Retry-After says, unless that is too long', async () => {
    let count = 0;
    const server = await startServer(
      pods((_, response) => {
        count += 1;
        if (count === 1) return void response.writeHead(429, { 'retry-after': '1' }).end();
        json(response, listOf([]));
      }),
    );
    const started = performance.now();
    expect((await (await openTest(server.url)).list('', 'pods')).items).toEqual([]);
    expect(performance.now() - started).toBeGreaterThan(950);
    const patient = await startServer(
      pods((_, response) => void response.writeHead(503, { 'retry-after': '600' }).end()),
    );
    await gapOf((await openTest(patient.url)).list('', 'pods'));
    expect(patient.requests.filter(line => line.includes('/pods'))).toHaveLength(1);
  });

  it('ends everything at the user’s wish and at the deadline', async () => {
    const server = await startServer(pods(() => new Promise(() => {})));
    const stop = new AbortController();
    const source = await openTest(server.url, { signal: stop.signal });
    const listing = gapOf(source.list('', 'pods'));
    setTimeout(() => stop.abort(), 50);
    expect(await listing).toMatchObject({ reason: 'timed-out', detail: 'the run was stopped before an answer came' });
    const late = await openTest(server.url, { deadline: Date.now() + 60 });
    expect(await gapOf(late.list('', 'pods'))).toMatchObject({
      detail: "the run's time was over before an answer came",
    });
  });
});

describe('server', () => {
  it('says what it is, and when: by its own clock', async () => {
    const server = await startServer(
      apiHandler((_, response) => {
        response.setHeader('date', 'Mon, 23 Nov 2026 08:12:00 GMT');
      }),
    );
    const source = await openTest(server.url);
    expect(await source.server()).toEqual({
      version: 'v1.34.4',
      minor: 34,
      host: `127.0.0.1:${server.port}`,
      context: 'test',
      ready: true,
      clock: { difference: expect.any(Number), within: expect.any(Number) },
    });
    expect(source.takenAt()).toBe('2026-11-23T08:12:00.000Z');
  });

  it('is not ready where it says so itself', async () => {
    const answer = (code: number) =>
      startServer(
        apiHandler((_, response, url) => {
          if (url.pathname === '/readyz') response.writeHead(code).end('[-]etcd failed');
        }),
      );
    const broken = await openTest((await answer(500)).url);
    expect((await broken.server()).ready).toBe(false);
    expect(broken.failures()).toMatchObject([{ path: '/readyz', status: 500, message: '[-]etcd failed' }]);
    expect((await (await openTest((await answer(403)).url)).server()).ready).toBe(true);
  });

  it('gives up on a server that says nothing within the preflight', async () => {
    const server = await startServer(() => new Promise(() => {}));
    const source = await openTest(server.url, { timeouts: { preflight: 100 } });
    const started = performance.now();
    expect(await gapOf(source.server())).toMatchObject({ reason: 'timed-out', path: '/version' });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(source.failures()).toEqual([
      { path: '/version', status: 0, reason: 'timeout', message: 'no answer within 0.1 s' },
    ]);
  });
});

describe('access', () => {
  it('asks for the rules of each namespace', async () => {
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
    const server = await startServer(
      apiHandler(async (_, response, url) => {
        if (url.pathname === '/api/v1/namespaces')
          return json(response, listOf([{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }]));
        if (!url.pathname.endsWith('/selfsubjectrulesreviews')) return;
        json(response, { status: { incomplete: false, resourceRules: rules, nonResourceRules: [] } }, 201);
      }),
    );
    const source = await openTest(server.url);
    expect(await source.access()).toEqual([
      { namespace: 'one', incomplete: false, resourceRules: rules, nonResourceRules: [] },
      { namespace: 'two', incomplete: false, resourceRules: rules, nonResourceRules: [] },
    ]);
  });
});
