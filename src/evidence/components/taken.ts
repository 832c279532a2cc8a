import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref } from '../../model/shape.ts';
import { gapOf } from '../gaps.ts';
import { ref } from '../objects.ts';
import { type Requirement, requirementsOf, type Selection, unmet } from './operator.ts';

/** A custom resource that selects objects of one kind. */
export interface Taker {
  readonly ref: Ref;
  readonly selection: Selection;
}

/** An object that a resource may select. `namespaceLabels` is read only where a selector asks for labels of namespaces. */
export interface Candidate {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  namespaceLabels(): Readonly<Record<string, string>>;
}

/** What keeps one resource from selecting an object; empty where it selects it. */
export interface Refusal {
  /** label, expression, namespace, or nil where the resource has no selector for the kind at all. */
  readonly missing: string;
  readonly key: string;
  readonly operator: string;
  readonly wanted: string;
  readonly found: string;
}

/** Every requirement of a resource that an object does not meet. Throws the gap of the namespaces' labels. */
function refusals(taker: Taker, candidate: Candidate): readonly Refusal[] {
  const { selection } = taker;
  if (selection.nil) return [{ missing: 'nil', key: '', operator: '', wanted: '', found: '' }];
  const own = unmet(candidate.labels, selection).map(requirement => refusal(requirement, candidate.labels));
  return [...own, ...namespaceRefusals(taker, candidate)];
}

function namespaceRefusals(taker: Taker, candidate: Candidate): readonly Refusal[] {
  const { selection } = taker;
  if (selection.namespaceNil) {
    if (candidate.namespace === taker.ref.namespace) return [];
    return [{ missing: 'namespace', key: '', operator: '=', wanted: taker.ref.namespace, found: candidate.namespace }];
  }
  const selector = { labels: selection.namespaceLabels, expressions: selection.namespaceExpressions };
  if (requirementsOf(selector).length === 0) return [];
  const labels = candidate.namespaceLabels();
  return unmet(labels, selector).map(requirement => ({ ...refusal(requirement, labels), missing: 'namespace' }));
}

function refusal(requirement: Requirement, labels: Readonly<Record<string, string>>): Refusal {
  const { key, operator, values } = requirement;
  return {
    missing: operator === '=' ? 'label' : 'expression',
    key,
    operator,
    wanted: values.join(', '),
    found: labels[key] ?? '',
  };
}

/** The refusal in words: `label release is absent, wanted monitoring`. */
export function inWords(refusal: Refusal, labels: Readonly<Record<string, string>>): string {
  const { missing, key, operator, wanted, found } = refusal;
  if (missing === 'nil') return 'it has no selector for this kind, so it selects none';
  if (missing === 'namespace' && key === '') return `it looks in namespace ${wanted} only`;
  const where = missing === 'namespace' ? 'label of the namespace' : 'label';
  const state = key in labels || found !== '' ? `is "${found}"` : 'is absent';
  if (operator === '=' || operator === 'In') return `${where} ${key} ${state}, wanted "${wanted}"`;
  if (operator === 'NotIn') return `${where} ${key} ${state}, which it leaves out`;
  return operator === 'Exists' ? `${where} ${key} is absent` : `${where} ${key} is there, and must not be`;
}

/** Who selects an object; else who comes nearest to it, and the gap of those who may select it and could not be read. */
export interface Choice {
  readonly selectedBy: readonly Ref[];
  readonly nearest: { readonly taker: Taker; readonly missing: readonly Refusal[] } | undefined;
  readonly gap: Gap | undefined;
}

export function choiceOf(candidate: Candidate, takers: readonly (Taker | Gap)[]): Choice {
  const selectedBy: Ref[] = [];
  let nearest: Choice['nearest'];
  let gap: Gap | undefined;
  for (const taker of takers) {
    if (!('selection' in taker)) {
      gap = taker;
      continue;
    }
    try {
      const missing = refusals(taker, candidate);
      if (missing.length === 0) selectedBy.push(taker.ref);
      if (!nearest || distance(missing) < distance(nearest.missing)) nearest = { taker, missing };
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gap = error.gap;
    }
  }
  return { selectedBy, nearest, gap };
}

/** A resource that selects nothing of a kind is the farthest of all. */
function distance(missing: readonly Refusal[]): number {
  return missing.some(refusal => refusal.missing === 'nil') ? Number.POSITIVE_INFINITY : missing.length;
}

export function takersOf<Row extends { readonly namespace: string; readonly name: string; readonly uid: string }>(
  rows: readonly Row[],
  kind: string,
  selection: (row: Row) => Selection,
): readonly (Taker | Gap)[] {
  return rows.map(row => gapOf(row) ?? { ref: ref(kind, row.namespace, row.name, row.uid), selection: selection(row) });
}
