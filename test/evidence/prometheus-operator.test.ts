import { describe, expect, it } from 'vitest';
import { collector as agentsCollector } from '../../src/evidence/collectors/prometheus-operator.agents.ts';
import { collector as configsCollector } from '../../src/evidence/collectors/prometheus-operator.alertmanager-configs.ts';
import { collector as alertmanagersCollector } from '../../src/evidence/collectors/prometheus-operator.alertmanagers.ts';
import { collector as monitorsCollector } from '../../src/evidence/collectors/prometheus-operator.monitors.ts';
import { collector as prometheusesCollector } from '../../src/evidence/collectors/prometheus-operator.prometheuses.ts';
import { collector as rulesCollector } from '../../src/evidence/collectors/prometheus-operator.rules.ts';
import { collector as rulersCollector } from '../../src/evidence/collectors/prometheus-operator.thanos-rulers.ts';
import { fatalError } from '../../src/evidence/components/fatal-errors.ts';
import { meets, prometheusSize } from '../../src/evidence/components/operator.ts';
import { endpointIndex, isControlPlane, monitorOfPool } from '../../src/evidence/components/pools.ts';
import { matchesWhole, portFault } from '../../src/evidence/components/ports.ts';
import { collector as instancesCollector } from '../../src/evidence/derived/prometheus.instances.ts';
import { collector as replicasCollector } from '../../src/evidence/derived/prometheus.replicas.ts';
import { collector as operatorsCollector } from '../../src/evidence/derived/prometheus-operator.operators.ts';
import { collector as selectionCollector } from '../../src/evidence/derived/prometheus-operator.selection.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { ref } from '../../src/evidence/objects.ts';
import { collect } from './fake-source.ts';
import { clusterOf, prometheus, prometheusPod, prometheusSet, reconciled } from './prometheus-objects.ts';
import { crashed, metadata, pod, waiting, workload } from './raw-objects.ts';

const GROUP = 'monitoring.coreos.com';
const FORBIDDEN = { reason: 'forbidden' as const };

