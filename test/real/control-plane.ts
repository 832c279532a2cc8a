import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface ControlPlane {
  /** A kubeconfig with one context, whose user may do everything. */
  readonly kubeconfig: string;
  readonly url: string;
  /** Certificate and key of the server, which hold for 127.0.0.1. */
  readonly certificate: { readonly cert: string; readonly key: string };
  /** What was asked so far, as the server's own audit log tells it. */
  audited(): readonly AuditEvent[];
  /** A kubeconfig for another token. */
  kubeconfigFor(token: string): string;
  close(): Promise<void>;
}

/** An event of the API server's audit log, as far as it matters here. */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
  /** Holds how RBAC decided. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Tokens by user: one that may do everything, and two that may do nothing yet. */
export const TOKENS = { tester: 'only-for-this-test', fixer: 'fixer-of-this-test', looker: 'looker-of-this-test' };
const TOKEN = TOKENS.tester;

/** Where kube-apiserver and etcd lie: the convention of envtest; '' where there are none. */
export function controlPlaneAssets(environment = process.env): string {
  const folder = environment.KUBEBUILDER_ASSETS ?? '';
  const isThere = folder !== '' && ['kube-apiserver', 'etcd'].every(name => existsSync(join(folder, name)));
  return isThere ? folder : '';
}

/** Starts a real kube-apiserver over a real etcd, both on ports of 127.0.0.1, with nothing else around them. */
export async function startControlPlane(assets: string): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(assets);
    } catch (error) {
      // A port that was free a moment ago is another's now.
      if (attempt === 4 || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOnce(assets: string): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const [client, peer, secure] = await Promise.all([freePort(), freePort(), freePort()]);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(folder, 'service-accounts.key');
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const tokens = [
    `${TOKEN},tester,tester,system:masters`,
    `${TOKENS.fixer},fixer,fixer`,
    `${TOKENS.looker},looker,looker`,
  ];
  writeFileSync(join(folder, 'tokens.csv'), `${tokens.join('\n')}\n`, { mode: 0o600 });
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived', 'ResponseStarted'] };
  writeFileSync(join(folder, 'policy.yaml'), stringify({ ...policy, rules: [{ level: 'Metadata' }] }));
  const processes: ChildProcess[] = [];
  let words = '';
  const start = (name: string, args: readonly string[]) => {
    const child = spawn(join(assets, name), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', chunk => {
      words = (words + chunk).slice(-4000);
    });
    processes.push(child);
  };
  start('etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync',
  ]);
  start('kube-apiserver', [
    `--etcd-servers=http://127.0.0.1:${client}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://localhost',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    `--audit-policy-file=${join(folder, 'policy.yaml')}`,
    `--audit-log-path=${join(folder, 'audit.log')}`,
    // No controller makes the accounts that this plugin asks for.
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const url = `https://127.0.0.1:${secure}`;
  const close = async () => {
    await Promise.all(
      [...processes].reverse().map(
        child =>
          new Promise<void>(done => {
            if (child.exitCode !== null) return done();
            child.once('exit', () => done());
            child.kill('SIGKILL');
          }),
      ),
    );
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ended = () => processes.some(child => child.exitCode !== null);
    await untilReady(secure, ended, () => words);
  } catch (error) {
    await close();
    throw error;
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const kubeconfigFor = (token: string) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'tester', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
      'current-context': 'test',
    });
  return {
    url,
    kubeconfig: kubeconfigFor(TOKEN),
    kubeconfigFor,
    certificate: { cert: read('certificates/apiserver.crt'), key: read('certificates/apiserver.key') },
    audited: () =>
      read('audit.log')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line)),
    close,
  };
}

async function untilReady(port: number, ended: () => boolean, words: () => string): Promise<void> {
  const { request } = await import('node:https');
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && !ended()) {
    const status = await new Promise<number>(done => {
      const asked = request(
        {
          host: '127.0.0.1',
          port,
          path: '/readyz',
          rejectUnauthorized: false,
          headers: { authorization: `Bearer ${TOKEN}` },
        },
        response => {
          response.resume();
          done(response.statusCode ?? 0);
        },
      );
      asked.on('error', () => done(0));
      asked.end();
    });
    if (status === 200) return;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  throw new Error(`the API server did not become ready:\n${words()}`);
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
