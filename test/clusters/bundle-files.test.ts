import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openBundle } from '../../src/app/open-bundle.ts';
import { type BundleFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { temporaryFolder } from '../cli/program.ts';
import { diagnose } from '../fault-matrix/recorded-reads.ts';
import { gapOf } from './gap-of.ts';

const RECORDING = join(import.meta.dirname, '../incidents/two-faults/bundle.tar.gz');
const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
/** More than is held in memory, in two logs that rules read. */
const PADDING = Buffer.alloc(25_000_000, `2026-01-02T03:00:00.000000000Z level=debug msg="${'x'.repeat(99)}"\n`);

beforeAll(() => {
  mkdirSync(at('bundle'));
  execFileSync('tar', ['-xzf', RECORDING, '-C', at('bundle')]);
  const logs = readdirSync(at('bundle'), { recursive: true, encoding: 'utf8' }).filter(path =>
    /\/(?:thanos-compactor|prometheus)\.log$/.test(path),
  );
  for (const path of logs.slice(0, 2)) {
    const newest = readFileSync(at('bundle', path));
    writeFileSync(at('bundle', path), PADDING);
    appendFileSync(at('bundle', path), newest);
  }
  execFileSync('tar', ['-cf', at('bundle.tar'), '-C', folder, 'bundle']);
  execFileSync('tar', ['-czf', at('bundle.tgz'), '-C', folder, 'bundle']);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Temporary files go to an empty folder; whether it still is. */
function watchedRoom(): () => boolean {
  const before = process.env.TMPDIR;
  const room = at(`tmp-${Math.random().toString(36).slice(2)}`);
  mkdirSync(room);
  process.env.TMPDIR = room;
  onTestFinished(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return () => readdirSync(room).length === 0;
}

async function opened(place: string): Promise<BundleFiles> {
  const files = await openBundleFiles(place);
  onTestFinished(() => files.close());
  return files;
}

async function bytesOf(files: BundleFiles, path: string, last?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of files.stream(path, last)!) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a folder and its archives', () => {
  test('hold the same files, whole, piece by piece, and their ends', async () => {
    const isEmpty = watchedRoom();
    const [plain, ...archives] = await Promise.all(
      ['bundle', 'bundle.tar', 'bundle.tgz'].map(name => opened(at(name))),
    );
    for (const path of plain!.paths) {
      const content = readFileSync(at('bundle', path));
      for (const files of [plain!, ...archives]) {
        expect(content.equals((await files.read(path))!)).toBe(true);
        expect(content.equals(await bytesOf(files, path))).toBe(true);
        expect(content.subarray(-1000).equals(await bytesOf(files, path, 1000))).toBe(true);
      }
    }
    for (const files of archives) {
      expect(files.paths).toEqual(plain!.paths);
      expect([await files.read('nowhere'), files.stream('nowhere')]).toEqual([undefined, undefined]);
    }
    expect(isEmpty()).toBe(true);
  }, 60_000);

  test('make the same report', async () => {
    const isEmpty = watchedRoom();
    const reports: string[] = [];
    for (const name of ['bundle', 'bundle.tar', 'bundle.tgz']) {
      const sources = await openBundle(at(name));
      const { run, ...report } = await diagnose(sources);
      reports.push(JSON.stringify({ ...report, bytes: run.bytes, requests: run.requests }));
      await Promise.all(sources.map(source => source.close()));
    }
    expect(JSON.parse(reports[0]!).findings).not.toEqual([]);
    expect(reports[1]).toBe(reports[0]);
    expect(reports[2]).toBe(reports[0]);
    expect(isEmpty()).toBe(true);
  }, 60_000);

  test('are found behind a link that the user names', async () => {
    symlinkSync(at('bundle'), at('link'));
    symlinkSync(at('bundle.tgz'), at('link.tgz'));
    const [plain, ...linked] = await Promise.all(['bundle', 'link', 'link.tgz'].map(name => opened(at(name))));
    for (const files of linked) expect(files.paths).toEqual(plain!.paths);
  }, 60_000);
});

describe('a file of a folder that changes after it was found is a gap', () => {
  async function scene(): Promise<{ readonly files: BundleFiles; readonly place: string }> {
    const place = at('changing', 'a.log');
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, Buffer.alloc(3_000_000, 'line\n'));
    return { files: await opened(dirname(place)), place };
  }

  test('shorter while it is read', async () => {
    const { files, place } = await scene();
    const chunks = files.stream('a.log')![Symbol.asyncIterator]();
    expect((await chunks.next()).value.length).toBeGreaterThan(0);
    truncateSync(place, 1_000_000);
    const rest = async () => {
      while (!(await chunks.next()).done);
    };
    expect(await gapOf(rest())).toMatchObject({ reason: 'truncated', detail: expect.stringMatching(/became shorter/) });
  });

  test('gone, or replaced by a link', async () => {
    const { files, place } = await scene();
    renameSync(place, at('elsewhere.log'));
    expect(await gapOf(files.read('a.log'))).toMatchObject({
      reason: 'truncated',
      detail: expect.stringMatching(/a\.log of the bundle/),
    });
    symlinkSync(at('elsewhere.log'), place);
    expect(await gapOf(files.read('a.log'))).toMatchObject({
      reason: 'truncated',
      detail: expect.stringMatching(/a\.log of the bundle/),
    });
    rmSync(place);
  });

  test('longer than any text, where it is wanted whole', async () => {
    const { files, place } = await scene();
    truncateSync(place, 2 ** 29);
    expect(await gapOf(files.read('a.log'))).toMatchObject({
      detail: expect.stringMatching(/too long to be read: 536870912 bytes/),
    });
    expect(await bytesOf(files, 'a.log', 10)).toEqual(Buffer.alloc(10));
  });
});
