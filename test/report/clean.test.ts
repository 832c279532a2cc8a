import { describe, expect, it } from 'vitest';
import { cap, clean, LINE_CAP, oneLine, toAscii } from '../../src/report/clean.ts';

describe('clean', () => {
  it.each([
    ['a colour', '\u001b[1;31mred\u001b[0m', 'red'],
    ['a cleared screen', '\u001b[2J\u001b[Htext', 'text'],
    ['a window title', '\u001b]0;owned\u0007text', 'text'],
    ['a link', '\u001b]8;;http://evil\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['a clipboard', '\u001b]52;c;ZXZpbA==\u0007text', 'text'],
    ['a device control string', '\u001bPpayload\u001b\\text', 'text'],
    ['the same in C1', '\u0090payload\u009ctext\u009b31m', 'text'],
    ['a privacy message', '\u001b^secret\u001b\\text', 'text'],
    ['a reset', '\u001bctext', 'text'],
    ['a carriage return before a line end', 'one\r\ntwo\r', 'one\ntwo'],
    ['a carriage return that overwrites', 'good\rbad', 'good\\u000dbad'],
    ['bell, backspace and null', 'a\u0007b\bc\u0000', 'a\\u0007b\\u0008c\\u0000'],
    ['a right-to-left override', 'a\u202etxt', 'a\\u202etxt'],
    ['isolates and marks', '\u2066a\u200f\u061c', '\\u2066a\\u200f\\u061c'],
    ['invisible blanks', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['other line separators', 'a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
    ['a sequence without an end', '\u001b]0;title', '\\u001b]0;title'.replace('\\u001b]', '')],
  ])('%s', (_what, given, expected) => {
    expect(clean(given)).toBe(expected);
  });

  it('keeps what people write', () => {
    const text = 'tab\there\n한국어, naïve, 👩‍💻 and “quotes”';
    expect(clean(text)).toBe(text);
  });

  it('needs one look', () => {
    const given = ['\u001b\u001b[31m[0mtext', '\u001b]\u001b]0;x\u0007y\u0007', '\u009d\u0090a\u009c\u009c'];
    for (const text of given) expect(clean(clean(text))).toBe(clean(text));
  });

  it('is not slowed down by sequences that never end', () => {
    const started = performance.now();
    clean('\u0090'.repeat(200_000));
    clean('\u001b]'.repeat(200_000));
    clean('\u009b1;'.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('oneLine', () => {
  it('makes blanks of line ends and tabs', () => {
    expect(oneLine('  one\r\n  two\tthree\n')).toBe('one two three');
  });
});

describe('cap', () => {
  it('says how much is left out, and stays below the cap', () => {
    const capped = cap('x'.repeat(10_000));
    expect(capped.length).toBeLessThanOrEqual(LINE_CAP);
    expect(capped).toMatch(/^x+… \(9630 more characters\)$/);
    expect(cap(capped)).toBe(capped);
  });

  it('does not cut a character in two', () => {
    expect(cap('😀'.repeat(400))).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
  });
});

describe('toAscii', () => {
  it('writes signs plainly and everything else as escapes', () => {
    expect(toAscii('a · b → 한 ×3 …')).toBe('a - b -> \\ud55c x3 ...');
  });
});
