import { readFileSync } from 'node:fs';
import type { LiveClusterOptions, StoreCredentials } from '../clusters/live-options.ts';
import { seconds } from '../evidence/quantities.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import type { FleetCluster, FleetFile } from './fleet-file.ts';

export interface LiveChoice {
  readonly kubeconfig: string;
  /** Contexts by name; empty for the current one. */
  readonly contexts: readonly string[];
  readonly allContexts: boolean;
  readonly fleet: FleetFile | undefined;
  readonly namespaces: readonly string[];
  /** A duration such as `2h`; '' for the whole log, within its bounds. */
  readonly since: string;
  readonly readSecrets: boolean;
  readonly portForward: boolean;
  /** Folder in which what was read of blocks is remembered; without it nothing is. */
  readonly cacheFolder?: string;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** What tests and the demo add. */
  readonly overrides?: Partial<LiveClusterOptions>;
}

/** All of each cluster, where nobody chose otherwise. */
export const AS_USUAL = {
  allContexts: false,
  fleet: undefined,
  namespaces: [],
  since: '',
  readSecrets: true,
  portForward: false,
} as const satisfies Partial<LiveChoice>;

/** Opens the clusters that were chosen: those of the fleet file, or contexts of the kubeconfig. Nothing is asked yet. */
export async function openLive(choice: LiveChoice): Promise<readonly Source[]> {
  const { openLiveCluster } = await import('../clusters/live-source.ts');
  return Promise.all(
    (await liveOptionsOf(choice)).map(async options => ({
      ...(await openLiveCluster(options)),
      context: options.context ?? '',
    })),
  );
}

/** How each of the chosen clusters is opened, for reading or for changing it. */
export async function liveOptionsOf(choice: LiveChoice): Promise<readonly LiveClusterOptions[]> {
  const { createFingerprint } = await import('../clusters/fingerprint.ts');
  const shared: Partial<LiveClusterOptions> = {
    readSecrets: choice.readSecrets,
    portForward: choice.portForward,
    ...(choice.cacheFolder === undefined ? {} : { cacheFolder: choice.cacheFolder }),
    logs: choice.since ? { sinceSeconds: sinceSeconds(choice.since) } : {},
    signal: choice.signal,
    deadline: choice.deadline,
    fingerprint: createFingerprint(),
    ...(choice.namespaces.length > 0 ? { onlyNamespaces: choice.namespaces } : {}),
    ...choice.overrides,
  };
  const wanted = choice.fleet ? fleetClusters(choice.fleet, choice) : await contextClusters(choice);
  return wanted.map(options => ({ ...shared, ...options }));
}

function sinceSeconds(text: string): number {
  if (!/^([0-9]+(ms|s|m|h|d|w))+$/.test(text))
    throw new UserError(`--since needs a duration such as 30m or 2h, not "${text}"`);
  return Math.max(1, Math.round(seconds(text)));
}

function fleetClusters(fleet: FleetFile, choice: LiveChoice): readonly LiveClusterOptions[] {
  const chosen = choice.contexts.length === 0 ? fleet.clusters : choice.contexts.map(name => namedCluster(fleet, name));
  return chosen.map(cluster => ({
    name: cluster.name,
    context: cluster.context,
    roleHint: cluster.role,
    namespaces: cluster.namespaces,
    endpoints: cluster.endpoints,
    storeCredentials: credentialsOf(cluster),
    ...(cluster.kubeconfig || choice.kubeconfig ? { kubeconfig: cluster.kubeconfig || choice.kubeconfig } : {}),
    ...(cluster.storeCertificateAuthority
      ? { storeCertificateAuthority: readCertificate(cluster.storeCertificateAuthority) }
      : {}),
  }));
}

function namedCluster(fleet: FleetFile, name: string): FleetCluster {
  const found = fleet.clusters.find(cluster => cluster.name === name || cluster.context === name);
  if (found) return found;
  throw new UserError(
    `cannot use context "${name}": it is not in the fleet file ${fleet.path}`,
    `clusters there: ${fleet.clusters.map(cluster => cluster.name).join(', ')}`,
  );
}

function credentialsOf(cluster: FleetCluster): Readonly<Record<string, StoreCredentials>> {
  const credentials: Record<string, StoreCredentials> = {};
  for (const [bucket, { accessKeyEnv, secretKeyEnv }] of Object.entries(cluster.buckets)) {
    credentials[bucket] = { accessKey: environmentValue(accessKeyEnv), secretKey: environmentValue(secretKeyEnv) };
  }
  return credentials;
}

function environmentValue(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new UserError(`the environment variable ${name}, which the fleet file names, is not set`);
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read the certificate authority ${path}: ${(error as Error).message}`);
  }
}

async function contextClusters(choice: LiveChoice): Promise<readonly LiveClusterOptions[]> {
  const file = choice.kubeconfig ? { kubeconfig: choice.kubeconfig } : {};
  if (choice.contexts.length > 0) return choice.contexts.map(name => ({ name, context: name, ...file }));
  const { readKubeconfig } = await import('../clusters/kubeconfig.ts');
  const { contexts, currentContext, place } = await readKubeconfig(choice.kubeconfig || undefined, process.env);
  if (choice.allContexts) {
    if (contexts.size === 0) throw new UserError(`there is no context in ${place || 'any kubeconfig'}`);
    return [...contexts.keys()].map(name => ({ name, context: name, ...file }));
  }
  // Without a kubeconfig this may be a pod, whose service account is used then; its cluster has no name of its own.
  return [currentContext ? { name: currentContext, context: currentContext, ...file } : { name: 'cluster', ...file }];
}
