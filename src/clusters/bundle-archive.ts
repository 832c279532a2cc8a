import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from '../model/user-error.ts';
import { joined } from './bundle-pieces.ts';
import { openSpillFile, type SpilledRange, SpillFailure, type SpillFile, spillFolder } from './bundle-spill.ts';
import { membersOf } from './module-members.ts';

/** Bytes: no text in JavaScript can be longer. */
export const LONGEST_TEXT = 2 ** 29 - 24;

/** Entries, and bytes of all entries unpacked: past these a file is no bundle but a bomb. */
const LIMITS = { entries: 200_000, totalBytes: 4 * 1024 ** 3 };

/** Bytes of entries that are held in memory; what comes after them goes to a file. */
const HELD = 32 * 1024 ** 2;

/** Bytes that are read and unpacked at once. */
const PIECE = 512 * 1024;

/** What an archive holds: bytes, or where they lie in the spill file. */
export interface Archive {
  readonly entries: ReadonlyMap<string, Uint8Array | SpilledRange>;
  /** Undefined where everything is held. */
  readonly spill: SpillFile | undefined;
}

/** Reads an archive once, from its beginning to its end. Throws a `UserError` that says what is wrong with it. */
export async function readArchive(place: string): Promise<Archive> {
  const entries = new Map<string, Uint8Array | SpilledRange>();
  let held = 0;
  let spill: SpillFile | undefined;
  const put = async (path: string, size: number, chunks: AsyncIterable<Uint8Array>) => {
    if (held + size <= HELD) {
      entries.set(path, await joined(chunks));
      held += size;
      return;
    }
    spill ??= await openSpillFile();
    entries.set(path, await spill.append(chunks));
  };
  try {
    await unpack(place, put);
    if (entries.size === 0) throw refusal(place, 'it is empty');
    return { entries, spill };
  } catch (error) {
    await spill?.close();
    throw error instanceof SpillFailure ? noRoom(place, error.code) : error;
  }
}

type Put = (path: string, size: number, chunks: AsyncIterable<Uint8Array>) => Promise<void>;

async function unpack(place: string, put: Put): Promise<void> {
  const { extract } = membersOf(await import('tar-stream'));
  const file = await open(place).catch((error: Error) => {
    throw refusal(place, error.message);
  });
  const before = await file.stat();
  const isCompressed = !place.endsWith('.tar');
  const archive = extract();
  const input = file.createReadStream({ autoClose: false, highWaterMark: PIECE });
  const stream = isCompressed ? input.pipe(createGunzip({ chunkSize: PIECE })) : input;
  input.on('error', error => archive.destroy(error));
  stream.on('error', (error: Error) => archive.destroy(error));
  stream.pipe(archive);
  let count = 0;
  let total = 0;
  try {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header;
      count += 1;
      total += size;
      const tooMany = count > LIMITS.entries || total > LIMITS.totalBytes;
      if (tooMany) throw tooLarge(place, count);
      if (size > LONGEST_TEXT && !isReadByLine(name)) throw refusal(place, `${printable(name)} would be ${size} bytes`);
      if (type === 'directory') {
        entry.resume();
        continue;
      }
      if (type !== 'file') throw refusal(place, `${printable(name)} is a ${type}, only files and folders may be in it`);
      const path = safePath(name);
      if (path === undefined) throw refusal(place, `the path ${printable(name)} leads out of it`);
      await put(path, size, entry as unknown as AsyncIterable<Uint8Array>);
    }
    if (await hasChanged(file, before)) throw refusal(place, 'it changed while it was read');
  } catch (error) {
    if (error instanceof UserError || error instanceof SpillFailure) throw error;
    if (await hasChanged(file, before)) throw refusal(place, 'it changed while it was read');
    const { code, message } = error as NodeJS.ErrnoException;
    const isCut = code === 'Z_BUF_ERROR' || /unexpected end/i.test(message);
    throw refusal(
      place,
      isCut ? 'it is cut off' : `it is no ${isCompressed ? 'gzipped ' : ''}tar archive (${message})`,
    );
  } finally {
    input.destroy();
    stream.destroy();
    await file.close();
  }
}

/** A pipe has no size. */
async function hasChanged(file: FileHandle, before: Awaited<ReturnType<FileHandle['stat']>>): Promise<boolean> {
  const { size, mtimeMs } = await file.stat();
  return before.isFile() && (size !== before.size || mtimeMs !== before.mtimeMs);
}

function refusal(place: string, what: string): UserError {
  return new UserError(
    `cannot read bundle ${place}: ${what}`,
    'nothing of it was read',
    'make a new one with thanos-doctor collect',
  );
}

function tooLarge(place: string, entries: number): UserError {
  const what =
    entries > LIMITS.entries
      ? `it has more than ${LIMITS.entries} entries`
      : `it would unpack to more than ${LIMITS.totalBytes} bytes`;
  return new UserError(
    `cannot read bundle ${place}: ${what}`,
    'nothing of it was read',
    'if it is to be trusted, unpack it and name the folder',
  );
}

function noRoom(place: string, code: string): UserError {
  const folder = spillFolder();
  const why = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)
    ? `${folder} has no room for its logs`
    : `no temporary file for its logs can be written in ${folder} (${code})`;
  return new UserError(
    `cannot read bundle ${place}: ${why}`,
    'nothing of it was read',
    'set TMPDIR to a folder that can be written and has room, or unpack the bundle and name the folder',
  );
}

/** Logs and listings may be longer than any text. */
function isReadByLine(name: string): boolean {
  return /\.(?:log|jsonl)$/.test(name);
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
