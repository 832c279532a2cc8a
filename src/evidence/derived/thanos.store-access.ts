import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as loadedCollector } from '../collectors/thanos.loaded-blocks.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { OBJECT_STORE, type ObjectStore } from '../collectors/thanos.object-stores.ts';
import { codeOf, concernsEndpoint, verbOf } from '../components/store-hits.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { attempt } from '../partial-rows.ts';
import { collector as addressesCollector } from './fleet.addresses.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';
import { collector as backendsCollector } from './kubernetes.service-backends.ts';
import { collector as failuresCollector, type StoreHit } from './thanos.store-failures.ts';

const HIT = {
  id: 'str',
  /** S3's own code where the words are the store's answer. */
  code: 'str',
  /** Put, Delete, Get, Head or List, where the line says what was tried. */
  verb: 'str',
  first: 'time',
  firstAge: 'int',
  last: 'time',
  lastAge: 'int',
  count: 'int',
  sample: 'str',
  captured: 'map',
  containerKey: 'str',
  container: 'str',
  component: 'str',
  running: 'bool',
  /** Keys of all that this line speaks for: the container and its resource; pod and workload where it is their own. */
  keys: ['str'],
} as const;

const OTHER = {
  cluster: 'str',
  id: 'str',
  /** `Secret namespace/name @cluster` */
  key: 'str',
  address: 'str',
  host: 'str',
  bucket: 'str',
  place: 'str',
  region: 'str',
  insecure: 'bool',
  sameKey: 'bool',
  sameSecret: 'bool',
  /** Its store answered it well. */
  works: 'bool',
} as const;

const ROW = {
  ...OBJECT_STORE,
  /**
   * Fresh lines of its users about this endpoint, as it is configured now. What the store answered to a process that is
   * older than the configuration stands in `oldHits`. A log that could not be read is a gap.
   */
  hits: [HIT],
  /** Those of `hits` that are known: for messages and links, never for a verdict. */
  heard: [HIT],
  /** True; not known where the log of a user could not be read. */
  allHeard: 'bool',
  oldHits: [HIT],
  /**
   * S3's code with which the store refuses this configuration, '' where it serves it: as it answered from here, else as
   * it answered a user. `NotAnS3Answer` where something else answers. Not known where neither was heard.
   */
  refusal: 'str',
  /** answer or log */
  refusalBy: 'str',
  refusalWords: 'str',
  /** HTTP status of the answer from here; 0 where a user heard it. */
  refusalStatus: 'int',
  /** `host:port`: as configured, else as its users print it where the configuration may not be read. */
  endpointName: 'str',
  /** `bucket@host:port`, likewise. */
  bucketName: 'str',
  /** configuration, sdk, environment, web identity, file: where credentials can come from. */
  credentialSources: ['str'],
  /** The host is a name that only this cluster can look up. */
  clusterName: 'bool',
  /** Containers that fail to reach their bucket by their own numbers, whatever their logs say. */
  failing: ['str'],
  /** Containers that the kubelet does not start for want of configuration. */
  heldBack: ['str'],
  /** Containers that are down or go up and down. */
  down: ['str'],
  /** Keys, with their cluster, of what serves the address in a cluster of the fleet: Service, Ingress, pods, workloads. */
  serving: ['str'],
  /** Other configurations of the fleet with the same host. */
  others: [OTHER],
} as const;

type Row = ShapeOf<typeof ROW>;
type Hit = ShapeOf<typeof HIT>;
type Failures = Awaited<ReturnType<typeof failuresCollector.collect>>[number];

export const collector = derived({
  id: 'thanos.store-access',
  about:
    'How each object storage configuration fares now: what its store answers it, and what its users say of the way there.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const rows = await context.get(failuresCollector);
    const [containers, signs, others, servers] = await Promise.all([
      listOrGap(context.get(containersCollector)),
      signsOf(context),
      othersOf(context),
      serversOf(context),
    ]);
    const around = { containers: known(containers), signs, others, servers };
    return rows.map(row => (gapOf(row) ? (row as never) : rowOf(context, row, around)));
  },
});

type Containers = readonly ShapeOf<typeof containersCollector.shape>[number][];

