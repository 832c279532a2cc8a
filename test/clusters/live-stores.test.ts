import type { AddressInfo } from 'node:net';
import { createServer as createTcp, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoreReference } from '../../src/model/source.ts';
import { AUTHORITY } from './certificates.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, type Handler, json, listOf, named, openTest, startServer, status } from './test-server.ts';

const REFERENCE: StoreReference = {
  id: 'one/store/objstore.yml',
  kind: 'Secret',
  namespace: 'one',
  name: 'store',
  key: 'objstore.yml',
};
const PATH = '/api/v1/namespaces/one/secrets/store';
const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const ACCESS = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

const secret = (text: string, more: object = {}) => ({
  kind: 'Secret',
  metadata: {
    name: 'store',
    resourceVersion: '7',
    creationTimestamp: '2026-11-01T00:00:00Z',
    managedFields: [
      { manager: 'a', time: '2026-11-02T00:00:00Z' },
      { manager: 'b', time: '2026-11-03T00:00:00Z' },
    ],
  },
  data: { 'objstore.yml': Buffer.from(text).toString('base64'), other: '' },
  ...more,
});

const withSecret = (text: string) =>
  startServer(
    apiHandler((_, response, url) => {
      if (url.pathname === PATH) json(response, secret(text));
    }),
  );

const configuration = (endpoint: string, more = '') =>
  `type: S3\nprefix: team/a\nconfig:\n  bucket: blocks\n  endpoint: ${endpoint}\n  insecure: true\n  access_key: ${ACCESS}\n  secret_key: ${SECRET}\n${more}`;

