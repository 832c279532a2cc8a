import { GapSignal } from '../model/gap.ts';
import type { Discovery, ListAnswer, RawObject, ServerAnswer, Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { isDenied, type Permission, reviewRules } from './access-reviews.ts';
import { openApiServer } from './api-server.ts';
import { proxyPath } from './bundle-source.ts';
import { openComponentHttp } from './component-http.ts';
import { credentialEnd } from './credential-end.ts';
import { readDiscovery } from './discovery.ts';
import { createFailureRecord } from './failure-record.ts';
import { createFingerprint } from './fingerprint.ts';
import { inClusterContext, type KubeconfigContext, readKubeconfig, resolveContext } from './kubeconfig.ts';
import { listResource } from './listing.ts';
import { type LiveClusterOptions, RETRY, TIMEOUTS } from './live-options.ts';
import { openObjectStores } from './object-store.ts';
import { readLog } from './pod-logs.ts';
import { openPortForwarding } from './port-forward.ts';
import { probeEndpoint } from './probe.ts';
import { proxyFor } from './proxy-environment.ts';
import { createRedactor, looksLikeStore } from './redact.ts';
import { openBuckets } from './s3-bucket.ts';
import { readServer } from './server-answer.ts';
import { openTransport, stopped } from './transport.ts';
import { userCredentials } from './user-credentials.ts';

const LOG_LINES = 5000;
const LOG_BYTES = 8 * 1024 ** 2;
const COMPONENT_BYTES = 8 * 1024 ** 2;
const BUCKET_OBJECTS = 10_000_000;
const PROBES_AT_ONCE = 4;
/** Namespaces whose rules are asked for, where nobody named any. */
const REVIEWED_NAMESPACES = 40;

/** ConfigMaps whose values are always kept. */
const KEPT_CONFIG_MAPS = ['kube-system/coredns', 'kube-system/cilium-config'];
const KEPT_LABEL = 'grafana_datasource';

/**
 * Opens a live cluster for reading. Nothing is asked of it yet. Throws a `UserError` where the kubeconfig cannot be
 * used: a missing file or context, broken YAML.
 */
export async function openLiveCluster(options: LiveClusterOptions): Promise<Source> {
  const environment = options.environment ?? process.env;
  const context = await contextOf(options);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const fingerprint = options.fingerprint ?? createFingerprint();
  const redactor = createRedactor(fingerprint);
  const failures = createFailureRecord();
  const stopping = new AbortController();
  const stop = stopping.signal;
  const leave = stopWith(stopping, options);
  const credentials = await userCredentials(context, environment, options.impersonate, stop);
  const proxyOf = (url: URL) => proxyFor(url, environment);
  const transport = await openTransport({
    base: context.server,
    ca: context.tls.ca,
    serverName: context.tls.serverName,
    verify: context.tls.verify,
    proxy: context.proxyUrl || proxyOf(context.server),
    stop,
  });
  const retry = { ...RETRY, ...options.retry };
  const api = openApiServer({
    context: context.name,
    transport,
    credentials,
    failures,
    redactor,
    timeouts,
    retry,
    stop,
  });
  const stores = openObjectStores({
    api,
    fingerprint,
    clean: redactor.text,
    onCredential: redactor.learn,
    readSecrets: options.readSecrets !== false,
  });
  const outside = { requests: 0, bytes: 0 };
  const componentBytes = options.componentBytes ?? COMPONENT_BYTES;
  const forwarding = openPortForwarding(api, timeouts.component, componentBytes);
  const components = openComponentHttp({
    api,
    endpoints: options.endpoints ?? {},
    timeout: timeouts.component,
    maxBytes: componentBytes,
    proxyFor: proxyOf,
    stop,
    clean: redactor.body,
    forwarded: async request => (options.portForward ? forwarding.ask(request) : undefined),
  });
  const buckets = openBuckets({
    configuration: stores.whole,
    credentials: options.storeCredentials ?? {},
    certificateAuthority: options.storeCertificateAuthority,
    environment,
    proxyFor: proxyOf,
    redirect: options.redirect ?? new Map(),
    timeout: timeouts.store,
    maxObjects: options.bucketObjects ?? BUCKET_OBJECTS,
    cacheFolder: options.cacheFolder,
    stop,
    failures,
    clean: redactor.text,
    onRequest(bytes) {
      if (bytes === 0) outside.requests += 1;
      outside.bytes += bytes;
    },
  });
  const atOnce = limiter(PROBES_AT_ONCE);
  const keptConfigMaps = new Set([...KEPT_CONFIG_MAPS, ...(options.configMapValues ?? [])]);
  let answered: Promise<ServerAnswer> | undefined;
  let discovered: Promise<Discovery> | undefined;
  const discovery = () => {
    discovered ??= readDiscovery(api);
    return discovered;
  };

  async function answerOf(): Promise<ServerAnswer> {
    const [server, credential] = await Promise.all([readServer(api, timeouts.preflight), credentialEnd(context)]);
    return credential ? { ...server, credential } : server;
  }

  async function list(group: string, resource: string, take?: (object: RawObject) => unknown): Promise<ListAnswer> {
    const listing = {
      api,
      redactor,
      namespaces: options.namespaces ?? [],
      onlyNamespaces: options.onlyNamespaces,
      keepsConfigMap: (namespace: string, name: string, labels: Readonly<Record<string, string>>) =>
        keptConfigMaps.has(`${namespace}/${name}`) || labels[KEPT_LABEL] !== undefined,
      onInline: (
        { metadata }: { metadata: { namespace?: string; name: string } },
        inline: { container: string; text: string },
      ) => {
        if (looksLikeStore(inline.text)) {
          stores.remember(metadata.namespace ?? '', metadata.name, inline.container, inline.text);
        }
      },
    };
    return listResource({ ...listing, take }, await discovery(), group, resource);
  }

  const denials = new Map<string, Promise<boolean>>();
  function denied(permission: Permission): Promise<boolean> {
    const key = JSON.stringify(permission);
    const known = denials.get(key) ?? isDenied(api, permission);
    denials.set(key, known);
    return known;
  }

  /** What the shipped role leaves out is not asked for where the API server says beforehand that it would refuse. */
  async function unlessDenied<Answer>(
    permission: Permission,
    path: string,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    if (!(await denied(permission))) return ask();
    const { verb, resource, subresource, namespace, name } = permission;
    const what = `${resource}${subresource ? `/${subresource}` : ''}${name ? ` "${name}"` : ''}`;
    const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
    const said = `${what} is forbidden: its own review of access allows no ${verb} ${where}`;
    throw api.refused({ path }, { status: 403, headers: {}, body: Buffer.from(said) });
  }

  async function reviewedNamespaces(): Promise<readonly string[]> {
    if (options.onlyNamespaces?.length) return options.onlyNamespaces;
    const named = options.namespaces ?? [];
    if (named.length > 0) return named;
    try {
      const { items } = await list('', 'namespaces');
      const names = items.map(item => item.metadata.name as string);
      return names.length > 0 ? names.slice(0, REVIEWED_NAMESPACES) : [context.namespace];
    } catch (error) {
      if (error instanceof GapSignal) return [context.namespace];
      throw error;
    }
  }

  function askBuckets<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (options.readBuckets !== false) return ask();
    const detail = 'object stores are not contacted, as asked';
    return Promise.reject(new GapSignal({ reason: 'not-asked', detail, path: 's3://', notLookedAt: true }));
  }

  return {
    cluster: options.name,
    is: 'live',
    roleHint: options.roleHint ?? '',
    takenAt: api.now,
    server() {
      answered ??= answerOf();
      return answered;
    },
    discovery,
    access: async namespaces => reviewRules(api, namespaces?.length ? namespaces : await reviewedNamespaces()),
    list,
    logs: request => readLog(api, redactor, logLimits(options), timeouts.log, request),
    mayList: async (group, resource) =>
      !(await denied({ verb: 'list', group, resource, subresource: '', namespace: '' })),
    http(request) {
      if (request.via !== 'node') return components.ask(request);
      const permission = { verb: 'get', group: '', resource: 'nodes', subresource: 'proxy', namespace: '' };
      return unlessDenied(permission, proxyPath(request), () => components.ask(request));
    },
    objectStore(reference) {
      if (reference.kind !== 'Secret' || options.readSecrets === false) return stores.read(reference);
      const { namespace, name } = reference;
      const permission = { verb: 'get', group: '', resource: 'secrets', subresource: '', namespace, name };
      return unlessDenied(permission, `/api/v1/namespaces/${namespace}/secrets/${name}`, () => stores.read(reference));
    },
    bucketAnswer: store => askBuckets(() => buckets.answer(store)),
    bucketListing: (store, take) => askBuckets(() => buckets.listing(store, take)),
    bucketSettings: store => askBuckets(() => buckets.settings(store)),
    bucketObject: (store, key, listed) => askBuckets(() => buckets.object(store, key, listed)),
    probe: endpoint =>
      atOnce(async () => {
        if (stop.aborted) throw api.failed({ path: `probe ${endpoint}` }, stopped(stop));
        const [probed] = await Promise.allSettled([probeEndpoint(endpoint, timeouts.probe, options.redirect, stop)]);
        if (stop.aborted) throw api.failed({ path: `probe ${endpoint}` }, stopped(stop));
        if (probed.status === 'rejected') throw probed.reason;
        return probed.value;
      }),
    failures: failures.all,
    usage() {
      const { requests, bytes } = transport.usage();
      return { requests: requests + outside.requests, bytes: bytes + outside.bytes };
    },
    async close() {
      leave();
      components.close();
      buckets.close();
      transport.close();
    },
  };
}

