import { describe, expect, test } from 'vitest';
import type { Evidence, EvidenceStore } from '../../src/model/evidence.ts';
import { GapSignal } from '../../src/model/gap.ts';
import type { Signal } from '../../src/model/remediation.ts';
import { lookForSignals, type SignalMemory } from '../../src/remediations/signals.ts';

const START = Date.parse('2026-11-23T08:00:00Z');
const RULE = {
  group: 'monitoring.coreos.com',
  resource: 'prometheusrules',
  kind: 'PrometheusRule',
  namespace: 'ns',
  name: 'alerts',
};

function storeOf(given: Readonly<Record<string, unknown>>, seconds = 0): EvidenceStore {
  return {
    cluster: 'test',
    takenAt: START + seconds * 1000,
    describe: () => undefined,
    peek: () => undefined,
    async collect(id): Promise<Evidence> {
      if (given[id] !== undefined) return { known: true, value: given[id], from: [] };
      return {
        known: false,
        gap: { evidence: id, reason: 'forbidden', detail: `${id} was not given`, path: '', notLookedAt: false },
      };
    },
  };
}

/** Looks again and again, with what there is to be seen each time. */
async function looks(signal: Signal, ...times: readonly Readonly<Record<string, unknown>>[]) {
  const memory: SignalMemory = new Map();
  const answers: string[] = [];
  for (const [index, given] of times.entries()) {
    const { is, detail } = await lookForSignals([signal], storeOf(given, index * 30), memory);
    answers.push(`${is}: ${detail}`);
  }
  return answers;
}

/** The same object, of which a field is not known. */
const without = <Row extends object>(row: Row, field: string): Row =>
  Object.defineProperty(row, field, {
    get: () => {
      throw new GapSignal({ reason: 'forbidden', detail: `${field} is not known` });
    },
  });

describe('uploads', () => {
  const signal: Signal = { is: 'uploads-go-on', workloads: ['StatefulSet ns/p'] };
  const sidecar = (more: object = {}, numbers: object | null = {}, unknown = 'nothing') => ({
    'thanos.uploads': [
      without(
        {
          workload: { key: 'StatefulSet ns/p' },
          pod: { key: 'Pod ns/p-0', name: 'p-0' },
          containerKey: 'Container ns/p-0/sidecar',
          newest: '2026-11-23T06:00:00Z',
          lastUpload: '',
          ...more,
        },
        unknown,
      ),
    ],
    ...(numbers
      ? { 'thanos.metrics': [{ containerKey: 'Container ns/p-0/sidecar', uploads: 0, dirSyncs: 0, ...numbers }] }
      : {}),
  });

  test('two rounds through the blocks are as much as can be seen before the next one is due', async () => {
    const rounds = [0, 1, 2].map(dirSyncs => sidecar({}, { dirSyncs }));
    expect(await looks(signal, ...rounds)).toEqual([
      'problem: sidecar of p-0 has not gone through its blocks 2 times yet',
      'problem: sidecar of p-0 has not gone through its blocks 2 times yet',
      'healthy: the sidecars go through their blocks again; the next block is due at 2026-11-23T09:00Z',
    ]);
  });

  test('rounds of the process before count for nothing', async () => {
    const rounds = [90, 1, 2].map(dirSyncs => sidecar({}, { dirSyncs }));
    expect((await looks(signal, ...rounds)).at(-1)).toMatch(/^problem/);
  });

  test.each([
    ['its counter', sidecar({}, { uploads: 1 })],
    ['its own word', sidecar({ lastUpload: '2026-11-23T08:00:10Z' })],
    ['the bucket', sidecar({ newest: '2026-11-23T08:00:10Z' }, null)],
    ['the bucket, of which its own word is not known', sidecar({ newest: '2026-11-23T08:00:10Z' }, {}, 'lastUpload')],
  ])('an upload is told by %s', async (_, now) => {
    expect(await looks(signal, sidecar(), now)).toEqual([
      expect.stringMatching(/^problem/),
      'healthy: a block was uploaded',
    ]);
  });

  test('what cannot be seen is no success', async () => {
    expect(await looks(signal, {}, sidecar({}, null, 'newest'))).toEqual([
      'unknown: thanos.uploads was not given',
      'unknown: newest is not known',
    ]);
    expect(await looks(signal, { 'thanos.uploads': [] })).toEqual(['problem: none of the sidecars is seen']);
  });
});

