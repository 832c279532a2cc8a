import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { gapOf } from './gap-of.ts';
import { apiHandler, type Handler, json, openTest, startServer, status } from './test-server.ts';

const REQUEST = { via: 'pod', namespace: 'one', name: 'prom-0', port: 9090, path: '/-/ready' } as const;
const PROXY = '/api/v1/namespaces/one/pods/prom-0:9090/proxy/-/ready';

const proxied = (answer: Handler): Handler =>
  apiHandler((request, response, url) => {
    if (url.pathname === PROXY) return answer(request, response, url);
  });

describe('http', () => {
  it('gives the component’s own answer, whatever its status is', async () => {
    const server = await startServer(
      proxied(
        (_, response) =>
          void response.writeHead(503, { 'content-type': 'text/plain', 'audit-id': 'x' }).end('not ready'),
      ),
    );
    const source = await openTest(server.url);
    await source.server();
    expect(await source.http(REQUEST)).toEqual({
      status: 503,
      contentType: 'text/plain',
      body: 'not ready',
      path: PROXY,
      by: 'pod proxy',
    });
    expect(source.failures()).toEqual([]);
    expect(server.requests.filter(line => line.includes('proxy'))).toHaveLength(1);
  });

  it('tells the API server’s errors from the component’s', async () => {
    const trouble = 'error trying to reach service: dial tcp 10.1.2.3:9090: connect: connection refused';
    const cases: readonly [Handler, string][] = [
      [(_, r) => status(r, 503, 'ServiceUnavailable', trouble), 'unreachable'],
      [
        (_, r) =>
          void r
            .writeHead(503, { 'content-type': 'text/plain', 'audit-id': 'x' })
            .end(`Error trying to reach service: 'x'`),
        'unreachable',
      ],
      [(_, r) => status(r, 403, 'Forbidden', 'pods "prom-0" is forbidden'), 'forbidden'],
      [(_, r) => status(r, 404, 'NotFound', 'pods "prom-0" not found'), 'not-found'],
      [(_, r) => status(r, 401, 'Unauthorized', 'Unauthorized'), 'unauthenticated'],
      // From a load balancer in front of the API server: without the API server's mark.
      [(_, r) => void r.writeHead(502, { 'content-type': 'text/html' }).end('<html>'), 'server-error'],
      [request => void request.socket.destroy(), 'unreachable'],
      [() => new Promise(() => {}), 'timed-out'],
    ];
    for (const [handler, reason] of cases) {
      const source = await openTest((await startServer(proxied(handler))).url, { timeouts: { component: 150 } });
      await source.server();
      expect(await gapOf(source.http(REQUEST))).toMatchObject({ reason, path: PROXY });
      expect(source.failures()).toHaveLength(1);
    }
    const own = await openTest(
      (await startServer(proxied((_, r) => void r.writeHead(401, { 'audit-id': 'x' }).end('log in')))).url,
    );
    expect((await own.http(REQUEST)).status).toBe(401);
  });

  it('reads no more than the cap', async () => {
    const server = await startServer(proxied((_, response) => void response.end('x'.repeat(5000))));
    const source = await openTest(server.url, { componentBytes: 1000 });
    expect(await gapOf(source.http(REQUEST))).toMatchObject({ reason: 'truncated' });
  });

  it('asks nodes and Services by their own paths', async () => {
    const server = await startServer(
      apiHandler((_, response, url) => {
        if (url.pathname.includes('/proxy/')) response.end(url.pathname + url.search);
      }),
    );
    const source = await openTest(server.url);
    const node = await source.http({ via: 'node', namespace: '', name: 'n1', port: 0, path: '/stats/summary' });
    expect(node).toMatchObject({ body: '/api/v1/nodes/n1/proxy/stats/summary', by: 'node proxy' });
    const service = await source.http({
      ...REQUEST,
      via: 'service',
      name: 'prom',
      path: '/api/v1/targets?state=active',
    });
    expect(service.body).toBe('/api/v1/namespaces/one/services/prom:9090/proxy/api/v1/targets?state=active');
  });

  it('goes straight to an endpoint that was given', async () => {
    const component = await startServer(
      (request, response) => void response.end(`${request.url} ${request.headers.authorization}`),
    );
    const api = await startServer(apiHandler(() => {}));
    const endpoints = { 'one/prom-0': component.url.replace('http://', 'http://u:p@') + '/base' };
    const source = await openTest(api.url, { endpoints }, { user: { token: 'api-token' } });
    const answer = await source.http(REQUEST);
    expect(answer.body).toBe(`/base/-/ready Basic ${Buffer.from('u:p').toString('base64')}`);
    expect(answer.by).toBe(`endpoint ${component.url}`);
    expect(api.requests).toEqual([]);
    component.server.close();
    component.server.closeAllConnections();
    expect(await gapOf(source.http(REQUEST))).toMatchObject({
      reason: 'unreachable',
      path: `${component.url}/-/ready`,
    });
  });

  it('forwards a port where the proxy is forbidden and forwarding is allowed', async () => {
    const pod = await startServer((request, response) => void response.end(`pod says ${request.url}`));
    let allowed = true;
    const server = await startServer(
      apiHandler(async (request, response, url) => {
        if (url.pathname === PROXY) return status(response, 403, 'Forbidden', 'no pods/proxy for you');
        if (!url.pathname.endsWith('/selfsubjectaccessreviews')) return;
        const parts: Uint8Array[] = [];
        for await (const part of request) parts.push(part);
        const { resourceAttributes } = JSON.parse(Buffer.concat(parts).toString()).spec;
        expect(resourceAttributes).toMatchObject({ verb: 'create', resource: 'pods', subresource: 'portforward' });
        json(response, { status: { allowed } }, 201);
      }),
    );
    const sockets = new WebSocketServer({ server: server.server });
    onTestFinished(() => void sockets.close());
    sockets.on('connection', (socket, request) => {
      expect(request.url).toBe('/api/v1/namespaces/one/pods/prom-0/portforward?ports=9090');
      expect(request.headers.authorization).toBe('Bearer t');
      const portNumber = Buffer.alloc(3);
      portNumber.writeUInt16LE(9090, 1);
      socket.send(portNumber);
      const upstream = connect(pod.port, '127.0.0.1');
      upstream.on('data', data => socket.send(Buffer.concat([Buffer.from([0]), data])));
      upstream.on('error', () => {});
      socket.on('message', data => void upstream.write((data as Buffer).subarray(1)));
      socket.on('close', () => upstream.destroy());
    });
    const user = { user: { token: 't' } };
    const source = await openTest(server.url, { portForward: true }, user);
    expect(await source.http(REQUEST)).toMatchObject({ status: 200, body: 'pod says /-/ready', by: 'port-forward' });
    expect(source.failures()).toEqual([]);
    expect(await gapOf((await openTest(server.url, {}, user)).http(REQUEST))).toMatchObject({ reason: 'forbidden' });
    allowed = false;
    const denied = await openTest(server.url, { portForward: true }, user);
    expect(await gapOf(denied.http(REQUEST))).toMatchObject({ reason: 'forbidden', detail: 'no pods/proxy for you' });
  });
});

