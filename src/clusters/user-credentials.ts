import { readFile } from 'node:fs/promises';
import type { RawObject } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import {
  CredentialFailure,
  type CredentialSource,
  type Credentials,
  type ExecPlugin,
  execCredentials,
} from './exec-credentials.ts';
import { from, type KubeconfigContext, pem } from './kubeconfig.ts';
import type { Impersonation } from './live-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A token file is read again after this many milliseconds, because the kubelet renews it in place. */
const TOKEN_FILE_LIFE = 60_000;
const PLUGIN_TIMEOUT = 60_000;

/** The credentials of a context's user, with impersonation. Throws a `UserError` for an entry that cannot be used. */
export async function userCredentials(
  context: KubeconfigContext,
  environment: Environment,
  impersonate: Impersonation | undefined,
  stop: AbortSignal,
): Promise<CredentialSource> {
  const own = await ownCredentials(context, environment, stop);
  const headers = impersonationHeaders(context.user, impersonate);
  return {
    async get() {
      const credentials = await own.get();
      return { ...credentials, headers: { ...credentials.headers, ...headers } as Credentials['headers'] };
    },
    refused: () => own.refused(),
  };
}

async function ownCredentials(
  context: KubeconfigContext,
  environment: Environment,
  stop: AbortSignal,
): Promise<CredentialSource> {
  const { user, userName, userFolder } = context;
  const refuse = (why: string) => new UserError(`cannot use context "${context.name}": ${why} (user "${userName}")`);
  const entry = { value: user, folder: userFolder };
  const cert = await pem(entry, 'client-certificate', refuse);
  const key = await pem(entry, 'client-key', refuse);
  const certificate = cert && key ? { cert, key } : undefined;
  if (user.exec) return execCredentials(plugin(context, environment, stop));
  if (typeof user.tokenFile === 'string') return tokenFile(from(userFolder, user.tokenFile), certificate);
  if (user.token) return fixed({ authorization: `Bearer ${user.token}` }, certificate);
  if (user.username) {
    const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return fixed({ authorization: `Basic ${basic}` }, certificate);
  }
  if (user['auth-provider']) return authProvider(user['auth-provider'], userName);
  return fixed({}, certificate);
}

function fixed(headers: Credentials['headers'], certificate: Credentials['certificate']): CredentialSource {
  const credentials: Credentials = { headers, ...(certificate ? { certificate } : {}) };
  return { get: async () => credentials, refused: () => false };
}

function tokenFile(path: string, certificate: Credentials['certificate']): CredentialSource {
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    async get() {
      if (performance.now() - readAt > TOKEN_FILE_LIFE) {
        token = await readFile(path, 'utf8').then(
          text => text.trim(),
          error => {
            throw new CredentialFailure(`the token file ${path} cannot be read: ${error.code}`);
          },
        );
        readAt = performance.now();
      }
      return { headers: { authorization: `Bearer ${token}` }, ...(certificate ? { certificate } : {}) };
    },
    refused() {
      const renewable = performance.now() - readAt > 1000;
      readAt = Number.NEGATIVE_INFINITY;
      return renewable;
    },
  };
}

function plugin(context: KubeconfigContext, environment: Environment, stop: AbortSignal): ExecPlugin {
  const { user, userName, userFolder, cluster } = context;
  const { exec } = user;
  const command = String(exec.command ?? '');
  const added = (exec.env ?? []).map((entry: RawObject) => [entry.name, String(entry.value ?? '')]);
  return {
    user: userName,
    apiVersion: String(exec.apiVersion ?? ''),
    // A command with a slash in it is a path that starts from the kubeconfig, any other is looked for in PATH.
    command: command.includes('/') ? from(userFolder, command) : command,
    args: (exec.args ?? []).map(String),
    environment: { ...environment, ...Object.fromEntries(added) },
    installHint: String(exec.installHint ?? ''),
    interactiveMode: String(exec.interactiveMode ?? ''),
    cluster: exec.provideClusterInfo === true ? clusterInfo(context, cluster) : undefined,
    timeout: PLUGIN_TIMEOUT,
    stop,
  };
}

/** `spec.cluster` of an ExecCredential. */
function clusterInfo(context: KubeconfigContext, cluster: RawObject): RawObject {
  const config = (cluster.extensions ?? []).find(
    (extension: RawObject) => extension?.name === 'client.authentication.k8s.io/exec',
  )?.extension;
  return {
    server: cluster.server,
    ...(context.tls.serverName ? { 'tls-server-name': context.tls.serverName } : {}),
    ...(context.tls.verify ? {} : { 'insecure-skip-tls-verify': true }),
    ...(context.tls.ca ? { 'certificate-authority-data': Buffer.from(context.tls.ca).toString('base64') } : {}),
    ...(context.proxyUrl ? { 'proxy-url': context.proxyUrl } : {}),
    config: config ?? null,
  };
}

/** `oidc` renews its token with the library's own client; kubectl has dropped the others, whose last token may still do. */
function authProvider(provider: RawObject, userName: string): CredentialSource {
  const config = provider.config ?? {};
  if (provider.name === 'oidc') return openIdConnect(provider);
  const token = config['access-token'];
  const expires = Date.parse(config.expiry ?? config['expires-on'] ?? '');
  return {
    async get() {
      if (token && !(expires < Date.now())) return { headers: { authorization: `Bearer ${token}` } };
      throw new CredentialFailure(
        `user ${userName} logs in by auth-provider ${provider.name}, which kubectl dropped in 1.26, and its token has ended; use its exec plugin instead`,
      );
    },
    refused: () => false,
  };
}

/** The token that is there for as long as it lasts; only then the provider is asked, once for all requests. */
function openIdConnect(provider: RawObject): CredentialSource {
  let token: string = provider.config?.['id-token'] ?? '';
  let renewal: Promise<string> | undefined;
  return {
    async get() {
      if (expiryOf(token) <= Date.now()) {
        renewal ??= renewedToken(provider);
        token = await renewal;
        renewal = undefined;
      }
      return { headers: { authorization: `Bearer ${token}` } };
    },
    refused: () => false,
  };
}

async function renewedToken(provider: RawObject): Promise<string> {
  const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
  const options = { headers: {} as Record<string, string> };
  try {
    await new OpenIDConnectAuth().applyAuthentication({ name: '', authProvider: provider }, options as never);
  } catch (error) {
    throw new CredentialFailure(`the OIDC token has ended and could not be renewed: ${(error as Error).message}`);
  }
  const token = options.headers.Authorization?.replace(/^Bearer /, '');
  if (!token) throw new CredentialFailure('the OIDC token has ended, and nothing is there to renew it with');
  return token;
}

/** Milliseconds since the epoch; 0 for what is no token. */
function expiryOf(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return 0;
  }
}

function impersonationHeaders(
  user: RawObject,
  given: Impersonation | undefined,
): Record<string, string | readonly string[]> {
  const name = given?.user ?? user.as;
  if (!name) return {};
  const groups = given ? given.groups : user['as-groups'];
  const uid = given ? given.uid : user['as-uid'];
  const extra = given ? {} : (user['as-user-extra'] ?? {});
  return {
    'impersonate-user': String(name),
    ...(groups?.length > 0 ? { 'impersonate-group': groups.map(String) } : {}),
    ...(uid ? { 'impersonate-uid': String(uid) } : {}),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `impersonate-extra-${encodeURIComponent(key).toLowerCase()}`,
        (values as unknown[]).map(String),
      ]),
    ),
  };
}
