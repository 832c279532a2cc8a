// Writes src/evidence/catalogue.ts: the list of all collectors, from the files in collectors/ and derived/.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../src/evidence/', import.meta.url);
const target = new URL('catalogue.ts', root);

const files = ['collectors', 'derived'].flatMap(folder =>
  readdirSync(new URL(`${folder}/`, root))
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => ({
      folder,
      name,
      identifier: name.slice(0, -3).replace(/[.-](.)/g, (_, letter) => letter.toUpperCase()),
    })),
);

const text = `// Written by scripts/catalogue.mjs: one line a file in collectors/ and derived/.
${files.map(({ folder, name, identifier }) => `import { collector as ${identifier} } from './${folder}/${name}';`).join('\n')}
import type { Collector } from './collector.ts';

const ALL: readonly Collector[] = [
${files.map(({ identifier }) => `  ${identifier} as unknown as Collector,`).join('\n')}
];

/** Every collector by its id. */
export const COLLECTORS: ReadonlyMap<string, Collector> = new Map(ALL.map(collector => [collector.id, collector]));
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'src/evidence/catalogue.ts does not list what lies in collectors/ and derived/: run npm run catalogue',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
