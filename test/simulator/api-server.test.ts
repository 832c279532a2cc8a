import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXPIRED_CONTINUE } from '../../src/simulator/faults.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { smallBundle } from './small-bundle.ts';

const running: Fleet[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(fleet => fleet.close()));
});

async function start(options: FleetOptions = {}, changes: Readonly<Record<string, unknown>> = {}) {
  const fleet = await startFleet(smallBundle(changes), options);
  running.push(fleet);
  const { url } = fleet.clusters[0]!;
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text ? JSON.parse(text) : undefined,
    };
  };
  return { fleet, ask };
}

test('the clock of a simulated API server is that of the recording', async () => {
  const { ask } = await start();
  const { headers, json } = await ask('/version');
  expect(headers.get('date')).toBe('Tue, 03 Feb 2026 04:05:06 GMT');
  expect(json.gitVersion).toBe('v1.34.0');
});

test('the kubeconfig has one context a cluster, named like it', async () => {
  const { fleet } = await start();
  const config = parse(fleet.kubeconfig);
  expect(config.contexts.map((context: { name: string }) => context.name)).toEqual(['hub', 'edge']);
});

test('a cluster that refused connections refuses them', async () => {
  const { fleet } = await start();
  const error = await fetch(`${fleet.clusters[1]!.url}/version`).catch(caught => caught);
  expect(error.cause.code).toBe('ECONNREFUSED');
});

test.each([
  ['timeout', 'TimeoutError'],
  ['reset', 'TypeError'],
  ['tls', 'TypeError'],
])('a cluster that failed with %s fails with %s', async (reason, name) => {
  const failure = { path: '/version', status: 0, reason, message: '' };
  const { fleet } = await start({}, { 'failures.yaml': [failure] });
  const error = await fetch(`${fleet.clusters[0]!.url}/version`, { signal: AbortSignal.timeout(100) }).catch(
    caught => caught,
  );
  expect(error.name).toBe(name);
});

test('a cluster whose name did not resolve has a name that never resolves', async () => {
  const failure = { path: '/version', status: 0, reason: 'dns', message: '' };
  const { fleet } = await start({}, { 'failures.yaml': [failure] });
  expect(new URL(fleet.clusters[0]!.url).hostname).toMatch(/\.invalid$/);
});

test('a cluster that the kubeconfig did not know is not in it', async () => {
  const failure = { path: 'kubeconfig', status: 0, reason: 'kubeconfig', message: 'no context' };
  const { fleet } = await start({}, { 'failures.yaml': [failure] });
  expect(fleet.kubeconfig).not.toContain('hub');
  expect(fleet.clusters[0]!.url).toBe('');
});

test('discovery is told in both forms, with a group version that is down', async () => {
  const { ask } = await start();
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const aggregated = await ask('/apis', { headers: { accept } });
  expect(aggregated.headers.get('content-type')).toContain('as=APIGroupDiscoveryList');
  const freshness = aggregated.json.items.map(
    (item: { versions: { freshness: string }[] }) => item.versions[0]!.freshness,
  );
  expect(freshness).toEqual(['Current', 'Current', 'Stale']);
  const core = await ask('/api', { headers: { accept } });
  const pods = core.json.items[0].versions[0].resources.find(
    (entry: { resource: string }) => entry.resource === 'pods',
  );
  expect(pods).toMatchObject({ scope: 'Namespaced', subresources: [{ subresource: 'log' }] });
  expect((await ask('/apis')).json.groups.map((group: { name: string }) => group.name)).toEqual([
    'apps',
    'discovery.k8s.io',
    'metrics.example',
  ]);
  expect((await ask('/apis/apps/v1')).json.resources[0].kind).toBe('Deployment');
  expect((await ask('/apis/metrics.example/v1')).status).toBe(503);
});

test('a LIST comes in pages, and its items have no kind', async () => {
  const { ask } = await start();
  const first = (await ask('/api/v1/pods?limit=2')).json;
  expect(first).toMatchObject({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { remainingItemCount: 1, resourceVersion: '77' },
  });
  expect(first.items[0].kind).toBeUndefined();
  const second = (await ask(`/api/v1/pods?limit=2&continue=${first.metadata.continue}`)).json;
  expect(second.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['gamma-0']);
  expect(second.metadata.continue).toBeUndefined();
});

test('a LIST of one namespace, by selector, and as metadata only', async () => {
  const { ask } = await start();
  expect((await ask('/api/v1/namespaces/one/pods')).json.items).toHaveLength(2);
  expect((await ask('/api/v1/pods?labelSelector=app%20in%20(alpha,gamma)')).json.items).toHaveLength(2);
  expect(
    (await ask('/api/v1/pods?labelSelector=app!=alpha&fieldSelector=status.phase=Running')).json.items,
  ).toHaveLength(1);
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  const partial = (await ask('/api/v1/pods', { headers: { accept } })).json;
  expect(partial.kind).toBe('PartialObjectMetadataList');
  expect(partial.items[0].spec).toBeUndefined();
});

