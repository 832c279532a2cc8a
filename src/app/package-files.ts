import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the package, looked for from this module upward: sources, `dist/` and an installed package differ in depth. */
export function findUpward(path: string): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path);
    if (folder === dirname(folder)) return undefined;
  }
}

/** The folder `rules/` of the package. */
export const RULES_FOLDER = join(dirname(findUpward('rules/schema.json') ?? '/'), '/');
