// A real kube-apiserver with many pods: a diagnosis beside the least that fetching the same lists can cost, and beside kubectl
// and k8sgpt where they are installed ($KUBECTL, $K8SGPT, or on the PATH). KUBEBUILDER_ASSETS names the folder of kube-apiserver
// and etcd, as for test:real. BENCH_PODS says how many pods; BENCH_SERVER names a file with what test/bench/real-server.ts
// printed, and measures on that server.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LISTS } from './fetch.mjs';
import { alternately, head, installed, measuredProgram, medians, number, row } from './shared.mjs';

export async function measureReal(bench) {
  const { BENCH_PODS = '20000', BENCH_SERVER, KUBEBUILDER_ASSETS = '' } = process.env;
  if (bench.quick) return;
  if (!BENCH_SERVER && !existsSync(join(KUBEBUILDER_ASSETS, 'kube-apiserver'))) {
    console.log('\nA real API server: left out, KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd.');
    return;
  }
  const kubeconfig = join(bench.folder, 'real-kubeconfig');
  const { server, close } = BENCH_SERVER
    ? { server: JSON.parse(readFileSync(BENCH_SERVER, 'utf8')), close: () => {} }
    : await startServer(await bench.bundled('real-server'), BENCH_PODS);
  try {
    writeFileSync(kubeconfig, server.kubeconfig);
    await measureServer(bench, server, kubeconfig);
  } finally {
    close();
  }
}

async function measureServer(bench, server, kubeconfig) {
  const ways = waysFor(bench, server, kubeconfig, await bench.bundled('floor'));
  const labels = Object.keys(ways);
  // The first time is the server's: it fills its caches.
  await alternately(1, Object.values(ways));
  const all = (await alternately(bench.runs, Object.values(ways))).map(medians);
  const objects = Object.entries(server.counts).map(([kind, count]) => `${count} ${kind}`);
  head(`A real API server, ${objects.join(', ')}:`, [
    'what',
    'wall ms',
    'CPU ms',
    'peak MB',
    'wall / floor',
    'CPU / floor',
  ]);
  const [least] = all;
  for (const [index, { wall, cpu, memory }] of all.entries()) {
    const ratios = [number(wall / least.wall), number(cpu / least.cpu)];
    row([labels[index], number(wall), number(cpu), number(memory), ...ratios]);
  }
}

/** Ways to look at everything, by name; the first one is the floor. */
function waysFor(bench, { url, token }, kubeconfig, floor) {
  const { measured } = bench;
  const fetched = encoding => () =>
    measured(floor, [JSON.stringify({ clusters: [{ url, token }], paths: LISTS, encoding })]);
  const args = ['diagnose', '--kubeconfig', kubeconfig, '--context', 'test', '--timeout', '120'];
  const ways = {
    'floor, protobuf that is thrown away': fetched('protobuf'),
    'floor, protobuf that is decoded': fetched('decoded'),
    'floor, JSON that is parsed': fetched('json'),
    diagnose: () => measured(bench.doctor, [...args, '--format', 'json', '--quiet']),
  };
  const resources = LISTS.map(path => path.slice(path.lastIndexOf('/') + 1)).join(',');
  const kubectl = installed(process.env.KUBECTL ?? 'kubectl');
  if (kubectl) {
    const get = ['--kubeconfig', kubeconfig, 'get', resources, '--all-namespaces', '--output', 'json'];
    ways['kubectl get --output json'] = () => measuredProgram(bench, kubectl, get);
  }
  const k8sgpt = installed(process.env.K8SGPT ?? 'k8sgpt');
  if (k8sgpt) {
    const analyze = ['analyze', '--kubeconfig', kubeconfig, '--kubecontext', 'test', '--output', 'json'];
    ways['k8sgpt analyze'] = () => measuredProgram(bench, k8sgpt, analyze);
  }
  return ways;
}

function startServer(program, pods) {
  console.error(`filling a real API server with ${pods} pods; that takes minutes`);
  const child = spawn(process.execPath, [program, pods], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', code => reject(new Error(`the real API server ended with ${code}`)));
    child.stdout.once('data', line => resolve({ server: JSON.parse(line), close: () => child.kill() }));
  });
}
