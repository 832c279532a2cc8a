import { mergedShape } from '../src/checks/load-rules.ts';
import { COLLECTORS } from '../src/evidence/catalogue.ts';
import type { Evidence, EvidenceStore } from '../src/model/evidence.ts';
import type { GapReason } from '../src/model/gap.ts';
import type { Shape } from '../src/model/shape.ts';

/** Evidence as a case file gives it: partial values by collector id; with parameters a list of `{with, value}`. */
export interface Given {
  readonly given: Readonly<Record<string, unknown>>;
  readonly gaps: Readonly<Record<string, GapReason>>;
  readonly scope: 'cluster' | 'fleet';
}

/** An evidence store over what a case gives. Everything else is a gap. `touched` notes what was collected. */
export function givenStore({ given, gaps, scope }: Given, touched: Set<string> = new Set()): EvidenceStore {
  const known = new Map<string, Evidence>();
  const find = (id: string, params: Readonly<Record<string, string>>): Evidence => {
    touched.add(id);
    const reason = gaps[id];
    if (reason) return gap(id, reason);
    const collector = COLLECTORS.get(id);
    if (!collector) throw new Error(`there is no evidence ${id}`);
    const value = given[id];
    if (value === undefined) return gap(id, 'not-in-bundle');
    const shape = scope === 'fleet' && collector.scope === 'cluster' ? mergedShape(collector.shape) : collector.shape;
    if (collector.params.length === 0) return evidence(dense(shape, value, id));
    const entries = value as readonly { readonly with: Readonly<Record<string, string>>; readonly value: unknown }[];
    if (!Array.isArray(entries)) throw new Error(`${id} has parameters: give a list of {with, value}`);
    const entry = entries.find(candidate =>
      collector.params.every(name => String(candidate.with[name]) === params[name]),
    );
    return entry ? evidence(dense(shape, entry.value, id)) : gap(id, 'not-in-bundle');
  };
  return {
    cluster: scope === 'fleet' ? 'fleet' : 'here',
    takenAt: Date.parse('2026-01-01T12:00:00Z'),
    describe: id => COLLECTORS.get(id),
    peek: (id, params) => known.get(`${id} ${JSON.stringify(params)}`),
    async collect(id, params) {
      const found = find(id, params);
      known.set(`${id} ${JSON.stringify(params)}`, found);
      return found;
    },
  };
}

function evidence(value: unknown): Evidence {
  return { known: true, value: freeze(value), from: [] };
}

function gap(id: string, reason: GapReason): Evidence {
  return { known: false, gap: { evidence: id, reason, detail: `${id} is not given`, path: '', notLookedAt: false } };
}

function freeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) freeze(entry);
  }
  return value;
}

/** A partial value with every missing field at its empty value. A field that the shape does not have is a mistake. */
export function dense(shape: Shape, value: unknown, place: string): unknown {
  if (Array.isArray(shape)) {
    const elements = (value ?? []) as readonly unknown[];
    if (!Array.isArray(elements)) throw new Error(`${place} is a list`);
    return elements.map((element, index) => dense(shape[0], element, `${place}[${index}]`));
  }
  if (typeof shape === 'object') {
    const fields = shape as Readonly<Record<string, Shape>>;
    const given = (value ?? {}) as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(given)) {
      if (!(name in fields)) throw new Error(`${place} has no field ${name}; it has ${Object.keys(fields).join(', ')}`);
    }
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, dense(field, given[name], `${place}.${name}`)]),
    );
  }
  return value ?? EMPTY[shape as keyof typeof EMPTY] ?? (shape === 'map' ? {} : null);
}

const EMPTY = { str: '', time: '', int: 0, float: 0, bool: false } as const;
