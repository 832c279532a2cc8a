// What it costs to read a bundle as its logs grow, as a folder and as an archive, beside a program that reads the same and
// counts lines.
import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import tar from 'tar-stream';
import { alternately, head, medians, number, row } from './shared.mjs';

/** MB of logs. */
const SIZES = { quick: [50, 200], whole: [100, 1000] };
/** CPU of a further MB of an archive over the floor's, and MB of memory for it: what a bundle held whole would take. */
const LIMITS = { cpuOverFloor: 7, memoryGrowth: 0.4 };

/** Containers of the recorded fleet whose logs every diagnosis reads. */
const CONTAINERS = /\/(?:prometheus|thanos-sidecar|thanos-compactor|thanos-query|thanos-ruler|thanos-store)\.log$/;

const LINES = [
  (at, _id, n) =>
    `ts=${at} caller=logging.go:128 level=debug msg="finished call" protocol=grpc grpc.service=thanos.Store grpc.method=Series grpc.code=OK grpc.time_ms=${n % 977}.${n % 89} peer.address=10.${n % 256}.${n % 199}.${n % 251}:${n % 60_000}\n`,
  (at, id, n) =>
    `time=${at} level=INFO source=head.go:1355 msg="Head GC completed" component=tsdb caller=truncateMemory duration=${n % 9}.${id.slice(0, 6)}s\n`,
  (at, _id, n) =>
    `ts=${at} caller=bucket.go:1270 level=debug msg="stats query processed" request="min_time:${n}000 max_time:${n + 300}000" tenant=default stats="blocksQueried:${n % 40} postingsTouched:${n % 9000} seriesFetched:${n % 70_000}" err=null\n`,
  (at, id, n) =>
    `ts=${at} caller=proxy.go:310 level=debug component=proxy request="min_time:${n}000 max_time:${n + 300}000 matchers:<name:\\"job\\" value:\\"${id}\\" >" msg="store matched" addr=10.${n % 256}.${n % 199}.${n % 251}:10901\n`,
  (at, id, n) =>
    `ts=${at} caller=manager.go:180 level=info component=rules manager=tsdb group=g-${n % 90} msg="rule group evaluated" id=${id} duration=${n % 60}.${n % 59}ms\n`,
];
const HIT = (at, id) =>
  `ts=${at} caller=sidecar.go:423 level=warn err="check exists: stat s3 object: Get \\"https://s3.example.test/blocks/01K${id}/meta.json\\": dial tcp 192.0.2.80:443: i/o timeout" uploaded=0\n`;

/** Lines as these programs write them, one of a thousand of which means something; no two are alike. */
function* linesOf(bytes, end, seed) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  let written = 0;
  for (let index = 0; written < bytes; ) {
    const lines = [];
    for (let length = 0; length < 200_000; index += 1) {
      // From an hour before the end on, so that the newest lines are as old as those of the recording.
      const at = new Date(end - Math.max(0, 3_600_000 - index * 2)).toISOString();
      const id = (random().toString(36) + random().toString(36) + random().toString(36)).toUpperCase();
      const line = index % 1000 === 999 ? HIT(at, id) : LINES[random() % LINES.length](at, id, random());
      lines.push(`${at.slice(0, -1)}000000Z ${line}`);
      length += lines.at(-1).length;
    }
    const piece = lines.join('');
    written += piece.length;
    yield piece;
  }
}

/** The recorded fleet as a folder, with this much in the logs of its components. */
async function fleetWithLogs(base, folder, megabytes) {
  const logs = [];
  const entries = tar.extract();
  const unpacking = pipeline(createReadStream(base), createGunzip(), entries);
  for await (const entry of entries) {
    const place = join(folder, entry.header.name);
    if (CONTAINERS.test(place)) logs.push(place);
    if (entry.header.type === 'file') {
      mkdirSync(dirname(place), { recursive: true });
      await pipeline(entry, createWriteStream(place));
    } else entry.resume();
  }
  await unpacking;
  const manifest = readFileSync(join(folder, 'manifest.yaml'), 'utf8');
  const takenAt = Date.parse(/takenAt: "?([^"\s]+)/.exec(manifest)[1]);
  const share = (megabytes * 1e6) / logs.length;
  for (const [index, place] of logs.sort().entries())
    await pipeline(Readable.from(linesOf(share, takenAt, index + 1)), createWriteStream(place));
}

async function pack(folder, archive) {
  const entries = tar.pack();
  const writing = pipeline(entries, createGzip(), createWriteStream(archive));
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const place = join(file.parentPath, file.name);
    const entry = entries.entry({ name: relative(folder, place), size: statSync(place).size });
    await pipeline(createReadStream(place), entry);
  }
  entries.finalize();
  await writing;
}

export async function measureBundle(bench) {
  const floor = await bench.bundled('bundle-floor');
  head('Reading a bundle:', ['what', 'wall ms', 'CPU ms', 'peak MB', 'lines', 'MB', 'CPU / floor']);
  const taken = { folder: [], archive: [] };
  for (const megabytes of bench.quick ? SIZES.quick : SIZES.whole) {
    const folder = join(bench.folder, `bundle-${megabytes}`);
    await fleetWithLogs(bench.base, folder, megabytes);
    await pack(folder, `${folder}.tar.gz`);
    for (const [kind, place] of Object.entries({ folder, archive: `${folder}.tar.gz` })) {
      const [floors, runs] = await alternately(bench.runs, [
        () => bench.measured(floor, [place]),
        () => bench.measured(bench.doctor, ['diagnose', '--bundle', place, '--format', 'json', '--quiet']),
      ]);
      const { lines } = JSON.parse(floors.at(-1).output);
      const { bytes } = JSON.parse(runs.at(-1).output).run;
      const [least, diagnosed] = [medians(floors), medians(runs)];
      const cells = ({ wall, cpu, memory }) => [number(wall), number(cpu), number(memory)];
      row([`floor, ${megabytes} MB of logs, ${kind}`, ...cells(least), lines, '', '1']);
      const ratio = number(diagnosed.cpu / least.cpu);
      row([`diagnose, ${megabytes} MB of logs, ${kind}`, ...cells(diagnosed), '', number(bytes / 1e6), ratio]);
      taken[kind].push({ megabytes: bytes / 1e6, least, diagnosed });
    }
    rmSync(folder, { recursive: true });
    rmSync(`${folder}.tar.gz`);
  }
  for (const [kind, [small, large]] of Object.entries(taken)) {
    const further = large.megabytes - small.megabytes;
    const memory = (large.diagnosed.memory - small.diagnosed.memory) / further;
    const cpu = (large.diagnosed.cpu - small.diagnosed.cpu) / (large.least.cpu - small.least.cpu);
    const rate = (1000 * further) / (large.diagnosed.cpu - small.diagnosed.cpu);
    console.log(
      `\nA further MB of logs, ${kind}: ${number(memory)} MB of memory, ${number(cpu)} × the floor, ${number(rate)} MB a second.`,
    );
    bench.limit(`MB of memory for a further MB of logs, ${kind}`, memory, LIMITS.memoryGrowth);
    if (kind === 'archive') bench.limit('CPU of a further MB of an archive over its floor', cpu, LIMITS.cpuOverFloor);
  }
}
