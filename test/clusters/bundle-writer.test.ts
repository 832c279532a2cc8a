import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import type { ClusterPlan } from '../../src/clusters/bundle-plan.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import { recordBundle } from '../../src/clusters/bundle-writer.ts';
import { createFingerprint } from '../../src/clusters/fingerprint.ts';
import type { RawObject, Source, StoreReference } from '../../src/model/source.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, json, kubeconfigFor, listOf, named, openTest, startServer, status } from './test-server.ts';

const EMPTY: ClusterPlan = { logNamespaces: [], http: [], stores: [], probes: [] };
const OPTIONS = { createdBy: 'test', logs: { lines: 5000, bytes: 8_388_608 }, plan: async () => EMPTY };

/** Values that are credentials, each planted somewhere else. */
const CANARIES = [
  'canary-env-8317',
  'canary-arg-8317',
  'canary-url-8317',
  'canary-configmap-8317',
  'canary-applied-8317',
  'CANARYACCESS8317',
  'canary/secret+8317=',
  'canary-inline-8317',
  'canary-log-8317',
  'canary-http-8317',
  'canary-event-8317',
  'canary-status-8317',
  'canary-kubeconfig-8317',
  'canary-grafana-8317',
  'canary-object-8317',
  'canary-annotation-8317',
];

const SECRET_STORE: StoreReference = {
  id: 'one/store/objstore.yml',
  kind: 'Secret',
  namespace: 'one',
  name: 'store',
  key: 'objstore.yml',
};
const INLINE_STORE: StoreReference = {
  id: 'one/pod-0/thanos',
  kind: 'inline',
  namespace: 'one',
  name: 'pod-0',
  key: 'thanos',
};
const PROMETHEUS = { via: 'pod', namespace: 'one', name: 'pod-0', port: 9090 } as const;

const PLAN: ClusterPlan = {
  logNamespaces: ['one'],
  http: [
    { ...PROMETHEUS, path: '/api/v1/status/config' },
    { ...PROMETHEUS, path: '/-/ready' },
    { ...PROMETHEUS, path: '/api/v2/alerts' },
  ],
  stores: [
    { reference: SECRET_STORE, usedBy: [{ namespace: 'one', pod: 'pod-0', container: 'thanos' }], namedBy: [] },
    { reference: INLINE_STORE, usedBy: [], namedBy: [] },
  ],
  probes: [{ endpoint: 'minio.storage.svc:9000', for: ['object-store'] }],
};

async function startCluster(): Promise<string> {
  const store = await startServer((request, response, url) => {
    response.setHeader('x-amz-request-id', '1');
    if (request.method === 'HEAD') return void response.end();
    if (url.pathname.endsWith('/meta.json')) return void response.end('{"note":"password=canary-object-8317"}');
    if (url.pathname !== '/blocks/') {
      return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code><Message>none</Message></Error>');
    }
    response.setHeader('content-type', 'application/xml');
    const key = '01M8410CKGX26VAAAPTXXHCB8X/meta.json';
    response.end(
      `<ListBucketResult><Name>blocks</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>${key}</Key><Size>2</Size><LastModified>2026-11-23T08:00:00.000Z</LastModified></Contents></ListBucketResult>`,
    );
  });
  const configuration = (secret: string) =>
    `type: S3\nconfig:\n  bucket: blocks\n  endpoint: 127.0.0.1:${store.port}\n  insecure: true\n  access_key: CANARYACCESS8317\n  secret_key: ${secret}\n`;
  const pod = named('pod-0', {
    spec: {
      nodeName: 'n',
      containers: [
        {
          name: 'thanos',
          args: ['--password=canary-arg-8317', `--objstore.config=${configuration('canary-inline-8317')}`],
          env: [
            { name: 'ADMIN_PASSWORD', value: 'canary-env-8317' },
            { name: 'URL', value: 'http://u:canary-url-8317@host' },
          ],
        },
      ],
    },
    status: { containerStatuses: [{ name: 'thanos', restartCount: 1 }] },
  });
  Object.assign(pod.metadata, {
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': '{"x":"canary-applied-8317"}',
      note: 'secret_key: canary-annotation-8317',
    },
    managedFields: [
      { manager: 'old', operation: 'Update', time: '2026-11-01T00:00:00Z' },
      { manager: 'new', operation: 'Update', time: '2026-11-02T00:00:00Z' },
    ],
  });
  const datasource = named('grafana', {
    data: { 'a.yaml': 'secureJsonData:\n  any: canary-grafana-8317\n' },
  });
  Object.assign(datasource.metadata, { labels: { grafana_datasource: '1' } });
  const server = await startServer(
    apiHandler((_, response, url) => {
      const path = url.pathname;
      if (path === '/api/v1/pods') return json(response, listOf([pod]));
      if (path === '/api/v1/nodes') return json(response, listOf([{ metadata: { name: 'n' } }]));
      if (path === '/api/v1/namespaces') return json(response, listOf([{ metadata: { name: 'one' } }]));
      if (path === '/api/v1/configmaps') {
        return json(response, listOf([named('a', { data: { a: 'canary-configmap-8317' } }), datasource]));
      }
      if (path === '/api/v1/events') {
        return json(response, listOf([named('e', { message: 'login with password=canary-event-8317 failed' })]));
      }
      if (path === '/apis/apps/v1/deployments')
        return status(response, 403, 'Forbidden', 'not with secret_key=canary-status-8317');
      if (path === '/apis/longhorn.io/v1beta2/volumes') return json(response, { kind: 'VolumeList', items: null });
      if (path.endsWith('/selfsubjectrulesreviews')) return json(response, { status: { resourceRules: [] } }, 201);
      if (path === '/api/v1/namespaces/one/secrets/store') {
        const text = Buffer.from(configuration('canary/secret+8317=')).toString('base64');
        return json(response, {
          metadata: { name: 'store', resourceVersion: '5', creationTimestamp: '2026-11-01T00:00:00Z' },
          data: { 'objstore.yml': text },
        });
      }
      if (path.endsWith('/log')) {
        if (url.searchParams.has('previous'))
          return status(response, 400, 'BadRequest', 'previous terminated container "thanos" in pod "pod-0" not found');
        return void response.end('2026-11-23T08:00:00Z login password=canary-log-8317\n2026-11-23T08:00:01Z fine\n');
      }
      if (path.endsWith('/proxy/-/ready'))
        return void response.writeHead(503, { 'content-type': 'text/plain', 'audit-id': 'x' }).end('starting');
      if (path.endsWith('/status/config'))
        return json(response, { data: { yaml: 'basic_auth:\n  password: canary-http-8317\n' } });
      if (path.endsWith('/api/v2/alerts'))
        return json(response, [{ annotations: { summary: 'prose' }, labels: { a: 'b' } }]);
    }),
  );
  return server.url;
}

