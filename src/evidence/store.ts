import pLimit from 'p-limit';
import type { Evidence, EvidenceDescription, EvidenceStore } from '../model/evidence.ts';
import { type Gap, GapSignal } from '../model/gap.ts';
import type { Shape, ShapeOf } from '../model/shape.ts';
import type { Source } from '../model/source.ts';
import type { Collector, Context, Expectations } from './collector.ts';
import { gapElement, gapOf } from './gaps.ts';
import type { CompiledSignatures } from './logs/signatures.ts';

export interface StoreOptions {
  readonly collectors: ReadonlyMap<string, Collector>;
  readonly expectations: Expectations;
  /** What to look for in logs. Without them, what logs say is not looked at. */
  readonly signatures?: CompiledSignatures;
  /** Reads under way at once in one cluster. */
  readonly concurrency: number;
  /** Called before a piece of evidence of a cluster is collected; for progress. */
  readonly onCollect?: (cluster: string, evidence: string) => void;
  /** Called after it was collected, or turned out to be a gap. */
  readonly onCollected?: (cluster: string, evidence: string) => void;
}

/** The evidence of a whole run: one store per cluster, and one for the fleet. */
export interface FleetEvidence {
  readonly clusters: readonly EvidenceStore[];
  readonly fleet: EvidenceStore;
}

/**
 * Opens the evidence of a fleet over its sources. Nothing is fetched yet. `unreachable` names the clusters whose API
 * server did not answer, each with its gap: everything of theirs is that gap, at no cost.
 */
export function openEvidence(
  sources: readonly Source[],
  unreachable: ReadonlyMap<string, Gap>,
  options: StoreOptions,
): FleetEvidence {
  const clusters = sources.map(source => new Store(source.cluster, source, unreachable.get(source.cluster), options));
  // The clock of a cluster that did not answer is our own guess.
  const answered = clusters.filter(cluster => !unreachable.has(cluster.cluster));
  const takenAt = Math.max(0, ...(answered.length > 0 ? answered : clusters).map(cluster => cluster.takenAt));
  const fleet = new FleetStore(clusters, takenAt, options);
  for (const cluster of clusters) cluster.fleet = fleet;
  return { clusters, fleet };
}

function keyOf(id: string, params: Readonly<Record<string, string>>): string {
  const names = Object.keys(params);
  return names.length === 0 ? id : `${id} ${JSON.stringify(names.sort().map(name => [name, params[name]]))}`;
}

/** Memoises each piece of evidence; a failed one is remembered as its gap. */
abstract class Memory implements EvidenceStore {
  abstract readonly cluster: string;
  abstract readonly takenAt: number;
  readonly #settled = new Map<string, Evidence>();
  readonly #pending = new Map<string, Promise<Evidence>>();
  protected readonly options: StoreOptions;

  constructor(options: StoreOptions) {
    this.options = options;
  }

  describe(id: string): EvidenceDescription | undefined {
    return this.options.collectors.get(id);
  }

  peek(id: string, params: Readonly<Record<string, string>>): Evidence | undefined {
    return this.#settled.get(keyOf(id, params));
  }

  collect(id: string, params: Readonly<Record<string, string>>, chain: readonly string[] = []): Promise<Evidence> {
    const key = keyOf(id, params);
    const settled = this.#settled.get(key);
    if (settled) return Promise.resolve(settled);
    const place = `${this.cluster} ${key}`;
    if (chain.includes(place)) throw new Error(`evidence depends on itself: ${[...chain, place].join(' -> ')}`);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = this.#obtain(id, params, [...chain, place]).then(evidence => {
        this.#settled.set(key, evidence);
        this.#pending.delete(key);
        return evidence;
      });
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #obtain(id: string, params: Readonly<Record<string, string>>, chain: readonly string[]): Promise<Evidence> {
    const collector = this.options.collectors.get(id);
    if (!collector) throw new Error(`there is no collector ${id}`);
    try {
      return await this.run(collector, params, chain);
    } catch (error) {
      if (error instanceof GapSignal) return { known: false, gap: this.#explain(error.gap, collector) };
      // A mistake of ours in one collector must not take the answer about everything else with it: it is said as ours.
      return { known: false, gap: mistake(id, error) };
    }
  }

  /** Evidence that a bundle lacks was not looked at if it is optional, and is missing if it is core. */
  #explain(gap: Gap, collector: Collector): Gap {
    const evidence = gap.evidence || collector.id;
    const notLookedAt =
      gap.notLookedAt || (gap.reason === 'not-in-bundle' && !this.options.collectors.get(evidence)?.core);
    return { ...gap, evidence, notLookedAt };
  }

  protected abstract run(
    collector: Collector,
    params: Readonly<Record<string, string>>,
    chain: readonly string[],
  ): Promise<Evidence>;
}