describe('custom resources of the operator', () => {
  it('fills in the operator’s own defaults', async () => {
    const [row] = await collect(prometheusesCollector, clusterOf());
    expect(row).toMatchObject({
      replicas: 1,
      shards: 1,
      retention: '24h',
      retentionSeconds: 86400,
      replicaLabel: 'prometheus_replica',
      startupBudget: 900,
      portName: 'web',
      reconciled: 'True',
      observedGeneration: 1,
      unmanaged: [],
    });
    expect(row!.statefulSets.map(set => set.key)).toEqual(['StatefulSet m/prometheus-p']);
    expect(row!.selectors.podMonitor.nil).toBe(true);
  });

  it('keeps a label that was cleared apart from one that was left out', async () => {
    const spec = {
      replicaExternalLabelName: '',
      retentionSize: '10GB',
      shards: 2,
      thanos: { objectStorageConfig: { name: 's3', key: 'k' } },
    };
    const objects = { [`${GROUP}/prometheuses`]: [prometheus('p', spec, {})] };
    const [row] = await collect(prometheusesCollector, clusterOf(objects));
    expect(row).toMatchObject({
      replicaLabel: '',
      replicaLabelCleared: true,
      retention: '',
      retentionSize: 10737418240,
    });
    expect(row).toMatchObject({
      observedGeneration: -1,
      thanos: { set: true, blockDuration: '2h', objstore: { secret: 's3' } },
    });
    expect(row!.statefulSets.map(set => set.name)).toEqual(['prometheus-p', 'prometheus-p-shard-1']);
  });

  it('a kind that is not served is a known empty list, and a refusal is a gap', async () => {
    const none = { [`${GROUP}/prometheuses`]: null, [`${GROUP}/servicemonitors`]: FORBIDDEN };
    expect(await collect(prometheusesCollector, clusterOf(none))).toEqual([]);
    expect(await collect(agentsCollector, clusterOf())).toEqual([]);
    const monitors = await collect(monitorsCollector, clusterOf(none));
    expect(monitors.map(gapOf)).toMatchObject([{ reason: 'forbidden' }]);
  });

  it('reads Alertmanagers, rulers, configurations and rules', async () => {
    const objects = {
      [`${GROUP}/alertmanagers`]: [{ metadata: metadata('am'), spec: { replicas: 2 }, status: reconciled() }],
      [`${GROUP}/thanosrulers`]: [
        { metadata: metadata('r'), spec: { queryEndpoints: ['dns+q:9090'], labels: { a: 'b' } } },
      ],
      [`${GROUP}/alertmanagerconfigs`]: [
        {
          metadata: metadata('c'),
          spec: {
            receivers: [{ name: 'x', slackConfigs: [{ apiURL: { name: 's' } }], webhookConfigs: [] }],
            route: { receiver: 'x', matchers: [{ name: 'team', value: 'a' }] },
          },
        },
      ],
      [`${GROUP}/prometheusrules`]: [
        {
          metadata: metadata('rules'),
          spec: {
            groups: [
              {
                name: 'g',
                interval: '1m',
                rules: [
                  { alert: 'A', expr: 1, for: '5m' },
                  { record: 'r', expr: 'b' },
                ],
              },
            ],
          },
          status: { bindings: [{ conditions: [{ type: 'Accepted', status: 'False', message: 'bad' }] }] },
        },
      ],
    };
    const cluster = clusterOf(objects);
    expect((await collect(alertmanagersCollector, cluster))[0]).toMatchObject({
      configSecret: 'alertmanager-am',
      statefulSet: { key: 'StatefulSet m/alertmanager-am' },
    });
    expect((await collect(rulersCollector, cluster))[0]).toMatchObject({
      queryEndpoints: ['dns+q:9090'],
      retention: '24h',
    });
    expect((await collect(configsCollector, cluster))[0]).toMatchObject({
      receivers: [{ name: 'x', kinds: ['slack'] }],
      matchers: ['team=a'],
    });
    expect((await collect(rulesCollector, cluster))[0]).toMatchObject({
      rejected: true,
      rejectedWhy: 'bad',
      groups: [{ interval: 60, alerts: [{ name: 'A', expr: '1', for: 300 }], records: [{ name: 'r', expr: 'b' }] }],
    });
  });
});

function monitor(name: string, spec: object, labels = { release: 'x' }) {
  return { metadata: metadata(name, { labels }), spec };
}

function service(name: string, labels: object, ports: readonly object[], selector?: object) {
  return {
    metadata: { ...metadata(name), labels },
    spec: { type: 'ClusterIP', ports, ...(selector ? { selector } : {}) },
  };
}

const WEB = monitor('web', { selector: { matchLabels: { app: 'web' } }, endpoints: [{ port: 'http' }] });

