// Start-up, and a diagnosis of simulated fleets beside the least that fetching their lists can cost.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { alternately, head, medians, number, row } from './shared.mjs';

/** Each is about twice what was measured. */
const LIMITS = { cpuOverFloor: 25, kilobytesPerPod: 80 };
/** The lists that a diagnosis reads of every cluster. */
export const LISTS = [
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

/** Says what a further pod costs, in KB and in ms of the processor. */
export async function measureFetch(bench) {
  const sizes = bench.quick
    ? [
        { clusters: 1, pods: 200 },
        { clusters: 1, pods: 2000 },
      ]
    : [
        { clusters: 1, pods: 200 },
        { clusters: 4, pods: 5000 },
        { clusters: 1, pods: 50_000 },
      ];
  head('Whole processes:', ['what', 'wall ms', 'CPU ms', 'peak MB', 'requests', 'MB', 'wall / floor']);
  await measureStart(bench);
  const [server, floor] = [await bench.bundled('server'), await bench.bundled('floor')];
  const taken = [];
  for (const size of sizes) taken.push({ size, ...(await measureFleet(bench, size, server, floor)) });
  const [small, large] = [taken[0], taken.at(-1)];
  const podsOf = ({ size }) => size.clusters * size.pods;
  const perPod = what => (large[what] - small[what]) / (podsOf(large) - podsOf(small));
  const kilobytes = perPod('memory') * 1024;
  console.log(`\nPeak memory grows by ${number(kilobytes)} KB per pod.`);
  bench.limit('KB of memory for each pod', kilobytes, LIMITS.kilobytesPerPod);
  return { cpuPerPod: perPod('cpu') };
}

async function measureStart({ folder, measured, doctor, runs }) {
  const [bares, ...starts] = await alternately(Math.max(runs, 5), [
    () => measured(join(folder, 'usage.mjs'), []),
    () => measured(doctor, ['--version']),
    () => measured(doctor, ['--help']),
  ]);
  const bare = medians(bares);
  for (const [index, name] of ['--version', '--help'].entries()) {
    const { wall, cpu, memory } = medians(starts[index]);
    const ratio = `${number(wall / bare.wall)} × bare node (${number(bare.wall)} ms)`;
    row([name, number(wall), number(cpu), number(memory), '', '', ratio]);
  }
}

async function measureFleet(bench, size, server, floor) {
  const { measured, doctor } = bench;
  const kubeconfig = join(bench.folder, 'kubeconfig');
  const { child, clusters } = await startServer(server, size, bench.base, kubeconfig);
  try {
    const contexts = clusters.flatMap(({ name }) => ['--context', name]);
    const args = ['diagnose', '--kubeconfig', kubeconfig, ...contexts];
    args.push('--format', 'json', '--quiet', '--timeout', '120');
    const paths = JSON.stringify({ clusters, paths: LISTS });
    const ways = [() => measured(floor, [paths]), () => measured(doctor, args)];
    // The server prepares what it is asked for the first time.
    await alternately(1, ways);
    const [floors, runs] = await alternately(bench.runs, ways);
    const [least, taken] = [medians(floors), medians(runs)];
    const base = JSON.parse(floors.at(-1).output);
    const { run } = JSON.parse(runs.at(-1).output);
    const label = `${size.clusters} × ${size.pods} pods`;
    const cells = ({ wall, cpu, memory }) => [number(wall), number(cpu), number(memory)];
    row([`floor, ${label}`, ...cells(least), base.requests, number(base.bytes / 1e6), '1']);
    const ratio = number(taken.wall / least.wall);
    row([`diagnose, ${label}`, ...cells(taken), run.requests, number(run.bytes / 1e6), ratio]);
    bench.limit(`CPU of ${label} over its floor`, taken.cpu / least.cpu, LIMITS.cpuOverFloor);
    return taken;
  } finally {
    child.kill();
  }
}

function startServer(program, { clusters, pods }, base, kubeconfig) {
  const child = spawn(process.execPath, [program, String(clusters), String(pods), base, kubeconfig], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.once('data', line => resolve({ child, ...JSON.parse(line) }));
  });
}
