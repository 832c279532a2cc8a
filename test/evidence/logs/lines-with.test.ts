import { expect, test } from 'vitest';
import { LINE_CAP } from '../../../src/evidence/logs/candidate-lines.ts';
import { linesWith } from '../../../src/evidence/logs/lines-with.ts';

const LOG = 'one\ntwo wanted ü\nthree\nwanted too\n\nnot this\nlast is wanted';

async function found(pieces: readonly Uint8Array[], literals: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  async function* chunks() {
    yield* pieces;
  }
  for await (const line of linesWith(chunks(), literals)) lines.push(line);
  return lines;
}

test.each([1, 2, 3, 7, 1000])('lines with a literal, in pieces of %i bytes', async size => {
  const bytes = Buffer.from(LOG);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  expect(await found(pieces, ['wanted'])).toEqual(['two wanted ü', 'wanted too', 'last is wanted']);
  expect(await found(pieces, ['three', 'not'])).toEqual(['three', 'not this']);
  expect(await found(pieces, ['nowhere'])).toEqual([]);
});

test('a line without an end is cut, however long it is', async () => {
  const piece = Buffer.alloc(1_000_000, 'x');
  const [line] = await found([Buffer.from('wanted '), ...Array.from({ length: 50 }, () => piece)], ['wanted']);
  expect(line).toHaveLength(LINE_CAP);
  expect(await found([], ['wanted'])).toEqual([]);
});
