import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { GapSignal } from '../model/gap.ts';
import { UserError } from '../model/user-error.ts';
import { LONGEST_TEXT, readArchive } from './bundle-archive.ts';
import { joined, pieces } from './bundle-pieces.ts';

/**
 * The files of a bundle, by their path inside it. Of an archive, nothing is ever written under a name of its own: what
 * is too large to be held lies in one private temporary file that has no name while it is used.
 */
export interface BundleFiles {
  /** Where it lies, for messages. */
  readonly place: string;
  readonly paths: ReadonlySet<string>;
  /** Undefined where there is no such file. Throws a `GapSignal` where it cannot be read, or is longer than any text. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * A file piece by piece, or of it the last so many bytes; undefined where there is none. However large it is, a few
   * pieces are in memory. A `GapSignal` is thrown where it cannot be read on.
   */
  stream(path: string, last?: number): AsyncIterable<Uint8Array> | undefined;
  close(): Promise<void>;
}

/** Opens a bundle: a folder, or a `.tar.gz` (`.tgz`, `.tar`). Throws a `UserError` that says what is wrong with it. */
export async function openBundleFiles(place: string): Promise<BundleFiles> {
  const about = await stat(place).catch(() => undefined);
  if (!about) throw new UserError(`cannot read bundle ${place}: there is no such file or folder`);
  return about.isDirectory() ? folderFiles(place) : archiveFiles(place);
}

async function folderFiles(place: string): Promise<BundleFiles> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch((error: Error) => {
    throw new UserError(`cannot read bundle ${place}: ${error.message}`);
  });
  const paths = new Set<string>();
  for (const entry of entries) {
    // Links are not followed: a bundle from elsewhere must not make us read this machine's files.
    if (entry.isFile()) paths.add(relative(place, join(entry.parentPath, entry.name)).split(sep).join('/'));
  }
  const fileAt = (path: string) => join(place, ...path.split('/'));
  return {
    place,
    paths,
    read: async path => (paths.has(path) ? joined(fileOfFolder(fileAt(path), path, LONGEST_TEXT)) : undefined),
    stream: (path, last) => (paths.has(path) ? fileOfFolder(fileAt(path), path, undefined, last) : undefined),
    close: async () => {},
  };
}

/** Piece by piece; what the file system says of it is a gap. */
async function* fileOfFolder(
  place: string,
  path: string,
  longest = Number.POSITIVE_INFINITY,
  last = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const { size } = await file.stat();
    if (size > longest) {
      throw new GapSignal({
        reason: 'truncated',
        detail: `${path} of the bundle is too long to be read: ${size} bytes`,
      });
    }
    let position = Math.max(0, size - last);
    for await (const piece of pieces(file, position, size)) {
      position += piece.length;
      yield piece;
    }
    if (position < size) {
      throw new GapSignal({ reason: 'truncated', detail: `${path} of the bundle became shorter while it was read` });
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason = code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'truncated';
    throw new GapSignal({ reason, detail: `${path} of the bundle cannot be read: ${message}` });
  } finally {
    await file?.close();
  }
}

async function archiveFiles(place: string): Promise<BundleFiles> {
  const { entries, spill } = await readArchive(place);
  const { held, paths } = withoutTop(entries);
  const stream = (path: string, last = Number.POSITIVE_INFINITY) => {
    const entry = held.get(path);
    if (!entry) return undefined;
    if (entry instanceof Uint8Array) return inOnePiece(entry, last);
    const from = Math.max(0, entry.length - last);
    return spill!.read({ start: entry.start + from, length: entry.length - from });
  };
  return {
    place,
    paths,
    read: async path => {
      const entry = held.get(path);
      return entry === undefined || entry instanceof Uint8Array ? entry : joined(spill!.read(entry));
    },
    stream,
    close: async () => spill?.close(),
  };
}

/** A bundle that is held in memory, as tests make it. A common top folder is taken off. */
export function memoryFiles(place: string, files: ReadonlyMap<string, Uint8Array>): BundleFiles {
  const { held, paths } = withoutTop(files);
  return {
    place,
    paths,
    read: async path => held.get(path),
    stream: (path, last = Number.POSITIVE_INFINITY) => {
      const content = held.get(path);
      return content && inOnePiece(content, last);
    },
    close: async () => {},
  };
}

async function* inOnePiece(content: Uint8Array, last: number): AsyncGenerator<Uint8Array> {
  yield content.subarray(Math.max(0, content.length - last));
}

/** `name/` is taken off where every path begins with it and the manifest lies directly in it. */
function withoutTop<Entry>(files: ReadonlyMap<string, Entry>) {
  const top = commonTop([...files.keys()]);
  const held = new Map([...files].map(([path, entry]) => [path.slice(top.length), entry]));
  return { held, paths: new Set(held.keys()) };
}

function commonTop(paths: readonly string[]): string {
  if (paths.includes('manifest.yaml')) return '';
  const manifest = paths.find(path => /^[^/]+\/manifest\.yaml$/.test(path));
  const top = manifest?.slice(0, manifest.indexOf('/') + 1) ?? '';
  return paths.every(path => path.startsWith(top)) ? top : '';
}
