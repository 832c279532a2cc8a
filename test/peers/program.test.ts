/** Bugs that other tools of this kind had, each once, where the program itself is started. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { memoryFiles } from '../../src/clusters/bundle-files.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { type Program, program, temporaryFolder } from '../cli/program.ts';
import { type TinyCluster, tinyBundle, writeFiles, writeOwnRules } from '../cli/tiny-fleet.ts';
import { SERVER_CERTIFICATE, SERVER_KEY } from '../clusters/certificates.ts';
import { disturbances } from '../fault-matrix/disturbances.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
const OWN = ['--rules', at('rules'), '--only', 'own'];
let cli: Program;

beforeAll(async () => {
  cli = await program();
  writeOwnRules(at('rules'));
}, 120_000);
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

/** A server of the test's own making, and the options that lead to it. */
async function serveRaw(scheme: string, onConnection: (socket: Socket) => void): Promise<readonly string[]> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on('connection', socket => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const kubeconfig = at(`kubeconfig-${Math.random()}`);
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(
    kubeconfig,
    `clusters: [{ name: c, cluster: { server: "${url}" } }]\ncontexts: [{ name: c, context: { cluster: c } }]\n`,
  );
  return ['--kubeconfig', kubeconfig, '--context', 'c'];
}

/** Told to the program before it starts: what it connects to, and how much memory it took. */
function watching(name: string): { readonly env: Readonly<Record<string, string>>; read(): Watched } {
  const script = at('watch.mjs');
  writeFileSync(
    script,
    `import net from 'node:net';
import { writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
const dns = createRequire(import.meta.url)('node:dns');
const seen = { connections: [], names: [], memory: 0 };
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const [options] = net._normalizeArgs(Array.isArray(given[0]) ? given[0] : given);
  seen.connections.push(options.path ?? (options.host ?? 'localhost') + ':' + options.port);
  return connect.apply(this, given);
};
for (const verb of ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveSrv']) {
  const real = dns[verb];
  dns[verb] = (host, ...rest) => { seen.names.push(host); return real(host, ...rest); };
}
syncBuiltinESMExports();
// The kernel's own maximum begins with what the process that started this one took.
const look = () => { seen.memory = Math.max(seen.memory, process.memoryUsage.rss() / 1024 ** 2); };
setInterval(look, 20).unref();
process.on('exit', () => {
  look();
  writeFileSync(process.env.WATCHED, JSON.stringify(seen));
});
`,
  );
  const file = at(`${name}.watched.json`);
  return {
    env: { NODE_OPTIONS: `--import ${script}`, WATCHED: file },
    read: () => JSON.parse(readFileSync(file, 'utf8')),
  };
}

interface Watched {
  /** `host:port` */
  readonly connections: readonly string[];
  readonly names: readonly string[];
  /** MB at most. */
  readonly memory: number;
}

