import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { RawObject } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A named entry of a kubeconfig, and the folder that its relative paths start from. */
interface Entry {
  readonly value: RawObject;
  readonly folder: string;
}

/** Several kubeconfig files as one. Of entries with the same name, the first file's counts. */
export interface Kubeconfig {
  /** The files that were read, as they are called in messages; empty where there is none. */
  readonly place: string;
  readonly currentContext: string;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
}

/** What leads to one API server: where it is, whom to trust, and the user's entry, not yet turned into credentials. */
export interface KubeconfigContext {
  readonly name: string;
  readonly server: URL;
  readonly namespace: string;
  readonly userName: string;
  readonly user: RawObject;
  /** The folder that relative paths of the user's entry start from. */
  readonly userFolder: string;
  /** The cluster's entry as a plugin may see it. */
  readonly cluster: RawObject;
  readonly tls: {
    /** PEM; undefined for the system's own. */
    readonly ca: string | undefined;
    readonly serverName: string;
    readonly verify: boolean;
  };
  readonly proxyUrl: string;
  readonly place: string;
}

/**
 * Reads the kubeconfig: the file that was named, else the files of `KUBECONFIG` (missing ones are skipped, as kubectl
 * does), else `~/.kube/config`. Throws a `UserError` for a named file that is missing and for one that cannot be used.
 */
export async function readKubeconfig(named: string | undefined, environment: Environment): Promise<Kubeconfig> {
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter(path => path !== '');
  const home = environment.HOME ?? homedir();
  const paths = named ? [named] : listed.length > 0 ? listed : [join(home, '.kube', 'config')];
  const places: string[] = [];
  const contexts = new Map<string, Entry>();
  const clusters = new Map<string, Entry>();
  const users = new Map<string, Entry>();
  let currentContext = '';
  for (const path of paths) {
    const place = shortened(path, home);
    const text = await readOrMissing(path, place);
    if (text === undefined) {
      if (named) throw new UserError(`cannot read kubeconfig ${place}: there is no such file`);
      continue;
    }
    const document = parseKubeconfig(text, place);
    places.push(place);
    currentContext ||= typeof document['current-context'] === 'string' ? document['current-context'] : '';
    const folder = dirname(resolve(path));
    addEntries(contexts, document.contexts, 'context', folder, place);
    addEntries(clusters, document.clusters, 'cluster', folder, place);
    addEntries(users, document.users, 'user', folder, place);
  }
  return { place: places.join(', '), currentContext, contexts, clusters, users };
}

/** The context of that name, or the current one. Throws a `UserError` that lists those there are. */
export async function resolveContext(kubeconfig: Kubeconfig, wanted: string | undefined): Promise<KubeconfigContext> {
  const { place } = kubeconfig;
  const names = [...kubeconfig.contexts.keys()].sort();
  const name = wanted ?? kubeconfig.currentContext;
  if (!name) {
    throw new UserError(
      `no context was named, and ${place} has no current one`,
      names.length > 0 ? `contexts there: ${names.join(', ')}` : 'there is no context at all',
    );
  }
  const refuse = (why: string, ...hints: readonly string[]) =>
    new UserError(`cannot use context "${name}": ${why}`, ...hints);
  const context = kubeconfig.contexts.get(name);
  if (!context) {
    const near = nearest(name, names);
    throw refuse(
      `it is not in ${place}`,
      names.length > 0 ? `contexts there: ${names.join(', ')}` : 'there is no context at all',
      ...(near ? [`did you mean ${near}?`] : []),
    );
  }
  const clusterName = String(context.value.cluster ?? '');
  const cluster = kubeconfig.clusters.get(clusterName);
  if (!cluster) throw refuse(`its cluster "${clusterName}" is not in ${place}`);
  const userName = String(context.value.user ?? '');
  const user = kubeconfig.users.get(userName);
  if (userName && !user) throw refuse(`its user "${userName}" is not in ${place}`);
  return {
    name,
    server: serverUrl(cluster.value.server, refuse),
    namespace: String(context.value.namespace ?? 'default'),
    userName,
    user: user?.value ?? {},
    userFolder: user?.folder ?? '',
    cluster: cluster.value,
    tls: {
      ca: await pem(cluster, 'certificate-authority', refuse),
      serverName: String(cluster.value['tls-server-name'] ?? ''),
      verify: cluster.value['insecure-skip-tls-verify'] !== true,
    },
    proxyUrl: String(cluster.value['proxy-url'] ?? ''),
    place,
  };
}

/** The API server as a pod finds it, or undefined outside of a cluster. */
export async function inClusterContext(
  environment: Environment,
  folder = '/var/run/secrets/kubernetes.io/serviceaccount',
): Promise<KubeconfigContext | undefined> {
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT ?? '443';
  const tokenFile = join(folder, 'token');
  if (!host || (await readOrMissing(tokenFile, tokenFile)) === undefined) return undefined;
  return {
    name: 'in-cluster',
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: ((await readOrMissing(join(folder, 'namespace'), folder)) ?? 'default').trim(),
    userName: 'service account',
    user: { tokenFile },
    userFolder: folder,
    cluster: {},
    tls: { ca: await readOrMissing(join(folder, 'ca.crt'), folder), serverName: '', verify: true },
    proxyUrl: '',
    place: folder,
  };
}

/** PEM of `key` or `key-data` of an entry; undefined where it has neither. Data wins, as in kubectl. */
export async function pem(entry: Entry, key: string, refuse: (why: string) => UserError): Promise<string | undefined> {
  const data = entry.value[`${key}-data`];
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  const path = entry.value[key];
  if (typeof path !== 'string' || path === '') return undefined;
  const text = await readOrMissing(from(entry.folder, path), path);
  if (text === undefined) throw refuse(`its ${key} ${path} does not exist`);
  return text;
}

/** A path of a kubeconfig, which starts from the file's own folder. */
export function from(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function serverUrl(server: unknown, refuse: (why: string) => UserError): URL {
  const text = String(server ?? '');
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw refuse(`the server of its cluster, "${text}", is no http or https URL`);
  }
  return new URL(text);
}

async function readOrMissing(path: string, place: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(`cannot read ${place}: ${code === 'EACCES' ? 'permission denied' : code}`);
  }
}

function parseKubeconfig(text: string, place: string): RawObject {
  const lines = new LineCounter();
  // Without pretty errors: they quote the file, and the file holds credentials.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new UserError(`cannot read kubeconfig ${place}: it is no YAML (line ${line}: ${error.code.toLowerCase()})`);
  }
  const value = document.toJS({ maxAliasCount: 100 });
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new UserError(`cannot read kubeconfig ${place}: it is no mapping of clusters, users and contexts`);
  }
  return value;
}

function addEntries(into: Map<string, Entry>, list: unknown, key: string, folder: string, place: string): void {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw new UserError(`cannot read kubeconfig ${place}: its ${key}s are no list`);
  for (const entry of list) {
    const name = entry?.name;
    if (typeof name !== 'string') throw new UserError(`cannot read kubeconfig ${place}: a ${key} has no name`);
    if (!into.has(name)) into.set(name, { value: entry[key] ?? {}, folder });
  }
}

function shortened(path: string, home: string): string {
  return home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** The name that differs least, if it differs by little. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map(other => ({ other, distance: editDistance(name, other) }));
  ranked.sort((a, b) => a.distance - b.distance || b.other.localeCompare(a.other));
  const [best] = ranked;
  return best && best.distance <= Math.max(2, Math.floor(name.length / 2)) ? best.other : undefined;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
