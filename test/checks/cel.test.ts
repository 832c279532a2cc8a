import { describe, expect, test } from 'vitest';
import { compile } from '../../src/checks/cel.ts';
import { bytesText, compareVersions, durationText, quantity } from '../../src/checks/functions.ts';
import { Suspension } from '../../src/checks/suspension.ts';
import { isSyntaxProblem } from '../../src/checks/syntax.ts';
import { GapSignal } from '../../src/model/gap.ts';

function evaluate(text: string, scope: object = {}): unknown {
  const compiled = compile(text);
  if (isSyntaxProblem(compiled)) throw new Error(compiled.message);
  return compiled.evaluate(scope);
}

/** A scope in which reading `name` throws, as evidence that is not known does. */
function without(name: string, scope: object = {}): object {
  return Object.defineProperty({ ...scope }, name, {
    enumerable: true,
    get() {
      throw new GapSignal({ reason: 'forbidden', detail: `${name} is not known` });
    },
  });
}

describe('what the engine relies on in CEL', () => {
  test.each([
    ['lost || yes', true],
    ['yes || lost', true],
    ['lost && no', false],
    ['no && lost', false],
  ])('%s settles without what is not known', (text, expected) => {
    expect(evaluate(text, without('lost', { yes: true, no: false }))).toBe(expected);
  });

  test.each(['lost || no', 'no || lost', 'lost && yes', 'yes && lost', '!lost', 'lost ? 1 : 2'])(
    '%s is not known',
    text => {
      expect(() => evaluate(text, without('lost', { yes: true, no: false }))).toThrow(GapSignal);
    },
  );

  test('exists over a list with an element that is not known is true or not known, never false', () => {
    const list = [without('a'), { a: 1 }];
    expect(evaluate('list_.exists(x, x.a == 1)', { list_: list })).toBe(true);
    expect(() => evaluate('list_.exists(x, x.a == 2)', { list_: list })).toThrow(GapSignal);
    expect(evaluate('list_.all(x, x.a == 2)', { list_: list })).toBe(false);
    expect(() => evaluate('list_.all(x, x.a == 1)', { list_: list })).toThrow(GapSignal);
  });

  test('a suspension passes through, to be collected', () => {
    const scope = Object.defineProperty({}, 'later', {
      get() {
        throw new Suspension();
      },
      enumerable: true,
    });
    expect(() => evaluate('later', scope)).toThrow(Suspension);
  });

  test('a mistake at run time is a gap that is said to be ours', () => {
    const failure = (() => {
      try {
        return evaluate('1 / 0');
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(GapSignal);
    expect((failure as GapSignal).gap.reason).toBe('rule-error');
    expect((failure as GapSignal).gap.detail).toContain('1 / 0');
  });

  test('numbers of evidence and literals mix in all arithmetic', () => {
    expect(evaluate('n + 1', { n: 2 })).toBe(3);
    expect(evaluate('1 + n', { n: 2 })).toBe(3);
    expect(evaluate('n - 1', { n: 2 })).toBe(1);
    expect(evaluate('n * 3', { n: 2 })).toBe(6);
    expect(evaluate('n / 4', { n: 2 })).toBe(0.5);
    expect(evaluate('n % 3', { n: 5 })).toBe(2);
    expect(evaluate('n % m', { n: 5, m: 3 })).toBe(2);
    expect(evaluate('n > 1 && n == 2 && n != 3', { n: 2 })).toBe(true);
  });

  test('integers come out as numbers, in lists too', () => {
    expect(evaluate('size([1, 2])')).toBe(2);
    expect(evaluate('[1, 2]')).toEqual([1, 2]);
    expect(evaluate('{"a": 1}')).toEqual({ a: 1 });
  });

  test('nothing of JavaScript can be reached', () => {
    for (const text of ['x.constructor', 'x.__proto__', 'x.toString'])
      expect(() => evaluate(text, { x: {} })).toThrow(GapSignal);
  });

  test('what cannot be parsed says where', () => {
    expect(compile('a && ')).toMatchObject({ offset: expect.any(Number), message: expect.any(String) });
  });
});

describe('our functions', () => {
  test.each([
    ['minutes(2)', 120],
    ['hours(1)', 3600],
    ['days(1)', 86400],
    ['minutes(n)', 180],
    ['quantity("10Gi")', 10 * 1024 ** 3],
    ['quantity("250m")', 0.25],
    ['duration(3660)', '1 h 1 min'],
    ['duration(n)', '3 s'],
    ['bytes(1536)', '1.5 KiB'],
    ['bytes(n)', '3 B'],
    ['first([7, 8], 9)', 7],
    ['first([], 9)', 9],
    ['distinct(["a", "b", "a"])', ['a', 'b']],
    ['sum([1, n])', 4],
    ['max([1, n])', 3],
    ['min([1, n])', 1],
    ['max([])', 0],
    ['min(["b", "a"])', 'a'],
    ['selects({"a": "1"}, labels)', true],
    ['selects({"a": "2"}, labels)', false],
    ['semver("v0.37.2", "<", "0.38")', true],
    ['re("abc", "^a.c$")', true],
    ['re("abc", "^a.c$") && re("abd", "^a.c$")', false],
  ])('%s', (text, expected) => {
    expect(evaluate(text, { n: 3, labels: { a: '1', b: '2' } })).toEqual(expected);
  });

  test('a pattern made to run for ever ends at once', () => {
    expect(evaluate('re(text, "^(a+)+$")', { text: `${'a'.repeat(50)}!` })).toBe(false);
  });

  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3600 * 26, '1 d 2 h'],
    [86400, '1 d'],
    [-5, '0 s'],
  ])('%d seconds', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  test('bytes', () => {
    expect(bytesText(1024 ** 3)).toBe('1 GiB');
    expect(bytesText(5e18)).toMatch(/PiB$/);
  });

  test('versions', () => {
    expect(compareVersions('0.37.2', '>', '0.37.1')).toBe(true);
    expect(compareVersions('0.37', '>=', '0.37.0')).toBe(true);
    expect(compareVersions('1.0.0', '<=', '0.9')).toBe(false);
    expect(compareVersions('v3.6.0-rc.1', '==', '3.6')).toBe(true);
    expect(() => compareVersions('main', '<', '1')).toThrow('is no version');
    expect(() => compareVersions('1', '~', '1')).toThrow('no comparison');
  });

  test('what is no quantity', () => {
    expect(() => quantity('many')).toThrow('is no quantity');
    expect(() => quantity('1Xi')).toThrow('is no quantity');
  });
});
