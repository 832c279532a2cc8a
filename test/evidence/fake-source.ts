import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Collector } from '../../src/evidence/collector.ts';
import { openEvidence } from '../../src/evidence/store.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import { type Gap, GapSignal } from '../../src/model/gap.ts';
import type { Shape, ShapeOf } from '../../src/model/shape.ts';
import type {
  AccessReview,
  BucketAnswer,
  BucketSettings,
  Discovery,
  HttpAnswer,
  HttpRequest,
  LogAnswer,
  LogRequest,
  ProbeAnswer,
  RawObject,
  ReadFailure,
  ServerAnswer,
  Source,
  StoreAnswer,
} from '../../src/model/source.ts';
import { asStored } from './as-stored.ts';

/** What a small hand-made cluster holds. What is left out is a gap `not-in-bundle`, as in a bundle. */
export interface FakeCluster {
  readonly name?: string;
  readonly takenAt?: string;
  readonly roleHint?: 'hub' | 'edge' | '';
  /** `resource` or `group/resource` → raw objects; a gap to make the list fail; null for a kind that is not served. */
  readonly objects?: Readonly<Record<string, readonly RawObject[] | Partial<Gap> | null>>;
  /** `resource` or `group/resource` → namespaces that could not be read. */
  readonly unread?: Readonly<Record<string, readonly string[]>>;
  readonly onlyNamespaces?: Readonly<Record<string, readonly string[]>>;
  readonly logs?: (request: LogRequest) => string | LogAnswer | undefined;
  readonly http?: (request: HttpRequest) => Partial<HttpAnswer> | string | undefined;
  readonly objectStore?: (id: string) => Partial<StoreAnswer> | undefined;
  readonly bucketAnswer?: (store: string) => Partial<BucketAnswer> | undefined;
  readonly bucketSettings?: (store: string) => BucketSettings['lifecycle'] | undefined;
  /** Objects of the bucket behind a configuration, by key. */
  readonly bucket?: (store: string) => Readonly<Record<string, string>> | undefined;
  readonly probe?: (endpoint: string) => Partial<ProbeAnswer> | undefined;
  readonly server?: Partial<ServerAnswer>;
  readonly discovery?: Discovery;
  readonly access?: readonly AccessReview[];
  readonly failures?: readonly ReadFailure[];
}

export const TAKEN_AT = '2026-05-04T12:00:00Z';