describe('prometheus-operator.selection', () => {
  const select = async (objects: object) => collect(selectionCollector, clusterOf(objects as never));

  it('names the one requirement that keeps a monitor from being taken', async () => {
    const bare = monitor('bare', { selector: {}, endpoints: [{ port: 'http' }] }, { release: 'y' });
    const [row] = await select({ [`${GROUP}/servicemonitors`]: [bare] });
    expect(row).toMatchObject({
      selected: false,
      takers: 1,
      missing: 'label',
      missingWhy: 'label release is "y", wanted "x"',
      wantedLabels: { release: 'x' },
      jobNames: ['serviceMonitor/m/bare/0'],
    });
  });

  it('an absent selector selects nothing, an empty one everything, an absent one of namespaces its own', async () => {
    const nil = prometheus('p', { serviceMonitorSelector: undefined });
    const all = prometheus('q', { serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: undefined });
    const elsewhere = { metadata: { ...metadata('far', { namespace: 'other' }) }, spec: { selector: {} } };
    const rows = await select({
      [`${GROUP}/prometheuses`]: [nil, all],
      [`${GROUP}/servicemonitors`]: [WEB, elsewhere],
      namespaces: [{ metadata: metadata('m', { namespace: '' }) }, { metadata: metadata('other', { namespace: '' }) }],
    });
    expect(rows.map(row => row.selectedBy.map(taker => taker.name))).toEqual([['q'], []]);
    expect(rows[1]!.missingWhy).toBe('it looks in namespace m only');
  });

  it('does not know who takes it where resources could not be read, unless one is known to', async () => {
    const partly = { [`${GROUP}/prometheuses`]: [prometheus('p')], [`${GROUP}/prometheusagents`]: FORBIDDEN };
    const bare = monitor('bare', { selector: {} }, { release: 'y' });
    const [web, other] = await select({ ...partly, [`${GROUP}/servicemonitors`]: [WEB, bare] });
    expect(web!.selected).toBe(true);
    expect(() => other!.selected).toThrow(/forbidden/);
  });

  it('compares selectors with labels of Services, and ports with their names', async () => {
    const services = [
      service('web', { app: 'web' }, [{ name: 'web', port: 80 }], { run: 'web' }),
      service('near', { tier: 'web' }, []),
    ];
    const pods = [prometheusPod('p', 0), pod('web-0', { labels: { run: 'web', app: 'web' } })];
    const none = monitor('none', {
      selector: { matchLabels: { tier: 'web', app: 'web' } },
      endpoints: [{ port: 'http' }],
    });
    const [web, nothing] = await select({ services, pods, [`${GROUP}/servicemonitors`]: [WEB, none] });
    expect(web!.matchedServices.map(one => one.key)).toEqual(['Service m/web']);
    expect(web).toMatchObject({ portOk: false, portWhy: 'no-such-port-name', endpoints: [{ likely: 'web' }] });
    expect(nothing).toMatchObject({ matchedServices: [], nearestServiceLacks: 'tier=web', podsInstead: 0 });
  });

  it('takes PodMonitors by container ports, and sees a workload that was scaled to nothing', async () => {
    const podMonitor = monitor('pm', {
      selector: { matchLabels: { app: 'off' } },
      podMetricsEndpoints: [{ port: 'web' }],
    });
    const off = workload('off', {
      spec: { replicas: 0, template: { metadata: { labels: { app: 'off' } }, spec: { containers: [] } } },
    });
    const [row] = await select({ [`${GROUP}/podmonitors`]: [podMonitor], 'apps/deployments': [off] });
    expect(row).toMatchObject({ kind: 'PodMonitor', matchedPods: [], scaledToZero: true, missing: 'nil' });
  });

  it('does not know what a monitor finds where Services could not be read', async () => {
    const [row] = await select({ services: FORBIDDEN, [`${GROUP}/servicemonitors`]: [WEB] });
    expect(row!.selected).toBe(true);
    expect(() => row!.matchedServices).toThrow(/forbidden/);
  });
});

