import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedSignatures, loadSignatures } from '../evidence/logs/signature-file.ts';
import { type CompiledSignatures, compileSignatures } from '../evidence/logs/signatures.ts';
import { findUpward, inRules } from './package-files.ts';

/** Reads and checks the signatures of the package as they are written. */
export function readSignatures(): LoadedSignatures {
  const folder = inRules('signatures');
  const texts = readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .map(name => ({ path: `rules/signatures/${name}`, text: readFileSync(join(folder, name), 'utf8') }));
  return loadSignatures(texts);
}

/** The built-in signatures, ready to be searched for: compiled at build time where that is at hand, else from their YAML. */
export function builtinSignatures(): CompiledSignatures {
  const compiled = findUpward('signatures.json');
  if (compiled && existsSync(compiled)) return compileSignatures(JSON.parse(readFileSync(compiled, 'utf8')));
  const { signatures, mistakes } = readSignatures();
  const [first] = mistakes;
  if (first)
    throw new Error(`built-in signatures are broken: ${first.file}:${first.line}:${first.column}: ${first.message}`);
  return compileSignatures(signatures);
}
