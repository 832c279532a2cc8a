import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Program, program, temporaryFolder } from './program.ts';
import { tinyBundle, writeFiles } from './tiny-fleet.ts';

const MEGABYTE = 1024 ** 2;
/** Milliseconds: much is read, and others may use the machine. */
const SLOW = 120_000;
const LOG = 'clusters/a/logs/default/uploader/sidecar.log';
const LINE = Buffer.from(
  `2026-01-02T03:00:00.000000000Z ts=2026-01-02T03:00:00.000Z level=debug msg="finished call" id=${'x'.repeat(160)}\n`,
);
const HIT = Buffer.from(
  '2026-01-02T03:04:00.000000000Z ts=2026-01-02T03:04:00.000Z level=warn err="check exists: stat s3 object: dial tcp 192.0.2.80:443: i/o timeout" uploaded=0\n',
);
/** As much as one piece of a log that is put together of equal ones. */
const PIECE = Buffer.concat(Array.from({ length: 20_000 }, () => LINE));

const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
let cli: Program;

beforeAll(async () => {
  cli = await program();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** A bundle whose one pod has the log that is put beside it. */
function withoutLog(): ReadonlyMap<string, string> {
  const pod = {
    metadata: { name: 'uploader', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'sidecar', image: 'quay.io/thanos/thanos:v0.39.2', args: ['sidecar'] }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'sidecar', ready: true, restartCount: 0, state: { running: {} } }],
    },
  };
  const pods = { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '1' }, items: [pod] };
  return new Map([
    ...tinyBundle({ a: { namespaces: ['default'] } }),
    ['clusters/a/objects/core/v1/pods.json', JSON.stringify(pods)],
  ]);
}

/** One header of an archive, or all of small files. */
async function tarOf(
  entries: readonly { readonly name: string; readonly content: string | Buffer }[],
): Promise<Buffer> {
  const tar = pack();
  for (const { name, content } of entries) tar.entry({ name, mtime: new Date(0) }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function headerOf(name: string, size: number): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name, size, mtime: new Date(0) }).on('error', () => {});
  for await (const chunk of tar) {
    tar.destroy();
    return chunk as Buffer;
  }
  throw new Error('a header comes first');
}

/** A log of so many equal pieces and a line that means something, in an archive whose making costs next to nothing. */
async function archiveWithLog(name: string, pieces: number): Promise<string> {
  const size = pieces * PIECE.length + HIT.length;
  const files = [...withoutLog()].map(([path, content]) => ({ name: path, content }));
  const padding = Buffer.alloc((512 - (size % 512)) % 512);
  const log = [
    gzipSync(await headerOf(LOG, size)),
    ...Array.from(
      { length: pieces },
      (
        (piece: Buffer) => () =>
          piece
      )(gzipSync(PIECE)),
    ),
    gzipSync(Buffer.concat([HIT, padding, await tarOf(files)])),
  ];
  writeFileSync(at(name), Buffer.concat(log));
  return at(name);
}

function folderWithLog(name: string, write: (file: number) => void): string {
  writeFiles(at(name), withoutLog());
  mkdirSync(dirname(at(name, LOG)), { recursive: true });
  const file = openSync(at(name, LOG), 'w');
  write(file);
  closeSync(file);
  return at(name);
}

let runs = 0;