/** The kubeconfig context, or the pod's own service account, that the options name. Throws a `UserError` where there is none. */
export async function contextOf(options: LiveClusterOptions): Promise<KubeconfigContext> {
  const environment = options.environment ?? process.env;
  const kubeconfig = await readKubeconfig(options.kubeconfig, environment);
  if (kubeconfig.place !== '') return resolveContext(kubeconfig, options.context);
  const inside = options.context ? undefined : await inClusterContext(environment, options.serviceAccountFolder);
  if (inside) return inside;
  throw new UserError(
    'there is no kubeconfig',
    'looked for the files of KUBECONFIG, else ~/.kube/config, and for the service account of a pod',
    'name one with --kubeconfig',
  );
}

function logLimits({ logs }: LiveClusterOptions) {
  return { lines: logs?.lines ?? LOG_LINES, bytes: logs?.bytes ?? LOG_BYTES, sinceSeconds: logs?.sinceSeconds };
}

/** Ends everything at the user's wish or at the run's deadline. Returns what ends the waiting for both. */
function stopWith(stopping: AbortController, { signal, deadline }: LiveClusterOptions): () => void {
  const onAbort = () => stopping.abort(new Error('the run was stopped'));
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort);
  const wait = deadline === undefined ? undefined : Math.max(0, deadline - Date.now());
  const timer =
    wait === undefined ? undefined : setTimeout(() => stopping.abort(new Error("the run's time was over")), wait);
  timer?.unref();
  return () => {
    signal?.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  };
}

/** Lets so many run at once, the others in order. */
function limiter(width: number): <Value>(run: () => Promise<Value>) => Promise<Value> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async run => {
    if (running >= width) await new Promise<void>(resolve => waiting.push(resolve));
    running += 1;
    try {
      return await run();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
