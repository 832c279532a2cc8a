// npm test: installs, builds and runs every hermetic test. Further arguments go to the test runner.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...command) => {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

setUp();
run('scripts/catalogue.mjs', '--check');
run('scripts/actions.mjs', '--check');
run('scripts/build.mjs');
run('node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2));
if (!process.env.KUBEBUILDER_ASSETS) {
  console.log('left out: the tests on a real kube-apiserver and etcd; npm run test:real builds and runs them');
}
