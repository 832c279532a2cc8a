// Writes src/remediations/catalogue.ts from the files in src/remediations/actions/. --check: only says whether it is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const target = join(root, 'src/remediations/catalogue.ts');
const ids = readdirSync(join(root, 'src/remediations/actions'))
  .filter(file => file.endsWith('.ts'))
  .map(file => file.slice(0, -3))
  .sort();
const nameOf = id => id.replace(/[.-](\w)/g, (_, letter) => letter.toUpperCase());
const text = `// Written by scripts/actions.mjs from the files in actions/.
import type { Action } from '../model/remediation.ts';
${ids.map(id => `import { action as ${nameOf(id)} } from './actions/${id}.ts';`).join('\n')}

const ALL: readonly Action[] = [
${ids.map(id => `  ${nameOf(id)},`).join('\n')}
];

/** Every action that can be taken, by its id. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(ALL.map(action => [action.id, action]));
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('src/remediations/catalogue.ts is not up to date: node scripts/actions.mjs');
    process.exitCode = 1;
  }
} else writeFileSync(target, text);
