import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { access, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../model/user-error.ts';

/** Files that are not whole yet: a program that is ended in the middle leaves none of them. */
const unfinished = new Set<string>();

function clearUp(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

/** Writes a file aside and renames it into place, so that nobody ever sees half of it. Throws a `UserError` where it cannot. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await checkWritable(path);
  // Through a link, the file that it leads to is replaced, and not the link.
  const place = await realpath(path).catch(() => path);
  const there = await stat(place).catch(() => undefined);
  const aside = join(dirname(place), `.thanos-doctor-${randomBytes(6).toString('hex')}`);
  if (unfinished.size === 0) process.once('exit', clearUp);
  try {
    // A pipe or a device is no file that another could take the place of.
    if (there && !there.isFile()) return await writeFile(place, content);
    unfinished.add(aside);
    await writeFile(aside, content, { mode: 0o600, flag: 'wx' });
    await rename(aside, place);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {});
    throw new UserError(`cannot write ${path}: ${whyNotWritten(error as NodeJS.ErrnoException)}`);
  } finally {
    unfinished.delete(aside);
    if (unfinished.size === 0) process.off('exit', clearUp);
  }
}

/** Throws a `UserError` where a file cannot be written: known before minutes are spent on what should be in it. */
export async function checkWritable(path: string): Promise<void> {
  const refuse = (why: string) => new UserError(`cannot write ${path}: ${why}`);
  const folder = dirname(path);
  const there = await stat(folder).catch(() => undefined);
  if (!there) throw refuse(`there is no folder ${folder}`);
  if (!there.isDirectory()) throw refuse(`${folder} is no folder`);
  if (!(await isWritable(folder))) throw refuse(`the folder ${folder} is not writable`);
  const file = await stat(path).catch(() => undefined);
  if (file?.isDirectory()) throw refuse('it is a folder');
  // A rename would replace it all the same; whoever protected it did not mean that.
  if (file && !(await isWritable(path))) throw refuse('it is there and write-protected');
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EFBIG: 'it is larger than files may be here',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'its name is too long',
};

/** Why a file could not be written, in the words that users know. */
export function whyNotWritten({ code = '', message }: NodeJS.ErrnoException): string {
  return REASONS[code] ?? message;
}