test('a Compactor has to get through its iterations, and not to halt meanwhile', async () => {
  const compactor = (iterations: number, more: object = {}) => ({
    'thanos.compactors': [
      {
        workload: { key: 'StatefulSet ns/c' },
        pod: { key: 'Pod ns/c-0' },
        running: true,
        halted: false,
        iterations,
        ...more,
      },
    ],
  });
  const signal: Signal = { is: 'compactor-goes-on', workload: 'StatefulSet ns/c', iterations: 2 };
  expect(
    await looks(signal, compactor(7), compactor(0), compactor(1), compactor(1, { halted: true }), compactor(2)),
  ).toEqual([
    'problem: StatefulSet ns/c got through 0 of 2 iterations',
    'problem: StatefulSet ns/c got through 0 of 2 iterations',
    'problem: StatefulSet ns/c got through 1 of 2 iterations',
    'problem: StatefulSet ns/c has halted',
    'healthy: StatefulSet ns/c got through 2 iterations',
  ]);
  expect(await looks(signal, { 'thanos.compactors': [] }, {})).toEqual([
    'problem: StatefulSet ns/c does not run',
    'unknown: thanos.compactors was not given',
  ]);
});

test('containers have to last, all of them', async () => {
  const row = (container: string, runningAge: number, more: object = {}) => ({
    workload: { key: 'Deployment ns/a' },
    pod: { name: 'a-1' },
    kind: 'main',
    container,
    ready: true,
    runningAge,
    ...more,
  });
  const given = (...rows: readonly object[]) => ({ 'kubernetes.containers': rows });
  const signal: Signal = { is: 'runs-for', workloads: ['Deployment ns/a'], container: '', seconds: 60 };
  expect(
    await looks(
      signal,
      given(),
      given(row('x', 90), row('y', 30)),
      given(row('x', 90), row('y', 90, { ready: false })),
      given(row('x', 90), row('y', 3, { podDeleting: true }), row('init', -1, { kind: 'init', ready: false })),
    ),
  ).toEqual([
    'problem: Deployment ns/a has no pod',
    'problem: y of a-1 has run for 30 s of 60 s',
    'problem: y of a-1 is not ready',
    'healthy: everything of Deployment ns/a has run for 60 s',
  ]);
  expect(await looks({ ...signal, container: 'x' }, given(row('x', 90), row('y', 3)))).toEqual([
    'healthy: x of Deployment ns/a has run for 60 s',
  ]);
});

test('the operator has to have seen the newest resource, and brought it about', async () => {
  const row = (more: object) => ({
    'prometheus-operator.prometheuses': [
      {
        key: 'Prometheus ns/p',
        statusPaused: false,
        generation: 3,
        observedGeneration: 3,
        reconciled: 'True',
        ...more,
      },
    ],
  });
  expect(
    await looks(
      { is: 'prometheus-reconciled', prometheus: 'Prometheus ns/p' },
      row({ statusPaused: true }),
      row({ observedGeneration: 2 }),
      row({ reconciled: 'False', reconciledMessage: 'no' }),
      row({}),
    ),
  ).toEqual([
    'problem: the operator still takes Prometheus ns/p for paused',
    'problem: the operator has not seen the newest Prometheus ns/p',
    'problem: Prometheus ns/p is not reconciled: no',
    'healthy: the operator has reconciled Prometheus ns/p',
  ]);
});

test('every replica of a Prometheus has to be ready, and to run with the flag', async () => {
  const replica = (name: string, ready: boolean) => ({ prometheus: { key: 'Prometheus ns/p' }, pod: { name }, ready });
  expect(
    await looks(
      { is: 'prometheus-ready', prometheus: 'Prometheus ns/p' },
      { 'prometheus.replicas': [replica('p-0', true), replica('p-1', false)] },
      { 'prometheus.replicas': [replica('p-0', true), replica('p-1', true)] },
      { 'prometheus.replicas': [] },
    ),
  ).toEqual([
    'problem: p-1 is not ready',
    'healthy: every replica of Prometheus ns/p is ready',
    'problem: Prometheus ns/p has no pod',
  ]);
  const flags = (minBlock: number, maxBlock: number) => ({
    'prometheus.flags': [
      { prometheus: { key: 'Prometheus ns/p' }, pod: { name: 'p-0' }, minBlock, maxBlock, retention: 7200 },
    ],
  });
  const durations: Signal = {
    is: 'prometheus-flag',
    prometheus: 'Prometheus ns/p',
    flag: 'blockDurations',
    seconds: 7200,
  };
  expect(await looks(durations, flags(7200, 86_400), flags(7200, 7200))).toEqual([
    'problem: p-0 runs with 7200 and 86400 s, not with 7200 s',
    'healthy: every replica of Prometheus ns/p runs with it',
  ]);
  expect((await looks({ ...durations, flag: 'retention' }, flags(1, 1)))[0]).toMatch(/^healthy/);
});