describe('prometheus.instances and prometheus.replicas', () => {
  it('counts the container prometheus, not the pod', async () => {
    const besideSidecar = prometheusPod('p', 0, { ready: false, sidecar: true });
    const [row] = await collect(instancesCollector, clusterOf({ pods: [besideSidecar] }));
    expect(row).toMatchObject({ managed: true, desired: 1, existing: 1, ready: 1, downFor: 0 });
  });

  it('says since when nothing is ready, and what the pods hang on', async () => {
    const pods = [prometheusPod('p', 0, { ready: false, status: crashed({ exitCode: 1 }) })];
    const [row] = await collect(instancesCollector, clusterOf({ pods }));
    expect(row).toMatchObject({
      ready: 0,
      downFor: 500,
      unreadyClaims: ['PersistentVolumeClaim m/db-0'],
      pods: [{ reason: 'CrashLoopBackOff', exitCode: 1 }],
    });
  });

  it('finds a Prometheus without an operator by what it runs', async () => {
    const lone = pod('prom-0', {
      owner: { kind: 'StatefulSet', name: 'prom' },
      containers: [
        {
          name: 'p',
          image: 'example/prometheus:v3.6.0',
          args: ['--storage.tsdb.path=/data'],
          status: waiting('ImagePullBackOff'),
        },
      ],
    });
    const objects = { pods: [lone], 'apps/statefulsets': [workload('prom')], [`${GROUP}/prometheuses`]: null };
    const rows = await collect(instancesCollector, clusterOf(objects));
    expect(rows.map(row => [row.object.key, row.managed, row.desired, row.ready])).toEqual([
      ['StatefulSet m/prom', false, 1, 0],
    ]);
  });

  it('a resource whose StatefulSet does not exist is down as long as it has existed', async () => {
    const [row] = await collect(instancesCollector, clusterOf({ pods: [], 'apps/statefulsets': [] }));
    expect(row).toMatchObject({ workloadExists: false, existing: 0, downFor: 3600 });
  });

  it('takes limits, volume, retention and the last words of a replica together', async () => {
    const status = crashed({ exitCode: 1 });
    status.lastState.terminated.message =
      'x\nmsg="Fatal error" err="opening storage failed: read TOC: invalid checksum"\n';
    const pods = [prometheusPod('p', 0, { status, sidecar: true, args: ['--storage.tsdb.retention.time=6h'] })];
    const claims = [{ metadata: metadata('db-0'), status: { phase: 'Bound', capacity: { storage: '10Gi' } } }];
    const [row] = await collect(replicasCollector, clusterOf({ pods, persistentvolumeclaims: claims }));
    expect(row).toMatchObject({
      memoryLimit: 1073741824,
      claimCapacity: 10737418240,
      retention: 21600,
      minBlock: 7200,
      uploading: true,
      sidecar: 'thanos-sidecar',
      fatal: 'read TOC: invalid checksum',
      fatalKind: 'block',
      startupBudget: 900,
    });
    const unread = await collect(replicasCollector, clusterOf({ pods, persistentvolumeclaims: FORBIDDEN }));
    expect(() => unread[0]!.claimCapacity).toThrow(/forbidden/);
  });

  it('keeps 15 days where nothing is said', async () => {
    const [row] = await collect(replicasCollector, clusterOf({ 'apps/statefulsets': [prometheusSet('p')] }));
    expect(row!.retention).toBe(15 * 86400);
  });
});

describe('prometheus-operator.operators', () => {
  it('finds the operator by its arguments, with the resources that it looks after', async () => {
    const operator = pod('op-1', {
      owner: { kind: 'ReplicaSet', name: 'op-1' },
      labels: { 'pod-template-hash': '1' },
      containers: [
        {
          name: 'x',
          image: 'registry/some-name:1',
          args: ['--prometheus-config-reloader=y'],
          status: waiting('CrashLoopBackOff'),
        },
      ],
      ready: false,
    });
    const lagging = prometheus('p', {}, reconciled({ observedGeneration: 0 }));
    const objects = { pods: [prometheusPod('p', 0), operator], [`${GROUP}/prometheuses`]: [lagging] };
    const [row] = await collect(operatorsCollector, clusterOf(objects));
    expect(row).toMatchObject({ kind: 'Deployment', name: 'op', ready: 0 });
    expect(row!.resources.map(one => one.key)).toEqual(['Prometheus m/p']);
    expect(row!.unobserved.map(one => one.key)).toEqual(['Prometheus m/p']);
  });

  it('says that there is none where a resource waits for one, and only where that is known', async () => {
    const lagging = prometheus('p', {}, reconciled({ observedGeneration: 0 }));
    const objects = { pods: [prometheusPod('p', 0)], [`${GROUP}/prometheuses`]: [lagging] };
    const [row] = await collect(operatorsCollector, clusterOf(objects));
    expect(row).toMatchObject({ absent: true, kind: 'Cluster', name: 'a', unobserved: [{ key: 'Prometheus m/p' }] });
    const looked = { ...objects, [`${GROUP}/prometheuses`]: [prometheus('p')] };
    expect(await collect(operatorsCollector, clusterOf(looked))).toEqual([]);
    const [hidden] = await collect(operatorsCollector, { ...clusterOf(objects), unread: { pods: ['elsewhere'] } });
    expect(gapOf(hidden)).toMatchObject({ reason: 'forbidden' });
  });
});