describe('T1 a place where nothing is', () => {
  test('a namespace that does not exist is a mistake, and not health', async () => {
    const { choice } = await serve({ a: { namespaces: ['monitoring'] } });
    const { code, stdout, stderr } = await cli.run(['diagnose', ...choice, '--namespace', 'monitorng', ...OWN]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('monitoring');
  });

  test('a cluster that does not tell its namespaces is incomplete', async () => {
    const { choice } = await serve({ a: { namespaces: 'forbidden' } });
    const { code, stdout } = await cli.run(['diagnose', ...choice, ...OWN]);
    expect(code).toBe(3);
    expect(stdout).not.toMatch(/\bhealthy\b/i);
  });
});

describe('T3 the exit code is the same in every format', () => {
  const SEVERITIES = ['critical', 'warning', 'info'] as const;
  const RANK = { critical: 0, warning: 1, info: 2, never: -1 };
  test.each(SEVERITIES)('%s', async severity => {
    writeFiles(at(severity), tinyBundle({ a: { namespaces: ['default', severity] } }));
    for (const failOn of [...SEVERITIES, 'never'] as const) {
      const expected = RANK[severity] <= RANK[failOn] ? 1 : 0;
      for (const format of ['text', 'markdown', 'json']) {
        const { code } = await cli.run([
          'diagnose',
          '--bundle',
          at(severity),
          ...OWN,
          '--fail-on',
          failOn,
          '--format',
          format,
        ]);
        expect(code, `${severity}, --fail-on ${failOn}, as ${format}`).toBe(expected);
      }
    }
  });
});

describe('T4 --timeout ends the run', () => {
  test('a server that never answers: within a second after it, with a report', async () => {
    let connected = 0;
    const choice = await serveRaw('http', () => {
      connected ||= Date.now();
    });
    const { code, stdout } = await cli.start([
      'diagnose',
      ...choice,
      ...OWN,
      '--timeout',
      '1.5',
      '-o',
      at('late.md'),
      '--format',
      'json',
    ]).result;
    expect(Date.now() - connected).toBeLessThan(2500);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown', clusters: [{ reachable: false }] });
    expect(readFileSync(at('late.md'), 'utf8')).not.toMatch(/\bhealthy\b/i);
  });

  test('one that stops answering midway', async () => {
    const { choice } = await serve(
      { a: { namespaces: ['critical'] } },
      { faults: [{ path: /\/namespaces\?|\/pods\?/, effect: { is: 'stalled' } }] },
    );
    const run = cli.start(['diagnose', ...choice, ...OWN, '--timeout', '1.5', '--format', 'json', '-v']);
    await run.said(/^a: reading/m);
    const reading = Date.now();
    const { code, stdout } = await run.result;
    expect(Date.now() - reading).toBeLessThan(2500);
    expect(code).toBe(3);
    expect(JSON.parse(stdout).verdict).toBe('unknown');
  });
});

describe('T5 standard output is one JSON document, whatever goes wrong', () => {
  test.each(disturbances('2026-01-02T03:04:05Z'))('$name', async ({ faults, takesTime }) => {
    const { choice } = await serve(
      { a: { namespaces: ['critical'] }, b: { namespaces: ['default'] } },
      {
        faults: faults.map(fault => ({ ...fault, server: 'a' })),
      },
    );
    const { code, stdout, stderr } = await cli.run([
      'diagnose',
      ...choice,
      ...OWN,
      '--format',
      'json',
      '-v',
      ...(takesTime ? ['--timeout', '1'] : []),
    ]);
    const report = JSON.parse(stdout);
    expect([0, 1, 3]).toContain(code);
    expect(stderr).not.toMatch(/\n {4}at |Warning/);
    expect(report.clusters).toHaveLength(2);
    if (!report.findings.length) expect(report.verdict).toBe('unknown');
  });
});

describe('T10 what does not exist is not passed over', () => {
  test('a key of a rule', async () => {
    mkdirSync(at('typo'), { recursive: true });
    writeOwnRules(at('typo'));
    const file = at('typo', 'own-info-namespace.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('problemWhen:', 'problemWen:'));
    const { code, stdout, stderr } = await cli.run(['rules', '--lint', at('typo')]);
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(/own-info-namespace\.yaml:\d+:\d+: .*problemWen/);
  });

  test('the rule that a suppression names', async () => {
    const { choice } = await serve({ a: { namespaces: ['default'] } });
    writeFileSync(
      at('fleet.yaml'),
      'clusters:\n  - name: a\ntuning:\n  suppress:\n    - rule: node-not-redy\n      reason: a test\n      until: 2099-01-01\n',
    );
    const { code, stderr } = await cli.run(['diagnose', ...choice.slice(0, 2), '--fleet', at('fleet.yaml')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/fleet\.yaml:5:\d+: .*node-not-redy/);
  });
});

test('T12 24 clusters of which 8 do not let anybody in: a line each, and no more memory than one should need', async () => {
  const names = Array.from({ length: 24 }, (_, index) => `c${String(index + 1).padStart(2, '0')}`);
  const refused = names.slice(0, 8);
  const { choice } = await serve(Object.fromEntries(names.map(name => [name, { namespaces: ['default'] }])), {
    faults: refused.map(server => ({ server, path: /^/, effect: { is: 'error', status: 401 } })),
  });
  const watched = watching('many');
  const { code, stdout, stderr } = await cli.start(['diagnose', ...choice, ...OWN], { env: watched.env }).result;
  expect(code).toBe(3);
  for (const name of refused) {
    const lines = (stdout + stderr).split('\n').filter(line => new RegExp(`\\b${name}\\b`).test(line));
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(2);
  }
  expect(stderr).not.toContain('Warning');
  expect(watched.read().memory).toBeLessThan(300);
}, 60_000);

describe('T24 nobody is called but those who were named', () => {
  test('diagnose', async () => {
    const { fleet, choice } = await serve({ a: { namespaces: ['critical'] }, b: { namespaces: ['default'] } });
    const watched = watching('diagnose');
    await cli.start(['diagnose', ...choice], { env: watched.env }).result;
    const { connections, names } = watched.read();
    const servers = fleet.clusters.map(({ url }) => new URL(url).host);
    expect(connections.length).toBeGreaterThan(0);
    expect([...new Set(connections)].filter(place => !servers.includes(place))).toEqual([]);
    expect(names.filter(name => name !== '127.0.0.1')).toEqual([]);
  });

  test('what needs no cluster', async () => {
    const watched = watching('alone');
    writeFiles(at('one'), tinyBundle({ a: { namespaces: ['default'] } }));
    for (const words of [
      ['rules'],
      ['explain', 'node-not-ready'],
      ['diagnose', '--bundle', at('one')],
      ['--version'],
    ]) {
      await cli.start(words, { env: watched.env }).result;
      expect(watched.read()).toMatchObject({ connections: [], names: [] });
    }
  });

  test('demo', async () => {
    const watched = watching('demo');
    mkdirSync(at('demo'));
    const { code } = await cli.start(['demo'], { env: watched.env, cwd: at('demo') }).result;
    expect(code).toBe(0);
    const { connections } = watched.read();
    expect(connections.filter(place => !place.startsWith('127.0.0.1:'))).toEqual([]);
  }, 60_000);
});

test('T26 slow, reset, no TLS and a foreign authority are four different messages', async () => {
  const { createServer: createHttps } = await import('node:https');
  const strange = createHttps(
    { cert: SERVER_CERTIFICATE, key: SERVER_KEY },
    (_request, response) => void response.end('{}'),
  );
  await once(strange.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    strange.closeAllConnections();
    strange.close();
  });
  const kubeconfig = at('kubeconfig-strange');
  const url = `https://127.0.0.1:${(strange.address() as AddressInfo).port}`;
  writeFileSync(
    kubeconfig,
    `clusters: [{ name: c, cluster: { server: "${url}" } }]\ncontexts: [{ name: c, context: { cluster: c } }]\n`,
  );
  const messages = new Map<string, string>();
  for (const [name, choice] of [
    ['slow', await serveRaw('http', () => {})],
    ['reset', await serveRaw('http', socket => socket.resetAndDestroy())],
    ['no TLS', await serveRaw('https', socket => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'))],
    ['a foreign authority', ['--kubeconfig', kubeconfig, '--context', 'c']],
  ] as const) {
    const { stdout } = await cli.run(['diagnose', ...choice, ...OWN, '--format', 'json', '--timeout', '4']);
    const [cluster] = JSON.parse(stdout).clusters;
    expect(cluster.reachable, name).toBe(false);
    messages.set(name, cluster.problem.replace(/:\d+\b/g, ''));
  }
  expect(messages.get('slow')).toMatch(/no answer within|time was over/);
  expect(messages.get('reset')).toMatch(/reset|hang up/i);
  expect(messages.get('a foreign authority')).toMatch(/certificate|authority/i);
  expect(new Set(messages.values()).size, JSON.stringify([...messages])).toBe(4);
}, 60_000);
