import type { RawObject } from '../model/source.ts';

/** Lines of a text that comes piece by piece. At a line that is longer than this, the text ends with a part of it. */
export async function* textLines(
  chunks: AsyncIterable<Uint8Array>,
  longest = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    // Joined when it ends: a long line is not looked through again with each piece of it.
    begun.push(lines[0]!);
    length += lines[0]!.length;
    if (length > longest) break;
    if (lines.length === 1) continue;
    yield begun.join('');
    yield* lines.slice(1, -1);
    begun = [lines.at(-1)!];
    length = begun[0]!.length;
  }
  const last = begun.join('') + decoder.decode();
  if (last !== '') yield last;
}

/** Characters: objects of Kubernetes are shorter. */
const LONGEST_ITEM = 8 * 1024 ** 2;

/**
 * What `take` makes of each item of a list that is written as bundles have it, one item a line: the objects are let go
 * one by one. Undefined where the list is written otherwise, or is none; it has to be read whole then.
 */
export async function itemsByLine(
  chunks: AsyncIterable<Uint8Array>,
  take: (object: RawObject) => unknown,
): Promise<readonly unknown[] | undefined> {
  const items: unknown[] = [];
  /** Whether a further item has to come; undefined before the first line. */
  let goesOn: boolean | undefined;
  let hasEnded = false;
  for await (const line of textLines(chunks, LONGEST_ITEM)) {
    if (goesOn === undefined) {
      if (!line.endsWith('"items":[') || !Array.isArray(parsed(`${line}]}`)?.items)) return undefined;
      goesOn = false;
    } else if (hasEnded) {
      if (line.trim() !== '') return undefined;
    } else if (line === ']}') {
      if (goesOn) return undefined;
      hasEnded = true;
    } else {
      if (items.length > 0 && !goesOn) return undefined;
      goesOn = line.endsWith(',');
      const item = parsed(goesOn ? line.slice(0, -1) : line);
      if (item === undefined) return undefined;
      items.push(take(item));
    }
  }
  return hasEnded ? items : undefined;
}

function parsed(text: string): RawObject {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
