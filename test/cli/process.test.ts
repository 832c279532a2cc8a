import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { memoryFiles } from '../../src/clusters/bundle-files.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { type Program, program, temporaryFolder } from './program.ts';
import { type TinyCluster, tinyBundle, writeFiles, writeOwnRules } from './tiny-fleet.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
const OWN = ['--rules', at('rules'), '--only', 'own'];
let cli: Program;

beforeAll(async () => {
  cli = await program();
  writeOwnRules(at('rules'));
  writeFiles(at('critical'), tinyBundle({ a: { namespaces: ['critical'] } }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Servers on local ports, and the options that lead to them. */
async function serve(
  clusters: Readonly<Record<string, TinyCluster>>,
  options: FleetOptions = {},
): Promise<{ readonly fleet: Fleet; readonly choice: readonly string[] }> {
  const bytes = [...tinyBundle(clusters)].map(([path, text]) => [path, Buffer.from(text)] as const);
  const fleet = await startFleet(memoryFiles('tiny', new Map(bytes)), options);
  onTestFinished(() => fleet.close());
  const kubeconfig = at(`kubeconfig-${Math.random()}`);
  writeFileSync(kubeconfig, fleet.kubeconfig);
  return { fleet, choice: ['--kubeconfig', kubeconfig, '--all-contexts'] };
}

/** An API server that takes connections and never answers. */
async function silentServer(): Promise<{ readonly choice: readonly string[]; readonly connected: Promise<unknown> }> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on('connection', socket => void sockets.add(socket.on('error', () => {})));
  const connected = once(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const kubeconfig = at(`kubeconfig-${Math.random()}`);
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    kubeconfig,
    `clusters: [{ name: c, cluster: { server: "http://127.0.0.1:${port}" } }]\ncontexts: [{ name: c, context: { cluster: c } }]\n`,
  );
  return { choice: ['--kubeconfig', kubeconfig, '--context', 'c'], connected };
}

/** Milliseconds until every list is answered; discovery and the preflight are not held up. */
const slowLists = (milliseconds: number) => (_server: string, path: string) =>
  /\/(namespaces|pods)\?/.test(path) ? milliseconds : 0;

function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

describe('pipes', () => {
  test('a reader that has seen enough is no failure, and the files are written all the same', async () => {
    const command = `set -o pipefail; thanos-doctor diagnose --bundle ${at('critical')} ${OWN.join(' ')} -o ${at('piped.json')} | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await cli.shell(command);
    expect(stderr).toBe(`wrote ${at('piped.json')}\n`);
    expect(stdout).toBe('1\n');
    expect(JSON.parse(readFileSync(at('piped.json'), 'utf8')).verdict).toBe('problems');
  });

  test('a reader that is gone before anything is written', async () => {
    for (const what of ['rules', 'rules --format json', '--help', `diagnose --bundle ${at('critical')}`]) {
      const { stdout, stderr } = await cli.shell(`thanos-doctor ${what} | true; echo "\${PIPESTATUS[0]}"`);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^[01]\n$/);
    }
  });

  test('standard error that nobody reads', async () => {
    const { stdout } = await cli.shell(
      `{ thanos-doctor diagnose --bundle ${at('critical')} ${OWN.join(' ')} -v 2>&1 >&3 | true; } 3>&1`,
    );
    expect(stdout).toContain('Namespace critical is there.');
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk behind standard output is said, exit 2', async () => {
    const { code, stderr } = await cli.shell(
      `thanos-doctor diagnose --bundle ${at('critical')} ${OWN.join(' ')} > /dev/full`,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^thanos-doctor: cannot write the output: .*no space left/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test('a whole report comes through a slow pipe', async () => {
    const { stdout } = await cli.shell('thanos-doctor rules --format json | { sleep 0.3; cat; }');
    expect(JSON.parse(stdout).length).toBeGreaterThan(100);
  });
});

describe('Ctrl-C', () => {
  test('once: ends soon, with a report of what was read, marked as partial; exit 130', async () => {
    const { choice, fleet } = await serve(
      { a: { namespaces: ['critical'] }, b: { namespaces: ['default'] } },
      {
        latency: (server, path) => (server === 'b' ? slowLists(30_000)(server, path) : 0),
      },
    );
    const run = cli.start(['diagnose', ...choice, ...OWN, '--format', 'json', '-v', '-o', at('stopped.md')]);
    await run.said(/^b: reading kubernetes$/m);
    const sockets = openSockets(run.pid);
    expect(sockets).toBeGreaterThan(0);
    await vi.waitUntil(() => fleet.requestCounts().has('a GET /api/v1/namespaces'), { timeout: 10_000 });
    // The answer is on its way.
    await new Promise(resolve => setTimeout(resolve, 300));
    const asked = Date.now();
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.result;
    expect(Date.now() - asked).toBeLessThan(3000);
    expect(code).toBe(130);
    expect(stderr).toContain('stopping; what was read so far is reported');
    const report = JSON.parse(stdout);
    expect(report.run.partial).toBe(true);
    expect(report.findings.map((finding: { rule: string }) => finding.rule)).toEqual(['own-critical-namespace']);
    expect(JSON.stringify(report.unknowns)).toContain('the run was stopped');
    expect(readFileSync(at('stopped.md'), 'utf8')).toContain('stopped before everything was read');
    expect(existsSync(`/proc/${run.pid}`)).toBe(false);
  });

  test('once, with nothing read: never health', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] } }, { latency: slowLists(30_000) });
    const run = cli.start(['diagnose', ...choice, ...OWN, '-v']);
    await run.said(/^a: reading kubernetes$/m);
    run.kill('SIGINT');
    const { code, stdout } = await run.result;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^No problem found, but 3 of 3 checks could not be made\. The run was stopped/);
  });

  test('while the first answer is awaited', async () => {
    const { choice, connected } = await silentServer();
    const run = cli.start(['diagnose', ...choice, ...OWN, '--format', 'json']);
    await connected;
    run.kill('SIGINT');
    const { code, stdout } = await run.result;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown', run: { partial: true } });
  });

  test('twice: ends at once, and leaves no file', async () => {
    mkdirSync(at('twice'));
    const { choice } = await serve({ a: { namespaces: ['default'] } }, { latency: slowLists(30_000) });
    const run = cli.start(['diagnose', ...choice, ...OWN, '-v', '-o', at('twice', 'report.json')]);
    await run.said(/^a: reading kubernetes$/m);
    run.kill('SIGINT');
    await run.said(/stopping/);
    run.kill('SIGINT');
    const { code } = await run.result;
    expect(code).toBe(130);
    expect(readdirSync(at('twice')).filter(name => name.startsWith('.'))).toEqual([]);
    if (existsSync(at('twice', 'report.json'))) JSON.parse(readFileSync(at('twice', 'report.json'), 'utf8'));
  });

  test('SIGTERM is the same', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] } }, { latency: slowLists(30_000) });
    const run = cli.start(['diagnose', ...choice, ...OWN, '-v', '--format', 'json']);
    await run.said(/^a: reading kubernetes$/m);
    run.kill('SIGTERM');
    const { code, stdout } = await run.result;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).run.partial).toBe(true);
  });

  test('with --quiet, nothing is said', async () => {
    const { choice, connected } = await silentServer();
    const run = cli.start(['diagnose', ...choice, ...OWN, '--quiet']);
    await connected;
    run.kill('SIGINT');
    expect(await run.result).toMatchObject({ code: 130, stderr: '' });
  });

  test('a child that a kubeconfig names ends with the run', async () => {
    const { fleet } = await serve({ a: { namespaces: ['default'] } });
    writeFileSync(at('plugin'), `#!/bin/sh\necho $$ > ${at('plugin.pid')}\nexec sleep 60\n`, { mode: 0o755 });
    writeFileSync(
      at('kubeconfig-plugin'),
      fleet.kubeconfig.replace(
        /user:\n\s+token: simulated/,
        `user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ${at('plugin')}, interactiveMode: Never } }`,
      ),
    );
    const run = cli.start([
      'diagnose',
      '--kubeconfig',
      at('kubeconfig-plugin'),
      '--context',
      'a',
      ...OWN,
      '--format',
      'json',
    ]);
    while (!existsSync(at('plugin.pid')) || readFileSync(at('plugin.pid'), 'utf8') === '')
      await new Promise(resolve => setTimeout(resolve, 50));
    run.kill('SIGINT');
    const { code, stdout } = await run.result;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).verdict).toBe('unknown');
    expect(existsSync(`/proc/${readFileSync(at('plugin.pid'), 'utf8').trim()}`)).toBe(false);
  });

  test('collect: the bundle is whole, and says what is missing', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] } }, { latency: slowLists(30_000) });
    const run = cli.start(['collect', ...choice, '-o', at('stopped.tar.gz'), '-v']);
    await run.said(/^a: reading objects$/m);
    await new Promise(resolve => setTimeout(resolve, 300));
    run.kill('SIGINT');
    const { code, stdout } = await run.result;
    expect([code, stdout]).toEqual([130, '']);
    const again = await cli.run(['diagnose', '--bundle', at('stopped.tar.gz'), ...OWN, '--format', 'json']);
    expect(again.code).toBe(3);
    expect(JSON.stringify(JSON.parse(again.stdout).unknowns)).toContain('the run was stopped');
    expect(readdirSync(folder).filter(name => name.startsWith('.stopped'))).toEqual([]);
  });

  test('collect, twice: nothing is at the target', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] } }, { latency: slowLists(30_000) });
    const run = cli.start(['collect', ...choice, '-o', at('given-up.tar.gz'), '-v']);
    await run.said(/^a: reading objects$/m);
    run.kill('SIGINT');
    run.kill('SIGINT');
    expect((await run.result).code).toBe(130);
    if (existsSync(at('given-up.tar.gz')))
      expect((await cli.run(['diagnose', '--bundle', at('given-up.tar.gz'), ...OWN])).code).toBe(3);
  });
});

