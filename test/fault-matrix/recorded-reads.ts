import { join } from 'node:path';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { type BundleFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Collector } from '../../src/evidence/collector.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { openEvidence } from '../../src/evidence/store.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import { type Gap, GapSignal } from '../../src/model/gap.ts';
import type { Report } from '../../src/model/report.ts';
import type { Shape } from '../../src/model/shape.ts';
import type { Source } from '../../src/model/source.ts';

type Params = Readonly<Record<string, string>>;

/** One piece of evidence, as an undisturbed run asked for it. */
export interface Asked {
  readonly id: string;
  /** Name of the cluster, or `fleet`. */
  readonly cluster: string;
  readonly params: Params;
  evidence: Evidence;
  /** What the collector itself asked of its sources: `list apps/deployments`, `http Pod a/b:9090/metrics`. */
  readonly reads: Set<string>;
}

const keyOf = (cluster: string, id: string, params: Params) =>
  `${cluster} ${id} ${JSON.stringify(Object.entries(params).sort())}`;

export const signatures = builtinSignatures();
export const rules = builtinRules();

export const recording = (name: string): Promise<BundleFiles> =>
  openBundleFiles(join(import.meta.dirname, '../incidents', name, 'bundle.tar.gz'));

export function diagnose(sources: readonly Source[]): Promise<Report> {
  return diagnoseFleet(sources, {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'test',
  });
}

/** The source, with every verb told before it is asked. */
export function watched(source: Source, onRead: (read: string) => void): Source {
  const told = <Rest extends readonly unknown[], Result>(
    verb: string,
    ask: (...rest: Rest) => Result,
    word: (...rest: Rest) => string = () => '',
  ) =>
    ((...rest: Rest) => {
      onRead(`${verb} ${word(...rest)}`.trim());
      return ask(...rest);
    }) as (...rest: Rest) => Result;
  return {
    ...source,
    server: told('server', source.server),
    discovery: told('discovery', source.discovery),
    access: told('access', source.access),
    list: told('list', source.list, (group, resource) => `${group ? `${group}/` : ''}${resource}`),
    logs: told('logs', source.logs, ({ namespace, pod, container }) => `${namespace}/${pod}/${container}`),
    http: told(
      'http',
      source.http,
      ({ via, namespace, name, port, path }) => `${via} ${namespace}/${name}:${port}${path}`,
    ),
    objectStore: told('objectStore', source.objectStore, reference => reference.id),
    bucketAnswer: told('bucketAnswer', source.bucketAnswer, store => store),
    bucketListing: told('bucketListing', source.bucketListing, store => store),
    bucketObject: told('bucketObject', source.bucketObject, (store, key) => `${store} ${key}`),
    ...(source.bucketSettings ? { bucketSettings: told('bucketSettings', source.bucketSettings, store => store) } : {}),
    probe: told('probe', source.probe, endpoint => endpoint),
  };
}

/** Collectors that note what they ask of their sources. */
export function noting(onAsked: (asked: Asked) => void): ReadonlyMap<string, Collector> {
  return new Map(
    [...COLLECTORS].map(([id, collector]) => [
      id,
      {
        ...collector,
        async collect(context) {
          const reads = new Set<string>();
          const note = (read: string) => void reads.add(read);
          const evidence = await settled(() =>
            collector.collect({
              ...context,
              source: context.source && watched(context.source, note),
              clusters: context.clusters.map(other => ({ ...other, source: watched(other.source, note) })),
            }),
          );
          onAsked({ id, cluster: context.cluster, params: context.params, evidence, reads });
          if (!evidence.known) throw new GapSignal(evidence.gap);
          return evidence.value as never;
        },
      } satisfies Collector,
    ]),
  );
}

async function settled(collect: () => Promise<unknown>): Promise<Evidence> {
  try {
    return { known: true, value: await collect(), from: [] };
  } catch (error) {
    if (error instanceof GapSignal) return { known: false, gap: error.gap };
    throw error;
  }
}

/** What was asked in a run of all collectors, by cluster, id and parameters. */
export interface Undisturbed {
  readonly asked: ReadonlyMap<string, Asked>;
  of(cluster: string, id: string, params: Params): Evidence;
}

const NOT_ASKED: Gap = { evidence: '', reason: 'not-asked', detail: 'was not asked for', path: '', notLookedAt: true };

/** Collects everything once that needs no parameters. Whatever comes into the catalogue is in it by itself. */
export async function undisturbed(sources: readonly Source[]): Promise<Undisturbed> {
  const asked = new Map<string, Asked>();
  const evidence = openEvidence(sources, new Map(), {
    collectors: noting(one => void asked.set(keyOf(one.cluster, one.id, one.params), one)),
    expectations: NO_EXPECTATIONS,
    signatures,
    concurrency: 16,
  });
  for (const collector of COLLECTORS.values()) {
    if (collector.params.length > 0) continue;
    for (const store of collector.scope === 'fleet' ? [evidence.fleet] : evidence.clusters) {
      await store.collect(collector.id, {});
    }
  }
  await evidence.clusters[0]!.collect('prometheus.query', { expr: 'up', prometheus: '' });
  await askForUnlisted(evidence.clusters[0]!.cluster, sources, asked);
  return {
    asked,
    of: (cluster, id, params) =>
      asked.get(keyOf(cluster, id, params))?.evidence ?? { known: false, gap: { ...NOT_ASKED, evidence: id } },
  };
}

