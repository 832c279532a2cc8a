import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../model/user-error.ts';

/** A file of the package, looked for from this module upward: sources, `dist/` and an installed package differ in depth. */
export function findUpward(path: string): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path);
    if (folder === dirname(folder)) return undefined;
  }
}

/** The folder `rules/` of the package; '' where a build stands without it. */
export const RULES_FOLDER = dirname(findUpward('rules/schema.json') ?? '').replace(/^\.$/, '');

/** What a file of `rules/` is read by. Throws a `UserError` that says what is missing, and where it was looked for. */
export function inRules(path: string): string {
  if (RULES_FOLDER === '' || !existsSync(join(RULES_FOLDER, path))) {
    throw new UserError(
      `cannot read rules/${path} of thanos-doctor: this build stands without it`,
      `it was looked for in ${dirname(fileURLToPath(import.meta.url))} and every folder above`,
      'put the folder rules/ beside it, or install the package anew',
    );
  }
  return join(RULES_FOLDER, path);
}
