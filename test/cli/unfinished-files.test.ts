import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { readManifest } from '../../src/clusters/bundle-source.ts';
import { type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { diagnose, recording } from '../fault-matrix/recorded-reads.ts';
import { type Program, program, temporaryFolder } from './program.ts';

const folder = temporaryFolder();
const INCIDENT = join(import.meta.dirname, '../incidents/sidecar-speaks-https/bundle.tar.gz');
let cli: Program;
let number = 0;

beforeAll(async () => {
  cli = await program();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function emptyFolder(): string {
  number += 1;
  const out = join(folder, String(number));
  mkdirSync(out);
  return out;
}

async function scene(options: FleetOptions = {}) {
  const fleet = await startFleet(await recording('sidecar-speaks-https'), options);
  onTestFinished(() => fleet.close());
  const out = emptyFolder();
  const kubeconfig = join(folder, `kubeconfig-${number}`);
  writeFileSync(kubeconfig, fleet.kubeconfig);
  return { fleet, out, choice: ['--kubeconfig', kubeconfig, '--all-contexts'] };
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));
const isRunning = (pid: string) =>
  existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** A named pipe: whoever writes into it waits for somebody who reads. */
function pipeAt(path: string): string {
  execFileSync('/usr/bin/env', ['mkfifo', path]);
  return path;
}

describe('a signal while the report is written', () => {
  test('once: the report is finished, and no other file is harmed', async () => {
    const out = emptyFolder();
    const pipe = pipeAt(join(out, 'report.json'));
    writeFileSync(join(out, 'old.md'), 'old');
    const run = cli.start(['diagnose', '--bundle', INCIDENT, '-o', pipe, '-o', join(out, 'old.md')]);
    await vi.waitUntil(() => readFileSync(join(out, 'old.md'), 'utf8') !== 'old', { timeout: 30_000 });
    run.kill('SIGINT');
    await pause(100);
    const parts: Buffer[] = [];
    const reader = createReadStream(pipe).on('data', part => void parts.push(part as Buffer));
    await once(reader, 'end');
    expect((await run.result).code).toBe(1);
    expect(JSON.parse(Buffer.concat(parts).toString()).verdict).toBe('problems');
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect(readFileSync(join(out, 'old.md'), 'utf8')).toMatch(/^#/);
    expect(readdirSync(out).sort()).toEqual(['old.md', 'report.json']);
  }, 60_000);

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s twice: at once, although the file never opens',
    async signal => {
      const out = emptyFolder();
      const pipe = pipeAt(join(out, 'report.json'));
      const run = cli.start(['diagnose', '--bundle', INCIDENT, '-o', pipe, '-o', join(out, 'other.md')]);
      await vi.waitUntil(() => existsSync(join(out, 'other.md')), { timeout: 30_000 });
      run.kill(signal);
      await pause(50);
      run.kill(signal);
      const asked = Date.now();
      const { code, signal: by } = await run.result;
      expect(Date.now() - asked).toBeLessThan(2000);
      // A shell says 130 of either.
      expect([code, by]).toEqual([null, 'SIGINT']);
      expect(readdirSync(out).sort()).toEqual(['other.md', 'report.json']);
    },
    60_000,
  );
});

describe('a disk that is full', () => {
  const limited = (words: string, blocks: number) =>
    cli.shell(`ulimit -f ${blocks}; exec node ${cli.folder}/bin/thanos-doctor.js ${words}`);

  test('while the report is written: one message, the old file stays, and nothing beside it', async () => {
    const out = emptyFolder();
    writeFileSync(join(out, 'report.json'), 'old');
    const { code, stderr } = await limited(`diagnose --bundle ${INCIDENT} -o ${join(out, 'report.json')}`, 8);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^(?:thanos-doctor: |error: )?.*cannot write .*report\.json: it is larger than files may be here\n/m,
    );
    expect(stderr.match(/cannot write/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(readFileSync(join(out, 'report.json'), 'utf8')).toBe('old');
    expect(readdirSync(out)).toEqual(['report.json']);
  }, 60_000);

  test.skipIf(!existsSync('/dev/full'))(
    'behind a link to a device: said, and the device stays one',
    async () => {
      const out = emptyFolder();
      execFileSync('ln', ['-s', '/dev/full', join(out, 'report.json')]);
      const { code, stderr } = await cli.start(['diagnose', '--bundle', INCIDENT, '-o', join(out, 'report.json')])
        .result;
      expect(code).toBe(2);
      expect(stderr).toContain('report.json: the disk is full');
      expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
      expect(readdirSync('/dev').filter(name => name.startsWith('.thanos'))).toEqual([]);
    },
    60_000,
  );

  test.each(['bundle', 'bundle.tar.gz'])(
    'while %s is collected: one message, and nothing at all',
    async name => {
      const { out, choice } = await scene();
      const { code, stderr } = await limited(`collect ${choice.join(' ')} -o ${join(out, name)}`, 16);
      expect(code).toBe(2);
      expect(stderr).toContain(`cannot write bundle ${join(out, name)}: it is larger than files may be here`);
      expect(stderr).not.toMatch(/\n {4}at /);
      expect(readdirSync(out)).toEqual([]);
    },
    60_000,
  );
});

describe('what is left behind', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'collect, %s twice at any moment: a whole bundle or nothing',
    async signal => {
      for (const requests of [3, 60, 140]) {
        const { fleet, out, choice } = await scene({ latency: 5 });
        const run = cli.start(['collect', ...choice, '-o', join(out, 'bundle.tar.gz'), '-v']);
        await Promise.race([
          vi.waitUntil(() => fleet.requests().length >= requests, { timeout: 20_000, interval: 1 }),
          run.result,
        ]);
        run.kill(signal);
        run.kill(signal);
        await run.said(/stopping|wrote/);
        run.kill(signal);
        await run.result;
        if (readdirSync(out).length > 0) expect(readdirSync(out)).toEqual(['bundle.tar.gz']);
        if (existsSync(join(out, 'bundle.tar.gz')))
          expect(
            (await readManifest(await openBundleFiles(join(out, 'bundle.tar.gz')))).clusters.length,
          ).toBeGreaterThan(0);
      }
    },
    90_000,
  );

  test('SIGHUP, once: as Ctrl-C', async () => {
    const { out, choice, fleet } = await scene({ latency: (_server, path) => (path.includes('/log?') ? 30_000 : 0) });
    const run = cli.start(['diagnose', ...choice, '-o', join(out, 'report.json')]);
    await vi.waitUntil(() => fleet.requests().length > 20, { timeout: 20_000 });
    run.kill('SIGHUP');
    expect((await run.result).code).toBe(130);
    expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')).run.partial).toBe(true);
  }, 60_000);

  test('a bucket that was just being listed: ends soon, and no socket is open', async () => {
    let asked = 0;
    const latency = (server: string) => {
      if (server !== 's3') return 0;
      asked += 1;
      return 30_000;
    };
    const fleet = await startFleet(await recording('healthy-fleet'), { latency });
    onTestFinished(() => fleet.close());
    const kubeconfig = join(emptyFolder(), 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    const stop = new AbortController();
    const sources = await openLive({
      kubeconfig,
      contexts: fleet.clusters.map(({ name }) => name),
      ...AS_USUAL,
      signal: stop.signal,
      deadline: Date.now() + 60_000,
      overrides: {
        redirect: fleet.redirect,
        storeCertificateAuthority: fleet.authorities.join(''),
        timeouts: { store: 30_000 },
      },
    });
    const run = diagnose(sources);
    await vi.waitUntil(() => asked > 0, { timeout: 30_000 });
    stop.abort();
    const stopped = Date.now();
    const { unknowns } = await run;
    expect(Date.now() - stopped).toBeLessThan(5000);
    expect(JSON.stringify(unknowns)).toContain('the run was stopped');
    await Promise.all(sources.map(source => source.close()));
  }, 60_000);

  test('the children of a credential plugin, which is a script', async () => {
    const { out, fleet } = await scene();
    const plugin = join(out, 'plugin');
    writeFileSync(plugin, `#!/bin/sh\nsleep 60 &\necho $! > ${out}/child\nwait\n`);
    chmodSync(plugin, 0o755);
    const exec = `user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ${plugin}, interactiveMode: Never } }`;
    writeFileSync(join(out, 'kubeconfig'), fleet.kubeconfig.replace(/user:\n\s+token: simulated/, exec));
    const run = cli.start(['diagnose', '--kubeconfig', join(out, 'kubeconfig'), '--context', fleet.clusters[0]!.name]);
    await vi.waitUntil(() => existsSync(join(out, 'child')) && readFileSync(join(out, 'child'), 'utf8') !== '', {
      timeout: 20_000,
    });
    run.kill('SIGINT');
    expect((await run.result).code).toBe(130);
    const child = readFileSync(join(out, 'child'), 'utf8').trim();
    await vi.waitUntil(() => !isRunning(child), { timeout: 3000 });
  }, 60_000);
});