test('one object, and one that is not there', async () => {
  const { ask } = await start();
  expect((await ask('/api/v1/namespaces/one/pods/alpha-0')).json).toMatchObject({ kind: 'Pod', apiVersion: 'v1' });
  const missing = await ask('/api/v1/namespaces/one/pods/omega');
  expect(missing).toMatchObject({ status: 404, json: { kind: 'Status', message: 'pods "omega" not found' } });
});

test('a kind that is not served is a 404; one that nobody recorded is neither empty nor absent', async () => {
  const { ask } = await start();
  expect((await ask('/apis/example.com/v1/things')).status).toBe(404);
  expect((await ask('/apis/apps/v1/things')).status).toBe(404);
  expect((await ask('/api/v1/nodes')).status).toBe(501);
});

test('a recorded failure is the same failure, whatever the page', async () => {
  const { ask } = await start();
  const answer = await ask('/api/v1/events?limit=500');
  expect(answer).toMatchObject({ status: 403, json: { reason: 'Forbidden', code: 403 } });
  expect(answer.json.message).toContain('at the cluster scope');
  const inNamespace = await ask('/api/v1/namespaces/one/events');
  expect(inNamespace.json.message).toBe(
    'events is forbidden: User "lee" cannot list resource "events" in API group "" in the namespace "one"',
  );
});

test('what access.yaml does not allow is refused, unless it is not enforced', async () => {
  const { ask } = await start();
  const refused = await ask('/apis/apps/v1/deployments');
  expect(refused).toMatchObject({ status: 403, json: { details: { kind: 'deployments', group: 'apps' } } });
  expect(refused.json.message).toContain('User "lee" cannot list resource "deployments" in API group "apps"');
  expect((await ask('/apis/apps/v1/namespaces/one/deployments')).status).toBe(200);
  const free = await start({ enforceAccess: false });
  expect((await free.ask('/apis/apps/v1/deployments')).json.items).toEqual([]);
});

test('reviews are answered from access.yaml', async () => {
  const { ask } = await start();
  const post = (kind: string, spec: object) =>
    ask(`/apis/authorization.k8s.io/v1/${kind}`, { method: 'POST', body: JSON.stringify({ spec }) });
  const rules = await post('selfsubjectrulesreviews', { namespace: 'one' });
  expect(rules.status).toBe(201);
  expect(rules.json.status.resourceRules).toHaveLength(3);
  const may = async (resourceAttributes: object) =>
    (await post('selfsubjectaccessreviews', { resourceAttributes })).json.status.allowed;
  expect(await may({ verb: 'get', resource: 'pods', subresource: 'proxy', namespace: 'two' })).toBe(true);
  expect(await may({ verb: 'get', resource: 'secrets', namespace: 'one', name: 'store' })).toBe(true);
  expect(await may({ verb: 'get', resource: 'secrets', namespace: 'one', name: 'else' })).toBe(false);
  expect(await may({ verb: 'list', group: 'apps', resource: 'deployments' })).toBe(false);
  expect(await may({ verb: 'delete', resource: 'pods', namespace: 'one' })).toBe(false);
});

test('a log is cut as it was asked for', async () => {
  const { ask } = await start();
  const log = async (query: string) =>
    (await ask(`/api/v1/namespaces/one/pods/alpha-0/log?container=main${query}`)).text;
  expect(await log('')).toBe('first\nsecond\nthird\n');
  expect(await log('&tailLines=1&timestamps=true')).toBe('2026-02-03T04:05:05.000000003Z third\n');
  expect(await log('&sinceSeconds=10')).toBe('second\nthird\n');
  expect(await log('&limitBytes=8')).toBe('first\nse');
});

test('a container without a log says why', async () => {
  const { ask } = await start();
  const log = (pod: string, query: string) => ask(`/api/v1/namespaces/one/pods/${pod}/log${query}`);
  expect((await log('alpha-0', '?container=main&previous=true')).json.message).toBe(
    'previous terminated container "main" in pod "alpha-0" not found',
  );
  expect((await log('beta-0', '?container=main')).json.message).toContain('is waiting to start: ContainerCreating');
  expect((await log('alpha-0', '')).json.message).toContain('a container name must be specified');
  expect((await log('alpha-0', '?container=side&tailLines=5')).status).toBe(204);
  expect((await log('beta-0', '?container=side')).status).toBe(501);
});

test('components answer through pods, services and nodes', async () => {
  const { ask } = await start();
  const one = '/api/v1/namespaces/one';
  expect(await ask(`${one}/pods/alpha-0:9090/proxy/-/ready`)).toMatchObject({
    status: 503,
    text: 'Service Unavailable',
  });
  expect((await ask(`${one}/pods/alpha-0:9090/proxy/api/v1/targets?state=active`)).json).toEqual({ status: 'success' });
  expect((await ask(`${one}/services/alpha:web/proxy/api/v1/targets?state=active`)).json).toEqual({
    status: 'success',
  });
  expect((await ask(`${one}/pods/alpha-0:9090/proxy/api/v1/rules`)).text).toContain('the recording does not hold');
  expect((await ask(`${one}/pods/beta-0:9090/proxy/metrics`)).json.message).toContain('error trying to reach service');
  expect((await ask('/api/v1/namespaces/two/pods/gamma-0:9090/proxy/metrics')).json.message).toContain('EOF');
  expect((await ask('/api/v1/nodes/node-1/proxy/stats/summary')).json).toEqual({ node: {} });
});

