// What reading a bundle costs as its logs grow, as a folder and as an archive. The floor: a program of Node that reads
// the same and counts lines.
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import tar from 'tar-stream';
import { head, medians, number, row } from './shared.mjs';

/** MB of logs. */
const SIZES = { quick: [10, 80], whole: [100, 1000] };
/** Each is about twice what was measured. */
const LIMITS = { cpuOverFloor: 8, memoryGrowth: 0.5 };

/** Containers of the recorded fleet whose logs every diagnosis reads. */
const CONTAINERS = /\/(?:prometheus|thanos-sidecar|thanos-compactor|thanos-query|thanos-ruler|thanos-store)\.log$/;

const LINES = [
  (at, id, n) =>
    `ts=${at} caller=logging.go:128 level=debug msg="finished call" protocol=grpc grpc.service=thanos.Store grpc.method=Series grpc.code=OK grpc.time_ms=${n % 977}.${n % 89} peer.address=10.${n % 256}.${n % 199}.${n % 251}:${n % 60_000}\n`,
  (at, id, n) =>
    `time=${at} level=INFO source=head.go:1355 msg="Head GC completed" component=tsdb caller=truncateMemory duration=${n % 9}.${id.slice(0, 6)}s\n`,
  (at, id, n) =>
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
async function unpackedWith(base, folder, megabytes) {
  const logs = [];
  const entries = tar.extract();
  pipeline(createReadStream(base), createGunzip(), entries).catch(() => {});
  for await (const entry of entries) {
    const place = join(folder, entry.header.name);
    if (entry.header.type !== 'file') {
      entry.resume();
      continue;
    }
    mkdirSync(dirname(place), { recursive: true });
    if (CONTAINERS.test(entry.header.name)) logs.push(place);
    await pipeline(entry, createWriteStream(place));
  }
  const top = readdirSync(folder)[0];
  const root = readdirSync(folder).includes('manifest.yaml') ? folder : join(folder, top);
  const takenAt = Date.parse(/takenAt: "?([^"\s]+)/.exec(readFileSync(join(root, 'manifest.yaml'), 'utf8'))[1]);
  const share = (megabytes * 1e6) / logs.length;
  for (const [index, place] of logs.sort().entries())
    await pipeline(Readable.from(linesOf(share, takenAt, index + 1)), createWriteStream(place));
  return root;
}

async function packed(folder, archive) {
  const pack = tar.pack();
  const writing = pipeline(pack, createGzip(), createWriteStream(archive));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  for (const file of files) {
    const place = join(file.parentPath, file.name);
    const { size } = await import('node:fs').then(({ statSync }) => statSync(place));
    const entry = pack.entry({ name: relative(folder, place), size });
    await pipeline(createReadStream(place), entry);
  }
  pack.finalize();
  await writing;
}
