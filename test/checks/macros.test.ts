import { describe, expect, test } from 'vitest';
import { compile } from '../../src/checks/cel.ts';
import { isSyntaxProblem } from '../../src/checks/syntax.ts';
import { type Gap, GapSignal, gapElement, gapOf } from '../../src/model/gap.ts';

const GAP: Gap = { evidence: 'a', reason: 'forbidden', detail: 'not allowed', path: '', notLookedAt: false };
const part = gapElement(GAP);
/** A row of which nothing but its name can be read. */
const half = Object.defineProperty({ name: 'half' }, 'n', {
  enumerable: true,
  get() {
    throw new GapSignal(GAP);
  },
});
const [one, two] = [
  { name: 'one', n: 1 },
  { name: 'two', n: 2 },
];

/** The list with the part put at every place: first, between, last. */
const withPart = (missing: unknown): readonly (readonly unknown[])[] => [
  [missing, one, two],
  [one, missing, two],
  [one, two, missing],
];

function outcome(text: string, scope: object): unknown {
  const compiled = compile(text);
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  try {
    return compiled.evaluate(scope);
  } catch (error) {
    if (error instanceof GapSignal && error.gap.reason === 'forbidden') return 'not known';
    throw error;
  }
}

describe.each([
  ['a part that is not known', part],
  ['a row that is half known', half],
])('over a list with %s, at whatever place', (_what, missing) => {
  test.each([
    ['list.exists(x, x.n == 2)', true],
    ['list.exists(x, x.n == 3)', 'not known'],
    ['list.all(x, x.n == 2)', false],
    ['list.all(x, x.n < 3)', 'not known'],
    ['list.exists_one(x, x.n == 2)', 'not known'],
    ['list.exists_one(x, x.n > 0)', false],
    // What is chosen.
    ['list.filter(x, x.n == 2).exists(x, x.name == "two")', true],
    ['list.filter(x, x.n == 2).exists(x, x.name == "one")', 'not known'],
    ['list.filter(x, x.n == 3).exists(x, x.name == "one")', 'not known'],
    ['list.filter(x, x.n == 2).all(x, x.name == "one")', false],
    ['list.filter(x, x.n == 2).all(x, x.name == "two")', 'not known'],
    ['list.filter(x, x.n > 0).exists_one(x, x.name != "")', false],
    ['list.filter(x, x.n > 0).filter(x, x.n > 1).exists(x, x.n == 2)', true],
    // What is made of it.
    ['list.map(x, x.n).exists(n, n == 2)', true],
    ['list.map(x, x.n).exists(n, n == 3)', 'not known'],
    ['list.map(x, x.n).all(n, n == 3)', false],
    ['list.map(x, x.n).all(n, n > 0)', 'not known'],
    ['list.filter(x, x.n == 2).map(x, x.name).exists(n, n == "two")', true],
    ['list.map(x, x.n == 2, x.name).exists(n, n == "two")', true],
    ['2 in list.map(x, x.n)', true],
    ['3 in list.map(x, x.n)', 'not known'],
    ['sum(list.map(x, x.n)) > 0', 'not known'],
    ['max(list.map(x, x.n)) > 0', 'not known'],
    ['list.filter(x, x.n > 0).map(x, x.name).join(", ") == ""', 'not known'],
    ['list.map(x, x.n) == [1, 2]', 'not known'],
    // How many there are: at least those that are known.
    ['size(list.filter(x, x.n > 0)) > 1', true],
    ['size(list.filter(x, x.n > 0)) > 2', 'not known'],
    ['size(list.filter(x, x.n > 0)) >= 2', true],
    ['size(list.filter(x, x.n > 0)) >= 3', 'not known'],
    ['size(list.filter(x, x.n > 0)) != 1', true],
    ['size(list.filter(x, x.n > 0)) != 2', 'not known'],
    ['size(list.filter(x, x.n > 0)) == 1', false],
    ['size(list.filter(x, x.n > 0)) == 2', 'not known'],
    ['size(list.filter(x, x.n > 0)) < 2', false],
    ['size(list.filter(x, x.n > 0)) < 3', 'not known'],
    ['size(list.filter(x, x.n > 0)) <= 1', false],
    ['size(list.filter(x, x.n > 0)) <= 2', 'not known'],
    ['size(list.filter(x, x.n > 9)) == 0', 'not known'],
    ['1 < list.filter(x, x.n > 0).size()', true],
    ['0 == list.filter(x, x.n > 9).size()', 'not known'],
    ['size(list.filter(x, x.n > 0)) + 1 > 0', 'not known'],
    ['size(list.filter(x, x.n > 0)) == size(list.map(x, x.n))', 'not known'],
  ])('%s is %s', (text, expected) => {
    for (const list of withPart(missing)) expect(outcome(text, { list })).toBe(expected);
  });
});

test.each([
  ['list.exists(x, yes)', 'not known'],
  ['list.exists(x, !yes)', false],
  ['list.all(x, !yes)', 'not known'],
  ['list.exists_one(x, yes)', 'not known'],
  ['size(list.map(x, 1)) == 1', 'not known'],
  ['size(list.filter(x, yes)) == 1', 'not known'],
  ['size(list.filter(x, !yes)) == 0', true],
  ['size(list) == 1', 'not known'],
  ['size(list) >= 0', true],
])('of a list of nothing known, whatever the condition reads: %s is %s', (text, expected) => {
  expect(outcome(text, { list: [part], yes: true })).toBe(expected);
});

test.each([
  ['before', [part, one], 'not known'],
  ['behind', [one, part], 'one'],
])('the first of what is chosen, with the part %s it', (_where, list, expected) => {
  expect(outcome('list.filter(x, x.n == 1)[0].name', { list })).toBe(expected);
  expect(outcome('first(list.filter(x, x.n == 1), list[0]).name', { list })).toBe(expected);
});

test('what stands behind a part that is not known has no place that is known', () => {
  expect(outcome('list[0].n', { list: [one, part, two] })).toBe(1);
  expect(outcome('list[2].n', { list: [one, part, two] })).toBe('not known');
});

test.each(['list[1]', 'list.map(x, x.n)[1]', 'first(list.filter(x, x.n > 1), list[1])'])(
  'an element that is not known is no answer: %s',
  text => {
    expect(outcome(text, { list: [one, part] })).toBe('not known');
  },
);

test('many elements that are not known for one reason are one part', () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ n }));
  const scope = Object.defineProperty({ rows }, 'lost', {
    get() {
      return part;
    },
  });
  const chosen = outcome('rows.filter(x, x.n == 0 || lost.a == 1)', scope) as readonly unknown[];
  expect(chosen.map(element => gapOf(element)?.reason ?? element)).toEqual([{ n: 0 }, 'forbidden']);
});

test('what was tried and failed is not hidden behind what nobody asked for', () => {
  const unasked = gapElement({ ...GAP, reason: 'not-asked', notLookedAt: true });
  for (const list of [
    [unasked, part],
    [part, unasked],
  ]) {
    expect(outcome('list.exists(x, x.n == 1)', { list })).toBe('not known');
    expect(outcome('a.n == 1 || b.n == 1', { a: list[0], b: list[1] })).toBe('not known');
  }
});
