import { stringify } from 'yaml';
import { GapSignal } from '../model/gap.ts';
import type { ListAnswer, LogRequest, RawObject, ReadFailure, Source } from '../model/source.ts';
import { recordBuckets } from './bundle-buckets.ts';
import { type ClusterFolder, eachAtOnce, orUndefined } from './bundle-cluster-folder.ts';
import { writeContents } from './bundle-contents.ts';
import { recordHttp } from './bundle-http.ts';
import { type ClusterPlan, isRecorded, keepsManagers, type RecordedResource, withManagers } from './bundle-plan.ts';
import { BUNDLE_FORMAT } from './bundle-source.ts';
import { recordStores } from './bundle-stores.ts';
import { type BundleTarget, openTarget } from './bundle-target.ts';
import { createFingerprint } from './fingerprint.ts';
import { createRedactor } from './redact.ts';

export interface RecordOptions {
  /** Program and version. */
  readonly createdBy: string;
  /** What of a cluster goes in beside its objects; asked once its API server has answered. */
  readonly plan: (source: Source) => Promise<ClusterPlan>;
  /** Whether a rule reads this list; the others go in where they may be read. Left out: every one. */
  readonly isRead?: (resource: RecordedResource) => boolean;
  /** Further resources whose lists go in. */
  readonly resources?: readonly RecordedResource[];
  /** The limits that the sources were opened with; for the manifest. */
  readonly logs: { readonly lines: number; readonly bytes: number; readonly since?: string };
  /** ConfigMaps whose values the sources were asked to keep; for the manifest. */
  readonly configMapValues?: readonly string[];
  /** False: object stores are not contacted. */
  readonly buckets?: boolean;
  readonly probes?: boolean;
  readonly noLogs?: boolean;
}

/** One step of one cluster: `objects`, `logs`, `http`, `stores`, `buckets`, `probes`, `done`. */
export type RecordProgress = (cluster: string, step: string) => void;

interface Notes {
  readonly redacted: Map<string, { readonly what: string; readonly where: string; count: number }>;
  readonly leftOut: Map<string, string>;
  readonly configMaps: Set<string>;
}

/** Reads at once in one cluster. */
const AT_ONCE = 8;

/**
 * Asks each source for everything that a bundle of format 1 holds, and writes it: into a folder, or an archive where
 * `target` ends with `.tar.gz` or `.tgz`. What could not be read stands in `failures.yaml`. Throws a `UserError` where
 * the target cannot be written; nothing is at the target before everything is there.
 */
export async function recordBundle(
  sources: readonly Source[],
  target: string,
  options: RecordOptions,
  onProgress: RecordProgress = () => {},
): Promise<void> {
  const bundle = await openTarget(target);
  const notes: Notes = { redacted: new Map(), leftOut: new Map(), configMaps: new Set(options.configMapValues) };
  notes.leftOut.set(
    'core/v1/secrets',
    'never listed; those that hold an object storage configuration are read by name',
  );
  notes.leftOut.set('core/v1/endpoints', 'discovery.k8s.io/v1/endpointslices hold the same');
  notes.leftOut.set('apiextensions.k8s.io/v1/customresourcedefinitions schemas', 'size');
  notes.leftOut.set('apps/v1/controllerrevisions data', 'size');
  try {
    const folders = folderNames(sources);
    const times = await Promise.all(
      sources.map((source, index) => recordCluster(bundle, source, folders[index]!, options, notes, onProgress)),
    );
    const takenAt = times.sort().at(-1) ?? new Date().toISOString();
    const manifest = {
      format: BUNDLE_FORMAT,
      createdBy: options.createdBy,
      takenAt,
      // Before the clusters: a manifest that is cut after this is one that lacks clusters.
      files: await writeContents(bundle),
      clusters: folders,
      logs: options.logs,
      http: { families: ['*'] },
      configMapValues: [...notes.configMaps].sort(),
      redacted: [...notes.redacted.values()].sort((a, b) => (a.where < b.where ? -1 : 1)),
      notCollected: [...notes.leftOut].sort().map(([what, why]) => ({ what, why })),
    };
    await bundle.write('manifest.yaml', stringify(manifest));
    await bundle.finish(new Date(takenAt));
  } catch (error) {
    await bundle.abandon();
    throw error;
  }
}

/** Names that are also names of folders: contexts may hold slashes. */
function folderNames(sources: readonly Source[]): readonly string[] {
  const used = new Set<string>();
  return sources.map(({ cluster }) => {
    const plain = cluster.replace(/[^A-Za-z0-9._@:-]/g, '-').replace(/^\.+/, '') || 'cluster';
    let name = plain;
    for (let number = 2; used.has(name); number += 1) name = `${plain}-${number}`;
    used.add(name);
    return name;
  });
}