describe('objectStore', () => {
  it('reads exactly that Secret and lets no credential out', async () => {
    const server = await withSecret(
      configuration('minio:9000', '  http_config:\n    tls_config: {insecure_skip_verify: true}\n'),
    );
    const source = await openTest(server.url);
    const answer = await source.objectStore(REFERENCE);
    const fingerprint = expect.stringMatching(/^hmac:[0-9a-f]{16}$/);
    expect(answer).toEqual({
      reference: REFERENCE,
      path: PATH,
      config: {
        type: 'S3',
        prefix: 'team/a',
        config: {
          bucket: 'blocks',
          endpoint: 'minio:9000',
          insecure: true,
          access_key: { set: true, fingerprint, edgeSpace: false },
          secret_key: { set: true, fingerprint, edgeSpace: false },
          http_config: { tls_config: { insecure_skip_verify: true } },
        },
      },
      error: '',
      keys: ['objstore.yml', 'other'],
      changedAt: '2026-11-03T00:00:00Z',
      resourceVersion: '7',
    });
    expect(server.requests).toEqual([`POST ${REVIEW}`, `GET ${PATH}`]);
    expect(JSON.stringify([answer, source.failures()])).not.toMatch(/AKIA|wJalr/);
  });

  it('is not asked for where a review says that it would be refused', async () => {
    const server = await startServer(
      apiHandler((_, response, url) => {
        if (url.pathname === REVIEW) json(response, { status: { allowed: false } }, 201);
      }),
    );
    const source = await openTest(server.url);
    expect(await gapOf(source.objectStore(REFERENCE))).toMatchObject({ reason: 'forbidden', path: PATH });
    expect(
      await gapOf(source.http({ via: 'node', namespace: '', name: 'n', port: 0, path: '/stats/summary' })),
    ).toMatchObject({
      reason: 'forbidden',
    });
    expect(await source.mayList?.('longhorn.io', 'backups')).toBe(false);
    expect(source.failures()).toMatchObject([{ path: PATH, status: 403, reason: 'Forbidden' }, { status: 403 }]);
    expect(server.requests).toEqual([`POST ${REVIEW}`, `POST ${REVIEW}`, `POST ${REVIEW}`]);
  });

  it('tells white space at the edges, digits, and what is not set', async () => {
    const server = await withSecret(
      'type: S3\nconfig:\n  access_key: 0123\n  secret_key: "x\\n"\n  session_token: ""\n',
    );
    const { config } = await (await openTest(server.url)).objectStore(REFERENCE);
    expect(config.config.access_key).toMatchObject({ set: true });
    expect(config.config.secret_key).toMatchObject({ set: true, edgeSpace: true });
    expect(config.config.session_token).toEqual({ set: false, fingerprint: '', edgeSpace: false });
  });

  it('says what is wrong with the document without quoting it', async () => {
    for (const text of [`a: [\nsecret_key: ${SECRET}`, '', '- a', `a: 1\na: ${SECRET}`, 'a: *nowhere']) {
      const { config, error } = await (await openTest((await withSecret(text)).url)).objectStore(REFERENCE);
      expect(config).toBe(null);
      expect(error).toMatch(/^invalid: /);
      expect(error).not.toContain('wJalr');
    }
  });

  it('knows that it or its key is not there; anything else is a gap', async () => {
    const absent = await openTest((await startServer(apiHandler(() => {}))).url);
    expect(await absent.objectStore(REFERENCE)).toMatchObject({ error: 'not-found', config: null });
    expect(absent.failures()).toMatchObject([{ path: PATH, status: 404, reason: 'NotFound' }]);
    const present = await openTest((await withSecret('type: S3')).url);
    expect(await present.objectStore({ ...REFERENCE, key: 'wrong.yml' })).toMatchObject({
      error: 'no-such-key',
      keys: ['objstore.yml', 'other'],
    });
    const forbidden = await startServer(
      apiHandler((_, r, url) => void (url.pathname === PATH && status(r, 403, 'Forbidden', 'no'))),
    );
    expect(await gapOf((await openTest(forbidden.url)).objectStore(REFERENCE))).toMatchObject({ reason: 'forbidden' });
    const unasked = await openTest(forbidden.url, { readSecrets: false });
    expect(await gapOf(unasked.objectStore(REFERENCE))).toMatchObject({ reason: 'not-asked', notLookedAt: true });
  });

  it('reads ConfigMaps, and what stands in the arguments', async () => {
    const argument = `--objstore.config=${configuration('minio:9000')}`;
    const pod = named('store-0', { spec: { containers: [{ name: 'thanos', args: ['store', argument] }] } });
    const server = await startServer(
      apiHandler((_, response, url) => {
        if (url.pathname === '/api/v1/namespaces/one/configmaps/store') {
          json(response, { metadata: { name: 'store' }, data: { 'objstore.yml': 'type: FILESYSTEM' } });
        }
        if (url.pathname === '/api/v1/pods') json(response, listOf([pod]));
      }),
    );
    const source = await openTest(server.url);
    expect(await source.objectStore({ ...REFERENCE, kind: 'ConfigMap' })).toMatchObject({
      config: { type: 'FILESYSTEM' },
    });
    const inline: StoreReference = {
      id: 'one/store-0/thanos',
      kind: 'inline',
      namespace: 'one',
      name: 'store-0',
      key: 'thanos',
    };
    expect(await gapOf(source.objectStore(inline))).toMatchObject({ reason: 'not-found' });
    const { items } = await source.list('', 'pods');
    expect(items[0].spec.containers[0].args).toEqual([
      'store',
      expect.stringMatching(/^--objstore\.config=redacted:hmac:[0-9a-f]{16}$/),
    ]);
    expect(await source.objectStore(inline)).toMatchObject({
      config: { config: { bucket: 'blocks', access_key: { set: true } } },
      path: 'arguments of one/store-0/thanos',
    });
  });
});

