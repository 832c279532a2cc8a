// npm run test:real: what every write rests on, against a real kube-apiserver and etcd. They are those of KUBEBUILDER_ASSETS (as
// envtest has it), or are built once from test/real/go.mod into a cache; that takes Go 1.24 or newer, and some minutes.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = { 'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver', etcd: 'go.etcd.io/etcd/server/v3' };
const isWhole = folder => Object.keys(PROGRAMS).every(name => existsSync(join(folder, name)));

function built() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'thanos-doctor', 'control-plane-1.34.4');
  if (isWhole(cache)) return cache;
  const aside = `${cache}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  for (const file of ['go.mod', 'go.sum', 'programs.go']) cpSync(join(root, 'test/real', file), join(aside, file));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    console.error(`building ${name}`);
    const options = { cwd: aside, stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' } };
    const { status, error } = spawnSync('go', ['build', '-o', name, path], options);
    if (status === 0) continue;
    rmSync(aside, { recursive: true, force: true });
    console.error(
      `${name} was not built${error ? `: ${error.message}` : ''}; name a folder with both in KUBEBUILDER_ASSETS`,
    );
    process.exit(1);
  }
  rmSync(cache, { recursive: true, force: true });
  renameSync(aside, cache);
  return cache;
}

const given = process.env.KUBEBUILDER_ASSETS ?? '';
const assets = isWhole(given) ? given : built();
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/real', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, KUBEBUILDER_ASSETS: assets },
  },
);
process.exit(status ?? 1);