interface Around {
  readonly containers: Containers;
  readonly signs: ReadonlySet<string>;
  readonly others: readonly Other[];
  readonly servers: readonly Server[];
}

function rowOf(context: Context, store: Failures, { containers, signs, others, servers }: Around): Row {
  const old = oldUsers(store);
  const endpoint = endpointOf(store);
  const fresh = store.hits.flatMap(hit => {
    if (gapOf(hit)) return [hit as never as Hit & { readonly old: boolean }];
    if (!hit.fresh || !concernsEndpoint(hit, endpoint) || isNoise(hit)) return [];
    return [{ ...hitOf(context, hit), old: old.has(hit.containerKey) && codeOf(hit.id) !== '' }];
  });
  const hits = fresh.filter(hit => gapOf(hit) || !hit.old);
  const users = containers.filter(row => store.usedBy.some(user => user.containerKey === row.containerKey));
  const keys = (rows: Containers) => rows.map(row => row.containerKey);
  const added = {
    hits,
    heard: known(hits),
    oldHits: known(fresh).filter(hit => hit.old),
    failing: store.usedBy.map(user => user.containerKey).filter(key => signs.has(key)),
    heldBack: keys(users.filter(row => row.state === 'waiting' && row.reason === 'CreateContainerConfigError')),
    down: keys(users.filter(row => row.state !== 'running' || row.crashLooping)),
  };
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(store),
      ...Object.getOwnPropertyDescriptors(added),
      ...lazily({
        refusal: () => refusalOf(store, added.heard).code,
        refusalBy: () => refusalOf(store, added.heard).by,
        refusalWords: () => refusalOf(store, added.heard).words,
        refusalStatus: () => refusalOf(store, added.heard).status,
        credentialSources: () => sourcesOf(store, users),
        allHeard: () => hits.every(hit => hit.count >= 0),
        endpointName: () => endpointNameOf(store, added.heard),
        bucketName: () => bucketNameOf(store, added.heard),
        clusterName: () => /\.svc(?:\.|$)/.test(store.host),
        others: () => others.flatMap(other => relationOf(store, other, context.cluster)),
        serving: () => servingOf(store, context.cluster, servers),
      }),
    },
  ) as unknown as Row;
}

/** Fields that are worked out when they are read: what they need may not be known, and then they are not. */
function lazily(fields: Readonly<Record<string, () => unknown>>): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(fields).map(([name, get]) => [name, { enumerable: true, get }]));
}

/** Users that are known to run with an earlier configuration. */
function oldUsers(store: Failures): ReadonlySet<string> {
  try {
    return new Set(store.restartedSince.filter(row => !row.restarted).map(row => row.containerKey));
  } catch (error) {
    if (error instanceof GapSignal) return new Set();
    throw error;
  }
}

/** As configured; without a host where that may not be read, and then every line of a user is about it. */
function endpointOf(store: Failures): { readonly host: string; readonly insecure: boolean } {
  try {
    return { host: store.host, insecure: store.insecure };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return { host: '', insecure: false };
  }
}

/** The Compactor's bucket viewer prints one refusal now and then while everything else succeeds. */
function isNoise(hit: StoreHit): boolean {
  return (
    hit.id === 's3-access-denied' && hit.count < 2 && hit.sample.includes('function failed. Retrying in next tick')
  );
}

function hitOf(now: { readonly takenAt: number }, hit: StoreHit): Hit {
  const { id, first, last, lastAge, count, sample, captured, containerKey, container, component, running } = hit;
  return {
    id,
    code: codeOf(id),
    verb: verbOf(sample),
    first,
    firstAge: Math.max(0, Math.floor((now.takenAt - Date.parse(first)) / 1000)) || 0,
    last,
    lastAge,
    count,
    sample,
    captured,
    containerKey,
    container,
    component,
    running,
    keys: keysOf(hit),
  };
}

/** A sidecar that fails does not take its Prometheus down: it speaks for the pod only where it is down itself. */
function keysOf(hit: StoreHit): readonly string[] {
  const beside = hit.component === 'sidecar' && hit.running && !hit.crashLooping;
  const keys = beside
    ? [hit.containerKey, hit.subjectKey]
    : [hit.containerKey, hit.podKey, hit.workloadKey, hit.subjectKey];
  return keys.filter(key => key !== '');
}

