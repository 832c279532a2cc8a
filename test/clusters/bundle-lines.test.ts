import { describe, expect, test } from 'vitest';
import { itemsByLine, textLines } from '../../src/clusters/bundle-lines.ts';

async function* piecesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesOf(text: string, size: number, longest?: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of textLines(piecesOf(text, size), longest)) lines.push(line);
  return lines;
}

const itemsOf = (text: string) => itemsByLine(piecesOf(text, 5), object => object);

describe('lines of a text that comes piece by piece', () => {
  test.each([1, 2, 3, 5, 100])('in pieces of %i bytes', async size => {
    expect(await linesOf('eins\nzwölf\n\nfünf\n', size)).toEqual(['eins', 'zwölf', '', 'fünf']);
    expect(await linesOf('\nno end', size)).toEqual(['', 'no end']);
    expect(await linesOf('', size)).toEqual([]);
  });

  test('one that is too long is the last, in part', async () => {
    const lines = await linesOf(`short\n${'x'.repeat(5000)}\nshort\n`, 100, 1000);
    expect(lines.map(line => line.length > 1000 && line.length < 1200)).toEqual([false, true]);
  });

  test('what is no UTF-8 stays visible', async () => {
    async function* chunks() {
      yield Buffer.from([0x61, 0xff, 0x0a, 0xc3]);
    }
    const lines: string[] = [];
    for await (const line of textLines(chunks())) lines.push(line);
    expect(lines).toEqual(['a\ufffd', '\ufffd']);
  });
});

describe('the items of a list with one item a line', () => {
  test.each([
    '{"kind":"PodList","items":[\n{"a":1},\n{"b":"ü"}\n]}\n',
    '{"items":[\n{"a":1}\n]}',
    '{"items":[\n]}\n',
    '{"items":[\nnull,\n5,\n"x"\n]}\n\n',
  ])('are those of the whole text: %j', async text => {
    expect(await itemsOf(text)).toEqual(JSON.parse(text).items);
  });

  test.each([
    ['another form', '{"items":[{"a":1}]}'],
    ['items over several lines', '{"items":[\n{"a":\n1}\n]}\n'],
    ['what follows', '{"items":[\n{"a":1}\n],"metadata":{}}\n'],
    ['a list that is cut off', '{"items":[\n{"a":1},\n{"b":'],
    ['a list that is cut off between items', '{"items":[\n{"a":1},\n'],
    ['a list without its end', '{"items":[\n{"a":1}\n'],
    ['a comma too many', '{"items":[\n{"a":1},\n]}\n'],
    ['a comma too few', '{"items":[\n{"a":1}\n{"b":2}\n]}\n'],
    ['something behind it', '{"items":[\n{"a":1}\n]}\n{}\n'],
    ['a head that is no object', '["items":[\n{"a":1}\n]}\n'],
    ['items of something inside', '{"spec":{"items":[\n{"a":1}\n]}}\n'],
    ['nothing', ''],
  ])('%s is left to whoever reads the whole text', async (_name, text) => {
    expect(await itemsOf(text)).toBeUndefined();
  });

  test('a mistake of who takes them is not taken for one of the text', async () => {
    const taking = itemsByLine(piecesOf('{"items":[\n1\n]}', 100), () => {
      throw new Error('mine');
    });
    await expect(taking).rejects.toThrow('mine');
  });
});
