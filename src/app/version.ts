import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in package.json. */
export function version(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const { name, version: found } = JSON.parse(readFileSync(path, 'utf8'));
      if (name === 'thanos-doctor') return found;
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}