async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'bundle-'));
}

/** Everything that a source answers about the planted cluster. */
async function everythingOf(source: Source): Promise<RawObject> {
  const logs = await source.logs({ namespace: 'one', pod: 'pod-0', container: 'thanos', previous: false });
  let log = '';
  if (logs.is === 'lines') for await (const chunk of logs.chunks) log += Buffer.from(chunk).toString();
  return {
    pods: await source.list('', 'pods'),
    configMaps: await source.list('', 'configmaps'),
    events: await source.list('', 'events'),
    volumes: await source.list('longhorn.io', 'volumes'),
    deployments: await gapOf(source.list('apps', 'deployments')),
    metrics: await gapOf(source.list('metrics.k8s.io', 'pods')),
    absent: await source.list('example.com', 'widgets'),
    log,
    previous: await source.logs({ namespace: 'one', pod: 'pod-0', container: 'thanos', previous: true }),
    http: await Promise.all(PLAN.http.slice(0, 2).map(async request => ({ ...(await source.http(request)), by: '' }))),
    stores: [await source.objectStore(SECRET_STORE), await source.objectStore(INLINE_STORE)],
    bucket: await source.bucketAnswer(SECRET_STORE.id),
    listing: await source.bucketListing(SECRET_STORE.id),
    meta: await source.bucketObject(SECRET_STORE.id, '01M8410CKGX26VAAAPTXXHCB8X/meta.json'),
    noMark: await source
      .bucketObject(SECRET_STORE.id, '01M8410CKGX26VAAAPTXXHCB8X/deletion-mark.json')
      .catch(() => null),
    probe: await source.probe('minio.storage.svc:9000'),
    access: await source.access(),
    server: { ...(await source.server()), host: '' },
    failures: source.failures(),
  };
}

