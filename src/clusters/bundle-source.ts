import { parse } from 'yaml';
import { type GapReason, GapSignal } from '../model/gap.ts';
import type {
  AccessReview,
  BucketListing,
  Discovery,
  HttpRequest,
  ListAnswer,
  ListedObject,
  LogAnswer,
  LogRequest,
  ProbeAnswer,
  RawObject,
  ReadFailure,
  ServedResource,
  ServerAnswer,
  Source,
  StoreAnswer,
  StoreReference,
} from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { METAS_KEPT } from './bundle-buckets.ts';
import type { BundleFiles } from './bundle-files.ts';
import { itemsByLine, textLines } from './bundle-lines.ts';

/** Reasons under which a bundle keeps an answer that no S3 server gave: a web page, a proxy's error. */
const NOT_S3: ReadonlySet<string> = new Set(['', 'NotAnS3Answer', 'malformed', 'error', 'Unknown', 'UnknownError']);

/** Objects of a bucket that are given on together. */
const LISTED_AT_ONCE = 1000;

/** The bundle format that this version reads and writes. */
export const BUNDLE_FORMAT = 1;

export interface BundleManifest {
  readonly format: number;
  readonly takenAt: string;
  readonly clusters: readonly string[];
  /** Of files beside it; left out by who does not count them. */
  readonly files?: number;
}

/** Reads and checks `manifest.yaml`. Throws a `UserError` that says what is wrong with the bundle. */
export async function readManifest(files: BundleFiles): Promise<BundleManifest> {
  const refuse = (what: string, ...hints: readonly string[]) =>
    new UserError(`cannot use bundle ${files.place}: ${what}`, ...hints);
  if (!files.paths.has('manifest.yaml')) {
    throw refuse('it has no manifest.yaml', 'a bundle is what thanos-doctor collect writes');
  }
  const manifest = await yamlFile(files, 'manifest.yaml');
  if (typeof manifest?.format !== 'number') throw refuse('its manifest.yaml names no format');
  if (manifest.format > BUNDLE_FORMAT) {
    throw refuse(
      `it has format ${manifest.format}, this version reads up to ${BUNDLE_FORMAT}`,
      'use a newer thanos-doctor to read it',
    );
  }
  if (manifest.format !== BUNDLE_FORMAT) throw refuse(`it has format ${manifest.format}, which never existed`);
  if (typeof manifest.takenAt !== 'string' || Number.isNaN(Date.parse(manifest.takenAt))) {
    throw refuse('its manifest.yaml has no usable takenAt');
  }
  if (!Array.isArray(manifest.clusters) || manifest.clusters.length === 0) throw refuse('it names no cluster');
  for (const name of manifest.clusters) {
    for (const file of ALWAYS_THERE) {
      if (files.paths.has(`clusters/${name}/${file}`)) continue;
      throw refuse(`clusters/${name}/${file} is missing`, NOT_WHOLE);
    }
  }
  for (const path of files.paths) {
    const [, name] = /^clusters\/([^/]+)\//.exec(path) ?? [];
    if (name !== undefined && !manifest.clusters.includes(name)) {
      throw refuse(`its manifest.yaml does not name clusters/${name}`, NOT_WHOLE);
    }
  }
  return manifest;
}

/** Files of every cluster: without the second, a list that was read in part, or a log that broke off, looks whole. */
const ALWAYS_THERE = ['cluster.yaml', 'failures.yaml'];

const NOT_WHOLE = 'the bundle is not whole: collect it again';

/** Throws where it is no YAML, or ends within a line: what is cut off there often is YAML still, and says something else. */
function parseYaml(bytes: Uint8Array): RawObject {
  const text = Buffer.from(bytes).toString('utf8');
  const value = parse(text, { maxAliasCount: 100 });
  if (!/[\n\]}]$/.test(text)) throw new Error(text === '' ? 'it is empty' : 'it is cut off');
  return value;
}

