// Packs the package, looks at what is in it, installs it elsewhere and runs it there. Needs a build in dist/.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Everything that may be in the package. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE)$/,
  /^bin\/thanos-doctor\.js$/,
  /^dist\/(cli|compile-rules)\.js(\.LEGAL\.txt)?$/,
  /^dist\/chunks\/[\w.-]+\.js(\.LEGAL\.txt)?$/,
  /^dist\/(rules|signatures)\.json$/,
  /^dist\/fleets\/[\w-]+\.tar\.gz$/,
  /^dist\/(THIRD-PARTY-LICENSES\.txt|sbom\.cdx\.json)$/,
  /^rules\/([\w-]+\/)?[\w.-]+\.(yaml|json|md)$/,
  /^docs\/([\w-]+\/)*[\w.-]+\.(md|svg|png|yaml)$/,
  /^deploy\/([\w-]+\/)*[\w.-]+$/,
];
const REQUIRED = [
  'package.json',
  'README.md',
  'LICENSE',
  'bin/thanos-doctor.js',
  'dist/cli.js',
  'dist/rules.json',
  'dist/signatures.json',
  'dist/fleets/pool-exhausted.tar.gz',
  'dist/fleets/sidecar-speaks-https.tar.gz',
  'dist/THIRD-PARTY-LICENSES.txt',
  'dist/sbom.cdx.json',
  'rules/schema.json',
  'deploy/rbac/reader.yaml',
];
/** Bytes. */
const LARGEST = { packed: 4e6, file: 4e6 };
/** Packages with scripts that run at installation; `.npmrc` keeps them from running, and the build needs none. */
const WITH_INSTALL_SCRIPT = new Set(['esbuild', 'fsevents']);

/** Licenses under which a package may be part of the build. */
const LICENSES =
  /^\(?(MIT|MIT-0|Apache-2\.0|BSD-[23]-Clause|ISC|0BSD|Unlicense|CC0-1\.0|BlueOak-1\.0\.0)( (AND|OR) [\w.-]+)*\)?$/;

const mistakes = [];
const check = (holds, what) => void (holds || mistakes.push(what));

if (!existsSync(join(root, 'dist/cli.js'))) throw new Error('there is no build in dist/: npm run build');
const folder = mkdtempSync(join(tmpdir(), 'thanos-doctor-package-'));
try {
  checkManifest();
  checkLockfile();
  checkMaterials();
  checkAdvisories();
  const tarball = pack();
  await checkWithPublint(tarball);
  runInstalled(tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (mistakes.length > 0) {
  console.error(mistakes.map(mistake => `the package: ${mistake}`).join('\n'));
  process.exitCode = 1;
}

function checkManifest() {
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundledDependencies']) {
    check(!manifest[kind], `package.json has ${kind}: everything is in the build`);
  }
  for (const [name, version] of Object.entries(manifest.devDependencies)) {
    check(/^\d+\.\d+\.\d+$/.test(version), `${name} is not pinned exactly: ${version}`);
  }
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    check(!manifest.scripts?.[script], `package.json runs something at installation: ${script}`);
  }
  // kubectl finds a plugin by this name, as `kubectl thanos-doctor`.
  check(manifest.bin?.['kubectl-thanos_doctor'] === manifest.bin?.['thanos-doctor'], 'the two names run the same file');
}

function checkLockfile() {
  check(/^ignore-scripts=true$/m.test(readFileSync(join(root, '.npmrc'), 'utf8')), '.npmrc does not turn scripts off');
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [path, { hasInstallScript }] of Object.entries(packages)) {
    const name = path.replace(/^.*node_modules\//, '');
    if (hasInstallScript) check(WITH_INSTALL_SCRIPT.has(name), `${name} runs a script at installation`);
  }
}

/** What the build holds of others: known to the last byte, and free to be passed on. */
function checkMaterials() {
  const { components } = JSON.parse(readFileSync(join(root, 'dist/sbom.cdx.json'), 'utf8'));
  check(components.length > 10, `the bill of materials has ${components.length} packages`);
  for (const { purl, licenses, hashes } of components) {
    const [{ expression }] = licenses;
    check(LICENSES.test(expression), `${purl} is under ${expression}`);
    check(hashes.length > 0, `${purl} has no hash in package-lock.json`);
  }
}

