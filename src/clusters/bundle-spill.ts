import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pieces } from './bundle-pieces.ts';

/** Where in the file something lies. */
export interface SpilledRange {
  readonly start: number;
  readonly length: number;
}

/** One private file for what is too large to be held. It has no name while it is used, so that nothing can stay behind. */
export interface SpillFile {
  /** Throws a `SpillFailure`, or what the chunks throw. */
  append(chunks: AsyncIterable<Uint8Array>): Promise<SpilledRange>;
  read(range: SpilledRange): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The file system does not take it: no room, no right. */
export class SpillFailure extends Error {
  /** E.g. `ENOSPC`. */
  readonly code: string;

  constructor({ code, message }: NodeJS.ErrnoException) {
    super(message);
    this.name = 'SpillFailure';
    this.code = code ?? message;
  }
}

function failed(error: NodeJS.ErrnoException): never {
  throw new SpillFailure(error);
}

/** Where the file lies: `TMPDIR`, or what the system has in its place. */
export const spillFolder = tmpdir;

/** Makes the file, for its owner alone. Throws a `SpillFailure`. */
export async function openSpillFile(): Promise<SpillFile> {
  const place = join(spillFolder(), `.thanos-doctor-${randomBytes(12).toString('hex')}`);
  const file = await open(place, 'wx+', 0o600).catch(failed);
  const forget = await withoutName(place);
  let end = 0;
  return {
    async append(chunks) {
      const start = end;
      // While one piece is written, the next is unpacked.
      let writing: Promise<void> = Promise.resolve();
      try {
        for await (const chunk of chunks) {
          await writing;
          writing = writeAll(file, chunk, end).catch(failed);
          // Awaited with the next piece: until then its failure is nobody's.
          writing.catch(() => {});
          end += chunk.length;
        }
      } finally {
        await writing;
      }
      return { start, length: end - start };
    },
    read: ({ start, length }) => pieces(file, start, start + length),
    async close() {
      await file.close();
      forget();
    },
  };
}

/** Takes the name off at once. Where a file that is open cannot be removed, it is at the end. */
async function withoutName(place: string): Promise<() => void> {
  try {
    await unlink(place);
    return () => {};
  } catch {
    const remove = () => rmSync(place, { force: true });
    process.once('exit', remove);
    return () => {
      process.off('exit', remove);
      remove();
    };
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