/** Returns when the cluster's last read ended. */
async function recordCluster(
  bundle: BundleTarget,
  source: Source,
  name: string,
  options: RecordOptions,
  notes: Notes,
  onProgress: RecordProgress,
): Promise<string> {
  const redactor = createRedactor(createFingerprint());
  const folder: Omit<ClusterFolder, 'plan'> = {
    source,
    write: (path, content) => bundle.write(`clusters/${name}/${path}`, content),
    writeYaml: (path, value) => bundle.write(`clusters/${name}/${path}`, stringify(value)),
    writeChunks: (path, chunks) => bundle.writeChunks(`clusters/${name}/${path}`, chunks),
    clean: redactor.body,
    count(where, text) {
      const count = text.split('redacted:hmac:').length - 1;
      if (count > 0) countAt(notes, `${name}: ${where}`, count);
    },
    leaveOut: (what, why) => void notes.leftOut.set(what, why),
  };
  const say = (step: string) => onProgress(source.cluster, step);
  const server = await orUndefined(source.server());
  const partial: object[] = [];
  let nodeCount: number | undefined;
  let emptyLogs: readonly ReadFailure[] = [];
  if (server) {
    say('objects');
    const lists = await recordObjects(folder, options, notes);
    const pods = lists.get('/pods')?.items ?? [];
    nodeCount = lists.get('/nodes')?.items.length;
    for (const [key, { path, onlyNamespaces, installed }] of lists) {
      if (installed && onlyNamespaces) partial.push({ resource: placeOf(path, key), namespaces: onlyNamespaces });
    }
    const plan = await options.plan(source);
    const whole: ClusterFolder = { ...folder, plan };
    await recordAccess(whole);
    if (options.noLogs) folder.leaveOut('logs', 'not asked for');
    else {
      say('logs');
      emptyLogs = await recordLogs(whole, pods);
    }
    say('http');
    await recordHttp(whole, AT_ONCE);
    say('stores');
    const stores = await recordStores(whole);
    if (options.buckets === false) folder.leaveOut('buckets', 'not asked for');
    else {
      say('buckets');
      await recordBuckets(whole, stores, AT_ONCE);
    }
    if (options.probes === false) folder.leaveOut('probes', 'not asked for');
    else {
      say('probes');
      await recordProbes(whole);
    }
  }
  const read = new Set(source.failures().map(({ path }) => path));
  const silent = emptyLogs.filter(({ path }) => !read.has(path));
  const failures = [...source.failures(), ...silent].map(failure => ({
    ...failure,
    message: folder.clean(failure.message),
  }));
  await folder.writeYaml('failures.yaml', failures);
  const takenAt = source.takenAt();
  await folder.writeYaml('cluster.yaml', {
    name,
    takenAt,
    ...(server
      ? {
          serverVersion: { major: '1', minor: String(server.minor), gitVersion: server.version },
          context: server.context,
          apiServer: server.host,
          ready: server.ready,
          ...(server.clock ? { clock: server.clock } : {}),
          ...(server.credential ? { credential: server.credential } : {}),
        }
      : {}),
    ...(nodeCount === undefined ? {} : { nodeCount }),
    ...(source.roleHint ? { roleHint: source.roleHint } : {}),
    ...(partial.length > 0 ? { partial } : {}),
  });
  say('done');
  return takenAt;
}

function countAt(notes: Notes, where: string, count: number): void {
  const entry = notes.redacted.get(where) ?? { what: 'credential', where, count: 0 };
  entry.count += count;
  notes.redacted.set(where, entry);
}

/** `core/v1/pods` of `/api/v1/pods`. */
function placeOf(path: string, key: string): string {
  const [group, resource] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
  return `${group || 'core'}/${path.split('/').at(-2)}/${resource}`;
}

