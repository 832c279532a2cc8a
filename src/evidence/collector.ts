import type { Access, EvidenceDescription } from '../model/evidence.ts';
import { GapSignal } from '../model/gap.ts';
import type { Shape, ShapeOf } from '../model/shape.ts';
import type { RawObject, Source } from '../model/source.ts';
import { gapElement } from './gaps.ts';
import type { CompiledSignatures } from './logs/signatures.ts';
import { checkParts } from './object-parts.ts';
import { OBJECT_FIELDS, objectFields } from './objects.ts';
import { rowsOf } from './rows.ts';

/** How one kind of evidence is obtained: raw answers of a source, or other evidence, turned into a dense shape. */
export interface Collector<S extends Shape = Shape> extends EvidenceDescription {
  readonly shape: S;
  /** Throws a `GapSignal` where it cannot be known. */
  collect(context: Context): Promise<ShapeOf<S>>;
}

/** What a collector sees. All of it belongs to one cluster, except `clusters`. */
export interface Context {
  readonly cluster: string;
  readonly source: Source;
  readonly params: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  /** Other evidence of the same cluster (or of the fleet, for a collector of that scope). Throws its `GapSignal`. */
  get<S extends Shape>(collector: Collector<S>, params?: Readonly<Record<string, string>>): Promise<ShapeOf<S>>;
  /** The contexts of all clusters of the run, this one included, in the order of their names. */
  readonly clusters: readonly Context[];
  readonly expectations: Expectations;
  /** What to look for in logs; absent where nobody asked for it. */
  readonly signatures: CompiledSignatures | undefined;
}

/** What the fleet file states. */
export interface Expectations {
  readonly stated: boolean;
  readonly clusters: readonly { readonly name: string; readonly role: string }[];
  readonly clusterLabel: string;
  /** 0 = not stated. */
  readonly queryStores: number;
  /** Seconds; 0 = not stated. */
  readonly retention: { readonly raw: number; readonly fiveMinutes: number; readonly oneHour: number };
  readonly localRetention: number;
  readonly ignoredTargets: readonly string[];
}

export interface Definition<S extends Shape> {
  readonly id: string;
  readonly about: string;
  readonly shape: S;
  readonly core?: boolean;
  readonly scope?: 'cluster' | 'fleet';
  readonly params?: readonly string[];
  readonly needs?: readonly Access[];
  collect(context: Context): Promise<ShapeOf<S>>;
}

/** Evidence that is read from the cluster. */
export function fetched<const S extends Shape>(definition: Definition<S>): Collector<S> {
  return { core: false, scope: 'cluster', params: [], needs: [], ...definition, derived: false };
}

/** Evidence that is concluded from other evidence, without a request of its own. */
export function derived<const S extends Shape>(definition: Definition<S>): Collector<S> {
  return { core: false, scope: 'cluster', params: [], needs: [], ...definition, derived: true };
}

type Fields = { readonly [field: string]: Shape };
type RowShape<F extends Fields> = readonly [typeof OBJECT_FIELDS & F];

interface ListDefinition<F extends Fields> {
  readonly id: string;
  readonly about: string;
  readonly core?: boolean;
  /** '' is the core group. */
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  /** The fields after those of every object (`objects.ts`). */
  readonly fields: F;
  readonly row: (object: RawObject, context: Context) => ShapeOf<F>;
}

/**
 * Evidence that is one LIST over all namespaces, a row an object. An object that cannot be understood is a gap element,
 * and so is each namespace that could not be read, and all those that nobody asked for: what is there can still be a
 * problem, but "there is no other" is not known. A kind that is not served is a known empty list.
 */
export function listOf<const F extends Fields>(definition: ListDefinition<F>): Collector<RowShape<F>> {
  const { group, resource, kind, row } = definition;
  const fields = { ...OBJECT_FIELDS, ...definition.fields };
  const toRow = rowsOf(fields);
  return {
    id: definition.id,
    about: definition.about,
    scope: 'cluster',
    core: definition.core ?? false,
    derived: false,
    params: [],
    needs: [{ verbs: ['list'], group, resource }],
    shape: [fields],
    async collect(context) {
      const take = (object: RawObject): unknown => {
        try {
          checkParts(kind, object);
          return toRow(objectFields(kind, object, context), row(object, context) as object);
        } catch (error) {
          if (error instanceof GapSignal) return gapElement({ ...error.gap, evidence: definition.id });
          throw error;
        }
      };
      const answer = await context.source.list(group, resource, take);
      const rows: unknown[] = [...answer.items];
      for (const { namespace, detail } of answer.unread) {
        rows.push(
          gapElement({
            evidence: definition.id,
            reason: 'forbidden',
            detail: detail || `${resource} of namespace ${namespace} could not be read`,
            path: answer.path,
            notLookedAt: false,
          }),
        );
      }
      if (answer.onlyNamespaces) {
        rows.push(
          gapElement({
            evidence: definition.id,
            reason: 'not-asked',
            detail: `only ${answer.onlyNamespaces.length === 1 ? 'namespace' : 'namespaces'} ${answer.onlyNamespaces.join(', ')} looked at`,
            path: answer.path,
            notLookedAt: true,
          }),
        );
      }
      return rows as unknown as ShapeOf<RowShape<F>>;
    },
  };
}