describe('logs', () => {
  const LOG = { namespace: 'one', pod: 'prom-0', container: 'prometheus', previous: false };
  const PATH = '/api/v1/namespaces/one/pods/prom-0/log?container=prometheus';
  const log = (answer: Handler) =>
    startServer(
      apiHandler((request, response, url) => {
        if (url.pathname.endsWith('/log')) return answer(request, response, url);
      }),
    );
  const textOf = async (chunks: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return Buffer.concat(parts).toString('utf8');
  };

  it('streams the lines, without credentials', async () => {
    const server = await log(async (_, response) => {
      response.write('2026-11-23T08:00:00.000000001Z first\n2026-11-23T08:00:01Z url=http://u:hun');
      await new Promise(resolve => setTimeout(resolve, 10));
      response.end('ter2@host/ 한글\n2026-11-23T08:00:02Z last');
    });
    const source = await openTest(server.url, { logs: { lines: 200, sinceSeconds: 60 } });
    const answer = await source.logs(LOG);
    expect(answer).toMatchObject({ is: 'lines', path: PATH });
    const text = answer.is === 'lines' ? await textOf(answer.chunks) : '';
    expect(text).toMatch(
      /^2026-11-23T08:00:00\.000000001Z first\n2026-11-23T08:00:01Z url=http:\/\/u:redacted:hmac:[0-9a-f]{16}@host\/ 한글\n2026-11-23T08:00:02Z last$/,
    );
    expect(server.requests[0]).toBe(`GET ${PATH}&tailLines=200&limitBytes=8388608&sinceSeconds=60&timestamps=true`);
  });

  it('knows when there is none', async () => {
    const waiting = 'container "prometheus" in pod "prom-0" is waiting to start: ContainerCreating';
    const previous = 'previous terminated container "prometheus" in pod "prom-0" not found';
    const none: readonly [Handler, string][] = [
      [(_, r) => status(r, 400, 'BadRequest', waiting), waiting],
      [(_, r) => status(r, 400, 'BadRequest', previous), previous],
      [(_, r) => void r.writeHead(204).end(), 'no log yet'],
    ];
    for (const [handler, why] of none) {
      const source = await openTest((await log(handler)).url);
      expect(await source.logs(LOG)).toEqual({ is: 'none', why, path: PATH });
      expect(source.failures()).toMatchObject([{ path: PATH }]);
    }
    const cleared = await openTest(
      (await log((_, r) => void r.end('unable to retrieve container logs for containerd://abc'))).url,
    );
    expect(await cleared.logs({ ...LOG, previous: true })).toMatchObject({ is: 'none', path: `${PATH}&previous=true` });
    expect(await gapOf(cleared.logs(LOG))).toMatchObject({ reason: 'server-error' });
    const empty = await openTest((await log((_, r) => void r.end())).url);
    expect(await empty.logs(LOG)).toMatchObject({ is: 'lines' });
  });

  it('is a gap where it could not be read, also in the middle', async () => {
    const forbidden = await openTest((await log((_, r) => status(r, 403, 'Forbidden', 'no pods/log'))).url);
    expect(await gapOf(forbidden.logs(LOG))).toMatchObject({ reason: 'forbidden', path: PATH });
    const gone = await openTest((await log((_, r) => status(r, 404, 'NotFound', 'pods "prom-0" not found'))).url);
    expect(await gapOf(gone.logs(LOG))).toMatchObject({ reason: 'not-found' });
    const cut = await openTest(
      (
        await log((request, r) => {
          r.writeHead(200, { 'content-length': '1000' });
          r.write('2026-11-23T08:00:00Z first\n');
          setTimeout(() => request.socket.destroy(), 10);
        })
      ).url,
    );
    const answer = await cut.logs(LOG);
    const seen: string[] = [];
    const reading = (async () => {
      if (answer.is === 'lines') for await (const chunk of answer.chunks) seen.push(Buffer.from(chunk).toString());
    })();
    expect(await gapOf(reading)).toMatchObject({ reason: 'truncated', path: PATH });
    expect(seen).toEqual(['2026-11-23T08:00:00Z first\n']);
    const long = await openTest((await log((_, r) => void r.end('2026-11-23T08:00:00Z x\n'))).url, {
      logs: { bytes: 10 },
    });
    const limited = await long.logs(LOG);
    expect(await gapOf(limited.is === 'lines' ? textOf(limited.chunks) : Promise.resolve())).toMatchObject({
      reason: 'truncated',
    });
  });
});
