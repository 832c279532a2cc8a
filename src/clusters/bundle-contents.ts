import { GapSignal } from '../model/gap.ts';
import { UserError } from '../model/user-error.ts';
import type { BundleFiles } from './bundle-files.ts';

/** Names every other file of a bundle but the manifest, with its size: without it, nobody misses a log that was lost. */
const CONTENTS = 'contents.txt';

/** Writes what `wholeFiles` reads; the number of files goes into the manifest, under `files`. */
export async function writeContents(target: {
  readonly written: ReadonlyMap<string, number>;
  write(path: string, content: string): Promise<void>;
}): Promise<number> {
  const lines = [...target.written].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, size]) => `${size} ${path}\n`);
  await target.write(CONTENTS, lines.join(''));
  return lines.length;
}

/**
 * The files of a bundle, where those that were in it and are lost, or became shorter, are gaps. Without a count in the
 * manifest nothing is known of that: not every bundle has one. Throws a `UserError` where the list itself is not whole.
 */
export async function wholeFiles(files: BundleFiles, count: number | undefined): Promise<BundleFiles> {
  if (count === undefined) return files;
  const sizes = new Map<string, number>();
  for (const line of Buffer.from((await files.read(CONTENTS)) ?? '')
    .toString('utf8')
    .split('\n')) {
    const [, size, path] = /^(\d+) (.+)$/.exec(line) ?? [];
    if (path) sizes.set(path, Number(size));
  }
  if (sizes.size !== count) {
    throw new UserError(
      `cannot use bundle ${files.place}: ${CONTENTS} names ${sizes.size} of ${count} files`,
      'the bundle is not whole: collect it again',
    );
  }
  const check = (path: string, length: number, most = Number.POSITIVE_INFINITY) => {
    const size = Math.min(sizes.get(path) ?? 0, most);
    if (length >= size) return;
    const detail = `the bundle is not whole: ${path} has ${length} of ${size} bytes`;
    throw new GapSignal({ reason: 'truncated', detail });
  };
  const lost = (path: string): GapSignal | undefined =>
    sizes.has(path) && !files.paths.has(path)
      ? new GapSignal({ reason: 'truncated', detail: `the bundle is not whole: ${path} is missing` })
      : undefined;
  return {
    ...files,
    paths: new Set([...files.paths, ...sizes.keys()]),
    async read(path) {
      const gap = lost(path);
      if (gap) throw gap;
      const content = await files.read(path);
      if (content) check(path, content.length);
      return content;
    },
    stream(path, last) {
      const gap = lost(path);
      if (gap) return failing(gap);
      const chunks = files.stream(path, last);
      return chunks && counted(chunks, length => check(path, length, last));
    },
  };
}

// biome-ignore lint/correctness/useYield: it ends before there is anything
async function* failing(gap: GapSignal): AsyncGenerator<Uint8Array> {
  throw gap;
}

/** What is there is given on; that there is no more is told at the end. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  atEnd: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    yield chunk;
  }
  atEnd(length);
}