/** Reads a cluster from a bundle. Every failure that was recorded is the same gap again. */
export async function openBundleCluster(files: BundleFiles, cluster: string): Promise<Source> {
  const folder = `clusters/${cluster}/`;
  const about = await yamlFile(files, `${folder}cluster.yaml`);
  if (typeof about?.takenAt !== 'string' || Number.isNaN(Date.parse(about.takenAt))) {
    throw new UserError(`cannot use bundle ${files.place}: ${folder}cluster.yaml has no usable takenAt`);
  }
  const failures = await failureList(files, `${folder}failures.yaml`);
  const failureAt = new Map(failures.map(failure => [failure.path, failure]));
  // What a bucket says of its settings says nothing about what lies in it.
  const bucketFailures = failures.filter(({ path }) => path.startsWith('s3://') && !path.includes('?'));
  const once = new Map<string, Promise<unknown>>();
  let requests = 0;
  let bytes = 0;

  async function read(path: string): Promise<Uint8Array | undefined> {
    const content = await files.read(folder + path);
    requests += 1;
    bytes += content?.length ?? 0;
    return content;
  }

  /** The same piece by piece. */
  function stream(path: string, last?: number): AsyncIterable<Uint8Array> | undefined {
    requests += 1;
    const chunks = files.stream(folder + path, last);
    const count = (length: number) => {
      bytes += length;
    };
    return chunks && counted(chunks, count);
  }

  function remember<Value>(key: string, obtain: () => Promise<Value>): Promise<Value> {
    let value = once.get(key) as Promise<Value> | undefined;
    if (!value) {
      value = obtain();
      once.set(key, value);
    }
    return value;
  }

  /** A file of the bundle as YAML, or the gap of `path`. */
  async function yamlOrGap(file: string, path: string): Promise<RawObject> {
    const content = await read(file);
    if (!content) throw gapAt(path, `the bundle has no ${file}`);
    try {
      return parseYaml(content);
    } catch (error) {
      throw new GapSignal({ reason: 'malformed', detail: `${file} of the bundle: ${(error as Error).message}`, path });
    }
  }

  /**
   * A file of the bundle that is a list, or the gap of `path`. Empty where it is not there; not so where it is the
   * index of a folder that is.
   */
  async function listOrGap(file: string, path: string): Promise<readonly RawObject[]> {
    const isThere = files.paths.has(folder + file) || filesBelow(file.replace(/[^/]+$/, '')).length > 0;
    const value = isThere ? ((await yamlOrGap(file, path)) ?? []) : [];
    if (Array.isArray(value) && value.every(isObject)) return value;
    throw new GapSignal({ reason: 'malformed', detail: `${file} of the bundle is no list`, path });
  }

  /** Paths of the files in a folder of the cluster; '' has none. */
  function filesBelow(place: string): readonly string[] {
    if (place === '') return [];
    return [...files.paths].filter(path => path.startsWith(folder + place)).map(path => path.slice(folder.length));
  }

  /** A file that another file of the bundle names, and that is not there or not whole. */
  const lost = (file: string, path: string, what = 'is not in the bundle') =>
    new GapSignal({ reason: 'truncated', detail: `the bundle is not whole: ${file} ${what}`, path });

  /** Why a read has no file: what the server answered then, or that nobody looked. */
  function gapAt(path: string, otherwise: string): GapSignal {
    const failure = failureAt.get(path);
    return failure ? failureGap(failure) : new GapSignal({ reason: 'not-in-bundle', detail: otherwise, path });
  }

  const discovery = () =>
    remember('discovery', async (): Promise<Discovery> => {
      // Without it nothing can be told from what is not installed: that is no evidence that nobody looked at.
      if (!files.paths.has(`${folder}discovery.json`) && !failureAt.has('/apis')) {
        throw new GapSignal({ reason: 'malformed', detail: 'the bundle has no discovery.json', path: '/apis' });
      }
      const document = await yamlOrGap('discovery.json', '/apis');
      if (!Array.isArray(document?.groups)) {
        throw new GapSignal({
          reason: 'malformed',
          detail: 'discovery.json of the bundle holds no groups',
          path: '/apis',
        });
      }
      const resources: ServedResource[] = [];
      const unreadable: { group: string; version: string; error: string }[] = [];
      for (const group of document.groups) {
        if (group.error) unreadable.push({ group: group.group, version: group.version, error: String(group.error) });
        for (const resource of group.resources ?? []) {
          resources.push({
            group: group.group,
            version: group.version,
            resource: resource.name,
            kind: resource.kind,
            namespaced: resource.namespaced,
            verbs: resource.verbs ?? [],
          });
        }
      }
      return { resources, unreadable };
    });

  async function list(group: string, resource: string, take?: (object: RawObject) => unknown): Promise<ListAnswer> {
    const { resources, unreadable } = await discovery();
    const served = resources.filter(entry => entry.group === group && entry.resource === resource);
    const root = group === '' ? '/api' : `/apis/${group}`;
    const fileOf = (version: string) => `objects/${group || 'core'}/${version}/${resource}.json`;
    if (served.length === 0) {
      const broken = unreadable.find(entry => entry.group === group);
      if (broken)
        throw new GapSignal({ reason: 'server-error', detail: broken.error, path: `${root}/${broken.version}` });
      return { installed: false, items: [], kind: '', path: root, unread: [], onlyNamespaces: null };
    }
    const present = served.find(entry => files.paths.has(folder + fileOf(entry.version))) ?? served[0]!;
    const path = `${root}/${present.version}/${resource}`;
    const items = await itemsOf(fileOf(present.version), path, take);
    const unread = failures
      .map(failure => ({ failure, match: namespacedPath(failure.path, root, present.version, resource) }))
      .filter(({ match }) => match !== undefined)
      .map(({ failure, match }) => ({ namespace: match!, detail: failure.message }));
    const partial = (about.partial ?? []).find(
      (entry: RawObject) => entry.resource === `${group || 'core'}/${present.version}/${resource}`,
    );
    return {
      installed: true,
      items,
      kind: present.kind,
      path,
      unread,
      onlyNamespaces: partial?.namespaces ?? null,
    };
  }

  async function itemsOf(
    file: string,
    path: string,
    take?: (object: RawObject) => unknown,
  ): Promise<ListAnswer['items']> {
    const place = folder + file;
    if (!files.paths.has(place)) throw gapAt(path, `the bundle has no ${file}`);
    let length = 0;
    const count = (more: number) => {
      length += more;
    };
    const items = await itemsByLine(counted(files.stream(place)!, count), take ?? (item => item));
    if (items) {
      requests += 1;
      bytes += length;
      return items;
    }
    const document = parseJson((await read(file))!, path);
    if (Array.isArray(document?.items)) return take ? document.items.map(take) : document.items;
    throw new GapSignal({ reason: 'malformed', detail: `${file} holds no list`, path });
  }

  async function logs(request: LogRequest): Promise<LogAnswer> {
    const { namespace, pod, container, previous, lastBytes } = request;
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}${previous ? '&previous=true' : ''}`;
    const chunks = stream(`logs/${namespace}/${pod}/${container}${previous ? '.previous' : ''}.log`, lastBytes);
    const failure = failureAt.get(path);
    if (chunks) return { is: 'lines', path, chunks: failure ? asRecorded(chunks, failure) : wholeLines(chunks, path) };
    if (failure && isNoLogYet(failure)) return { is: 'none', why: failure.message || 'no log yet', path };
    // Of a namespace either all logs are asked for or none, and what was not got stands among the failures.
    const isKept = async () => filesBelow(`logs/${namespace}/`).length > 0;
    if (!failure && !previous && (await remember(`logs of ${namespace}`, isKept))) {
      throw lost(`logs/${namespace}/${pod}/${container}.log`, path);
    }
    throw gapAt(path, `the bundle has no log of ${container} in pod ${namespace}/${pod}`);
  }

  const httpIndex = () =>
    remember('http', async () => {
      const entries = await listOrGap('http/index.yaml', 'http/index.yaml');
      const named = new Set(['http/index.yaml', ...entries.map(({ file }) => `http/${file}`)]);
      return {
        answers: new Map(entries.map(entry => [httpKey({ namespace: '', port: 0, ...entry } as HttpRequest), entry])),
        isWhole: filesBelow('http/').every(file => named.has(file)),
      };
    });

  async function http(request: HttpRequest) {
    const path = proxyPath(request);
    const { answers, isWhole } = await httpIndex();
    const entry = answers.get(httpKey(request));
    if (!entry && !isWhole && !failureAt.has(path)) throw lost('http/index.yaml', path, 'does not name all answers');
    if (!entry) throw gapAt(path, `the bundle has no answer to ${request.path} of ${request.name}`);
    const content = await read(`http/${entry.file}`);
    if (!content) throw lost(`http/${entry.file}`, path);
    // Metrics are lines: where the last has no end, there were more of them.
    if (entry.status === 200 && request.path === '/metrics' && content.at(-1) !== LINE_END) {
      throw lost(`http/${entry.file}`, path, 'is cut off');
    }
    return {
      status: entry.status as number,
      contentType: (entry.contentType ?? '') as string,
      body: Buffer.from(content).toString('utf8'),
      path,
      by: 'bundle',
    };
  }

  const stores = () =>
    remember('stores', async () => {
      const entries = ((await yamlOrGap('stores.yaml', 'stores.yaml')) ?? []) as readonly RawObject[];
      return new Map(entries.map(entry => [entry.id as string, entry]));
    });

  async function objectStore(reference: StoreReference): Promise<StoreAnswer> {
    const kind = reference.kind === 'ConfigMap' ? 'configmaps' : 'secrets';
    const path =
      reference.kind === 'inline'
        ? `arguments of ${reference.namespace}/${reference.name}/${reference.key}`
        : `/api/v1/namespaces/${reference.namespace}/${kind}/${reference.name}`;
    const failure = failureAt.get(path);
    if (failure?.status === 404) {
      return { reference, path, config: null, error: 'not-found', keys: [], changedAt: '', resourceVersion: '' };
    }
    if (failure) throw failureGap(failure);
    const entry = (await stores()).get(reference.id);
    if (!entry) throw gapAt(path, `the bundle does not hold the object storage configuration ${reference.id}`);
    if (!entry.config && !entry.error) throw lost('stores.yaml', path, `says nothing of ${reference.id}`);
    return {
      reference,
      path,
      config: entry.config ? withSecrets(entry.config) : null,
      error: entry.error ?? '',
      keys: entry.keys ?? [],
      changedAt: entry.changedAt ?? '',
      resourceVersion: String(entry.resourceVersion ?? ''),
    };
  }

  const bucketIndex = () => remember('buckets', () => listOrGap('buckets/index.yaml', 's3://'));

  async function bucketOf(store: string): Promise<RawObject> {
    const failure = bucketFailures.find(entry => entry.store === store);
    const found = (await bucketIndex()).find(entry => entry.stores?.includes(store));
    if (found) return found;
    if (failure) throw failureGap(failure);
    throw new GapSignal({
      reason: 'not-in-bundle',
      detail: `the bundle does not hold the bucket of ${store}`,
      path: 's3://',
      notLookedAt: true,
    });
  }

  async function bucketListing(
    store: string,
    take?: (objects: readonly ListedObject[]) => Promise<void>,
  ): Promise<BucketListing> {
    const entry = await bucketOf(store);
    const path = `s3://${entry.bucket}`;
    const file = `buckets/${entry.folder}/objects.jsonl`;
    const chunks = stream(file);
    if (!chunks) throw failureAt.has(path) ? gapAt(path, '') : lost(file, path);
    let count = 0;
    const objects: ListedObject[] = [];
    const give = take ?? (async some => void objects.push(...some));
    let page: ListedObject[] = [];
    for await (const line of textLines(chunks)) {
      if (line === '') continue;
      count += 1;
      page.push(parseJson(Buffer.from(line), path));
      if (page.length < LISTED_AT_ONCE) continue;
      await give(page);
      page = [];
    }
    if (page.length > 0) await give(page);
    await give([]);
    if (typeof entry.objects === 'number' && count !== entry.objects) {
      throw lost(file, path, `lists ${count} of ${entry.objects} objects`);
    }
    return {
      bucket: entry.bucket,
      endpoint: entry.endpoint,
      objects,
      truncated: entry.truncated === true,
      path,
    };
  }

  /** Whether the listing names this object; undefined where it was cut off before it could. */
  async function isListed(store: string, key: string): Promise<boolean | undefined> {
    const { folder: place } = await bucketOf(store);
    const { keys, truncated } = await remember(`keys of ${place}`, async () => {
      const keys = new Set<string>();
      const { truncated } = await bucketListing(store, async objects => {
        for (const object of objects) keys.add(object.key);
      });
      return { keys, truncated };
    });
    return keys.has(key) || (truncated ? undefined : false);
  }

  return {
    cluster,
    is: 'bundle',
    roleHint: about.roleHint ?? '',
    takenAt: () => about.takenAt,
    async server(): Promise<ServerAnswer> {
      if (!about.serverVersion) {
        const failure = failureAt.get('/version') ?? failureAt.get('kubeconfig');
        if (failure) throw failureGap(failure);
        throw new GapSignal({
          reason: 'not-in-bundle',
          detail: 'the bundle does not say what the API server is',
          path: '/version',
        });
      }
      return {
        version: about.serverVersion.gitVersion ?? '',
        minor: Number.parseInt(about.serverVersion.minor ?? '0', 10),
        host: about.apiServer ?? '',
        context: about.context ?? '',
        ready: about.ready === true,
        ...(about.clock ? { clock: about.clock } : {}),
        ...(about.credential ? { credential: about.credential } : {}),
      };
    },
    discovery,
    access: async () =>
      (await yamlOrGap(
        'access.yaml',
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      )) as readonly AccessReview[],
    list,
    logs,
    http,
    objectStore,
    async bucketAnswer(store) {
      const failure = bucketFailures.find(entry => entry.store === store);
      if (failure && failure.status > 0) {
        const { reason, status, message, path } = failure;
        return { code: reason, status, message, isS3: !NOT_S3.has(reason), path };
      }
      const entry = await bucketOf(store);
      const { bucket, clockDifference } = entry;
      const told = typeof clockDifference === 'number' ? { clockDifference } : {};
      return { code: '', status: 200, message: '', isS3: true, path: `s3://${bucket}`, ...told };
    },
    bucketListing,
    async bucketSettings(store) {
      const { bucket, lifecycle } = await bucketOf(store);
      const path = `s3://${bucket}?lifecycle`;
      if (!Array.isArray(lifecycle)) throw gapAt(path, `the bundle does not hold the settings of bucket ${bucket}`);
      return { lifecycle, path };
    },
    async bucketObject(store, key) {
      const entry = await bucketOf(store);
      const parts = key.split('/');
      const file = parts.at(-1)!;
      const block = parts.at(-2) ?? '';
      const name = file === 'meta.json' ? `metas/${block}.json` : `marks/${block}.${file}`;
      const path = `s3://${entry.bucket}/${key}`;
      const place = `buckets/${entry.folder}/${name}`;
      const content = await read(place);
      if (content) return Buffer.from(content).toString('utf8');
      if ((await isListed(store, key)) === false) return null;
      const failure = failureAt.get(path);
      if (failure) throw failureGap(failure);
      const kept = await remember(
        `metas of ${entry.folder}`,
        async () => filesBelow(`buckets/${entry.folder}/metas/`).length,
      );
      if (file !== 'meta.json' || kept < METAS_KEPT) throw lost(place, path);
      throw new GapSignal({
        reason: 'not-in-bundle',
        detail: `the bundle does not hold ${key} of bucket ${entry.bucket}`,
        path,
        notLookedAt: true,
      });
    },
    async probe(endpoint): Promise<ProbeAnswer> {
      const probes = await remember('probes', async () => {
        const entries = await listOrGap('probes.yaml', 'probes.yaml');
        return new Map(entries.map(entry => [entry.endpoint as string, entry]));
      });
      const entry = probes.get(endpoint);
      if (!entry) {
        throw new GapSignal({
          reason: 'not-in-bundle',
          detail: `the bundle has no probe of ${endpoint}`,
          path: `probe ${endpoint}`,
          notLookedAt: true,
        });
      }
      return { tcp: entry.tcp, speaks: entry.speaks ?? '', certificate: entry.certificate ?? null };
    },
    failures: () => failures,
    usage: () => ({ requests, bytes }),
    close: async () => {},
  };

  function parseJson(content: Uint8Array, path: string): RawObject {
    try {
      return JSON.parse(Buffer.from(content).toString('utf8'));
    } catch (error) {
      throw new GapSignal({ reason: 'malformed', detail: (error as Error).message, path });
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function failureList(files: BundleFiles, path: string): Promise<readonly ReadFailure[]> {
  const value = (await yamlFile(files, path)) ?? [];
  const isFailure = (entry: RawObject) =>
    isObject(entry) && typeof entry.path === 'string' && typeof entry.status === 'number';
  if (Array.isArray(value) && value.every(isFailure)) return value;
  throw new UserError(`cannot use bundle ${files.place}: ${path} is no list of failures`);
}

async function yamlFile(files: BundleFiles, path: string): Promise<RawObject> {
  const refuse = (error: Error) => {
    throw new UserError(`cannot use bundle ${files.place}: ${error.message}`);
  };
  const content = await files.read(path).catch(refuse);
  if (!content) return undefined;
  try {
    return parseYaml(content);
  } catch (error) {
    throw new UserError(
      `cannot use bundle ${files.place}: ${path} is no YAML`,
      (error as Error).message.split('\n')[0]!,
      NOT_WHOLE,
    );
  }
}

/** `{set, fingerprint, edgeSpace?}` written whole. */
function withSecrets(config: RawObject): RawObject {
  if (Array.isArray(config)) return config.map(withSecrets);
  if (typeof config !== 'object' || config === null) return config;
  if (typeof config.set === 'boolean') {
    return { set: config.set, fingerprint: config.fingerprint ?? '', edgeSpace: config.edgeSpace === true };
  }
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, withSecrets(value)]));
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onLength: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onLength(chunk.length);
    yield chunk;
  }
}

