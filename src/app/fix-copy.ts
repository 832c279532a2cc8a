import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a folder of this machine holds of a block of a bucket: how many files, and their bytes. */
export function copyReader(
  folder: string,
): (block: string) => Promise<{ readonly files: number; readonly bytes: number } | undefined> {
  return async block => {
    if (folder === '') return undefined;
    const place = join(folder, block);
    try {
      const entries = await readdir(place, { recursive: true, withFileTypes: true });
      const files = entries.filter(entry => entry.isFile());
      const sizes = await Promise.all(files.map(file => stat(join(file.parentPath, file.name))));
      return { files: files.length, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
}