interface Refusal {
  readonly code: string;
  readonly by: 'answer' | 'log' | '';
  readonly words: string;
  readonly status: number;
}

const SERVED: Refusal = { code: '', by: '', words: '', status: 0 };

/**
 * What the store answered from here decides; only where it was not heard, what it answered a user. Neither known:
 * throws why there was no answer.
 */
function refusalOf(store: Failures, heard: readonly Hit[]): Refusal {
  if (isNoS3(store)) return SERVED;
  try {
    const code = store.answerIsS3 ? store.answerCode : 'NotAnS3Answer';
    return { code, by: 'answer', words: store.answerMessage, status: store.answerStatus };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const said = heard
      .filter(hit => hit.code !== '')
      .sort((first, second) => Date.parse(second.last) - Date.parse(first.last))[0];
    if (!said) throw error;
    return { code: said.code, by: 'log', words: '', status: 0 };
  }
}

/** Known to be of another type, or not to be usable at all: no S3 server has anything to say of it. */
function isNoS3(store: Failures): boolean {
  try {
    return store.type !== 'S3' || !store.usable;
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

const PRINTED = /(https?):\/\/([^/"\\:]+)(?::([0-9]+))?\/([^/?"\\]*)/;

/** What a user prints of the place it asked, where the configuration itself is not known. */
function printedBy(heard: readonly Hit[]): { readonly address: string; readonly bucket: string } | undefined {
  const found = heard.map(hit => PRINTED.exec(hit.sample)).find(match => match !== null);
  if (!found) return undefined;
  const [, scheme, host = '', port, bucket = ''] = found;
  return { address: `${host.toLowerCase()}:${port ?? (scheme === 'https' ? 443 : 80)}`, bucket };
}

function endpointNameOf(store: Failures, heard: readonly Hit[]): string {
  try {
    return store.address;
  } catch (error) {
    const printed = error instanceof GapSignal ? printedBy(heard) : undefined;
    if (!printed) throw error;
    return printed.address;
  }
}

function bucketNameOf(store: Failures, heard: readonly Hit[]): string {
  try {
    return store.place;
  } catch (error) {
    const printed = error instanceof GapSignal ? printedBy(heard) : undefined;
    if (!printed?.bucket) throw error;
    return `${printed.bucket}@${printed.address}`;
  }
}

function sourcesOf(store: Failures, users: Containers): readonly string[] {
  const sources = new Set<string>();
  if (store.credentials.access.set) sources.add('configuration');
  if (store.awsSdkAuth) sources.add('sdk');
  for (const { env, envFrom, mounts } of users) {
    const names = new Set(env.map(variable => variable.name));
    if (names.has('AWS_ACCESS_KEY_ID') || names.has('MINIO_ACCESS_KEY') || names.has('AWS_ACCESS_KEY')) {
      sources.add('environment');
    }
    // What a whole Secret brings along is not known: it may hold a key.
    if (envFrom.some(from => from.fromSecret !== '')) sources.add('environment');
    if (names.has('AWS_ROLE_ARN') || names.has('AWS_WEB_IDENTITY_TOKEN_FILE')) sources.add('web identity');
    if (names.has('AWS_SHARED_CREDENTIALS_FILE') || mounts.some(mount => /\/\.aws(?:\/|$)/.test(mount.path))) {
      sources.add('file');
    }
  }
  return [...sources];
}

/** Seconds that a sidecar runs before "not one successful round" means failure. */
const SYNC_SILENCE = 900;

/** Containers whose own numbers say that they do not reach their bucket. What is not known says nothing. */
async function signsOf(context: Context): Promise<ReadonlySet<string>> {
  const [metrics, loaded, containers] = await Promise.all([
    listOrGap(context.get(metricsCollector)),
    listOrGap(context.get(loadedCollector)),
    listOrGap(context.get(containersCollector)),
  ]);
  const age = new Map(known(containers).map(row => [row.containerKey, row.runningAge]));
  const signs = new Set<string>();
  const note = (key: string, fails: () => boolean) => {
    try {
      if (fails()) signs.add(key);
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
    }
  };
  for (const row of known(loaded)) note(row.containerKey, () => row.error !== '');
  for (const row of known(metrics)) {
    if (row.component !== 'sidecar' || (age.get(row.containerKey) ?? -1) < SYNC_SILENCE) continue;
    note(row.containerKey, () => row.dirSyncs === 0);
  }
  return signs;
}

/** What serves an address: by `host:port`, by a host at any port, or by the key of a Service of one cluster. */
interface Server {
  readonly address: string;
  readonly host: string;
  readonly service: string;
  readonly keys: readonly string[];
}

/** What the clusters of the fleet serve. What is not known serves nothing that could be told. */
function listed<Element>(read: () => readonly Element[]): readonly Element[] {
  return attempt(read).value ?? [];
}

async function serversOf(context: Context): Promise<readonly Server[]> {
  const servers: Server[] = [];
  const nothing = { address: '', host: '', service: '' };
  for (const row of known(await listOrGap(context.get(addressesCollector)))) {
    if (row.address !== '') servers.push({ ...nothing, address: row.address, keys: [row.key, ...row.objects] });
  }
  for (const cluster of context.clusters) {
    const at = (key: string) => `${key} @${cluster.cluster}`;
    for (const ingress of known(await listOrGap(cluster.get(ingressesCollector)))) {
      // Only links are made of it: what lies behind an Ingress may stay unknown.
      const services = listed(() => ingress.backends).map(backend =>
        at(`Service ${ingress.namespace}/${backend.service}`),
      );
      for (const host of ingress.hosts) servers.push({ ...nothing, host, keys: [at(ingress.key), ...services] });
    }
    for (const row of known(await listOrGap(cluster.get(backendsCollector)))) {
      try {
        const keys = [row.service, ...row.matchedPods, ...row.workloads].map(one => at(one.key));
        servers.push({ ...nothing, service: at(row.service.key), keys });
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
      }
    }
  }
  return servers;
}

function servingOf(store: Failures, cluster: string, servers: readonly Server[]): readonly string[] {
  const inside = store.insideCluster.key === '' ? '' : `${store.insideCluster.key} @${cluster}`;
  const direct = servers.filter(
    server =>
      (server.address !== '' && server.address === store.address) ||
      (server.host !== '' && server.host === store.host) ||
      (inside !== '' && server.service === inside),
  );
  const keys = new Set(direct.flatMap(server => server.keys));
  // Behind an Ingress stand Services, and behind these their pods.
  for (const server of servers) if (keys.has(server.service)) for (const key of server.keys) keys.add(key);
  return [...keys];
}

interface Other {
  readonly cluster: string;
  readonly store: ObjectStore;
  readonly works: boolean;
}

/** The configurations of all clusters that could be read. They are only told, and a proof where they work. */
async function othersOf(context: Context): Promise<readonly Other[]> {
  const found: Other[] = [];
  for (const cluster of context.clusters) {
    for (const store of known(await listOrGap(cluster.get(failuresCollector)))) {
      found.push({ cluster: cluster.cluster, store, works: works(store) });
    }
  }
  return found;
}

function works(store: Failures): boolean {
  try {
    return store.answerIsS3 && store.answerCode === '';
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

function relationOf(store: Failures, other: Other, cluster: string): Row['others'] {
  if (other.cluster === cluster && other.store.id === store.id) return [];
  try {
    const { id, secret, address, host, bucket, place, region, insecure, credentials } = other.store;
    if (host !== store.host) return [];
    const same = (mine: { readonly fingerprint: string }, theirs: { readonly fingerprint: string }) =>
      mine.fingerprint !== '' && mine.fingerprint === theirs.fingerprint;
    return [
      {
        cluster: other.cluster,
        id,
        key: `${secret.key} @${other.cluster}`,
        address,
        host,
        bucket,
        place,
        region,
        insecure,
        sameKey: same(store.credentials.access, credentials.access),
        sameSecret: same(store.credentials.secret, credentials.secret),
        works: other.works,
      },
    ];
  } catch (error) {
    if (error instanceof GapSignal) return [];
    throw error;
  }
}