test('an alert counts when it is loaded from this object, as it was written, and evaluated', async () => {
  const loaded = (more: object) => ({
    'prometheus.rules': [
      {
        running: true,
        rules: [
          { name: 'A', file: '/etc/rules/ns-alerts-1b4e28ba.yaml', expr: 'x  > 0', health: 'ok', error: '', ...more },
        ],
      },
    ],
  });
  const signal: Signal = { is: 'alerts-loaded', rule: RULE, alerts: [{ alert: 'A', expr: 'x > 0' }] };
  expect(
    await looks(
      signal,
      loaded({ file: '/etc/rules/ns-others-1.yaml' }),
      loaded({ expr: 'y > 0' }),
      loaded({ health: 'unknown' }),
      loaded({ health: 'err', error: 'many-to-many' }),
      loaded({}),
    ),
  ).toEqual([
    'problem: A is not loaded yet',
    'problem: A is not loaded yet',
    'problem: A was not evaluated yet',
    'problem: A: many-to-many',
    'healthy: 1 alerts of PrometheusRule ns/alerts are evaluated',
  ]);
});

test('targets of the endpoint are there, and up', async () => {
  const target = (pool: string, health: string) => ({
    monitor: { key: 'ServiceMonitor ns/m' },
    pod: { key: 'Pod ns/a' },
    pool,
    health,
    address: 'a:1',
    error: 'refused',
  });
  const seen = (...targets: readonly object[]) => ({ 'prometheus.targets': [{ running: true, targets }] });
  const signal: Signal = { is: 'targets-up', monitor: 'ServiceMonitor ns/m', endpoint: 1 };
  const given = [
    seen(target('m/0', 'up')),
    seen(target('m/1', 'down')),
    seen(target('m/0', 'down'), target('m/1', 'up')),
  ];
  expect(await looks(signal, ...given)).toEqual([
    'problem: ServiceMonitor ns/m has no target yet',
    'problem: a:1 is down: refused',
    'healthy: 1 targets of ServiceMonitor ns/m are up',
  ]);
  expect(await looks({ ...signal, endpoint: -1 }, given[2]!)).toEqual(['problem: a:1 is down: refused']);
  expect(await looks({ is: 'pods-scraped', pods: ['Pod ns/a'] }, given[1]!, given[0]!, seen())).toEqual([
    'problem: a:1 is down: refused',
    'healthy: 1 targets are up',
    'problem: the pods are no targets any more',
  ]);
});

test('an address is announced by a node that holds its lease', async () => {
  const service = (more: object) => ({
    'cilium.load-balancers': [
      {
        service: { key: 'Service ns/s' },
        ips: ['10.0.0.1'],
        l2: { needed: true, policies: ['p'], why: '', holder: 'n', ...more },
      },
    ],
  });
  expect(
    await looks(
      { is: 'address-announced', policy: 'p' },
      service({ policies: ['q'] }),
      service({ holder: '', why: 'lease-absent' }),
      service({}),
    ),
  ).toEqual([
    'problem: no address is announced by policy p yet',
    'problem: nobody announces the address of Service ns/s yet',
    'healthy: n announces 10.0.0.1',
  ]);
});

test('all signals have to be seen', async () => {
  const ready: Signal = { is: 'prometheus-ready', prometheus: 'Prometheus ns/p' };
  const given = {
    'prometheus.replicas': [{ prometheus: { key: 'Prometheus ns/p' }, pod: { name: 'p-0' }, ready: true }],
  };
  const compactor: Signal = { is: 'compactor-goes-on', workload: 'x', iterations: 1 };
  expect(await lookForSignals([], storeOf({}), new Map())).toEqual({ is: 'healthy', detail: '' });
  expect((await lookForSignals([ready, compactor], storeOf(given), new Map())).is).toBe('unknown');
});