/** An S3 server that pages as S3 does. */
function s3(objects: Readonly<Record<string, string>>, before: Handler = () => {}): Handler {
  return async (request, response, url) => {
    await before(request, response, url);
    if (response.headersSent || request.socket.destroyed) return;
    const [, , ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    response.setHeader('x-amz-request-id', '1');
    if (key !== '') {
      if (objects[key] === undefined) return refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
      return void response.end(objects[key]);
    }
    if (request.method === 'HEAD') return void response.end();
    const prefix = url.searchParams.get('prefix') ?? '';
    const size = Number(url.searchParams.get('max-keys') ?? 1000);
    const keys = Object.keys(objects)
      .filter(name => name.startsWith(prefix))
      .sort();
    const start = Number(url.searchParams.get('continuation-token') ?? 0);
    const page = keys.slice(start, start + Math.min(size, 2));
    const next = start + page.length;
    const contents = page
      .map(
        name =>
          `<Contents><Key>${name}</Key><Size>${objects[name]!.length}</Size><LastModified>2026-11-23T08:00:00.000Z</LastModified></Contents>`,
      )
      .join('');
    const more = next < keys.length;
    response.setHeader('content-type', 'application/xml');
    response.end(
      `<?xml version="1.0"?><ListBucketResult><Name>blocks</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${more}</IsTruncated>${contents}${more ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''}</ListBucketResult>`,
    );
  };
}

function refuse(response: Parameters<Handler>[1], code: number, name: string, message: string) {
  response.writeHead(code, { 'content-type': 'application/xml', 'x-amz-request-id': '1' });
  response.end(`<?xml version="1.0"?><Error><Code>${name}</Code><Message>${message}</Message></Error>`);
}

async function openStore(handler: Handler, options = {}, tls = false) {
  const store = await startServer(handler, { tls });
  const endpoint = `127.0.0.1:${store.port}`;
  const text = configuration(endpoint).replace('insecure: true', `insecure: ${!tls}`);
  const source = await openTest((await withSecret(text)).url, options);
  await source.objectStore(REFERENCE);
  return { source, store, endpoint };
}

describe('buckets', () => {
  const objects = {
    'team/a/1/meta.json': '{}',
    'team/a/1/index': 'xx',
    'team/a/2/meta.json': '{"a":1}',
    'team/b/3/meta.json': '{}',
  };

  it('are listed and read with the configuration’s own credentials', async () => {
    const { source, store, endpoint } = await openStore(s3(objects));
    expect(await source.bucketAnswer(REFERENCE.id)).toEqual({
      code: '',
      status: 200,
      message: '',
      isS3: true,
      path: 's3://blocks',
      clockDifference: expect.closeTo(0, 0),
    });
    const listing = await source.bucketListing(REFERENCE.id);
    expect(listing).toMatchObject({ bucket: 'blocks', endpoint, truncated: false, path: 's3://blocks' });
    expect(listing.objects).toEqual([
      { key: 'team/a/1/index', size: 2, lastModified: '2026-11-23T08:00:00.000Z' },
      { key: 'team/a/1/meta.json', size: 2, lastModified: '2026-11-23T08:00:00.000Z' },
      { key: 'team/a/2/meta.json', size: 7, lastModified: '2026-11-23T08:00:00.000Z' },
    ]);
    expect(await source.bucketObject(REFERENCE.id, 'team/a/2/meta.json')).toBe('{"a":1}');
    expect(await source.bucketObject(REFERENCE.id, 'team/a/2/deletion-mark.json')).toBe(null);
    expect(source.failures()).toEqual([]);
    expect(store.headers[0]?.authorization).toContain(`Credential=${ACCESS}/`);
    expect(store.requests.every(line => line.startsWith('GET /blocks') || line === 'HEAD /blocks/')).toBe(true);
  });

  it('tell the store’s clock, and what they do by themselves', async () => {
    const lifecycle = `<?xml version="1.0"?><LifecycleConfiguration>
      <Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>30</Days></Expiration></Rule>
      <Rule><ID>tagged</ID><Status>Disabled</Status><Filter><And><Prefix>team/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>
        <Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration></Rule>
      <Rule><ID>uploads</ID><Status>Enabled</Status><Prefix></Prefix>
        <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
    </LifecycleConfiguration>`;
    const fast = await openStore((request, response, url) => {
      response.setHeader('date', new Date(Date.now() + 90_000).toUTCString());
      if (!url.searchParams.has('lifecycle')) return s3(objects)(request, response, url);
      response.writeHead(200, { 'content-type': 'application/xml', 'x-amz-request-id': '1' });
      response.end(lifecycle);
    });
    expect((await fast.source.bucketAnswer(REFERENCE.id)).clockDifference).toBeCloseTo(90, -1);
    expect(await fast.source.bucketSettings!(REFERENCE.id)).toEqual({
      lifecycle: [
        { id: 'old', enabled: true, prefix: '', tags: [], expireDays: 30, expireDate: '' },
        {
          id: 'tagged',
          enabled: false,
          prefix: 'team/',
          tags: ['k'],
          expireDays: 0,
          expireDate: '2027-01-01T00:00:00.000Z',
        },
        { id: 'uploads', enabled: true, prefix: '', tags: [], expireDays: 0, expireDate: '' },
      ],
      path: 's3://blocks?lifecycle',
    });
    const none = await openStore((_, response) => refuse(response, 404, 'NoSuchLifecycleConfiguration', 'none'));
    expect(await none.source.bucketSettings!(REFERENCE.id)).toMatchObject({ lifecycle: [] });
    expect(none.source.failures()).toEqual([]);
    const denied = await openStore((_, response) => refuse(response, 403, 'AccessDenied', 'Access Denied.'));
    expect(await gapOf(denied.source.bucketSettings!(REFERENCE.id))).toMatchObject({ reason: 'forbidden' });
  });

  it('end at the cap', async () => {
    const { source } = await openStore(s3(objects), { bucketObjects: 2 });
    expect(await source.bucketListing(REFERENCE.id)).toMatchObject({ truncated: true, objects: { length: 2 } });
  });

  it('give the store’s own code as knowledge, once asked', async () => {
    for (const [code, name] of [
      [403, 'InvalidAccessKeyId'],
      [403, 'SignatureDoesNotMatch'],
      [404, 'NoSuchBucket'],
      [403, 'AccessDenied'],
    ] as const) {
      const { source, store } = await openStore((_, response) => refuse(response, code, name, `${name} said`));
      expect(await source.bucketAnswer(REFERENCE.id)).toEqual({
        code: name,
        status: code,
        message: `${name} said`,
        isS3: true,
        path: 's3://blocks',
      });
      expect(source.failures()).toEqual([
        { path: 's3://blocks', status: code, reason: name, message: `${name} said`, store: REFERENCE.id },
      ]);
      expect(store.requests).toHaveLength(1);
      expect(await gapOf(source.bucketListing(REFERENCE.id))).toMatchObject({ detail: `${name}: ${name} said` });
    }
  });

  it('tell a web page from an S3 server', async () => {
    for (const code of [200, 404, 403]) {
      const { source } = await openStore((_, response) => {
        response.writeHead(code, { 'content-type': 'text/html' });
        response.end('<html><body>Welcome</body></html>');
      });
      expect(await source.bucketAnswer(REFERENCE.id)).toMatchObject({
        isS3: false,
        status: code,
        code: 'NotAnS3Answer',
      });
      await gapOf(source.bucketListing(REFERENCE.id));
    }
  });

  it('are a gap where no answer comes', async () => {
    const silent = await openStore(() => new Promise(() => {}), { timeouts: { store: 100 } });
    expect(await gapOf(silent.source.bucketAnswer(REFERENCE.id))).toMatchObject({
      reason: 'timed-out',
      path: 's3://blocks',
    });
    expect(silent.source.failures()).toMatchObject([
      { path: 's3://blocks', status: 0, reason: 'timeout', store: REFERENCE.id },
    ]);
    const reset = await openStore(request => void request.socket.destroy());
    expect(await gapOf(reset.source.bucketAnswer(REFERENCE.id))).toMatchObject({ reason: 'unreachable' });
    const stopped = await openStore(s3(objects));
    stopped.store.server.close();
    stopped.store.server.closeAllConnections();
    expect(await gapOf(stopped.source.bucketAnswer(REFERENCE.id))).toMatchObject({ reason: 'unreachable' });
  });

  it('are asked over TLS with an authority that was given', async () => {
    const trusted = await openStore(s3(objects), { storeCertificateAuthority: AUTHORITY }, true);
    expect(await trusted.source.bucketAnswer(REFERENCE.id)).toMatchObject({ code: '' });
    const untrusted = await openStore(s3(objects), {}, true);
    expect(await gapOf(untrusted.source.bucketAnswer(REFERENCE.id))).toMatchObject({ reason: 'tls' });
  });

  it('are not asked without a configuration, without credentials, or where nobody wants it', async () => {
    const { source } = await openStore(s3(objects), { readBuckets: false });
    expect(await gapOf(source.bucketListing(REFERENCE.id))).toMatchObject({ reason: 'not-asked', notLookedAt: true });
    const unread = await openTest((await withSecret('')).url);
    expect(await gapOf(unread.bucketAnswer(REFERENCE.id))).toMatchObject({ reason: 'not-asked' });
    for (const text of ['type: GCS\nconfig: {bucket: b}', 'type: S3\nconfig: {bucket: b, endpoint: "localhost:1"}']) {
      const other = await openTest((await withSecret(text)).url);
      await other.objectStore(REFERENCE);
      expect(await gapOf(other.bucketAnswer(REFERENCE.id))).toMatchObject({ reason: 'not-asked', notLookedAt: true });
    }
  });

  it('use credentials that were given instead', async () => {
    const storeCredentials = { blocks: { accessKey: 'GIVEN', secretKey: 'given' } };
    const { source, store } = await openStore(s3(objects), { storeCredentials });
    await source.bucketAnswer(REFERENCE.id);
    expect(store.headers[0]?.authorization).toContain('Credential=GIVEN/');
  });
});

describe('probe', () => {
  const tcp = async (onConnection: (socket: Socket) => void) => {
    const server = createTcp(socket => {
      socket.on('error', () => {});
      onConnection(socket);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const probe = async (endpoint: string, options = {}) =>
    (await openTest('http://127.0.0.1:1', { timeouts: { probe: 150 }, ...options })).probe(endpoint);

  it('tells what a port speaks', async () => {
    const web = await startServer((_, response) => void response.end());
    expect(await probe(`127.0.0.1:${web.port}`)).toEqual({ tcp: 'open', speaks: 'http', certificate: null });
    const secure = await startServer(() => {}, { tls: true });
    expect(await probe(`127.0.0.1:${secure.port}`)).toEqual({
      tcp: 'open',
      speaks: 'tls',
      certificate: {
        notBefore: expect.stringMatching(/^2026-.*Z$/),
        notAfter: expect.stringMatching(/^2126-.*Z$/),
        names: ['localhost', '127.0.0.1', 'api.test', 'server'],
        issuer: 'test authority',
      },
    });
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const grpc = await tcp(socket =>
      socket.on('data', data =>
        data.toString('latin1').startsWith('PRI * HTTP/2.0') ? socket.write(settings) : socket.destroy(),
      ),
    );
    expect(await probe(grpc)).toMatchObject({ tcp: 'open', speaks: 'grpc' });
    expect(await probe(await tcp(() => {}))).toMatchObject({ tcp: 'open', speaks: 'nothing' });
  });

  it('tells why there is no connection', async () => {
    const closed = await startServer(() => {});
    closed.server.close();
    expect(await probe(`127.0.0.1:${closed.port}`)).toEqual({ tcp: 'refused', speaks: '', certificate: null });
    expect(await probe('minio.storage.svc:9000')).toMatchObject({ tcp: 'unresolved' });
    expect(await probe('minio.storage.svc.cluster.local:9000')).toMatchObject({ tcp: 'unresolved' });
    expect(await gapOf(probe('no port'))).toMatchObject({ reason: 'malformed' });
    const redirect = new Map([['10.9.8.7:443', 'timeout']]);
    expect(await probe('10.9.8.7:443', { redirect })).toMatchObject({ tcp: 'timeout' });
  });
});