/** The lists that were read, by `group/resource`. */
async function recordObjects(
  folder: Omit<ClusterFolder, 'plan'>,
  options: RecordOptions,
  notes: Notes,
): Promise<ReadonlyMap<string, ListAnswer>> {
  const { source } = folder;
  const lists = new Map<string, ListAnswer>();
  const discovery = await orUndefined(source.discovery());
  if (!discovery) return lists;
  await folder.write('discovery.json', discoveryText(discovery));
  const seen = new Set<string>();
  const wanted = discovery.resources.filter(entry => {
    const key = `${entry.group}/${entry.resource}`;
    if (!entry.verbs.includes('list') || !isRecorded(entry, options.resources) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  await eachAtOnce(wanted, AT_ONCE, async ({ group, resource }) => {
    const isRead = options.isRead?.({ group, resource }) ?? true;
    if (!isRead && (await source.mayList?.(group, resource)) === false) {
      folder.leaveOut(`${group || 'core'}/${resource}`, 'the reader may not list it, and no rule reads it');
      return;
    }
    const answer = await orUndefined(source.list(group, resource));
    if (!answer?.installed) return;
    lists.set(`${group}/${resource}`, answer);
    const version = answer.path.split('/').at(-2)!;
    const text = listText(answer, group, version, keepsManagers(group, resource));
    folder.count(`${group || 'core'}/${resource}`, text);
    if (group === '' && resource === 'configmaps') noteKeptValues(answer.items, notes);
    await folder.write(`objects/${group || 'core'}/${version}/${resource}.json`, text);
  });
  return lists;
}

function noteKeptValues(configMaps: readonly RawObject[], notes: Notes): void {
  for (const { metadata, data } of configMaps) {
    const kept = Object.values(data ?? {}).some(value => value !== '');
    if (kept) notes.configMaps.add(`${metadata.namespace}/${metadata.name}`);
  }
}

/** One item a line, sorted by namespace and name. */
function listText({ kind, items }: ListAnswer, group: string, version: string, keep: boolean): string {
  const head = { kind: `${kind}List`, apiVersion: group ? `${group}/${version}` : version, metadata: {} };
  const keyOf = ({ metadata }: RawObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  const lines = [...items]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map(item => JSON.stringify(withManagers(item, keep)));
  return `${JSON.stringify(head).slice(0, -1)},"items":[\n${lines.join(',\n')}\n]}\n`;
}

function discoveryText(discovery: Awaited<ReturnType<Source['discovery']>>): string {
  const groups = new Map<string, { group: string; version: string; resources?: object[]; error?: string }>();
  for (const { group, version, resource, kind, namespaced, verbs } of discovery.resources) {
    const key = `${group}/${version}`;
    const entry = groups.get(key) ?? { group, version, resources: [] };
    entry.resources!.push({ name: resource, kind, namespaced, verbs });
    groups.set(key, entry);
  }
  for (const { group, version, error } of discovery.unreadable)
    groups.set(`${group}/${version}`, { group, version, error });
  return `{"groups":[\n${[...groups.values()].map(entry => JSON.stringify(entry)).join(',\n')}\n]}\n`;
}

async function recordAccess(folder: ClusterFolder): Promise<void> {
  const reviews = await orUndefined(folder.source.access());
  if (reviews) await folder.writeYaml('access.yaml', reviews);
}

/** Returns what is said of containers that wrote nothing. */
async function recordLogs(folder: ClusterFolder, pods: readonly RawObject[]): Promise<readonly ReadFailure[]> {
  const namespaces = new Set(folder.plan.logNamespaces);
  const requests = pods.filter(pod => namespaces.has(pod.metadata.namespace)).flatMap(logsOf);
  const empty: ReadFailure[] = [];
  await eachAtOnce(requests, AT_ONCE, async request => {
    const answer = await orUndefined(folder.source.logs(request));
    if (answer?.is !== 'lines') return;
    const { namespace, pod, container, previous } = request;
    const file = `logs/${namespace}/${pod}/${container}${previous ? '.previous' : ''}.log`;
    const chunks = whatCame(answer.chunks, text => folder.count('logs', text))[Symbol.asyncIterator]();
    const first = await chunks.next();
    // A file without any line would look like one that was lost.
    if (first.done) empty.push({ path: answer.path, status: 204, reason: 'NoContent', message: '' });
    else await folder.writeChunks(file, wholeLines(first.value, chunks));
  });
  return empty;
}

const LINE_END = Buffer.from('\n');

/** A line that is still being written gets an end: without one, the log would look like one that was cut off. */
async function* wholeLines(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last = first;
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    last = next.value;
    yield last;
  }
  if (last.at(-1) !== LINE_END[0]) yield LINE_END;
}

function logsOf({ metadata, spec, status }: RawObject): readonly LogRequest[] {
  const statuses: RawObject[] = [
    status?.initContainerStatuses,
    status?.containerStatuses,
    status?.ephemeralContainerStatuses,
  ]
    .flat()
    .filter(Boolean);
  const containers: RawObject[] = [spec?.initContainers, spec?.containers, spec?.ephemeralContainers]
    .flat()
    .filter(Boolean);
  return containers.flatMap(({ name }) => {
    const request = { namespace: metadata.namespace, pod: metadata.name, container: name, previous: false };
    const restarts = statuses.find(entry => entry.name === name)?.restartCount ?? 0;
    return restarts > 0 ? [request, { ...request, previous: true }] : [request];
  });
}

/** A log that breaks off in the middle is kept as far as it came; that it broke off stands among the failures. */
async function* whatCame(
  chunks: AsyncIterable<Uint8Array>,
  onText: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks) {
      onText(Buffer.from(chunk).toString('latin1'));
      yield chunk;
    }
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
  }
}

async function recordProbes(folder: ClusterFolder): Promise<void> {
  const rows: object[] = [];
  await eachAtOnce(folder.plan.probes, AT_ONCE, async probe => {
    const answer = await orUndefined(folder.source.probe(probe.endpoint));
    if (!answer) return;
    const { tcp, speaks, certificate } = answer;
    rows.push({
      endpoint: probe.endpoint,
      from: 'here',
      for: probe.for,
      tcp,
      ...(tcp === 'open' ? { speaks } : {}),
      ...(certificate ? { certificate } : {}),
    });
  });
  const endpointOf = (row: object) => (row as { endpoint: string }).endpoint;
  await folder.writeYaml(
    'probes.yaml',
    rows.sort((a, b) => (endpointOf(a) < endpointOf(b) ? -1 : 1)),
  );
}
