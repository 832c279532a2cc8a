// npm run test:real: everything that writes, and the shipped roles, against a real kube-apiserver and etcd. They are those of
// KUBEBUILDER_ASSETS (as envtest has it), or are built once from test/real/go.mod into a cache; that takes Go 1.24 or newer,
// and some minutes. With --or-skip, what cannot be built is left out with a line that says so; tests that fail still fail.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = { 'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver', etcd: 'go.etcd.io/etcd/server/v3' };
const SOURCES = ['go.mod', 'go.sum', 'programs.go'];
const OLDEST_GO = 24;
/** Milliseconds that one program may take to be built. */
const LONGEST_BUILD = 15 * 60_000;
const isWhole = folder => Object.keys(PROGRAMS).every(name => existsSync(join(folder, name)));
const given = process.argv.slice(2);
const skips = given.includes('--or-skip');

function leaveOut(why) {
  console.error(`\n*** test:real was left out: ${why} ***`);
  console.error(
    '*** nothing was tried on a real kube-apiserver; name a folder with it and etcd in KUBEBUILDER_ASSETS ***\n',
  );
  process.exit(skips ? 0 : 1);
}

/** The place for what can be made again, as this system has it. */
function cacheFolder() {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA;
  if (process.platform === 'darwin') return join(homedir(), 'Library/Caches');
  return XDG_CACHE_HOME || join(homedir(), '.cache');
}

/** No other toolchain is fetched for it: what is installed has to do. */
const environment = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };

function findGo() {
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const { stdout } = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8', env: environment });
    const [, minor] = /^go1\.(\d+)/.exec(stdout ?? '') ?? [];
    if (Number(minor) >= OLDEST_GO) return go;
  }
  return leaveOut(`there is no Go 1.${OLDEST_GO} or newer to build it with`);
}

function built() {
  const hash = createHash('sha256');
  for (const file of SOURCES) hash.update(readFileSync(join(root, 'test/real', file)));
  const cache = join(cacheFolder(), 'thanos-doctor', `control-plane-${hash.digest('hex').slice(0, 12)}`);
  if (isWhole(cache)) return cache;
  const go = findGo();
  const aside = `${cache}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  for (const file of SOURCES) cpSync(join(root, 'test/real', file), join(aside, file));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    console.error(`building ${name}, once, into ${cache}`);
    const options = { cwd: aside, stdio: 'inherit', env: environment, timeout: LONGEST_BUILD };
    const { status, error } = spawnSync(go, ['build', '-o', name, path], options);
    if (status === 0) continue;
    rmSync(aside, { recursive: true, force: true });
    leaveOut(`${name} could not be built (${error?.message ?? 'see above'}); without a network there are no sources`);
  }
  rmSync(cache, { recursive: true, force: true });
  renameSync(aside, cache);
  return cache;
}

const named = process.env.KUBEBUILDER_ASSETS ?? '';
const assets = isWhole(named) ? named : built();
const further = given.filter(word => word !== '--or-skip');
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/real', ...further], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, KUBEBUILDER_ASSETS: assets },
});
process.exit(status ?? 1);