/** Advisories about packages of the build. Not every registry has them: then that is said. */
function checkAdvisories() {
  const { stdout } = spawnSync(npm, ['audit', '--json'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  const { vulnerabilities } = /^\s*\{/.test(stdout) ? JSON.parse(stdout) : {};
  if (!vulnerabilities) {
    console.log('advisories were not looked up: the registry does not answer npm audit');
    return;
  }
  const { components } = JSON.parse(readFileSync(join(root, 'dist/sbom.cdx.json'), 'utf8'));
  const own = new Set(components.map(({ name }) => name));
  for (const { name, severity, via } of Object.values(vulnerabilities)) {
    const titles = via.map(one => (typeof one === 'string' ? one : one.title)).join('; ');
    check(!own.has(name), `${name} has an advisory (${severity}): ${titles}`);
  }
}

/** Returns the path of the tarball. */
function pack() {
  const output = execFileSync(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output.toString('utf8'));
  const paths = packed.files.map(({ path }) => path);
  for (const path of paths)
    check(
      ALLOWED.some(pattern => pattern.test(path)),
      `${path} does not belong into it`,
    );
  for (const path of REQUIRED) check(paths.includes(path), `${path} is missing`);
  for (const { path, size } of packed.files) check(size <= LARGEST.file, `${path} has ${size} bytes`);
  check(packed.size <= LARGEST.packed, `it has ${packed.size} bytes`);
  console.log(`${packed.filename}: ${paths.length} files, ${(packed.size / 1e6).toFixed(1)} MB packed`);
  return join(folder, packed.filename);
}

async function checkWithPublint(tarball) {
  const bytes = readFileSync(tarball);
  const { messages, pkg } = await publint({
    strict: true,
    level: 'warning',
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
  });
  for (const message of messages) mistakes.push(`publint: ${formatMessage(message, pkg, { color: false })}`);
}

function runInstalled(tarball) {
  const home = join(folder, 'installed');
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{"private":true}\n');
  // Offline: whoever installs it needs nothing else.
  const options = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--no-package-lock'];
  execFileSync(npm, ['install', ...options, tarball], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
  const installed = readdirSync(join(home, 'node_modules')).filter(name => !name.startsWith('.'));
  check(installed.join() === 'thanos-doctor', `it brings other packages along: ${installed.join(', ')}`);

  const run = (name, ...args) => {
    const { status, stdout, stderr } = spawnSync(join(home, 'node_modules/.bin', name), args, {
      cwd: home,
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: join(home, 'none'), FORCE_COLOR: '', NO_COLOR: '1' },
      maxBuffer: 64 * 1024 ** 2,
    });
    return {
      status,
      stdout,
      said: `${name} ${args.join(' ')}: exit ${status}\n${stdout.slice(0, 500)}${stderr.slice(0, 2000)}`,
    };
  };
  for (const name of Object.keys(manifest.bin)) {
    const { status, stdout, said } = run(name, '--version');
    check(status === 0 && stdout === `${manifest.version}\n`, said);
  }
  const rules = run('thanos-doctor', 'rules');
  check(rules.status === 0 && /^\d+ rules$/m.test(rules.stdout), rules.said);
  const explained = run('thanos-doctor', 'explain', 'object-store-speaks-http');
  check(explained.status === 0, explained.said);
  const bundle = join(root, 'test/incidents/sidecar-speaks-https/bundle.tar.gz');
  const diagnosed = run('thanos-doctor', 'diagnose', '--bundle', bundle, '--format', 'json', '-o', 'report.txt');
  check(diagnosed.status === 1 && JSON.parse(diagnosed.stdout).verdict === 'problems', diagnosed.said);
  const demo = run('kubectl-thanos_doctor', 'demo');
  check(demo.status === 0, demo.said);
  for (const file of ['report.txt', 'report.md', 'report.json'])
    check(existsSync(join(home, file)), `no ${file} was written`);
  console.log('installed elsewhere, it runs: --version, rules, explain, diagnose --bundle, demo');
}
