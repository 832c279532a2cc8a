import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { type Fleet, startFleet } from '../../src/simulator/fleet.ts';
import { canHaveTerminal, type Program, program, temporaryFolder } from './program.ts';

const folder = temporaryFolder();
let cli: Program;
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  cli = await program();
}, 60_000);

const bundle = (incident: string) => ['--bundle', join(import.meta.dirname, '../incidents', incident, 'bundle.tar.gz')];

describe('why-not-scraped', () => {
  const why = (name: string, incident: string, ...more: readonly string[]) =>
    cli.run(['why-not-scraped', name, ...bundle(incident), ...more]);

  test('names the one label, and what to type', async () => {
    const { code, stdout } = await why('thanos-store', 'monitor-not-selected');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Service monitoring\/thanos-store in cluster-01: it is not scraped\n/);
    expect(stdout).toMatch(/✗ chosen +by nobody; the nearest is Prometheus/);
    expect(stdout.replace(/\s+/g, ' ')).toContain('label release is absent, wanted "kube-prometheus-stack"');
    expect(stdout).toContain(
      '    kubectl --context cluster-01 -n monitoring label servicemonitor thanos-store release=kube-prometheus-stack\n',
    );
    expect(stdout).toContain('thanos-doctor explain monitor-not-selected');
    expect(stdout).not.toMatch(/✗ (?:configured|answers)/);
  });

  test('says of what works that it does, each step', async () => {
    const { code, stdout } = await why('servicemonitor/thanos-query', 'healthy-fleet');
    expect(code).toBe(0);
    expect(stdout).toMatch(/: it is scraped\n/);
    expect(stdout.match(/✓/g)).toHaveLength(5);
  });

  test('as JSON, with the same exit code', async () => {
    const { code, stdout } = await why('monitoring/thanos-store', 'monitor-not-selected', '--format', 'json');
    expect(code).toBe(1);
    const { answers } = JSON.parse(stdout);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      cluster: 'cluster-01',
      object: { kind: 'Service', namespace: 'monitoring', name: 'thanos-store' },
      verdict: 'stopped',
      steps: [{ step: 'named', state: 'done' }],
      through: [{ object: { kind: 'ServiceMonitor' }, steps: [{ step: 'chosen', state: 'stopped' }, {}, {}, {}, {}] }],
    });
  });

  test('a Prometheus that does not run is what stops it', async () => {
    const { code, stdout } = await why(
      'prometheusrule/kube-prometheus-stack-general.rules',
      'prometheus-out-of-memory',
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/in cluster-01: it is evaluated/);
    expect(stdout).toMatch(/in cluster-02: it is not evaluated[^✗]*✗ configured +No replica of Prometheus/);
  });

  test('what could not be read is not known, and no failure', async () => {
    const { code, stdout } = await why('servicemonitor/thanos-store', 'reader-forbidden');
    expect(code).toBe(3);
    expect(stdout).toMatch(/it could not be told/);
    expect(stdout).toMatch(/\? configured +pods .* is forbidden/);
    expect(stdout).not.toContain('✗');
  });

  test.each([
    ['thanos-stroe', /there is no Service.*"thanos-stroe"\n +did you mean service\/monitoring\/thanos-store\?/],
    ['podmonitor/monitoring/none', /there is no Service/],
    ['a/b/c/d', /written as \[kind\/\]\[namespace\/\]name\n +kinds: service, /],
    [
      'servicemonitr/monitoring/thanos-store',
      /there is no kind "servicemonitr" here\n +did you mean servicemonitor\/…\?\n +kinds: service, servicemonitor, /,
    ],
    [
      'servicemonitr/thanos-store',
      /did you mean service\/monitoring\/thanos-store\?[\s\S]*in a namespace servicemonitr\n +did you mean servicemonitor\/…\?\n +kinds: /,
    ],
    ['pod/thanos-store', /in a namespace pod\n[\s\S]*kinds: service, servicemonitor, podmonitor/],
    ['monitoring/thanos-stroe', /did you mean service\/monitoring\/thanos-store\?\n(?! +kinds)/],
  ])('%s is a mistake', async (name, message) => {
    const { code, stdout, stderr } = await why(name, 'healthy-fleet');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });
});