function mistake(evidence: string, error: unknown): Gap {
  const { message, stack = '' } = error as Error;
  const place = /at (.*)/.exec(stack)?.[1] ?? '';
  const detail = `a mistake in thanos-doctor, please report it: ${message} (${evidence}${place ? `, ${place.replace(/\(?file:.*\/(?=[^/]+$)/, '')}` : ''})`;
  return { evidence, reason: 'rule-error', detail, path: '', notLookedAt: false };
}

class Store extends Memory {
  readonly cluster: string;
  fleet: FleetStore | undefined;
  readonly #source: Source;
  readonly #unreachable: Gap | undefined;
  readonly #limit: ReturnType<typeof pLimit>;

  constructor(cluster: string, source: Source, unreachable: Gap | undefined, options: StoreOptions) {
    super(options);
    this.cluster = cluster;
    this.#source = source;
    this.#unreachable = unreachable;
    this.#limit = pLimit(options.concurrency);
  }

  get takenAt(): number {
    return Date.parse(this.#source.takenAt()) || 0;
  }

  context(params: Readonly<Record<string, string>>, chain: readonly string[], from: Set<string>): Context {
    const store = this;
    return {
      cluster: store.cluster,
      source: observed(store.#source, store.#limit, from),
      params,
      takenAt: store.takenAt,
      expectations: store.options.expectations,
      signatures: store.options.signatures,
      async get<S extends Shape>(collector: Collector<S>, wanted: Readonly<Record<string, string>> = {}) {
        const owner: Memory = collector.scope === 'fleet' ? store.fleet! : store;
        return unwrap<S>(await owner.collect(collector.id, wanted, chain), from);
      },
      get clusters() {
        return store.fleet!.contexts(chain, from);
      },
    };
  }

  protected async run(
    collector: Collector,
    params: Readonly<Record<string, string>>,
    chain: readonly string[],
  ): Promise<Evidence> {
    if (collector.scope === 'fleet') return this.fleet!.collect(collector.id, params, chain);
    if (this.#unreachable) throw new GapSignal({ ...this.#unreachable, evidence: collector.id });
    this.options.onCollect?.(this.cluster, collector.id);
    const from = new Set<string>();
    try {
      const value = await collector.collect(this.context(params, chain, from));
      return { known: true, value, from: [...from] };
    } finally {
      this.options.onCollected?.(this.cluster, collector.id);
    }
  }
}

class FleetStore extends Memory {
  readonly cluster = 'fleet';
  readonly takenAt: number;
  readonly #clusters: readonly Store[];

  constructor(clusters: readonly Store[], takenAt: number, options: StoreOptions) {
    super(options);
    this.#clusters = clusters;
    this.takenAt = takenAt;
  }

  contexts(chain: readonly string[], from: Set<string>): readonly Context[] {
    return this.#clusters.map(cluster => cluster.context({}, chain, from));
  }

  protected async run(
    collector: Collector,
    params: Readonly<Record<string, string>>,
    chain: readonly string[],
  ): Promise<Evidence> {
    if (collector.scope === 'cluster') return this.#merge(collector, params, chain);
    const from = new Set<string>();
    const store = this;
    const context: Context = {
      cluster: 'fleet',
      source: undefined as unknown as Source,
      params,
      takenAt: store.takenAt,
      expectations: store.options.expectations,
      signatures: store.options.signatures,
      async get<S extends Shape>(wanted: Collector<S>, wantedParams: Readonly<Record<string, string>> = {}) {
        return unwrap<S>(await store.collect(wanted.id, wantedParams, chain), from);
      },
      clusters: store.contexts(chain, from),
    };
    return { known: true, value: await collector.collect(context), from: [...from] };
  }

  /** Rows of all clusters, each with its `cluster`; a cluster whose rows are not known is a gap element. */
  async #merge(
    collector: Collector,
    params: Readonly<Record<string, string>>,
    chain: readonly string[],
  ): Promise<Evidence> {
    const rows: unknown[] = [];
    const from = new Set<string>();
    for (const cluster of this.#clusters) {
      const evidence = await cluster.collect(collector.id, params, chain);
      if (!evidence.known) {
        rows.push(gapElement({ ...evidence.gap, detail: `${cluster.cluster}: ${evidence.gap.detail}` }));
        continue;
      }
      for (const path of evidence.from) from.add(path);
      const values = Array.isArray(evidence.value) ? evidence.value : [evidence.value];
      for (const value of values) rows.push(gapOf(value) ? value : withCluster(value as object, cluster.cluster));
    }
    return { known: true, value: rows, from: [...from] };
  }
}

/** A copy of the row with its cluster; fields that are gaps stay gaps. */
function withCluster(row: object, cluster: string): object {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(row), cluster: { value: cluster, enumerable: true } },
  );
}

function unwrap<S extends Shape>(evidence: Evidence, from: Set<string>): ShapeOf<S> {
  if (!evidence.known) throw new GapSignal(evidence.gap);
  for (const path of evidence.from) from.add(path);
  return evidence.value as ShapeOf<S>;
}

/** The source, with concurrency limited and the place of every answer noted. */
function observed(source: Source, limit: ReturnType<typeof pLimit>, from: Set<string>): Source {
  const noted = async <Answer extends { readonly path: string }>(read: () => Promise<Answer>): Promise<Answer> => {
    const answer = await limit(read);
    from.add(answer.path);
    return answer;
  };
  return {
    cluster: source.cluster,
    is: source.is,
    roleHint: source.roleHint,
    takenAt: () => source.takenAt(),
    server: () => limit(() => source.server()),
    discovery: () => limit(() => source.discovery()),
    access: namespaces => limit(() => source.access(namespaces)),
    list: (group, resource, take) => noted(() => source.list(group, resource, take)),
    logs: request => noted(() => source.logs(request)),
    http: request => noted(() => source.http(request)),
    objectStore: reference => noted(() => source.objectStore(reference)),
    bucketAnswer: store => noted(() => source.bucketAnswer(store)),
    // What takes objects while they are listed reads them meanwhile: it must not hold a place of theirs.
    bucketListing: (store, take) =>
      take
        ? source.bucketListing(store, take).then(listing => noted(async () => listing))
        : noted(() => source.bucketListing(store)),
    ...(source.bucketSettings ? { bucketSettings: store => noted(() => source.bucketSettings!(store)) } : {}),
    // An object store is another server: whoever reads what it listed says itself how much at once.
    bucketObject: (store, key, listed) =>
      listed ? source.bucketObject(store, key, listed) : limit(() => source.bucketObject(store, key)),
    probe: endpoint => limit(() => source.probe(endpoint)),
    failures: () => source.failures(),
    usage: () => source.usage(),
    close: () => source.close(),
  };
}
