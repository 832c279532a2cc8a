import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LiveClusterOptions } from '../../src/clusters/live-options.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import type { Source } from '../../src/model/source.ts';
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from './certificates.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** `GET /path?query` of each request, in order. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  connections: number;
  readonly server: Server;
}

/** A real server on a free port, closed when the test ends. */
export async function startServer(handler: Handler, options: { tls?: boolean; clientCertificates?: boolean } = {}) {
  const state = {
    url: '',
    port: 0,
    requests: [] as string[],
    headers: [] as IncomingMessage['headers'][],
    connections: 0,
  };
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    state.requests.push(`${request.method} ${request.url}`);
    state.headers.push(request.headers);
    await handler(request, response, new URL(request.url ?? '/', 'http://test'));
  };
  const server = options.tls
    ? createHttps(
        {
          cert: SERVER_CERTIFICATE,
          key: SERVER_KEY,
          ca: AUTHORITY,
          requestCert: options.clientCertificates === true,
          rejectUnauthorized: false,
        },
        listener,
      )
    : createHttp(listener);
  server.on(options.tls ? 'secureConnection' : 'connection', () => {
    state.connections += 1;
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(state, {
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    server,
  }) as TestServer;
}

export function json(response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', 'audit-id': 'test', ...headers });
  response.end(JSON.stringify(value));
}

/** The API server's own error. */
export function status(response: ServerResponse, code: number, reason: string, message: string, more: object = {}) {
  json(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code, ...more }, code);
}

const resource = (name: string, kind: string, scope = 'Namespaced', verbs = ['get', 'list', 'watch', 'patch']) => ({
  resource: name,
  responseKind: { group: '', version: '', kind },
  scope,
  verbs,
});

export const CORE = {
  metadata: { name: '' },
  versions: [
    {
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          ...resource('pods', 'Pod'),
          subresources: [
            { subresource: 'log', responseKind: { kind: 'Pod' }, verbs: ['get'] },
            { subresource: 'status', responseKind: { kind: 'Pod' }, verbs: ['get', 'patch'] },
          ],
        },
        resource('configmaps', 'ConfigMap'),
        resource('events', 'Event'),
        resource('secrets', 'Secret'),
        resource('namespaces', 'Namespace', 'Cluster'),
        resource('nodes', 'Node', 'Cluster'),
      ],
    },
  ],
};

export const GROUPS = [
  {
    metadata: { name: 'apps' },
    versions: [{ version: 'v1', freshness: 'Current', resources: [resource('deployments', 'Deployment')] }],
  },
  {
    metadata: { name: 'longhorn.io' },
    versions: [
      { version: 'v1beta2', freshness: 'Current', resources: [resource('volumes', 'Volume')] },
      { version: 'v1beta1', freshness: 'Current', resources: [resource('volumes', 'Volume')] },
    ],
  },
  { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale', resources: [] }] },
];

/** What an API server answers that nothing is wrong with; `routes` come first. */
export function apiHandler(routes: Handler): Handler {
  return async (request, response, url) => {
    await routes(request, response, url);
    if (response.writableEnded || response.headersSent || request.socket.destroyed) return;
    if (url.pathname === '/version') return json(response, { major: '1', minor: '34', gitVersion: 'v1.34.4' });
    if (url.pathname === '/readyz') return void response.end('ok');
    if (url.pathname === '/api') return json(response, { kind: 'APIGroupDiscoveryList', items: [CORE] });
    if (url.pathname === '/apis') return json(response, { kind: 'APIGroupDiscoveryList', items: GROUPS });
    status(response, 404, 'NotFound', 'the server could not find the requested resource');
  };
}

/** A list as an API server writes it. */
export function listOf(items: readonly object[], more: object = {}) {
  return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1', ...more }, items };
}

export function named(name: string, more: object = {}, namespace = 'one') {
  return { metadata: { name, namespace, uid: `uid-${name}` }, ...more };
}

/** A kubeconfig file with one context, and the options to open it; repetitions come at once. */
export async function kubeconfigFor(
  url: string,
  { cluster = {}, user = {} }: { cluster?: object; user?: object } = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  const file = join(folder, 'config');
  const document = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: url, ...cluster } }],
    users: [{ name: 'test', user }],
  };
  await writeFile(file, JSON.stringify(document));
  return file;
}

/** A live source of the server at `url`, closed when the test ends. */
export async function openTest(
  url: string,
  options: Partial<LiveClusterOptions> = {},
  entries: { cluster?: object; user?: object } = {},
): Promise<Source> {
  const source = await openLiveCluster({
    name: 'test',
    kubeconfig: options.kubeconfig ?? (await kubeconfigFor(url, entries)),
    environment: { PATH: process.env.PATH, HOME: '/nonexistent' },
    retry: { delay: 1, longest: 2000 },
    ...options,
  });
  onTestFinished(() => source.close());
  return source;
}