const LINE_END = 0x0a;

/** A log ends with a whole line, and nobody records one without any: what is there counts, that there is no more does not. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>, path: string): AsyncIterable<Uint8Array> {
  let last: number | undefined;
  for await (const chunk of chunks) {
    last = chunk.at(-1) ?? last;
    yield chunk;
  }
  if (last === LINE_END) return;
  throw new GapSignal({ reason: 'truncated', detail: 'the bundle is not whole: the log in it is cut off', path });
}

/** A log that broke off when it was recorded breaks off again: what is there counts, that there is no more does not. */
async function* asRecorded(chunks: AsyncIterable<Uint8Array>, failure?: ReadFailure): AsyncIterable<Uint8Array> {
  yield* chunks;
  if (failure) throw failureGap(failure);
}

/** The API path by which a component is asked; failures are recorded under it. */
export function proxyPath(request: HttpRequest): string {
  const { via, namespace, name, port, path } = request;
  if (via === 'node') return `/api/v1/nodes/${name}/proxy${path}`;
  return `/api/v1/namespaces/${namespace}/${via}s/${name}:${port}/proxy${path}`;
}

function httpKey(request: HttpRequest): string {
  return proxyPath(request);
}

/** 204, `waiting to start` and `previous terminated container … not found` say that there is no log, not that it failed. */
export function isNoLogYet(failure: ReadFailure): boolean {
  if (failure.status === 204) return true;
  return (
    failure.status === 400 && /is waiting to start|previous terminated container .* not found/.test(failure.message)
  );
}

function namespacedPath(path: string, root: string, version: string, resource: string): string | undefined {
  const start = `${root}/${version}/namespaces/`;
  const end = `/${resource}`;
  if (!path.startsWith(start) || !path.endsWith(end)) return undefined;
  const namespace = path.slice(start.length, -end.length);
  return namespace.includes('/') ? undefined : namespace;
}

const REASONS_WITHOUT_ANSWER: Readonly<Record<string, GapReason>> = {
  timeout: 'timed-out',
  tls: 'tls',
  truncated: 'truncated',
  kubeconfig: 'unauthenticated',
};

/** The gap that a recorded failure stands for. */
export function failureGap(failure: ReadFailure): GapSignal {
  const { path, status, reason, message } = failure;
  const detail = message || `${reason || 'no answer'} (${status})`;
  return new GapSignal({ reason: reasonOf(status, reason), detail, path });
}

function reasonOf(status: number, reason: string): GapReason {
  if (reason === 'malformed' || reason === 'truncated') return reason;
  if (status === 0) return REASONS_WITHOUT_ANSWER[reason] ?? 'unreachable';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 503) return 'unreachable';
  if (status === 504) return 'timed-out';
  return 'server-error';
}