describe('recordBundle', () => {
  it('writes what a source says, and the bundle says it again; no credential gets out anywhere', async () => {
    const fingerprint = createFingerprint();
    const url = await startCluster();
    const source = await openTest(url, { fingerprint }, { user: { token: 'canary-kubeconfig-8317' } });
    const target = join(await temporaryFolder(), 'out');
    const steps: string[] = [];
    await recordBundle([source], target, { ...OPTIONS, plan: async () => PLAN }, (_, step) => steps.push(step));
    expect(steps).toEqual(['objects', 'logs', 'http', 'stores', 'buckets', 'probes', 'done']);
    const files = await openBundleFiles(target);
    expect(await readManifest(files)).toMatchObject({
      format: 1,
      clusters: ['test'],
      configMapValues: ['one/grafana'],
    });
    const live = await everythingOf(source);
    const bundle = await everythingOf(await openBundleCluster(files, 'test'));
    const comparable = (value: RawObject) =>
      JSON.parse(
        JSON.stringify(value, (key, entry) =>
          ['managedFields', 'resourceVersion', 'meta', 'detail'].includes(key) ? undefined : entry,
        ),
      );
    expect(comparable(bundle)).toEqual(comparable({ ...live, http: live.http }));
    expect(live.http[0]).toMatchObject({ status: 200 });
    expect(live.http[1]).toMatchObject({ status: 503, body: 'starting' });
    expect(live.previous).toMatchObject({ is: 'none' });
    expect(live.configMaps.items[0].data).toEqual({ a: '' });
    expect(live.stores[0].config.config.access_key.fingerprint).toBe(
      live.stores[1].config.config.access_key.fingerprint,
    );
    for (const canary of CANARIES) {
      for (const form of [canary, Buffer.from(canary).toString('base64')]) {
        expect(JSON.stringify([live, source.usage()])).not.toContain(form);
        for (const file of await filesUnder(target)) {
          expect(`${file}: ${(await readFile(file)).includes(form)}`).toBe(`${file}: false`);
        }
      }
    }
    const read = async (path: string) => readFile(join(target, 'clusters/test', path), 'utf8');
    const [pod] = JSON.parse(await read('objects/core/v1/pods.json')).items;
    expect(pod.metadata.managedFields).toBeUndefined();
    expect(JSON.parse(await read('http/one/pod-0/9090/api_v2_alerts.json'))).toEqual([
      { annotations: { summary: '' }, labels: { a: 'b' } },
    ]);
    expect(parse(await read('cluster.yaml'))).toMatchObject({
      name: 'test',
      nodeCount: 1,
      ready: true,
      serverVersion: { gitVersion: 'v1.34.4' },
    });
    expect(parse(await read('failures.yaml')).map((failure: RawObject) => failure.path)).toEqual([
      '/api/v1/namespaces/one/pods/pod-0/log?container=thanos&previous=true',
      '/apis/apps/v1/deployments',
      's3://blocks?lifecycle',
    ]);
    expect((await stat(target)).mode & 0o077).toBe(0);
  });

  it('packs an archive, and leaves nothing else', async () => {
    const folder = await temporaryFolder();
    const source = await openTest(await startCluster());
    await recordBundle([source], join(folder, 'out.tar.gz'), { ...OPTIONS, plan: async () => PLAN });
    expect(await readdir(folder)).toEqual(['out.tar.gz']);
    const files = await openBundleFiles(join(folder, 'out.tar.gz'));
    expect(await readManifest(files)).toMatchObject({ clusters: ['test'] });
    expect((await (await openBundleCluster(files, 'test')).list('', 'pods')).items).toHaveLength(1);
    expect(gunzipSync(await readFile(join(folder, 'out.tar.gz'))).includes('canary')).toBe(false);
  });

  it('holds clusters that do not answer, with why, and names of any form', async () => {
    const silent = await startServer(() => new Promise(() => {}));
    const kubeconfig = await kubeconfigFor(silent.url);
    const name = 'arn:aws:eks:eu:1:cluster/a';
    const source = await openTest(silent.url, { name, kubeconfig, timeouts: { preflight: 50 } });
    const target = join(await temporaryFolder(), 'out');
    await recordBundle([source, await openTest(await startCluster())], target, OPTIONS);
    const files = await openBundleFiles(target);
    const { clusters } = await readManifest(files);
    expect(clusters).toEqual(['arn:aws:eks:eu:1:cluster-a', 'test']);
    const again = await openBundleCluster(files, clusters[0]!);
    expect(await gapOf(again.server())).toMatchObject({
      reason: 'timed-out',
      path: '/version',
      detail: 'no answer within 0.05 s',
    });
  });

  it('keeps a log that broke off, and the bundle breaks off there too', async () => {
    const pod = named('pod-0', { spec: { containers: [{ name: 'c' }] } });
    const server = await startServer(
      apiHandler((request, response, url) => {
        if (url.pathname === '/api/v1/pods') return json(response, listOf([pod]));
        if (!url.pathname.endsWith('/log')) return;
        response.writeHead(200, { 'content-length': '1000' });
        response.write('2026-11-23T08:00:00Z first\n');
        setTimeout(() => request.socket.destroy(), 10);
      }),
    );
    const target = join(await temporaryFolder(), 'out');
    await recordBundle([await openTest(server.url)], target, {
      ...OPTIONS,
      plan: async () => ({ ...EMPTY, logNamespaces: ['one'] }),
    });
    const again = await openBundleCluster(await openBundleFiles(target), 'test');
    const log = await again.logs({ namespace: 'one', pod: 'pod-0', container: 'c', previous: false });
    const reading = (async () => {
      if (log.is === 'lines')
        for await (const chunk of log.chunks) expect(Buffer.from(chunk).toString()).toContain('first');
    })();
    expect(await gapOf(reading)).toMatchObject({ reason: 'truncated' });
  });

  it('overwrites nothing, and leaves nothing behind where it fails', async () => {
    const folder = await temporaryFolder();
    const source = await openTest(await startCluster());
    await writeFile(join(folder, 'there'), 'x');
    await expect(recordBundle([source], join(folder, 'there'), OPTIONS)).rejects.toThrow('it is there already');
    const broken = {
      ...OPTIONS,
      plan: async () => {
        throw new Error('a bug');
      },
    };
    await expect(recordBundle([source], join(folder, 'new'), broken)).rejects.toThrow('a bug');
    expect(await readdir(folder)).toEqual(['there']);
  });
});
