// Writes the files that come from the code and the rules: docs/evidence.md, docs/TROUBLESHOOTING.md, deploy/rbac/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundled = join(root, '.cache/generated-files.mjs');
await build({
  absWorkingDir: root,
  entryPoints: ['src/app/generated-files.ts'],
  outfile: bundled,
  bundle: true,
  platform: 'node',
  format: 'esm',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
const { generatedFiles } = await import(pathToFileURL(bundled));
for (const [path, text] of generatedFiles()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
