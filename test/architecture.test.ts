import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src');

/** What each folder of src/ may import besides itself: other folders, and packages. `node:*` is named where it is allowed. */
const MAY_IMPORT: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  model: { folders: [], packages: [] },
  clusters: {
    folders: ['model'],
    packages: [
      'node:*',
      '@kubernetes/client-node*',
      '@aws-sdk/*',
      '@smithy/signature-v4',
      'hpagent',
      'tar-stream',
      'yaml',
      'ws',
    ],
  },
  evidence: { folders: ['model'], packages: ['p-limit', 'yaml', 're2js'] },
  checks: { folders: ['model'], packages: ['ajv', 'yaml', 're2js', '@marcbachmann/cel-js'] },
  remediations: { folders: ['model'], packages: ['node:crypto', 'yaml'] },
  report: { folders: ['model'], packages: ['string-width', 'node:util'] },
  simulator: { folders: ['model', 'clusters'], packages: ['node:*', 'tar-stream', 'yaml', 'ws'] },
  app: {
    folders: ['model', 'clusters', 'evidence', 'checks', 'remediations', 'report', 'simulator'],
    packages: ['node:*', 'yaml'],
  },
  cli: { folders: ['app', 'model', 'report'], packages: ['node:*', 'yargs'] },
};

/** The one exception in each folder: packages that a single file may import for all others. */
const ONLY_IN: Readonly<Record<string, string>> = {
  '@marcbachmann/cel-js': 'checks/syntax.ts',
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
  .map(entry => relative(SOURCES, join(entry.parentPath, entry.name)));

const imports: readonly Import[] = files.flatMap(file => {
  const text = readFileSync(join(SOURCES, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const targets = [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)/g)];
  return targets.map(match => ({ file, target: (match[1] ?? match[2])! }));
});

function fits(target: string, patterns: readonly string[]): boolean {
  return patterns.some(
    pattern => target === pattern || (pattern.endsWith('*') && target.startsWith(pattern.slice(0, -1))),
  );
}

const resolved = (one: Import) => relative(SOURCES, resolve(SOURCES, dirname(one.file), one.target));
const folderOf = (file: string) => file.split('/')[0]!;

describe('the layers of src/', () => {
  test('are the folders that there are', () => {
    const folders = readdirSync(SOURCES, { withFileTypes: true }).filter(
      entry => entry.isDirectory() && readdirSync(join(SOURCES, entry.name)).length > 0,
    );
    const unknown = folders.map(entry => entry.name).filter(name => !(name in MAY_IMPORT));
    expect(unknown, 'folders without a row').toEqual([]);
    const empty = Object.keys(MAY_IMPORT).filter(name => !existsSync(join(SOURCES, name)));
    expect(empty, 'rows without a folder').toEqual([]);
  });

  test('import only what lies below them', () => {
    const wrong = imports
      .filter(one => one.target.startsWith('.'))
      .filter(one => {
        const from = folderOf(one.file);
        const to = folderOf(resolved(one));
        return from !== to && !MAY_IMPORT[from]?.folders.includes(to);
      })
      .map(one => `${one.file} imports ${one.target}`);
    expect(wrong).toEqual([]);
  });

  test('import only the packages that they may', () => {
    const wrong = imports
      .filter(one => !one.target.startsWith('.'))
      .filter(one => !fits(one.target, MAY_IMPORT[folderOf(one.file)]?.packages ?? []))
      .map(one => `${one.file} imports ${one.target}`);
    expect(wrong).toEqual([]);
    const strays = imports.filter(one => ONLY_IN[one.target] && ONLY_IN[one.target] !== one.file).map(one => one.file);
    expect(strays, 'packages that one file imports for all').toEqual([]);
  });

  test('have no cycle', () => {
    const edges = new Map<string, readonly string[]>(
      files.map(file => [file, imports.filter(one => one.file === file && one.target.startsWith('.')).map(resolved)]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('import no file that is not there', () => {
    const missing = imports.filter(one => one.target.startsWith('.') && !existsSync(join(SOURCES, resolved(one))));
    expect(missing.map(one => `${one.file} imports ${one.target}`)).toEqual([]);
  });

  test('have no folder whose name says nothing', () => {
    const names = new Set(files.flatMap(file => dirname(file).split('/')));
    for (const name of ['utils', 'helpers', 'common', 'core', 'types', 'lib', 'misc'])
      expect(names.has(name), name).toBe(false);
  });
});

/** What thinks has no clock and touches nothing: not the world, not the console, not the process. */
describe.each(['model', 'evidence', 'checks', 'remediations', 'report'])('src/%s', folder => {
  test('reads no clock, prints nothing and asks no process', () => {
    const offenders = files
      .filter(file => folderOf(file) === folder)
      .filter(file => {
        const text = readFileSync(join(SOURCES, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        return /Date\.now\(|new Date\(\)|performance\.now|console\.|process\.|Math\.random/.test(text);
      });
    expect(offenders).toEqual([]);
  });
});
