// Bundles src/ into dist/ and compiles the rules. Options: --out FOLDER, --lenient (leave broken rules out, for work in progress).
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { billOfMaterials, packagesIn, thirdPartyLicenses } from './third-party.mjs';

const root = new URL('..', import.meta.url).pathname;
const option = name => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const out = resolve(option('--out') ?? join(root, 'dist'));
const lenient = process.argv.includes('--lenient');

/** Measuring letters costs the help more than everything else, and the help is ASCII. The report measures for real. */
const asciiHelp = {
  name: 'ascii-help',
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      /node_modules\/(cliui|wrap-ansi)\//.test(importer)
        ? { path: 'string-width', namespace: 'ascii-help' }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'ascii-help' }, () => ({ contents: 'export default text => text.length;' }));
  },
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli/main.ts', 'compile-rules': 'src/app/compile-rules.ts' },
  outdir: out,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'linked',
  plugins: [asciiHelp],
  metafile: true,
  chunkNames: 'chunks/[name]-[hash]',
  // Packages that are CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

const packages = packagesIn(metafile, root);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses(packages));
writeFileSync(join(out, 'sbom.cdx.json'), billOfMaterials(packages, manifest));
cpSync(join(root, 'src/simulator/fleets'), join(out, 'fleets'), { recursive: true });
// Elsewhere than in dist/, the build has to stand without the rest of the package.
if (out !== join(root, 'dist')) cpSync(join(root, 'rules'), join(out, 'rules'), { recursive: true });

const { compileRules } = await import(pathToFileURL(join(out, 'compile-rules.js')));
const mistakes = compileRules(out, { lenient });
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0 && !lenient) process.exitCode = 1;
