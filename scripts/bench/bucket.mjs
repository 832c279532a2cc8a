// A bucket of many blocks, read as a diagnosis reads it: never seen before, and seen before; beside a floor of plain GETs, and
// beside `thanos tools bucket inspect` where that is installed (THANOS, else on PATH).
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { delimiter, join } from 'node:path';
import { alternately, head, medians, number, row } from './shared.mjs';

/** Requests are exact; the others are about twice what was measured. */
const LIMITS = { cpuOverFloor: 7, requestsPerBlock: 1.05, requestsPerBlockAgain: 0.05, kilobytesPerBlock: 12 };

export async function measureBucket(bench) {
  const sizes = bench.quick ? [1000, 8000] : [10_000, 100_000];
  const [server, program, floor] = [
    await bench.bundled('bucket-server'),
    await bench.bundled('bucket'),
    await bench.bundled('bucket-floor'),
  ];
  head('A bucket:', ['what', 'wall ms', 'CPU ms', 'peak MB', 'requests', 'CPU / floor']);
  const memory = [];
  for (const blocks of sizes) memory.push(await measureBlocks(bench, blocks, { server, program, floor }));
  const [small, large] = sizes;
  const kilobytes = ((memory[1] - memory[0]) / (large - small)) * 1024;
  console.log(`\nPeak memory grows by ${number(kilobytes)} KB per block.`);
  bench.limit('KB of memory for each block', kilobytes, LIMITS.kilobytesPerBlock);
}

async function measureBlocks(bench, blocks, { server, program, floor }) {
  const { child, endpoint } = await started(server, blocks);
  const cache = join(bench.folder, 'blocks-seen');
  const asked = async way => {
    await requestsAt(endpoint);
    return { ...(await way()), requests: await requestsAt(endpoint) };
  };
  const read = () => bench.measured(program, [endpoint, 'blocks', 'access', 'secret-key', cache]);
  const thanos = foundThanos();
  try {
    const ways = [
      { name: 'floor', way: () => bench.measured(floor, [endpoint]) },
      {
        name: 'never seen before',
        way: () => {
          rmSync(cache, { recursive: true, force: true });
          return read();
        },
      },
      { name: 'seen before', way: read },
      ...(thanos ? [{ name: '`thanos tools bucket inspect`', way: () => inspect(bench, thanos, endpoint) }] : []),
    ];
    const taken = await alternately(
      bench.runs,
      ways.map(
        ({ way }) =>
          () =>
            asked(way),
      ),
    );
    const results = taken.map(runs => ({
      ...medians(runs),
      requests: runs.at(-1).requests,
      output: runs.at(-1).output,
    }));
    const least = results[0].cpu;
    for (const [index, { name }] of ways.entries()) {
      const { wall, cpu, memory, requests } = results[index];
      row([`${name}, ${blocks} blocks`, number(wall), number(cpu), number(memory), requests, number(cpu / least)]);
    }
    for (const { output } of results.slice(1, 3)) {
      if (JSON.parse(output).blocks !== blocks)
        bench.regressions.push(`of ${blocks} blocks not all were read: ${output}`);
    }
    bench.limit('time of the processor for blocks, over the floor', results[1].cpu / least, LIMITS.cpuOverFloor);
    bench.limit('requests for each block', results[1].requests / blocks, LIMITS.requestsPerBlock);
    bench.limit('requests for each block seen before', results[2].requests / blocks, LIMITS.requestsPerBlockAgain);
    return results[1].memory;
  } finally {
    child.kill();
  }
}

function started(server, blocks) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [server, String(blocks)], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.on('error', reject);
    child.stdout.once('data', line => resolve({ child, endpoint: String(line).trim() }));
  });
}

function requestsAt(endpoint) {
  return new Promise((resolve, reject) => {
    get(`http://${endpoint}/-/requests`, response => {
      let text = '';
      response.on('data', part => {
        text += part;
      });
      response.on('end', () => resolve(Number(text)));
    }).on('error', reject);
  });
}

function foundThanos() {
  const places = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'thanos'));
  return [process.env.THANOS, ...places].find(file => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What another program took is what the kernel says of it shortly before its end. */
function inspect(bench, thanos, endpoint) {
  const config = join(bench.folder, 'objstore.yml');
  const store = { bucket: 'blocks', endpoint, insecure: true, access_key: 'access', secret_key: 'secret-key' };
  mkdirSync(bench.folder, { recursive: true });
  writeFileSync(config, JSON.stringify({ type: 'S3', config: store }));
  const began = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const args = ['tools', 'bucket', 'inspect', `--objstore.config-file=${config}`, '--timeout=30m', '--output=tsv'];
    const child = spawn(thanos, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const usage = { cpu: 0, memory: 0 };
    const look = setInterval(() => {
      try {
        const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
        usage.cpu = (Number(times[11]) + Number(times[12])) * 10;
        usage.memory =
          Number(/VmHWM:\s+([0-9]+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
      } catch {
        // It ended just now, or this is no Linux.
      }
    }, 20);
    child.on('error', reject);
    child.on('close', code => {
      clearInterval(look);
      if (code !== 0) return reject(new Error(`thanos tools bucket inspect ended with ${code}`));
      resolve({ wall: Number(process.hrtime.bigint() - began) / 1e6, ...usage });
    });
  });
}