describe('--timeout', () => {
  test('what is missing when the time is over is a gap, and the run ends in time', async () => {
    const { choice } = await serve(
      { a: { namespaces: ['critical'] }, b: { namespaces: ['default'] } },
      {
        latency: (server, path) => (server === 'b' ? slowLists(30_000)(server, path) : 0),
      },
    );
    const started = Date.now();
    const { code, stdout } = await cli.run(['diagnose', ...choice, ...OWN, '--timeout', '1.5', '--format', 'json']);
    expect(Date.now() - started).toBeLessThan(5000);
    const report = JSON.parse(stdout);
    expect(code).toBe(1);
    expect(report.findings).toHaveLength(1);
    expect(JSON.stringify(report.unknowns)).toContain("the run's time was over");
    const alone = await cli.run(['diagnose', ...choice.slice(0, 2), '--context', 'b', ...OWN, '--timeout', '1.5']);
    expect(alone.code).toBe(3);
  });
});

describe('after the end', () => {
  test('no socket is left that would keep the program alive', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] }, b: { namespaces: ['critical'] } });
    const run = cli.start(['diagnose', ...choice, '-v']);
    await run.said(/^b: done/m);
    const done = Date.now();
    const { code, signal } = await run.result;
    expect(signal).toBeNull();
    expect(code).not.toBe(2);
    expect(Date.now() - done).toBeLessThan(3000);
  });
});

