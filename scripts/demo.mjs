// npm run demo: installs, builds and diagnoses the simulated fleet that is shipped with the package.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...command) => {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

setUp();
run('scripts/build.mjs');
run('bin/thanos-doctor.js', 'demo', ...process.argv.slice(2));
