import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import { proxyFor } from '../../src/clusters/proxy-environment.ts';
import { openTransport } from '../../src/clusters/transport.ts';
import { UserError } from '../../src/model/user-error.ts';
import { AUTHORITY, CLIENT_CERTIFICATE, CLIENT_KEY } from './certificates.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, json, kubeconfigFor, listOf, openTest, startServer, status } from './test-server.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const quiet = () => apiHandler(() => {});

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'connection-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text, { mode: 0o755 });
  return path;
}

async function userError(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.catch(reason => reason);
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, found ${error}`);
}

describe('kubeconfig', () => {
  const context = (name: string, server: string) =>
    JSON.stringify({
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster: { server } }],
      users: [{ name, user: {} }],
    });

  it('joins several files: the first that names something wins, a missing one is skipped', async () => {
    const first = await startServer(quiet());
    const second = await startServer(quiet());
    const path = await folder({
      a: context('same', first.url),
      b: context('same', second.url),
      c: context('other', second.url),
    });
    const environment = { KUBECONFIG: ['missing', 'a', 'b', 'c'].map(name => join(path, name)).join(':') };
    const open = async (name?: string) => {
      const source = await openLiveCluster({ name: 'x', environment, ...(name ? { context: name } : {}) });
      onTestFinished(() => source.close());
      return (await source.server()).host;
    };
    expect(await open()).toBe(new URL(first.url).host);
    expect(await open('other')).toBe(new URL(second.url).host);
  });

  it('says what is wrong in the shape of every error', async () => {
    const path = await folder({
      good: JSON.stringify({
        contexts: ['cluster-01', 'cluster-02', 'cluster-04'].map(name => ({
          name,
          context: { cluster: name, user: '' },
        })),
        clusters: [{ name: 'cluster-02', cluster: { server: 'nonsense' } }],
      }),
      broken: 'clusters: [\ntoken: hunter2',
      list: '- a',
    });
    const open = (file: string, name?: string) =>
      userError(
        openLiveCluster({
          name: 'x',
          kubeconfig: join(path, file),
          environment: { HOME: path },
          ...(name ? { context: name } : {}),
        }),
      );
    const unknown = await open('good', 'cluster-9');
    expect(unknown.message).toBe('cannot use context "cluster-9": it is not in ~/good');
    expect(unknown.hints).toEqual(['contexts there: cluster-01, cluster-02, cluster-04', 'did you mean cluster-04?']);
    expect((await open('good')).message).toBe('no context was named, and ~/good has no current one');
    expect((await open('good', 'cluster-01')).message).toContain('its cluster "cluster-01" is not in ~/good');
    expect((await open('good', 'cluster-02')).message).toContain('"nonsense", is no http or https URL');
    expect((await open('missing')).message).toBe('cannot read kubeconfig ~/missing: there is no such file');
    const broken = await open('broken');
    expect(broken.message).toMatch(/^cannot read kubeconfig ~\/broken: it is no YAML \(line [0-9]: /);
    expect(`${broken.message}${broken.hints}`).not.toContain('hunter2');
    expect((await open('list')).message).toContain('it is no mapping');
    const nothing = await userError(openLiveCluster({ name: 'x', environment: { HOME: path } }));
    expect(nothing.message).toBe('there is no kubeconfig');
  });

  it('finds the service account of a pod', async () => {
    const server = await startServer(quiet(), { tls: true });
    const path = await folder({ token: 'abc\n', 'ca.crt': AUTHORITY, namespace: 'here' });
    const environment = {
      HOME: path,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(server.port),
    };
    const source = await openLiveCluster({ name: 'x', environment, serviceAccountFolder: path });
    onTestFinished(() => source.close());
    expect((await source.server()).context).toBe('in-cluster');
    expect(server.headers[0]?.authorization).toBe('Bearer abc');
  });

  it('sends tokens, token files, passwords and impersonation', async () => {
    const server = await startServer(quiet());
    const path = await folder({ token: 'from-file' });
    const sent = async (user: object, options = {}) => {
      await (await openTest(server.url, options, { user })).server();
      return server.headers.at(-1)!;
    };
    expect((await sent({ token: 'abc' })).authorization).toBe('Bearer abc');
    expect((await sent({ tokenFile: join(path, 'token') })).authorization).toBe('Bearer from-file');
    expect((await sent({ username: 'u', password: 'p' })).authorization).toBe(`Basic ${base64('u:p')}`);
    expect(await sent({ as: 'somebody', 'as-groups': ['g'] })).toMatchObject({
      'impersonate-user': 'somebody',
      'impersonate-group': 'g',
    });
    const flags = await sent({ as: 'somebody' }, { impersonate: { user: 'other', groups: ['a', 'b'] } });
    expect(flags).toMatchObject({ 'impersonate-user': 'other', 'impersonate-group': 'a, b' });
    const token = `e30.${Buffer.from(JSON.stringify({ exp: 4e9 })).toString('base64url')}.x`;
    expect((await sent({ 'auth-provider': { name: 'oidc', config: { 'id-token': token } } })).authorization).toBe(
      `Bearer ${token}`,
    );
    const gone = await openTest(server.url, {}, { user: { 'auth-provider': { name: 'gcp', config: {} } } });
    expect(await gapOf(gone.server())).toMatchObject({ reason: 'unauthenticated' });
    expect(gone.failures()).toMatchObject([{ path: 'kubeconfig', status: 0, reason: 'kubeconfig' }]);
  });

  it('tells when a credential ends that does not renew itself', async () => {
    const server = await startServer(quiet());
    const ends = async (user: object) => (await (await openTest(server.url, {}, { user })).server()).credential;
    const tokenOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    const pair = { 'client-certificate-data': base64(CLIENT_CERTIFICATE), 'client-key-data': base64(CLIENT_KEY) };
    expect(await ends({ token: tokenOf({ exp: 4e9 }) })).toMatchObject({
      kind: 'token',
      expires: '2096-10-02T07:06:40.000Z',
    });
    expect(await ends(pair)).toMatchObject({
      kind: 'client certificate',
      expires: expect.stringMatching(/^[0-9]{4}-/),
    });
    for (const user of [{}, { token: 'opaque' }, { token: tokenOf({}) }, { username: 'u', password: 'p' }]) {
      expect(await ends(user)).toBeUndefined();
    }
  });

  it('tells the clock of the server against the clock here', async () => {
    const ahead = new Date(Date.now() + 300_000).toUTCString();
    const server = await startServer(
      apiHandler((_, response) => {
        response.setHeader('date', ahead);
      }),
    );
    const { clock } = await (await openTest(server.url)).server();
    expect(clock?.difference).toBeGreaterThan(295);
    expect(clock?.difference).toBeLessThan(305);
    expect(clock?.within).toBeLessThan(5);
  });
});

describe('TLS', () => {
  it('trusts the authority of the kubeconfig, checks names, and shows client certificates', async () => {
    const server = await startServer(
      apiHandler((request, response, url) => {
        if (url.pathname !== '/version') return;
        const socket = request.socket as unknown as { authorized: boolean };
        json(response, { minor: '34', gitVersion: socket.authorized ? 'known' : 'unknown' });
      }),
      { tls: true, clientCertificates: true },
    );
    const trust = { 'certificate-authority-data': base64(AUTHORITY) };
    const user = { 'client-certificate-data': base64(CLIENT_CERTIFICATE), 'client-key-data': base64(CLIENT_KEY) };
    const version = async (cluster: object, entry: object = {}) =>
      (await (await openTest(server.url, {}, { cluster, user: entry })).server()).version;
    expect(await version(trust, user)).toBe('known');
    expect(await version(trust)).toBe('unknown');
    const path = await folder({ ca: AUTHORITY, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY });
    const files = { 'client-certificate': join(path, 'cert'), 'client-key': join(path, 'key') };
    expect(await version({ 'certificate-authority': join(path, 'ca') }, files)).toBe('known');
    expect(await version({ 'insecure-skip-tls-verify': true })).toBe('unknown');
    expect(await version({ ...trust, 'tls-server-name': 'api.test' })).toBe('unknown');
    const wrongName = await openTest(server.url, {}, { cluster: { ...trust, 'tls-server-name': 'other.test' } });
    expect(await gapOf(wrongName.server())).toMatchObject({ reason: 'tls' });
    const untrusted = await openTest(server.url);
    expect(await gapOf(untrusted.server())).toMatchObject({ reason: 'tls' });
    const plain = await startServer(quiet());
    const mismatch = await openTest(plain.url.replace('http:', 'https:'));
    expect(await gapOf(mismatch.server())).toMatchObject({ reason: 'tls' });
  });
});

describe('credential plugins', () => {
  const answer = (status: object) =>
    JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
  const exec = (command: string, more: object = {}) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more },
  });
  const pods = () =>
    apiHandler((_, response, url) => {
      if (url.pathname.endsWith('/pods')) json(response, listOf([]));
    });

  it('runs once for many requests, is told of the cluster, and gets no standard input', async () => {
    const path = await folder({
      plugin: `#!/bin/sh\necho run >> "$0.runs"\necho "$KUBERNETES_EXEC_INFO" > "$0.info"\ncat > "$0.stdin"\necho '${answer({ token: 'abc' })}'\n`,
    });
    const server = await startServer(pods());
    const user = exec(join(path, 'plugin'), { provideClusterInfo: true, env: [{ name: 'X', value: 'y' }] });
    const source = await openTest(server.url, {}, { user });
    await source.server();
    await Promise.all(Array.from({ length: 20 }, () => source.list('', 'pods')));
    expect(server.headers.every(headers => headers.authorization === 'Bearer abc')).toBe(true);
    expect(await readFile(join(path, 'plugin.runs'), 'utf8')).toBe('run\n');
    expect(await readFile(join(path, 'plugin.stdin'), 'utf8')).toBe('');
    expect(JSON.parse(await readFile(join(path, 'plugin.info'), 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: server.url } },
    });
  });

  it('runs again once its credential has ended, and once after a 401', async () => {
    const path = await folder({
      ended: `#!/bin/sh\necho run >> "$0.runs"\necho '${answer({ token: 'a', expirationTimestamp: '2020-01-01T00:00:00Z' })}'\n`,
      refused: `#!/bin/sh\necho run >> "$0.runs"\necho '${answer({ token: 'a' })}'\n`,
    });
    const runs = async (name: string) => (await readFile(join(path, `${name}.runs`), 'utf8')).trim().split('\n').length;
    const server = await startServer(pods());
    const ended = await openTest(server.url, {}, { user: exec(join(path, 'ended')) });
    await ended.discovery();
    expect(await runs('ended')).toBeGreaterThan(1);
    let count = 0;
    const strict = await startServer((_, response) => {
      count += 1;
      if (count === 1) return status(response, 401, 'Unauthorized', 'Unauthorized');
      json(response, { gitVersion: 'v1', minor: '1' });
    });
    const refused = await openTest(strict.url, {}, { user: exec(join(path, 'refused')) });
    expect((await refused.server()).version).toBe('v1');
    expect(await runs('refused')).toBe(2);
    const never = await startServer((_, response) => status(response, 401, 'Unauthorized', 'Unauthorized'));
    const locked = await openTest(never.url, {}, { user: exec(join(path, 'refused')) });
    expect(await gapOf(locked.server())).toMatchObject({ reason: 'unauthenticated' });
    expect(never.requests).toHaveLength(2);
  });

  it('is ended with the run', async () => {
    const path = await folder({ hangs: '#!/bin/sh\nexec sleep 30\n' });
    const source = await openTest(
      'http://127.0.0.1:1',
      { deadline: Date.now() + 100 },
      { user: exec(join(path, 'hangs')) },
    );
    const started = performance.now();
    expect((await gapOf(source.server())).detail).toContain('was stopped before it answered');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('says why there is no credential', async () => {
    const path = await folder({
      fails: '#!/bin/sh\necho "token=AbCdEf0123456789xyzQ is over" >&2\nexit 3\n',
      garbage: '#!/bin/sh\necho secret-garbage\n',
      empty: `#!/bin/sh\necho '${answer({})}'\n`,
    });
    const server = await startServer(quiet());
    const detail = async (user: object) => {
      const source = await openTest(server.url, {}, { user });
      const gap = await gapOf(source.server());
      expect(gap.reason).toBe('unauthenticated');
      expect(source.failures()).toMatchObject([{ path: 'kubeconfig', status: 0, reason: 'kubeconfig' }]);
      return gap.detail;
    };
    expect(await detail(exec('no-such-plugin', { installHint: 'install it' }))).toBe(
      'the credential plugin no-such-plugin of user test is not installed; install it',
    );
    const failed = await detail(exec(join(path, 'fails')));
    expect(failed).toContain('ended with 3: token=redacted:hmac:');
    expect(failed).not.toContain('AbCdEf');
    expect(await detail(exec(join(path, 'garbage')))).toContain('wrote 15 characters that are not JSON');
    expect(await detail(exec(join(path, 'empty')))).toContain('gave neither a token nor a certificate');
    expect(await detail(exec('x', { apiVersion: 'client.authentication.k8s.io/v1alpha1' }))).toContain('v1alpha1');
    expect(server.requests).toEqual([]);
  });
});

