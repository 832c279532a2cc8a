import type { FileHandle } from 'node:fs/promises';

/** Bytes that are read at once. */
const PIECE = 256 * 1024;

/** A file from one place to another, piece by piece; it ends where the file does. While one is used, the next is read. */
export async function* pieces(file: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  let position = from;
  const readNext = async (): Promise<Uint8Array> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, to - position));
    if (buffer.length === 0) return buffer;
    const { bytesRead } = await file.read({ buffer, position });
    position += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let next = readNext();
  try {
    for (let piece = await next; piece.length > 0; piece = await next) {
      next = readNext();
      // Awaited after the piece was used: until then its failure is nobody's.
      next.catch(() => {});
      yield piece;
    }
  } finally {
    await next.catch(() => {});
  }
}

/** Pieces as one. A copy: a piece may be a small part of what was unpacked, and would hold all of that. */
export async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(chunk);
  return Buffer.concat(kept);
}
