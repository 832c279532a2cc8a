import { spawn } from 'node:child_process';
import type { RawObject } from '../model/source.ts';

/** What a request is authenticated with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** PEM client certificate and key. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** Credentials that may have to be renewed. */
export interface CredentialSource {
  get(): Promise<Credentials>;
  /** Called after a 401. True where asking again may give others. */
  refused(): boolean;
}

/** Why there are no credentials; recorded under the path `kubeconfig`. */
export class CredentialFailure extends Error {}

/** The `exec` entry of a kubeconfig user. */
export interface ExecPlugin {
  readonly user: string;
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly installHint: string;
  readonly interactiveMode: string;
  /** `spec.cluster` of KUBERNETES_EXEC_INFO, where the plugin asks for it. */
  readonly cluster: RawObject | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  /** Ends the plugin. */
  readonly stop: AbortSignal;
}

/** A credential is renewed this long before it ends. */
const EXPIRY_MARGIN = 30_000;
const OUTPUT_LIMIT = 1024 ** 2;

/**
 * Runs a credential plugin: once for any number of requests at the same time, and again only when its credential has
 * expired or was refused. A plugin that failed is not run again.
 */
export function execCredentials(plugin: ExecPlugin, clock: () => number = Date.now): CredentialSource {
  let current: Promise<{ readonly credentials: Credentials; readonly expires: number }> | undefined;
  let renewedAfterRefusal = false;
  return {
    async get() {
      current ??= runPlugin(plugin);
      const held = current;
      const { credentials, expires } = await held;
      if (expires - EXPIRY_MARGIN > clock()) return credentials;
      if (current === held) current = runPlugin(plugin);
      return (await current).credentials;
    },
    refused() {
      if (renewedAfterRefusal) return false;
      renewedAfterRefusal = true;
      current = undefined;
      return true;
    },
  };
}

async function runPlugin(plugin: ExecPlugin) {
  const { apiVersion, command, user } = plugin;
  const called = `the credential plugin ${command} of user ${user}`;
  if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion)) {
    throw new CredentialFailure(`${called} asks for ${apiVersion || 'no apiVersion'}; v1 and v1beta1 are known`);
  }
  if (plugin.interactiveMode === 'Always') throw new CredentialFailure(`${called} wants to ask questions`);
  const answer = parseAnswer(await output(plugin, called), called);
  if (answer?.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) {
    throw new CredentialFailure(`${called} answered with ${answer?.apiVersion} ${answer?.kind}, not ${apiVersion}`);
  }
  const status = answer.status ?? {};
  const { token, clientCertificateData, clientKeyData } = status;
  if (!token && !(clientCertificateData && clientKeyData)) {
    throw new CredentialFailure(`${called} gave neither a token nor a certificate with its key`);
  }
  const expires = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.POSITIVE_INFINITY;
  const credentials: Credentials = {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(clientCertificateData ? { certificate: { cert: clientCertificateData, key: clientKeyData } } : {}),
  };
  return { credentials, expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires };
}

function parseAnswer(text: string, called: string): RawObject {
  try {
    return JSON.parse(text);
  } catch {
    // What it wrote may be half a credential: it is not quoted.
    throw new CredentialFailure(`${called} wrote ${text.length} characters that are not JSON`);
  }
}

function output(plugin: ExecPlugin, called: string): Promise<string> {
  const { apiVersion, command, args, installHint, cluster } = plugin;
  const spec = { interactive: false, ...(cluster ? { cluster } : {}) };
  const environment = {
    ...plugin.environment,
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
  };
  const hint = installHint ? `; ${installHint.trim().split('\n')[0]}` : '';
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new CredentialFailure(`${called} ${what}`));
    // Standard input is closed: a plugin that asks for a password must fail rather than wait.
    const child = spawn(command, args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: most plugins are scripts, whose children have to end with them.
      detached: true,
    });
    const end = (what: string) => {
      fail(what);
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => end(`did not end within ${plugin.timeout / 1000} s`), plugin.timeout);
    const onStop = () => end('was stopped before it answered');
    const settle = () => {
      clearTimeout(timer);
      plugin.stop.removeEventListener('abort', onStop);
    };
    plugin.stop.addEventListener('abort', onStop);
    if (plugin.stop.aborted) onStop();
    let standardOutput = '';
    let standardError = '';
    child.stdout.setEncoding('utf8').on('data', chunk => {
      if (standardOutput.length < OUTPUT_LIMIT) standardOutput += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', chunk => {
      if (standardError.length < OUTPUT_LIMIT) standardError += chunk;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      if (error.code === 'ENOENT') fail(`is not installed${hint}`);
      else fail(`could not be started: ${error.code}`);
    });
    child.on('close', code => {
      settle();
      if (code === 0) return resolve(standardOutput);
      const last = standardError.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
      fail(`ended with ${code ?? 'a signal'}${last ? `: ${last}` : ''}`);
    });
  });
}
