import { readdirSync, readFileSync } from 'node:fs';
import { type LoadedSignatures, loadSignatures } from '../../../src/evidence/logs/signature-file.ts';
import { type CompiledSignatures, compileSignatures } from '../../../src/evidence/logs/signatures.ts';

const FOLDER = new URL('../../../rules/signatures/', import.meta.url);

export const loaded: LoadedSignatures = loadSignatures(
  readdirSync(FOLDER)
    .filter(name => name.endsWith('.yaml'))
    .map(name => ({
      path: `rules/signatures/${name}`,
      text: readFileSync(new URL(name, FOLDER), 'utf8'),
    })),
);

export const signatures: CompiledSignatures = compileSignatures(loaded.signatures);

/**
 * Signatures that only rules about a container that ended read: their lines are common, and say nothing of one that runs.
 */
export const AFTER_AN_EXIT: ReadonlySet<string> = new Set(
  loaded.signatures
    .filter(({ rules }) => rules.length > 0 && rules.every(rule => rule.startsWith('container-exits-')))
    .map(({ id }) => id),
);