test('a Secret holds a configuration with credentials that were made up from their fingerprints', async () => {
  const { ask } = await start({ enforceAccess: false });
  const read = async (name: string) => (await ask(`/api/v1/namespaces/one/secrets/${name}`)).json;
  const [store, other] = [await read('store'), await read('other')];
  const config = (secret: { data: Record<string, string> }) =>
    parse(Buffer.from(secret.data['objstore.yml']!, 'base64').toString()).config;
  expect(config(store).secret_key).toBe(config(other).secret_key);
  expect(config(store).access_key).not.toBe(config(other).access_key);
  expect(Object.keys(store.data)).toEqual(['objstore.yml', 'extra']);
  expect(store.metadata.managedFields[0].time).toBe('2026-02-01T00:00:00Z');
  expect((await ask('/api/v1/namespaces/one/secrets/unknown')).status).toBe(404);
  expect((await ask('/api/v1/secrets')).status).toBe(403);
  expect((await ask('/api/v1/pods')).text).not.toContain('redacted:');
});

test('a broken or missing configuration stays broken or missing', async () => {
  const secret = { namespace: 'one', name: 'store', key: 'objstore.yml' };
  const read = async (store: object) => {
    const { ask } = await start({ enforceAccess: false }, { 'stores.yaml': [{ id: 'x', secret, ...store }] });
    return (await ask('/api/v1/namespaces/one/secrets/store')).json.data;
  };
  expect(await read({ keys: ['wrong.yml'], error: 'no-such-key' })).not.toHaveProperty('objstore.yml');
  const broken = await read({ keys: ['objstore.yml'], error: 'invalid: flow sequence' });
  expect(() => parse(Buffer.from(broken['objstore.yml'], 'base64').toString())).toThrow();
});

test('a large answer is compressed for who accepts it', async () => {
  const items = Array.from({ length: 2000 }, (_, index) => ({
    metadata: { name: `p-${index}`, namespace: 'one', uid: 'x'.repeat(64) },
  }));
  const { ask, fleet } = await start(
    {},
    { 'objects/core/v1/pods.json': { kind: 'PodList', apiVersion: 'v1', metadata: {}, items } },
  );
  const { headers, json } = await ask('/api/v1/pods', { headers: { 'accept-encoding': 'gzip' } });
  expect(headers.get('content-encoding')).toBe('gzip');
  expect(json.items).toHaveLength(2000);
  expect(fleet.requests()[0]!.bytes).toBeLessThan(100_000);
});

test('faults: throttled once, expired, cut off, no JSON, slow', async () => {
  const { ask } = await start({
    faults: [
      { path: '/api/v1/services', times: 1, effect: { is: 'error', status: 429, retryAfterSeconds: 2 } },
      EXPIRED_CONTINUE,
      { path: /^\/apis\/discovery/, effect: { is: 'truncated' } },
      { path: '/readyz', effect: { is: 'garbage' } },
      { path: '/livez', effect: { is: 'slow', milliseconds: 30 } },
      { path: '/version', server: 'edge', effect: { is: 'reset' } },
    ],
  });
  const throttled = await ask('/api/v1/services');
  expect(throttled).toMatchObject({ status: 429, json: { reason: 'TooManyRequests' } });
  expect(throttled.headers.get('retry-after')).toBe('2');
  expect((await ask('/api/v1/services')).status).toBe(200);
  const { metadata } = (await ask('/api/v1/pods?limit=1')).json;
  expect((await ask(`/api/v1/pods?limit=1&continue=${metadata.continue}`)).status).toBe(410);
  await expect(ask('/apis/discovery.k8s.io/v1/endpointslices')).rejects.toThrow();
  expect((await ask('/readyz')).text).toContain('<html>');
  const before = performance.now();
  expect((await ask('/livez')).text).toBe('ok');
  expect(performance.now() - before).toBeGreaterThan(25);
  expect((await ask('/version')).status).toBe(200);
});

test('requests are counted, and a write ends in an error', async () => {
  const fleet = await startFleet(smallBundle());
  const { url } = fleet.clusters[0]!;
  await (await fetch(`${url}/api/v1/pods?limit=1`)).text();
  await (await fetch(`${url}/api/v1/pods?limit=2`)).text();
  expect(fleet.requestCounts().get('hub GET /api/v1/pods')).toBe(2);
  expect((await fetch(`${url}/api/v1/namespaces/one/pods/alpha-0`, { method: 'DELETE' })).status).toBe(405);
  await expect(fleet.close()).rejects.toThrow('DELETE /api/v1/namespaces/one/pods/alpha-0');
});
