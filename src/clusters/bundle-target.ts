import { randomBytes } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UserError } from '../model/user-error.ts';
import { membersOf } from './module-members.ts';

/** A bundle while it is written: files go to a folder aside, and nothing is at the target before all of them are there. */
export interface BundleTarget {
  /** Bytes of each file that was written so far. */
  readonly written: ReadonlyMap<string, number>;
  write(path: string, content: string | Uint8Array): Promise<void>;
  writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Moves the folder to the target, or packs it into one. */
  finish(time: Date): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** Opens a target: a folder, or an archive where the name ends with `.tar.gz` or `.tgz`. Nothing is ever overwritten. */
export async function openTarget(target: string): Promise<BundleTarget> {
  const place = resolve(target);
  if (await lstat(place).catch(() => undefined)) {
    throw new UserError(`cannot write bundle ${target}: it is there already`, 'give another name, or remove it first');
  }
  const aside = join(dirname(place), `.${basename(place)}.${randomBytes(4).toString('hex')}`);
  try {
    // Only for its owner: names, addresses and messages are in it even where no credential is.
    await mkdir(aside, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(`cannot write bundle ${target}: ${(error as Error).message}`);
  }
  const packed = `${aside}.tar.gz`;
  // A program that is told to end at once leaves no half of a bundle.
  const clearUp = () => {
    rmSync(packed, { force: true });
    rmSync(aside, { recursive: true, force: true });
  };
  process.once('exit', clearUp);
  const fileAt = async (path: string) => {
    const file = join(aside, ...path.split('/'));
    if (relative(aside, file).startsWith('..')) throw new Error(`the path ${path} leads out of the bundle`);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return file;
  };
  const underWay = new Set<Promise<void>>();
  const written = new Map<string, number>();
  let abandoned = false;
  /** What is written after the end would stay behind. */
  const track = (writing: () => Promise<void>): Promise<void> => {
    if (abandoned) return Promise.reject(new Error('the bundle was given up'));
    const pending = writing().finally(() => underWay.delete(pending));
    underWay.add(pending);
    return pending;
  };
  return {
    written,
    write: (path, content) =>
      track(async () => {
        await writeFile(await fileAt(path), content, { mode: 0o600 });
        written.set(path, Buffer.byteLength(content));
      }),
    writeChunks: (path, chunks) =>
      track(async () => {
        const file = createWriteStream(await fileAt(path), { mode: 0o600 });
        await pipeline(chunks, file);
        written.set(path, file.bytesWritten);
      }),
    async finish(time) {
      if (!isArchive(place)) {
        await rename(aside, place);
        process.off('exit', clearUp);
        return;
      }
      try {
        await pack(aside, packed, basename(place).replace(/\.(?:tar\.gz|tgz)$/, ''), time);
        await rename(packed, place);
      } finally {
        await rm(packed, { force: true });
        await rm(aside, { recursive: true, force: true });
        process.off('exit', clearUp);
      }
    },
    async abandon() {
      abandoned = true;
      await Promise.allSettled(underWay);
      await rm(aside, { recursive: true, force: true });
      process.off('exit', clearUp);
    },
  };
}

function isArchive(place: string): boolean {
  return /\.(?:tar\.gz|tgz)$/.test(place);
}

/** In a fixed order and with one time, so that the same files make the same archive. */
async function pack(folder: string, file: string, top: string, time: Date): Promise<void> {
  const { pack: createPack } = membersOf(await import('tar-stream'));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)));
  const archive = createPack();
  const packing = (async () => {
    for (const path of paths.sort()) {
      const content = await readFile(join(folder, path));
      const name = `${top}/${path.split(sep).join('/')}`;
      await new Promise<void>((resolveEntry, reject) => {
        archive.entry({ name, mtime: time, mode: 0o600 }, content, error => (error ? reject(error) : resolveEntry()));
      });
    }
    archive.finalize();
  })();
  await Promise.all([packing, pipeline(archive, createGzip(), createWriteStream(file, { mode: 0o600 }))]);
}
