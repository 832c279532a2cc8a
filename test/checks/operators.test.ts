import { describe, expect, test } from 'vitest';
import { compile } from '../../src/checks/cel.ts';
import { isSyntaxProblem } from '../../src/checks/syntax.ts';
import { type Gap, GapSignal, gapElement } from '../../src/model/gap.ts';

const GAP: Gap = { evidence: 'a', reason: 'forbidden', detail: 'not allowed', path: '', notLookedAt: false };
const SCOPE = {
  lost: gapElement(GAP),
  row: { name: 'a', n: 2, tags: ['x', 'y'], labels: { app: 'web', tier: 'front' }, push: 'own' },
  many: Array.from({ length: 80 }, (_, n) => n),
  partly: [...Array.from({ length: 80 }, (_, n) => n), gapElement(GAP)],
  empty: [],
};

/** The value; 'not known' for a gap, and what is wrong for a mistake of the rule. */
function outcome(text: string): unknown {
  const compiled = compile(text);
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  try {
    return compiled.evaluate(SCOPE);
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return error.gap.reason === 'forbidden' ? 'not known' : `mistake: ${error.gap.detail.replace(/ in `.*$/s, '')}`;
  }
}

describe('operators', () => {
  test.each([
    ['1 + 2 * 3 - 4', 3],
    ['7 / 2', 3],
    ['size([1, 2, 3]) / 2', 1],
    ['"abc".size() / 2 + int("4") / 3', 2],
    ['row.n / 4', 0.5],
    ['7 % 4', 3],
    ['-row.n', -2],
    ['"a" + "b"', 'ab'],
    ['[1] + row.tags', [1, 'x', 'y']],
    ['row.n > 1 ? "more" : "less"', 'more'],
    ['row.n > 2 ? "more" : "less"', 'less'],
    ['!(row.n > 2)', true],
    ['"a" < "b" && "b" <= "b" && 2 > 1 && 2 >= 2 && false < true', true],
    ['1 == 1 && "a" != "b" && row.n != 3', true],
    ['"1" == 1', false],
    ['null == row.n', false],
    ['row.tags == ["x", "y"]', true],
    ['row.tags == ["x"]', false],
    ['row.tags == row.labels', false],
    ['row.labels == {"app": "web", "tier": "front"}', true],
    ['row.labels == {"app": "web", "level": "front"}', false],
    ['row.labels == {"app": "web"}', false],
    ['row.labels != "web"', true],
    ['"x" in row.tags', true],
    ['"z" in row.tags', false],
    ['["x"] in [["y"], ["x"]]', true],
    ['"app" in row.labels', true],
    ['"constructor" in row.labels', false],
    ['row.tags[1]', 'y'],
    ['row.labels["app"]', 'web'],
    ['row.push', 'own'],
    ['{"a": row.n}.a', 2],
    ['row.labels.exists(name, name == "tier")', true],
    ['size(many) == 80 && size(many) < 81', true],
    ['3 > size(row.tags) && 2 <= size(row.tags) && 1 != size(row.tags)', true],
  ])('%s is %j', (text, expected) => {
    expect(outcome(text)).toEqual(expected);
  });

  test.each([
    ['1 / 0', 'division by zero'],
    ['1 % 0', 'division by zero'],
    ['"a" - "b"', 'no such overload: "-" of a text and a text'],
    ['"a" + 1', 'no such overload: "+" of a text and a number'],
    ['row.tags < 1', 'no such overload: "<" of a list and a number'],
    ['!row.n', 'no such overload: "!" of a number'],
    ['row.n ? 1 : 2', 'no such overload: "?" of a number'],
    ['row.n && true', 'no such overload: "&&" of a number'],
    ['row.n || false', 'no such overload: "||" of a number'],
    ['"x" in row.n', 'no such overload: "in" of a text and a number'],
    ['1 in row.labels', 'no such overload: "in" of a number and a record'],
    ['row.tags["a"]', 'no such overload: "[]" of a list and a text'],
    ['row.labels[1]', 'no such overload: "[]" of a record and a number'],
    ['row.tags[2]', 'No such key: index out of bounds, index 2 >= size 2'],
    ['row.tags[-1]', 'No such key: index out of bounds, index -1 < 0'],
    ['row.tags.push', 'No such key: push'],
    ['row.labels["toString"]', 'No such key: toString'],
    ['row.nothing', 'No such key: nothing'],
    ['row.name.length', 'No such key: length'],
    ['nobody.n', 'Unknown variable: nobody'],
    ['nothing(1)', 'there is no function "nothing"'],
    ['row.name.nothing()', 'there is no method "nothing"'],
    ['row.n.exists(x, x)', 'no such overload: the elements of a number'],
    ['row.tags.exists(x, x)', 'no such overload: a condition of a text'],
    ['row.tags.all(x, 1)', 'no such overload: a condition of a number'],
    ['row.tags.exists_one(x, 1)', 'no such overload: a condition of a number'],
  ])('%s is a mistake', (text, what) => {
    expect(outcome(text)).toBe(`mistake: ${what}`);
  });

  test.each([
    'lost',
    'lost.n',
    'lost + 1',
    'lost < 1',
    'lost == row.labels',
    'row.tags == partly',
    '!lost',
    'lost ? 1 : 2',
    '"x" in partly',
    'partly[80]',
    'size(partly)',
    'size(partly) == 81',
    'size(partly) <= 80',
    'size(partly) > 90',
    'max([1] + partly)',
    'sum(partly)',
    'partly.map(x, string(x)).join(",")',
    'first([lost], 1)',
    'selects({"a": "b"}, lost)',
    'string(lost)',
  ])('%s is not known', text => {
    expect(outcome(text)).toBe('not known');
  });

  test.each([
    ['partly[3]', 3],
    ['79 in partly', true],
    ['size(partly) > 79', true],
    ['size(partly) >= 80', true],
    ['size(partly) < 80', false],
    ['size(partly) == 3', false],
    ['size(partly) != 3', true],
    ['size(partly) <= 79', false],
  ])('%s is %j although a part is not known', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });
});

describe('functions and methods', () => {
  test.each([
    ['size("añ👍")', 3],
    ['size(row.labels)', 2],
    ['string(1.5) + string(true) + string(row.tags)', '1.5truex, y'],
    ['int("7") + int(2.9)', 9],
    ['double("1.5")', 1.5],
    ['minutes(2) + hours(1) + days(1)', 90_120],
    ['quantity("10Gi")', 10 * 1024 ** 3],
    ['quantity("500m")', 0.5],
    ['duration(0)', '0 s'],
    ['duration(12)', '12 s'],
    ['duration(3600)', '1 h'],
    ['duration(15240)', '4 h 14 min'],
    ['bytes(1536)', '1.5 KiB'],
    ['bytes(5)', '5 B'],
    ['first(empty, 7)', 7],
    ['first(row.tags, "")', 'x'],
    ['distinct([1, 2, 1])', [1, 2]],
    ['sum([1, 2, "3"])', 6],
    ['max([1, 3, 2])', 3],
    ['min(["b", "a"])', 'a'],
    ['max(empty)', 0],
    ['selects({"app": "web"}, row.labels)', true],
    ['selects({"app": "db"}, row.labels)', false],
    ['semver("v0.37.2", ">=", "0.37") && semver("1.2", "<", "1.10") && semver("1", "==", "1.0.0")', true],
    ['semver("1", "<=", "2-rc1") && semver("2.1", ">", "2")', true],
    ['re("error: disk", "^error")', true],
    ['row.name.contains("a") && "abc".startsWith("a") && "abc".endsWith("bc")', true],
    ['" Ab ".trim().lowerAscii() + "x".upperAscii()', 'abX'],
    ['"a,b".split(",").join("-")', 'a-b'],
    ['["a", "b"].join()', 'ab'],
    ['"abc".size()', 3],
  ])('%s is %j', (text, expected) => {
    expect(outcome(text)).toEqual(expected);
  });

  test.each([
    ['int("x")', 'no such overload: int of a text'],
    ['minutes("")', 'no such overload: minutes of a text'],
    ['duration("1")', 'no such overload: duration of a text'],
    ['bytes(true)', 'no such overload: bytes of true or false'],
    ['distinct("a")', 'no such overload: distinct of a text'],
    ['string(row)', 'no such overload: string of a record'],
    ['quantity("10Zi")', '"10Zi" is no quantity'],
    ['quantity(1)', 'no such overload: quantity of a number'],
    ['semver("x", "<", "1")', '"x" or "1" is no version'],
    ['semver("1", "~", "1")', '"~" is no comparison'],
    ['row.n.contains("a")', 'no such overload: contains of a number'],
    ['size(row.n)', 'no such overload: the elements of a number'],
  ])('%s is a mistake', (text, what) => {
    expect(outcome(text)).toBe(`mistake: ${what}`);
  });
});