/** RFC 3339 time so many seconds before the evidence was taken. */
export function ago(seconds: number): string {
  return new Date(Date.parse(TAKEN_AT) - seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function missing(what: string): never {
  throw new GapSignal({ reason: 'not-in-bundle', detail: `${what} is not in the bundle`, path: what });
}

function isGap(value: readonly RawObject[] | Partial<Gap>): value is Partial<Gap> {
  return !Array.isArray(value);
}

/** A `Source` over objects that a test writes down. */
export function fakeSource(cluster: FakeCluster): Source {
  return {
    cluster: cluster.name ?? 'a',
    is: 'bundle',
    roleHint: cluster.roleHint ?? '',
    takenAt: () => cluster.takenAt ?? TAKEN_AT,
    async server() {
      return { version: 'v1.34.4', minor: 34, host: '192.0.2.1:6443', context: 'a', ready: true, ...cluster.server };
    },
    async discovery() {
      return cluster.discovery ?? { resources: [], unreadable: [] };
    },
    async access() {
      return cluster.access ?? missing('access');
    },
    async list(group, resource, take) {
      const id = group ? `${group}/${resource}` : resource;
      const path = `/${id}`;
      const objects = cluster.objects?.[id] ?? (cluster.objects && id in cluster.objects ? null : undefined);
      if (objects === undefined) return missing(path);
      const onlyNamespaces = cluster.onlyNamespaces?.[id] ?? null;
      const unread = (cluster.unread?.[id] ?? []).map(namespace => ({ namespace, detail: `${resource} is forbidden` }));
      if (objects === null) return { installed: false, items: [], kind: '', path, unread, onlyNamespaces };
      if (isGap(objects)) throw new GapSignal({ reason: 'forbidden', detail: 'forbidden', path, ...objects });
      const stored = objects.map(object => asStored(resource, object));
      return { installed: true, items: take ? stored.map(take) : stored, kind: '', path, unread, onlyNamespaces };
    },
    async logs(request) {
      const answer = cluster.logs?.(request);
      const path = `logs/${request.namespace}/${request.pod}/${request.container}`;
      if (answer === undefined) return missing(path);
      if (typeof answer !== 'string') return answer;
      return { is: 'lines', path, chunks: chunksOf(answer) };
    },
    async http(request) {
      const answer = cluster.http?.(request);
      if (answer === undefined) return missing(request.path);
      const whole = typeof answer === 'string' ? { body: answer } : answer;
      return { status: 200, contentType: 'application/json', body: '', path: request.path, by: 'bundle', ...whole };
    },
    async objectStore(reference) {
      const answer = cluster.objectStore?.(reference.id);
      if (answer === undefined) return missing(reference.id);
      return {
        reference,
        path: reference.id,
        config: null,
        error: '',
        keys: [],
        changedAt: '',
        resourceVersion: '',
        ...answer,
      };
    },
    async bucketAnswer(store) {
      const answer = cluster.bucketAnswer?.(store) ?? missing(`s3://${store}`);
      return { code: '', status: 200, message: '', isS3: true, path: `s3://${store}`, ...answer };
    },
    async bucketListing(store, take) {
      const bodies = cluster.bucket?.(store) ?? missing(`s3://${store}`);
      const objects = Object.entries(bodies).map(([key, body]) => ({
        key,
        size: body.length,
        lastModified: ago(7200),
      }));
      await take?.(objects);
      await take?.([]);
      return {
        bucket: store,
        endpoint: '',
        objects: take ? [] : objects,
        truncated: false,
        path: `s3://${store}`,
      };
    },
    async bucketSettings(store) {
      const path = `s3://${store}?lifecycle`;
      return { lifecycle: cluster.bucketSettings?.(store) ?? missing(path), path };
    },
    async bucketObject(store, key) {
      return (cluster.bucket?.(store) ?? missing(`s3://${store}`))[key] ?? null;
    },
    async probe(endpoint) {
      const answer = cluster.probe?.(endpoint);
      if (answer === undefined) return missing(`probe ${endpoint}`);
      return { tcp: 'open', speaks: '', certificate: null, ...answer };
    },
    failures: () => cluster.failures ?? [],
    usage: () => ({ requests: 0, bytes: 0 }),
    close: async () => {},
  };
}

async function* chunksOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** One piece of evidence of a hand-made cluster (the first), with all collectors that it is derived from. */
export async function collect<S extends Shape>(
  collector: Collector<S>,
  clusters: FakeCluster | readonly FakeCluster[],
  params: Readonly<Record<string, string>> = {},
): Promise<ShapeOf<S>> {
  const evidence = await evidenceOf(collector, clusters, params);
  if (!evidence.known) throw new GapSignal(evidence.gap);
  return evidence.value as ShapeOf<S>;
}

/** The same, known or not. */
export async function evidenceOf<S extends Shape>(
  collector: Collector<S>,
  clusters: FakeCluster | readonly FakeCluster[],
  params: Readonly<Record<string, string>> = {},
): Promise<Evidence> {
  const all = Array.isArray(clusters) ? clusters : [clusters as FakeCluster];
  const evidence = openEvidence(all.map(fakeSource), new Map(), {
    collectors: new Map([...COLLECTORS, [collector.id, collector as unknown as Collector]]),
    concurrency: 4,
    expectations: {
      stated: false,
      clusters: [],
      clusterLabel: '',
      queryStores: 0,
      retention: { raw: 0, fiveMinutes: 0, oneHour: 0 },
      localRetention: 0,
      ignoredTargets: [],
    },
  });
  const store = collector.scope === 'fleet' ? evidence.fleet : evidence.clusters[0]!;
  return store.collect(collector.id, params);
}
