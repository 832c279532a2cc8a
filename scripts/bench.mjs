// npm run bench: what a diagnosis of a simulated fleet costs, beside the floor measured in the same run, and what its parts
// cost alone. `--quick` is for every change: small sizes, and a failure where a ratio is far from what it was.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { setUp } from './setup.mjs';

const QUICK = process.argv.includes('--quick');
const RUNS = Number(process.env.BENCH_RUNS ?? (QUICK ? 1 : 3));
const SIZES = QUICK
  ? [
      { clusters: 1, pods: 200 },
      { clusters: 1, pods: 2000 },
    ]
  : [
      { clusters: 1, pods: 200 },
      { clusters: 4, pods: 5000 },
      { clusters: 1, pods: 50_000 },
    ];
/** Of the parts alone: pods, MB of a log, findings. */
const PARTS = QUICK ? [1000, 100, 1000] : [5000, 500, 10_000];
/** Past these a change has cost far more than noise: each is about twice what was measured. */
const LIMITS = { cpuOverFloor: 25, ruleShare: 0.4, kilobytesPerPod: 80, scanMegabytes: 60 };
/** The lists that a diagnosis reads of every cluster. */
const LISTS = [
  '/api/v1/pods',
  '/api/v1/nodes',
  '/api/v1/services',
  '/api/v1/events',
  '/api/v1/configmaps',
  '/api/v1/namespaces',
  '/api/v1/persistentvolumeclaims',
  '/api/v1/persistentvolumes',
  '/apis/apps/v1/deployments',
  '/apis/apps/v1/replicasets',
  '/apis/apps/v1/statefulsets',
  '/apis/apps/v1/daemonsets',
  '/apis/discovery.k8s.io/v1/endpointslices',
  '/apis/batch/v1/jobs',
  '/apis/coordination.k8s.io/v1/leases',
  '/apis/storage.k8s.io/v1/storageclasses',
  '/apis/storage.k8s.io/v1/volumeattachments',
];
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'thanos-doctor-bench-'));

/** Runs a program and says what it took: the resource usage is the child's own, printed at its exit. */
function measured(program, args, environment = {}) {
  const reporter = join(folder, 'usage.mjs');
  const usageFile = join(folder, `usage-${process.hrtime.bigint()}.json`);
  writeFileSync(
    reporter,
    `import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(process.env.USAGE_FILE, JSON.stringify(process.resourceUsage())));`,
  );
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(process.execPath, ['--import', reporter, program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment, USAGE_FILE: usageFile },
    });
    const output = [];
    child.stdout.on('data', chunk => output.push(chunk));
    child.on('error', reject);
    child.on('close', code => {
      const wall = Number(process.hrtime.bigint() - started) / 1e6;
      const usage = JSON.parse(readFileSync(usageFile, 'utf8'));
      const cpu = (usage.userCPUTime + usage.systemCPUTime) / 1000;
      resolve({ code, wall, cpu, memory: usage.maxRSS / 1024, output: Buffer.concat(output).toString('utf8') });
    });
  });
}

