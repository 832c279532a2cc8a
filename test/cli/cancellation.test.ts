import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { readManifest } from '../../src/clusters/bundle-source.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import { type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { gapOf } from '../clusters/gap-of.ts';
import { diagnose, recording } from '../fault-matrix/recorded-reads.ts';
import { type Program, program, type Started, temporaryFolder } from './program.ts';

const folder = temporaryFolder();
let cli: Program;
let number = 0;

beforeAll(async () => {
  cli = await program();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** A recorded fleet behind local ports, and an empty folder to write into. */
async function scene(options: FleetOptions = {}) {
  const fleet = await startFleet(await recording('image-missing'), options);
  onTestFinished(() => fleet.close());
  number += 1;
  const out = join(folder, String(number));
  mkdirSync(out);
  const kubeconfig = join(folder, `kubeconfig-${number}`);
  writeFileSync(kubeconfig, fleet.kubeconfig);
  return { fleet, out, choice: ['--kubeconfig', kubeconfig, '--all-contexts'] };
}

const hidden = (out: string) => readdirSync(out).filter(name => name.startsWith('.'));

/** What runs of the process: nothing, once it has ended. */
function childrenOf(pid: number): readonly string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        return new RegExp(`^\\d+ \\(.*\\) \\S ${pid} `).test(readFileSync(`/proc/${name}/stat`, 'utf8'));
      } catch {
        return false;
      }
    });
}

/** Nothing, a whole document of what was read until then, or all of it. */
function expectWhole(text: string, code: number | null): void {
  if (text === '') return;
  const report = JSON.parse(text);
  expect(report.schemaVersion).toBe(1);
  if (report.run.partial) expect(code).toBe(130);
}

type Moment = readonly [name: string, reached: (run: Started, asked: () => number) => Promise<unknown>];

const after = (requests: number): Moment => [
  `after ${requests} requests`,
  async (_run, asked) => vi.waitUntil(() => asked() >= requests, { timeout: 20_000, interval: 1 }),
];
const MOMENTS: readonly Moment[] = [after(1), after(3), after(10), after(40), after(90), after(150)];

describe('Ctrl-C at any moment of diagnose', () => {
  test.each(MOMENTS)(
    '%s: a report that says so, or nothing',
    async (_name, reached) => {
      const { fleet, out, choice } = await scene({ latency: 10 });
      const run = cli.start([
        'diagnose',
        ...choice,
        '--format',
        'json',
        '-o',
        join(out, 'report.json'),
        '-o',
        join(out, 'report.md'),
      ]);
      await Promise.race([reached(run, () => fleet.requests().length), run.result]);
      run.kill('SIGINT');
      const asked = Date.now();
      const { code, stdout, stderr } = await run.result;
      expect(Date.now() - asked).toBeLessThan(15_000);
      expect([0, 1, 3, 130]).toContain(code);
      expect(stderr).not.toMatch(/\n {4}at /);
      expectWhole(stdout, code);
      const file = join(out, 'report.json');
      expectWhole(existsSync(file) ? readFileSync(file, 'utf8') : '', code);
      expect(hidden(out)).toEqual([]);
      expect(childrenOf(run.pid)).toEqual([]);
    },
    60_000,
  );

  test('twice: at once, whatever is under way', async () => {
    for (const requests of [2, 60]) {
      const { fleet, out, choice } = await scene({
        latency: (_server, path) => (/\/log\?|proxy/.test(path) ? 30_000 : 10),
      });
      const run = cli.start(['diagnose', ...choice, '-o', join(out, 'report.json')]);
      await vi.waitUntil(() => fleet.requests().length >= requests, { timeout: 20_000, interval: 1 });
      run.kill('SIGINT');
      await run.said(/stopping/);
      const asked = Date.now();
      run.kill('SIGINT');
      const { code } = await run.result;
      expect(Date.now() - asked).toBeLessThan(1500);
      expect(code).toBe(130);
      const file = join(out, 'report.json');
      expectWhole(existsSync(file) ? readFileSync(file, 'utf8') : '', code);
    }
  }, 60_000);
});

describe('Ctrl-C at any moment of collect', () => {
  const written: Moment = ['while it is written', run => run.said(/: done/)];
  test.each([...MOMENTS, written])(
    '%s: a bundle that can be read, or none',
    async (_name, reached) => {
      const { fleet, out, choice } = await scene({ latency: 10 });
      const target = join(out, 'bundle.tar.gz');
      const run = cli.start(['collect', ...choice, '-o', target, '-v']);
      await Promise.race([reached(run, () => fleet.requests().length), run.result]);
      run.kill('SIGINT');
      const { code, stderr } = await run.result;
      expect([0, 3, 130]).toContain(code);
      expect(stderr).not.toMatch(/\n {4}at /);
      if (existsSync(target)) expect((await readManifest(await openBundleFiles(target))).clusters).toHaveLength(2);
      expect(hidden(out)).toEqual([]);
      expect(childrenOf(run.pid)).toEqual([]);
    },
    60_000,
  );

  test('twice while it is written: no half of it', async () => {
    const { out, choice } = await scene();
    const target = join(out, 'bundle.tar.gz');
    const run = cli.start(['collect', ...choice, '-o', target, '-v']);
    await run.said(/: done/);
    run.kill('SIGINT');
    run.kill('SIGINT');
    await run.result;
    if (existsSync(target)) expect((await readManifest(await openBundleFiles(target))).clusters).toHaveLength(2);
  }, 60_000);
});

test('a probe of a port that says nothing ends with the run', async () => {
  const silent = createServer(() => {});
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const stop = new AbortController();
  const source = await openLiveCluster({
    name: 'a',
    kubeconfig: (await scene()).choice[1]!,
    signal: stop.signal,
    timeouts: { probe: 30_000 },
  });
  const probed = gapOf(source.probe(`127.0.0.1:${port}`));
  await once(silent, 'connection');
  const asked = Date.now();
  stop.abort();
  expect(await probed).toMatchObject({ reason: 'timed-out', detail: 'the run was stopped before an answer came' });
  expect(Date.now() - asked).toBeLessThan(3000);
  await source.close();
});

describe('after a run was stopped', () => {
  const open = () =>
    process.getActiveResourcesInfo().filter(name => /TCP|TLS|Pipe|Process|GetAddrInfo/.test(name)).length;

  test.each([0, 5, 30, 100])(
    'no socket is open, %i ms after it began',
    async milliseconds => {
      const before = open();
      const { fleet, choice } = await scene({ latency: 20 });
      const stop = new AbortController();
      const sources = await openLive({
        kubeconfig: choice[1]!,
        contexts: fleet.clusters.map(({ name }) => name),
        ...AS_USUAL,
        signal: stop.signal,
        deadline: Date.now() + 60_000,
        overrides: { redirect: fleet.redirect },
      });
      setTimeout(() => stop.abort(), milliseconds);
      const report = await diagnose(sources);
      expect(report.verdict).not.toBe('healthy');
      await Promise.all(sources.map(source => source.close()));
      await fleet.close();
      await vi.waitUntil(() => open() <= before, { timeout: 3000 });
    },
    30_000,
  );
});