describe('small pieces', () => {
  it('selectors', () => {
    const labels = { a: 'x' };
    expect(meets(labels, { key: 'a', operator: 'In', values: ['x', 'y'] })).toBe(true);
    expect(meets(labels, { key: 'b', operator: 'NotIn', values: ['x'] })).toBe(true);
    expect(meets(labels, { key: 'b', operator: 'DoesNotExist', values: [] })).toBe(true);
    expect(meets(labels, { key: 'b', operator: 'Exists', values: [] })).toBe(false);
    expect(meets(labels, { key: 'a', operator: 'Odd', values: [] })).toBe(false);
  });

  it('pools and monitors', () => {
    const prom = ref('Prometheus', 'm', 'p');
    expect(monitorOfPool('probe/m/x', prom).key).toBe('Probe m/x');
    expect(monitorOfPool('serviceMonitor/m/x/0/y', prom).key).toBe('ScrapePool m/serviceMonitor/m/x/0/y');
    expect([endpointIndex('podMonitor/m/x/3'), endpointIndex('probe/m/x')]).toEqual([3, -1]);
    expect([
      isControlPlane('kps-kube-etcd'),
      isControlPlane('x', { app: 'a-kube-proxy' }),
      isControlPlane('etcd'),
    ]).toEqual([true, true, false]);
  });

  it.each([
    [{ port: 'http.*', targetPort: '' }, ''],
    [{ port: '9090', targetPort: '' }, 'number-instead-of-name'],
    [{ port: 'HTTP-web', targetPort: '' }, 'other-case'],
    [{ port: 'metrics', targetPort: '' }, 'container-port-name'],
    [{ port: 'nope', targetPort: '' }, 'no-such-port-name'],
    [{ port: '', targetPort: '8080' }, ''],
    [{ port: '', targetPort: '8081' }, 'no-such-target-port'],
    [{ port: '', targetPort: '' }, ''],
  ])('port %j: %s', (question, fault) => {
    expect(portFault(question, { names: ['http-web'], containerPorts: ['metrics', '8080'] })).toBe(fault);
  });

  it('an unnamed port matches no name', () => {
    expect(portFault({ port: 'http', targetPort: '' }, { names: [''], containerPorts: [] })).toBe('unnamed-port');
  });

  it('patterns match as a whole, and costly ones are no proof', () => {
    expect([
      matchesWhole('a|b', 'b'),
      matchesWhole('a.', 'abc'),
      matchesWhole('(a+)+', 'x'),
      matchesWhole('[', 'x'),
    ]).toEqual([true, false, true, true]);
  });

  it.each([
    ['opening storage failed: lock DB directory: resource temporarily unavailable', 'locked'],
    ['opening storage failed: get segment range: segments are not sequential', 'wal'],
    ['opening storage failed: repair corrupted WAL: invalid checksum', 'wal'],
    ['opening storage failed: found unsequential head chunk files', 'head-chunks'],
    ['opening storage failed: mmap, size 0: invalid argument', 'block'],
    ['opening storage failed: open /prometheus/01M/chunks: no such file or directory', 'block'],
    ['opening storage failed: write /prometheus/x: no space left on device', 'disk-full'],
    ['opening storage failed: something new', 'other'],
    ['Error loading config (--config.file=/x)" err="field x not found"', 'config'],
    ['Server is ready to receive web requests.', ''],
  ])('%s is %s', (message, kind) => {
    expect(fatalError(`first line\n${message}\n`).fatalKind).toBe(kind);
  });

  it('sizes as Prometheus writes them are powers of 1024', () => {
    expect([prometheusSize('10GB'), prometheusSize('512MiB'), prometheusSize('0B'), prometheusSize('x')]).toEqual([
      10737418240, 536870912, 0, 0,
    ]);
  });
});