describe('proxies', () => {
  it('follows NO_PROXY as Go does', () => {
    const by = (url: string, list: string) =>
      proxyFor(new URL(url), { HTTPS_PROXY: 'http://proxy:3128', no_proxy: list });
    expect(by('https://api.example.com', '')).toBe('http://proxy:3128');
    expect(by('https://10.1.2.3:6443', '10.0.0.0/8')).toBe('');
    expect(by('https://11.1.2.3:6443', '10.0.0.0/8')).toBe('http://proxy:3128');
    expect(by('https://[fd00::1]:6443', 'fd00::/8')).toBe('');
    expect(by('https://api.example.com', 'example.com')).toBe('');
    expect(by('https://api.example.com', '*.example.com')).toBe('');
    expect(by('https://badexample.com', 'example.com')).toBe('http://proxy:3128');
    expect(by('https://example.com', '.example.com')).toBe('http://proxy:3128');
    expect(by('https://api.example.com:6443', 'api.example.com:443')).toBe('http://proxy:3128');
    expect(by('https://api.example.com:6443', 'api.example.com:6443')).toBe('');
    expect(by('https://10.1.2.3', '10.1.2.3')).toBe('');
    expect(by('https://anything', '*')).toBe('');
    expect(by('https://127.0.0.1', '')).toBe('');
    expect(proxyFor(new URL('http://api.example.com'), { HTTPS_PROXY: 'http://proxy:3128' })).toBe('');
  });

  it('goes through proxy-url, and through HTTPS_PROXY for what is not exempt', async () => {
    const server = await startServer(quiet(), { tls: true });
    const asked: string[] = [];
    const proxy = await startServer(() => {});
    proxy.server.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const upstream = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    const cluster = { 'certificate-authority-data': base64(AUTHORITY) };
    const named = await openTest(server.url, {}, { cluster: { ...cluster, 'proxy-url': proxy.url } });
    await named.server();
    expect(asked).toEqual([`127.0.0.1:${server.port}`]);
    const url = 'https://api.test:6443';
    const environment = { HOME: '/nonexistent', HTTPS_PROXY: proxy.url };
    const kubeconfig = await kubeconfigFor(url, { cluster });
    expect((await (await openTest(url, { kubeconfig, environment })).server()).version).toBe('v1.34.4');
    expect(asked.at(-1)).toBe('api.test:6443');
    const exempt = await openTest(url, { kubeconfig, environment: { ...environment, NO_PROXY: 'api.test' } });
    await gapOf(exempt.server());
    expect(asked).toHaveLength(2);
  });

  it('goes through a SOCKS proxy', async () => {
    const server = await startServer(quiet(), { tls: true });
    const socks = createTcp(socket => {
      socket.once('data', () => {
        socket.write(Buffer.from([5, 0]));
        socket.once('data', () => {
          const upstream = connect(server.port, '127.0.0.1', () => {
            socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
            upstream.pipe(socket).pipe(upstream);
          });
          socket.on('close', () => upstream.destroy());
        });
      });
      socket.on('error', () => {});
    });
    await new Promise<void>(resolve => socks.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void socks.close());
    const { port } = socks.address() as AddressInfo;
    const cluster = { 'certificate-authority-data': base64(AUTHORITY), 'proxy-url': `socks5://127.0.0.1:${port}` };
    expect((await (await openTest(server.url, {}, { cluster })).server()).version).toBe('v1.34.4');
  });
});

it('a path that cannot be asked for is a failure of that request, and of nothing later', async () => {
  const transport = await openTransport({ base: new URL('http://127.0.0.1:9') });
  onTestFinished(() => transport.close());
  await expect(transport.read({ path: '/api/v1/namespaces/a b\n', timeout: 30 })).rejects.toMatchObject({
    name: 'TransportFailure',
    reason: 'error',
  });
  // What the time limit would do to a request that was never made.
  await new Promise(resolve => setTimeout(resolve, 60));
});