describe('demo', () => {
  test('exits 0 and writes the two reports into the working directory', async () => {
    mkdirSync(at('demo'));
    const { code, stdout, stderr } = await cli.start(['demo'], {
      cwd: at('demo'),
      env: { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' },
    }).result;
    expect(stderr).toContain('wrote report.md and report.json here');
    expect(stderr).toContain('thanos-doctor diagnose --all-contexts');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+ root causes? /);
    // What was not recorded is no failure of anything.
    expect(stdout).not.toMatch(/Could not check|recording does not hold|--all, or/);
    expect(stdout).toMatch(/thanos-doctor fix \S+ --context \S+/);
    const [, again = ''] = /thanos-doctor (diagnose --all --bundle \S+)/.exec(stderr) ?? [];
    const { code: same } = await cli.run([...again.split(' '), '--format', 'json']);
    expect(same).toBe(1);
    expect(readdirSync(at('demo')).sort()).toEqual(['report.json', 'report.md']);
    expect(JSON.parse(readFileSync(at('demo', 'report.json'), 'utf8'))).toMatchObject({ verdict: 'problems' });
  });

  test('quiet, and in a folder that is not writable', async () => {
    mkdirSync(at('demo-quiet', 'report.md'), { recursive: true });
    const refused = await cli.start(['demo', '--quiet'], { cwd: at('demo-quiet') }).result;
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('cannot write report.md: it is a folder');
    rmSync(at('demo-quiet', 'report.md'), { recursive: true });
    expect(
      await cli.start(['demo', '--quiet', '--fleet', 'sidecar-speaks-https'], { cwd: at('demo-quiet') }).result,
    ).toMatchObject({ code: 0, stderr: '' });
  });
});