async function bundled(name) {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [`test/bench/${name}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return outfile;
}

function startServer(program, { clusters, pods }, kubeconfig) {
  const base = join(root, 'src/simulator/fleets/pool-exhausted.tar.gz');
  const child = spawn(process.execPath, [program, String(clusters), String(pods), base, kubeconfig], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.once('data', line => resolve({ child, ...JSON.parse(line) }));
  });
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const medians = runs => ({
  wall: median(runs.map(run => run.wall)),
  cpu: median(runs.map(run => run.cpu)),
  memory: median(runs.map(run => run.memory)),
});
const row = cells => console.log(`| ${cells.join(' | ')} |`);
const number = value => value.toFixed(value < 10 ? 2 : 0);

setUp();
const doctor = join(root, 'bin/thanos-doctor.js');
const [server, floor, parts] = [await bundled('server'), await bundled('floor'), await bundled('parts')];
// What the parts look for beside themselves.
for (const name of ['rules.json', 'signatures.json']) cpSync(join(root, 'dist', name), join(folder, name));
cpSync(join(root, 'rules'), join(folder, 'rules'), { recursive: true });
const memories = [];
const regressions = [];
const limit = (what, value, most) => {
  if (value > most) regressions.push(`${what}: ${number(value)}, more than ${most}`);
};

try {
  console.log(`Node ${process.version}, medians of ${RUNS} runs\n`);
  row(['what', 'wall ms', 'CPU ms', 'peak MB', 'requests', 'MB', 'wall / floor']);
  row(['---', '---:', '---:', '---:', '---:', '---:', '---:']);
  const starts = { bare: [], version: [], help: [] };
  for (let run = 0; run < Math.max(RUNS, 5); run += 1) {
    starts.bare.push(await measured('-e', ['0']).catch(() => measured(join(folder, 'usage.mjs'), [])));
    starts.version.push(await measured(doctor, ['--version']));
    starts.help.push(await measured(doctor, ['--help']));
  }
  const bare = medians(starts.bare);
  for (const name of ['version', 'help']) {
    const taken = medians(starts[name]);
    row([
      `--${name}`,
      number(taken.wall),
      number(taken.cpu),
      number(taken.memory),
      '',
      '',
      `${number(taken.wall / bare.wall)} × bare node (${number(bare.wall)} ms)`,
    ]);
  }
  for (const size of SIZES) {
    const kubeconfig = join(folder, 'kubeconfig');
    const { child, clusters } = await startServer(server, size, kubeconfig);
    try {
      const contexts = clusters.flatMap(({ name }) => ['--context', name]);
      const args = [
        'diagnose',
        '--kubeconfig',
        kubeconfig,
        ...contexts,
        '--format',
        'json',
        '--quiet',
        '--timeout',
        '120',
      ];
      const runs = [];
      const floors = [];
      const paths = JSON.stringify({ clusters, paths: LISTS });
      // The server prepares what it is asked for the first time.
      await measured(floor, [paths]);
      await measured(doctor, args);
      for (let run = 0; run < RUNS; run += 1) {
        floors.push(await measured(floor, [paths]));
        runs.push(await measured(doctor, args));
      }
      const report = JSON.parse(runs.at(-1).output);
      const base = JSON.parse(floors.at(-1).output);
      const [taken, least] = [medians(runs), medians(floors)];
      const label = `${size.clusters} × ${size.pods} pods`;
      row([
        `floor, ${label}`,
        number(least.wall),
        number(least.cpu),
        number(least.memory),
        base.requests,
        number(base.bytes / 1e6),
        '1',
      ]);
      row([
        `diagnose, ${label}`,
        number(taken.wall),
        number(taken.cpu),
        number(taken.memory),
        report.run.requests,
        number(report.run.bytes / 1e6),
        number(taken.wall / least.wall),
      ]);
      memories.push({ pods: size.clusters * size.pods, memory: taken.memory, cpu: taken.cpu });
      limit(`CPU of ${label} over its floor`, taken.cpu / least.cpu, LIMITS.cpuOverFloor);
    } finally {
      child.kill();
    }
  }
  const [small, large] = [memories[0], memories.at(-1)];
  const perPod = ((large.memory - small.memory) * 1024) / (large.pods - small.pods);
  console.log(`\nPeak memory grows by ${number(perPod)} KB per pod.`);
  limit('KB of memory for each pod', perPod, LIMITS.kilobytesPerPod);

  const base = join(root, 'src/simulator/fleets/pool-exhausted.tar.gz');
  const { output } = await measured(parts, [base, ...PARTS.map(String)]);
  const { scan, rules, render } = JSON.parse(output);
  const scanned = scan.megabytes / (scan.ms / 1000);
  const judged = rules.checks / (rules.ms / 1000);
  const cpuPerPod = (large.cpu - small.cpu) / (large.pods - small.pods);
  const share = rules.ms / rules.pods / cpuPerPod;
  console.log(`\nParts alone, by time of the processor:\n`);
  row(['what', 'amount', 'ms', 'a second']);
  row(['---', '---', '---:', '---:']);
  row(['signatures', `${scan.megabytes} MB of a log`, number(scan.ms), `${number(scanned)} MB`]);
  const verdicts = `${rules.rules} rules, ${rules.pods} pods, ${rules.checks} verdicts`;
  row(['rules', verdicts, number(rules.ms), `${number(judged)} verdicts`]);
  for (const format of ['text', 'markdown', 'json']) {
    const rate = render.findings / (render[format] / 1000);
    row([`report as ${format}`, `${render.findings} findings`, number(render[format]), `${number(rate)} findings`]);
  }
  console.log(`\nRules are ${number(100 * share)} % of what a further pod costs.`);
  limit('share of rules', share, LIMITS.ruleShare);
  if (scanned < LIMITS.scanMegabytes) regressions.push(`signatures: ${number(scanned)} MB a second`);
  for (const regression of regressions) console.error(`regression: ${regression}`);
  if (QUICK && regressions.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
