import { describe, expect, test } from 'vitest';
import { compile } from '../../src/checks/cel.ts';
import { isSyntaxProblem } from '../../src/checks/syntax.ts';
import { gapElement, gapOf, withUnknownFields } from '../../src/evidence/gaps.ts';
import type { Gap } from '../../src/model/gap.ts';

const gap: Gap = { evidence: 'a', reason: 'forbidden', detail: 'not allowed', path: '', notLookedAt: false };

interface Row {
  readonly key: string;
  readonly owner: { readonly name: string };
  readonly size: number;
}

const row = (index: number): Row => ({ key: `k${index % 20}`, owner: { name: `o${index % 7}` }, size: index });
const rows = Array.from({ length: 60 }, (_, index) => row(index));
const LISTS: Readonly<Record<string, readonly unknown[]>> = {
  'known rows': rows,
  'a row that is not known': [...rows.slice(0, 30), gapElement(gap), ...rows.slice(30)],
  'a row whose key is not known': [withUnknownFields<Row>(row(3), gap, ['key']), ...rows],
  'a row whose size is not known': [withUnknownFields<Row>(row(3), gap, ['size']), ...rows],
  'a key that is no text': [{ ...row(3), key: 3 }, ...rows],
  'few rows': rows.slice(0, 5),
};
const CONTAINERS: Readonly<Record<string, unknown>> = {
  'one that matches': { key: 'k3', owner: { name: 'o3' } },
  'one that matches nothing': { key: 'other', owner: { name: 'other' } },
  'one that is not known': gapElement(gap),
};
const CONDITIONS = [
  'LIST.exists(p, p.key == c.key && p.size > 40)',
  'LIST.exists(p, p.size > 40 && p.key == c.key)',
  'LIST.exists(p, c.owner.name == p.owner.name && p.size == 3)',
  'LIST.filter(p, p.key == c.key).map(p, p.size)',
  'LIST.filter(p, p.key == "k3" && p.size > 10).map(p, p.size)',
  'LIST.exists_one(p, p.key == c.key && p.size == 3)',
  'LIST.all(p, p.key == c.key)',
  'LIST.exists(c, c.key == "k3" && c.size == 3)',
  'LIST.filter(c, c.owner.name == c.key).size() == 0',
  '[{"key": "k1"}].exists(c, LIST.exists(p, p.key == c.key && p.size == 1))',
  'LIST.exists(p, p.key == c.key || p.size == 59)',
  'LIST.exists(p, !(p.key == c.key) && p.size == 59)',
  'LIST.exists(p, LIST.exists(q, q.key == p.key && q.size != p.size) && p.key == c.key)',
  'size(LIST.filter(p, p.key == c.key && c.absent)) == 0',
];

function outcome(text: string, scope: object): unknown {
  const compiled = compile(text, 'c');
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  try {
    const value = compiled.evaluate(scope);
    return { value: Array.isArray(value) ? value.map(part => gapOf(part)?.reason ?? part) : value };
  } catch (error) {
    return { gap: (error as { gap: Gap }).gap.reason };
  }
}

describe.each(Object.entries(LISTS))('%s', (_name, pods) => {
  describe.each(Object.entries(CONTAINERS))('and %s', (_which, c) => {
    test.each(CONDITIONS)('%s is what it is without an index', condition => {
      const joined = outcome(condition.replaceAll('LIST', 'pods'), { pods, c });
      // What is no plain name is not indexed.
      const plain = outcome(condition.replaceAll('LIST', 'held.pods'), { held: { pods }, c });
      expect(joined).toEqual(plain);
    });
  });
});

/** Rows that count how often one of their fields is read. */
function counted(length: number): { readonly rows: readonly object[]; readonly reads: () => number } {
  let reads = 0;
  const rows = Array.from({ length }, (_, index) => ({
    get key() {
      reads += 1;
      return `k${index}`;
    },
    ready: true,
  }));
  return { rows, reads: () => reads };
}

test.each([
  'pods.exists(p, p.key == c.key && !p.ready)',
  'pods.exists(p, p.ready && p.key == c.key)',
  'pods.filter(p, c.key == p.key).size() == 1',
  'c.own.exists(m, pods.exists(p, p.key == c.key && p.ready))',
])('%s takes twice the work for twice the rows', condition => {
  const compiled = compile(condition, 'c');
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  const work = (length: number) => {
    const { rows: pods, reads } = counted(length);
    for (let index = 0; index < length; index += 1) compiled.evaluate({ pods, c: { key: `k${index}`, own: [1, 2] } });
    return reads();
  };
  expect(work(400)).toBeLessThanOrEqual(2 * work(200));
});

test('a mistake is told in the words of the rule', () => {
  const compiled = compile('pods.exists(p, p.key == c.key && p.size.absent == 1)', 'c');
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  expect(() => compiled.evaluate({ pods: rows, c: { key: 'k1' } })).toThrow(/`pods\.exists\(p, p\.key == c\.key/);
});
