import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createGunzip } from 'node:zlib';
import { UserError } from '../model/user-error.ts';
import { membersOf } from './module-members.ts';

/** The files of a bundle, by their path inside it. Nothing is ever extracted to disk. */
export interface BundleFiles {
  /** Where it lies, for messages. */
  readonly place: string;
  readonly paths: ReadonlySet<string>;
  /** Undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/** Entries, bytes of one entry, bytes of all entries unpacked: past these a file is no bundle but a bomb. */
const LIMITS = { entries: 200_000, entryBytes: 512 * 1024 ** 2, totalBytes: 4 * 1024 ** 3 };

/** Opens a bundle: a folder, or a `.tar.gz` (`.tgz`, `.tar`). Throws a `UserError` that says what is wrong with it. */
export async function openBundleFiles(place: string): Promise<BundleFiles> {
  const stat = await lstat(place).catch(() => undefined);
  if (!stat) throw new UserError(`cannot read bundle ${place}: there is no such file or folder`);
  if (stat.isDirectory()) return folderFiles(place);
  return memoryFiles(place, await readArchive(place));
}

async function folderFiles(place: string): Promise<BundleFiles> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const paths = new Set<string>();
  for (const entry of entries) {
    // Links are not followed: a bundle from elsewhere must not make us read this machine's files.
    if (entry.isFile()) paths.add(relative(place, join(entry.parentPath, entry.name)).split(sep).join('/'));
  }
  return {
    place,
    paths,
    read: async path => (paths.has(path) ? readFile(join(place, ...path.split('/'))) : undefined),
  };
}

/** A bundle that is held in memory, as the archive reader and tests make it. A common top folder is taken off. */
export function memoryFiles(place: string, files: ReadonlyMap<string, Uint8Array>): BundleFiles {
  const top = commonTop([...files.keys()]);
  const stripped = new Map([...files].map(([path, bytes]) => [path.slice(top.length), bytes]));
  return { place, paths: new Set(stripped.keys()), read: async path => stripped.get(path) };
}

/** `name/` where every path begins with it and the manifest lies directly in it. */
function commonTop(paths: readonly string[]): string {
  if (paths.includes('manifest.yaml')) return '';
  const manifest = paths.find(path => /^[^/]+\/manifest\.yaml$/.test(path));
  const top = manifest?.slice(0, manifest.indexOf('/') + 1) ?? '';
  return paths.every(path => path.startsWith(top)) ? top : '';
}

async function readArchive(place: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { extract } = membersOf(await import('tar-stream'));
  const files = new Map<string, Uint8Array>();
  const refuse = (what: string) =>
    new UserError(
      `cannot read bundle ${place}: ${what}`,
      'nothing of it was read',
      'make a new one with thanos-doctor collect',
    );
  let entries = 0;
  let total = 0;
  const unpack = extract();
  const input = createReadStream(place);
  const gzip = !place.endsWith('.tar');
  const stream = gzip ? input.pipe(createGunzip()) : input;
  input.on('error', error => unpack.destroy(error));
  stream.on('error', (error: Error) => unpack.destroy(error));
  stream.pipe(unpack);
  try {
    for await (const entry of unpack) {
      const { name, type, size = 0 } = entry.header;
      entries += 1;
      total += size;
      if (entries > LIMITS.entries) throw refuse(`it has more than ${LIMITS.entries} entries`);
      if (size > LIMITS.entryBytes) throw refuse(`${printable(name)} would be ${size} bytes`);
      if (total > LIMITS.totalBytes) throw refuse(`it would unpack to more than ${LIMITS.totalBytes} bytes`);
      if (type === 'directory') {
        entry.resume();
        continue;
      }
      if (type !== 'file') throw refuse(`${printable(name)} is a ${type}, only files and folders may be in it`);
      const path = safePath(name);
      if (path === undefined) throw refuse(`the path ${printable(name)} leads out of it`);
      files.set(path, await collect(entry as unknown as AsyncIterable<Uint8Array>));
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isCut = code === 'Z_BUF_ERROR' || /unexpected end/i.test(message);
    throw refuse(isCut ? 'it is cut off' : `it is no ${gzip ? 'gzipped ' : ''}tar archive (${message})`);
  } finally {
    input.destroy();
  }
  if (files.size === 0) throw refuse('it is empty');
  return files;
}

async function collect(entry: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The path with `.` taken out, or undefined for one that is absolute, climbs, or holds control characters. */
function safePath(name: string): string | undefined {
  if (name.startsWith('/') || name.includes('\\') || /[\u0000-\u001f\u007f]/.test(name)) return undefined;
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