/** Why a Query lacks an endpoint is asked only where it lacks one. */
async function askForUnlisted(cluster: string, sources: readonly Source[], asked: Map<string, Asked>): Promise<void> {
  const id = 'thanos.endpoint-reach';
  const endpoints = asked.get(keyOf(cluster, 'thanos.query-endpoints', {}))!;
  if (!endpoints.evidence.known) throw new Error('the endpoints of the Query are not known');
  const rows = endpoints.evidence.value as readonly { query: { key: string }; name: string }[];
  const [row] = rows;
  const down = { ...row!, state: 'down', errorKind: 'unlisted', outside: false };
  endpoints.evidence = { known: true, value: [down], from: [] };
  const params = { query: down.query.key, endpoint: down.name };
  const of: Undisturbed['of'] = (where, other, given) =>
    asked.get(keyOf(where, other, given))?.evidence ?? { known: false, gap: { ...NOT_ASKED, evidence: other } };
  const reads = new Set<string>();
  const told = sources.map(source => watched(source, read => void reads.add(read)));
  const evidence = await collectAlone(told, { asked, of }, { id, cluster, params });
  asked.set(keyOf(cluster, id, params), { id, cluster, params, evidence, reads });
}

/** Collects one piece of evidence anew over other sources, while all others are as they were. */
export async function collectAlone(
  sources: readonly Source[],
  before: Undisturbed,
  one: Pick<Asked, 'id' | 'cluster' | 'params'>,
): Promise<Evidence> {
  const collectors = new Map(
    [...COLLECTORS].map(([id, collector]) => [
      id,
      id === one.id
        ? collector
        : ({
            ...collector,
            async collect({ cluster, params }) {
              const evidence = before.of(cluster, id, params);
              if (!evidence.known) throw new GapSignal(evidence.gap);
              return evidence.value as never;
            },
          } satisfies Collector),
    ]),
  );
  const evidence = openEvidence(sources, new Map(), {
    collectors,
    expectations: NO_EXPECTATIONS,
    signatures,
    concurrency: 16,
  });
  const store = [...evidence.clusters, evidence.fleet].find(({ cluster }) => cluster === one.cluster)!;
  return store.collect(one.id, one.params);
}

/** All gaps inside of a value. */
export function gapsInside(value: unknown, found: Gap[] = [], seen = new Set<unknown>()): readonly Gap[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found;
  seen.add(value);
  try {
    // The answers of kubelets carry theirs as a value.
    if ('notLookedAt' in value && 'reason' in value) found.push(value as Gap);
    for (const name of Object.keys(value)) {
      try {
        gapsInside((value as Record<string, unknown>)[name], found, seen);
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        found.push(error.gap);
      }
    }
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    found.push(error.gap);
  }
  return found;
}

/** The value with its gaps written out, to be compared. */
export function plain(value: unknown): unknown {
  try {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.keys(value).map(name => [name, readable(() => plain((value as Record<string, unknown>)[name]))]),
    );
  } catch (error) {
    return written(error);
  }
}

function readable(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return written(error);
  }
}

function written(error: unknown): string {
  if (error instanceof GapSignal) return `(${error.gap.reason}: ${error.gap.detail})`;
  throw error;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  str: value => typeof value === 'string',
  time: value => typeof value === 'string',
  int: value => Number.isInteger(value),
  float: value => typeof value === 'number' && !Number.isNaN(value),
  bool: value => typeof value === 'boolean',
  map: value =>
    typeof value === 'object' && value !== null && Object.values(value).every(entry => typeof entry === 'string'),
  any: () => true,
};

/** Where a value is not what its shape says. What is a gap is well. */
export function mistakesIn(shape: Shape, value: unknown, place = ''): readonly string[] {
  try {
    if (gapOf(value)) return [];
    if (typeof shape === 'string')
      return TYPES[shape]!(value) ? [] : [`${place} is ${JSON.stringify(value)}, and no ${shape}`];
    if (Array.isArray(shape)) {
      if (!Array.isArray(value)) return [`${place} is no list`];
      return value.flatMap((element, index) => mistakesIn(shape[0], element, `${place}[${index}]`));
    }
    if (typeof value !== 'object' || value === null) return [`${place} is ${JSON.stringify(value)}`];
    return Object.entries(shape).flatMap(([name, field]) => fieldMistakes(field, value, name, place));
  } catch (error) {
    written(error);
    return [];
  }
}

function fieldMistakes(shape: Shape, value: object, name: string, place: string): readonly string[] {
  try {
    return mistakesIn(shape, (value as Record<string, unknown>)[name], `${place}.${name}`);
  } catch (error) {
    written(error);
    return [];
  }
}