describe('logs of pods', () => {
  const logs = (incident: string, ...more: readonly string[]) => cli.run(['logs', ...bundle(incident), ...more]);

  test('say the same as a file does, of both runs', async () => {
    const { code, stdout, stderr } = await logs('compactor-halted', 'pod/thanos-compactor-0');
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^pod\/monitoring\/thanos-compactor-0\/thanos-compactor in cluster-01: \d+ lines, 2 known/);
    expect(stdout).toContain('thanos-doctor explain compactor-halted');
  });

  test('in every cluster that has the pod, as JSON', async () => {
    const name = 'pod/prometheus-kube-prometheus-stack-prometheus-0';
    const { code, stdout } = await logs('prometheus-out-of-memory', name, '-c', 'prometheus', '--format', 'json');
    const { logs: read, unread } = JSON.parse(stdout);
    expect(code).toBe(unread.length > 0 ? 3 : 0);
    expect(read.map(({ file }: { readonly file: string }) => file)).toEqual(
      expect.arrayContaining([
        'pod/monitoring/prometheus-kube-prometheus-stack-prometheus-0/prometheus in cluster-01',
        'pod/monitoring/prometheus-kube-prometheus-stack-prometheus-0/prometheus (previous) in cluster-02',
      ]),
    );
  });

  test.each([
    [['pod/thanos-qeury'], /there is no pod thanos-qeury\n +did you mean monitoring\/thanos-query-/],
    [
      ['-n', 'default', 'pod/thanos-compactor-0'],
      /no pod .* in namespace default\n +did you mean monitoring\/thanos-com/,
    ],
    [['pod/thanos-compactor-0', '-c', 'x'], /has no container x\n +containers: thanos-compactor/],
    [['thanos.log'], /asked for as pod\/NAME/],
    [['pod/thanos-compactor-0', '-n', 'a', '-n', 'b'], /one --namespace/],
  ])('%j is a mistake', async (args, message) => {
    const { code, stdout, stderr } = await logs('healthy-fleet', ...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('of live clusters', () => {
  async function serve(incident: string): Promise<{ readonly fleet: Fleet; readonly kubeconfig: string }> {
    const fleet = await startFleet(await openBundleFiles(bundle(incident)[1]!));
    onTestFinished(() => fleet.close());
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    return { fleet, kubeconfig };
  }

  test('logs reads one namespace, and no other kind than it needs', async () => {
    const { fleet, kubeconfig } = await serve('compactor-halted');
    const where = ['--kubeconfig', kubeconfig, '--context', 'cluster-01', '-n', 'monitoring'];
    const { code, stdout } = await cli.run(['logs', ...where, 'pod/thanos-compactor-0']);
    expect(stdout).toMatch(/^pod\/monitoring\/thanos-compactor-0\/thanos-compactor: \d+ lines/);
    expect(code).toBe(1);
    const lists = fleet.requests().filter(({ path }) => path.startsWith('/api/v1/') && !path.includes('/log?'));
    expect(lists.some(({ path }) => path.startsWith('/api/v1/namespaces/monitoring/pods?'))).toBe(true);
    expect(lists.filter(({ path }) => path.startsWith('/api/v1/pods'))).toEqual([]);
  });

  test('a namespace that is not there is said before anything is read', async () => {
    const { kubeconfig } = await serve('compactor-halted');
    const where = ['--kubeconfig', kubeconfig, '--context', 'cluster-01', '-n', 'monitorng'];
    for (const command of [
      ['diagnose'],
      ['logs', 'pod/thanos-compactor-0'],
      ['collect', '-o', join(folder, 'bundle')],
    ]) {
      const { code, stdout, stderr } = await cli.run([...command, ...where]);
      expect(stderr).toBe('thanos-doctor: there is no namespace monitorng in cluster-01\n  did you mean monitoring?\n');
      expect(stdout).toBe('');
      expect(code).toBe(2);
    }
  });

  test('why-not-scraped says the same as of a bundle', async () => {
    const { kubeconfig } = await serve('monitor-not-selected');
    const where = ['--kubeconfig', kubeconfig, '--context', 'cluster-01'];
    const live = await cli.run(['why-not-scraped', 'servicemonitor/thanos-store', ...where]);
    const saved = await cli.run(['why-not-scraped', 'servicemonitor/thanos-store', ...bundle('monitor-not-selected')]);
    expect(live.stdout).toBe(saved.stdout);
    expect(live.code).toBe(1);
  });

  test.skipIf(!canHaveTerminal)('why-not-scraped shows how far it is, and takes it off the screen', async () => {
    const { kubeconfig } = await serve('monitor-not-selected');
    const where = ['--kubeconfig', kubeconfig, '--context', 'cluster-01'];
    const session = cli.onTerminal(['why-not-scraped', 'servicemonitor/thanos-store', ...where]);
    await session.shows('cluster-01  ');
    await session.shows(' requests');
    await session.shows('it is not scraped');
    expect(await session.result).toMatchObject({ code: 1 });
    const end = session.screen().lastIndexOf('\u001b[0J');
    expect(end).toBeGreaterThan(session.screen().lastIndexOf(' requests'));
    expect(end).toBeLessThan(session.screen().indexOf('it is not scraped'));
    const quiet = cli.onTerminal(['why-not-scraped', 'servicemonitor/thanos-store', ...where, '--quiet']);
    await quiet.result;
    expect(quiet.screen()).not.toContain(' requests');
  });
});