/** Where the system says what this program took itself: the usual number counts what it was started from, too. */
const REPORTER = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  writeFileSync(process.env.USAGE_FILE, /VmHWM:\\s+([0-9]+)/.exec(status)?.[1] ?? String(process.resourceUsage().maxRSS));
});
`;

/** A folder for temporary files of its own, and where the program says at its end how much memory it had at most. */
function room() {
  runs += 1;
  const place = at(`tmp-${runs}`);
  mkdirSync(place);
  const usage = at(`usage-${runs}`);
  const reporter = at('usage.mjs');
  writeFileSync(reporter, REPORTER);
  const env = { TMPDIR: place, USAGE_FILE: usage, NODE_OPTIONS: `--max-old-space-size=64 --import=${reporter}` };
  return { place, env, peak: () => Number(readFileSync(usage, 'utf8')) / 1024 };
}

const logsOf = (bundle: string) => ['logs', 'pod/uploader', '--bundle', bundle, '--format', 'json'];
const found = (stdout: string) => {
  const { logs, hits } = JSON.parse(stdout);
  const timeouts = hits.filter((hit: { signature: string }) => hit.signature === 's3-conn-timeout');
  return { lines: logs[0].lines, counts: timeouts.map((hit: { count: number }) => hit.count) };
};

describe('a log of 600 MB, which is longer than any text can be', () => {
  const pieces = Math.ceil((600 * MEGABYTE) / PIECE.length);

  test(
    'in an archive',
    async () => {
      const { place, peak, env } = room();
      const { code, stdout, stderr } = await cli.start(logsOf(await archiveWithLog('long.tar.gz', pieces)), { env })
        .result;
      expect([stderr, code]).toEqual(['', 1]);
      expect(found(stdout)).toEqual({ lines: pieces * 20_000 + 1, counts: [1] });
      expect(peak()).toBeLessThan(250);
      expect(readdirSync(place)).toEqual([]);
    },
    SLOW,
  );

  test(
    'as one line without an end, in a folder: what comes after its first 64 KB is not read, what comes after it is',
    async () => {
      const { env, peak } = room();
      const bundle = folderWithLog('endless', file => {
        ftruncateSync(file, 600 * MEGABYTE);
        writeSync(file, Buffer.concat([HIT.subarray(30), HIT]), 0, undefined, 600 * MEGABYTE);
      });
      const { code, stdout, stderr } = await cli.start(logsOf(bundle), { env }).result;
      expect([stderr, code]).toEqual(['', 1]);
      expect(found(stdout)).toEqual({ lines: 2, counts: [1] });
      expect(peak()).toBeLessThan(250);
    },
    SLOW,
  );
});

/** What the process has open without a name. */
function nameless(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(name => `/proc/${pid}/fd/${name}`)
      .filter(file => readlinkSync(file).endsWith(' (deleted)'));
  } catch {
    return [];
  }
}

describe.runIf(process.platform === 'linux')('what is too large to be held', () => {
  let large: string;

  beforeAll(async () => {
    large = await archiveWithLog('large.tar.gz', 100);
  });

  test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGKILL'])(
    'lies in a file that has no name, for its owner alone, and is gone after %s',
    async signal => {
      const { place, env } = room();
      const run = cli.start(['diagnose', '--bundle', large], { env });
      const [file] = await vi.waitUntil(
        () => {
          const files = nameless(run.pid).filter(name => readlinkSync(name).startsWith(place));
          return files.length > 0 && statSync(files[0]!).size > 0 && files;
        },
        { timeout: SLOW, interval: 1 },
      );
      expect(statSync(file!).mode & 0o777).toBe(0o600);
      expect(readdirSync(place)).toEqual([]);
      run.kill(signal);
      expect(await run.result).toMatchObject({ signal, stdout: '' });
      expect(readdirSync(place)).toEqual([]);
    },
    SLOW,
  );

  test(
    'is gone after an archive that is cut off in the middle of it',
    async () => {
      const { place, env } = room();
      const whole = readFileSync(large);
      for (const share of [0.5, 0.9]) {
        writeFileSync(at('cut.tar.gz'), whole.subarray(0, Math.floor(whole.length * share)));
        const { code, stdout, stderr } = await cli.start(['diagnose', '--bundle', at('cut.tar.gz')], { env }).result;
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(/cut\.tar\.gz: it is cut off\n.*nothing of it was read/s);
        expect(readdirSync(place)).toEqual([]);
      }
    },
    SLOW,
  );

  test(
    'is refused where there is no room for it, with what to do',
    async () => {
      const { place, env } = room();
      const full = await cli.shell(`ulimit -f 20000; thanos-doctor diagnose --bundle ${large}`, {
        env: { TMPDIR: place },
      });
      expect([full.code, full.stdout]).toEqual([2, '']);
      expect(full.stderr).toContain(`cannot read bundle ${large}: ${place} has no room for its logs\n`);
      expect(full.stderr).toMatch(/set TMPDIR to a folder .*, or unpack the bundle and name the folder/);
      expect(readdirSync(place)).toEqual([]);
      const away = await cli.start(['diagnose', '--bundle', large], { env: { ...env, TMPDIR: at('nowhere') } }).result;
      expect([away.code, away.stdout]).toEqual([2, '']);
      expect(away.stderr).toContain(`no temporary file for its logs can be written in ${at('nowhere')} (ENOENT)\n`);
      expect(away.stderr).not.toMatch(/thanos-doctor-[0-9a-f]{8}/);
    },
    SLOW,
  );

  test(
    'is not what was asked for when the archive changes meanwhile',
    async () => {
      const { place, env } = room();
      const growing = await archiveWithLog('growing.tar.gz', 100);
      const run = cli.start(['diagnose', '--bundle', growing], { env });
      await vi.waitUntil(() => nameless(run.pid).some(name => readlinkSync(name).startsWith(place)), {
        timeout: SLOW,
        interval: 1,
      });
      appendFileSync(growing, 'more');
      const { code, stdout, stderr } = await run.result;
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/growing\.tar\.gz: it changed while it was read/);
    },
    SLOW,
  );
});
