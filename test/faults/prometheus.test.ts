import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { diagnosed, type Expected, expectRoots, type Fault, type World } from './recorded-world.ts';
import { crashes, eachAnswer, edgeLost, storeApiFails } from './workloads.ts';

const CR = 'monitoring/kube-prometheus-stack-prometheus';
const POD = 'monitoring/prometheus-kube-prometheus-stack-prometheus-0';
const EDGE_ADDRESS = '192.168.101.211:10901';
const PLACES = [
  { place: 'hub', cluster: 'cluster-01' },
  { place: 'edge', cluster: 'cluster-02' },
] as const;

/** The same fault in one cluster; of the edge, the hub sees what `seen` says. */
const inCluster = (cluster: string, change: (world: World) => void, seen?: (hub: World) => void): Fault => ({
  [cluster]: change,
  ...(cluster === 'cluster-02' && seen ? { 'cluster-01': seen } : {}),
});

const ONE = (rule: string, cluster: string, subject: string): Expected['roots'] => [{ rule, cluster, subject }];

const START = [
  'time=$NOW level=INFO source=main.go:1289 msg="Starting TSDB ..."',
  'time=$NOW level=INFO source=tls_config.go:386 msg="TLS is disabled." component=web http2=false address=[::]:9090',
];
const fatal = (cause: string) =>
  `time=2026-11-23T17:42:46.108Z level=ERROR source=main.go:1432 msg="Fatal error" err="opening storage failed: ${cause}"`;

const ends = (cluster: string, lines: readonly string[], exitCode = 1): Fault =>
  inCluster(
    cluster,
    world => {
      crashes(world, { pod: POD, container: 'prometheus', lines: [...START, ...lines], exitCode, ports: [9090] });
    },
    hub => edgeLost(hub, EDGE_ADDRESS),
  );

describe.each(PLACES)('Prometheus that does not start, in the $place', ({ place, cluster }) => {
  const symptoms =
    place === 'hub'
      ? ['pod-crash-loops']
      : ['pod-crash-loops', 'prometheus-down', 'query-endpoint-down', 'edge-unreachable'];

  test.each([
    'read TOC: read TOC: invalid checksum',
    'mmap, size 0: invalid argument',
    'invalid magic number 58585858',
    'open /prometheus/01M847WWR5YQW7YN2S5H582MVA/chunks: no such file or directory',
    'reloadBlocks: corrupted block 01M847WWR5YQW7YN2S5H582MVA: invalid magic number 0',
  ])('a block is corrupt: %s', async cause => {
    const report = await diagnosed('healthy-fleet', ends(cluster, [fatal(cause)]));
    expectRoots(report, { roots: ONE('prometheus-tsdb-corrupt', cluster, `Prometheus ${CR}`), symptoms });
  });

  test.each([
    'get segment range: segments are not sequential',
    'repair corrupted WAL: cannot handle error: open WAL segment: 12: open /prometheus/wal/00000012: input/output error',
  ])('the WAL is corrupt: %s', async cause => {
    const report = await diagnosed('healthy-fleet', ends(cluster, [fatal(cause)]));
    expectRoots(report, { roots: ONE('prometheus-wal-corrupt', cluster, `Prometheus ${CR}`), symptoms });
  });

  test('its configuration is refused at the start', async () => {
    const line =
      'time=2026-11-23T17:42:46.108Z level=ERROR source=main.go:650 msg="Error loading config (--config.file=/etc/prometheus/config_out/prometheus.env.yaml)" file=/etc/prometheus/config_out/prometheus.env.yaml err="parsing YAML file /etc/prometheus/config_out/prometheus.env.yaml: yaml: unmarshal errors:\\n  line 12: field foo not found in type config.ScrapeConfig"';
    const report = await diagnosed('healthy-fleet', ends(cluster, [line], 2));
    expectRoots(report, { roots: ONE('prometheus-config-invalid', cluster, `Prometheus ${CR}`), symptoms });
  });
});

function rejectsReload(world: World): void {
  eachAnswer(world, '/api/v1/status/runtimeinfo', document => {
    document.data.reloadConfigSuccess = false;
  });
  world.replace(
    /^http\/.*9090\/metrics\.txt$/,
    'prometheus_config_last_reload_successful 1',
    'prometheus_config_last_reload_successful 0',
  );
  world.replace(
    /^http\/.*8080\/metrics\.txt$/,
    'reloader_last_reload_successful 1',
    'reloader_last_reload_successful 0',
  );
  for (const path of world.paths()) {
    const pod = /^logs\/(monitoring\/prometheus-[^/]+)\/prometheus\.log$/.exec(path)?.[1];
    if (!pod) continue;
    const refusal =
      'time=$NOW level=ERROR source=main.go:1237 msg="Error reloading config" err="couldn\'t load configuration (--config.file=\\"/etc/prometheus/config_out/prometheus.env.yaml\\"): parsing YAML file /etc/prometheus/config_out/prometheus.env.yaml: invalid rule_files"';
    const told =
      'level=error ts=$NOW caller=runutil.go:117 msg="function failed. Retrying in next tick" err="trigger reload: received non-200 response: 500 Internal Server Error; have you set `--web.enable-lifecycle` Prometheus flag?"';
    const times = [65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5];
    world.log(
      pod,
      'prometheus',
      times.map(ago => [ago, refusal] as const),
    );
    world.log(
      pod,
      'config-reloader',
      times.map(ago => [ago, told] as const),
    );
  }
}

describe.each(PLACES)('Prometheus and its operator, in the $place', ({ place, cluster }) => {
  test('a configuration is refused while Prometheus runs', async () => {
    const report = await diagnosed('healthy-fleet', inCluster(cluster, rejectsReload));
    expectRoots(report, { roots: ONE('prometheus-config-invalid', cluster, `Prometheus ${CR}`) });
  });

  test('a checkpoint of the WAL fails again and again', async () => {
    const line =
      'time=$NOW level=ERROR source=db.go:1119 msg="compaction failed" component=tsdb err="WAL truncation in Compact: create checkpoint: read segments: corruption in segment /prometheus/wal/00000010 at 1000: unexpected checksum"';
    const change = (world: World) =>
      world.log(
        POD,
        'prometheus',
        [130, 70, 10].map(ago => [ago, line] as const),
      );
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    expectRoots(report, { roots: ONE('prometheus-wal-corrupt', cluster, `Prometheus ${CR}`) });
  });

  test('the resource is paused', async () => {
    const change = (world: World) =>
      world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
        object.spec.paused = true;
        object.status.paused = true;
        object.metadata.generation += 1;
      });
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    expectRoots(report, { roots: ONE('prometheus-paused', cluster, `Prometheus ${CR}`) });
  });

  test('the resource is paused, and a new monitor waits for it', async () => {
    const change = (world: World) => {
      world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
        object.spec.paused = true;
        object.status.paused = true;
      });
      world.list('monitoring.coreos.com/v1/servicemonitors', items => {
        const copy = structuredClone(items.find(item => item.metadata.name.endsWith('-operator'))!);
        copy.metadata.name = 'new-monitor';
        copy.metadata.uid = '11111111-0000-4000-8000-000000000000';
        copy.metadata.creationTimestamp = new Date(world.now - 320_000).toISOString();
        items.push(copy);
      });
    };
    const base = 'alike-labels-of-two';
    const report = await diagnosed(base, { [cluster]: change });
    expectRoots(report, {
      roots: [
        { rule: 'prometheus-paused', cluster, subject: `Prometheus ${CR}` },
        { rule: 'external-labels-duplicated', cluster: 'fleet' },
      ],
    });
  });

  test('the operator refuses the resource', async () => {
    const change = (world: World) => {
      const message =
        'creating config failed: generating config failed: generate additional scrape configs: unmarshalling additional scrape configs failed: yaml: line 2: mapping values are not allowed in this context';
      world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
        const condition = object.status.conditions.find((one: RawObject) => one.type === 'Reconciled');
        Object.assign(condition, { status: 'False', reason: 'ReconciliationFailed', message });
      });
      const path = world.paths().find(one => /^logs\/monitoring\/[^/]*operator[^/]*\//.test(one))!;
      const [, namespace, pod, file] = path.split('/') as [string, string, string, string];
      const line = `ts=$NOW level=error caller=/workspace/pkg/operator/resource_reconciler.go:680 msg="Unhandled Error" logger=UnhandledError err="sync \\"${CR}\\" failed: ${message}"`;
      world.log(
        `${namespace}/${pod}`,
        file.replace('.log', ''),
        [60, 30, 5].map(ago => [ago, line] as const),
      );
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    expectRoots(report, { roots: ONE('prometheus-not-reconciled', cluster, `Prometheus ${CR}`) });
  });

  test('a monitor names a port that its Service has not', async () => {
    const change = (world: World) => {
      world.edit('monitoring.coreos.com/v1/servicemonitors', 'monitoring/kube-prometheus-stack-coredns', object => {
        object.spec.endpoints[0].port = 'metrics';
      });
      noTargets(world, '-coredns/');
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'ServiceMonitor monitoring/kube-prometheus-stack-coredns';
    expectRoots(report, { roots: ONE('monitor-port-name-mismatch', cluster, subject) });
  });

  test('a monitor matches no Service', async () => {
    const change = (world: World) => {
      world.edit('monitoring.coreos.com/v1/servicemonitors', 'monitoring/kube-prometheus-stack-coredns', object => {
        object.spec.selector.matchLabels.app = 'coredns-of-before';
      });
      noTargets(world, '-coredns/');
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'ServiceMonitor monitoring/kube-prometheus-stack-coredns';
    expectRoots(report, { roots: ONE('monitor-matches-no-service', cluster, subject) });
  });

  test('a rule object is not selected', async () => {
    const change = (world: World) => {
      const name = 'monitoring/kube-prometheus-stack-general.rules';
      world.edit('monitoring.coreos.com/v1/prometheusrules', name, object => {
        delete object.metadata.labels.release;
      });
      const { uid } = world.object('monitoring.coreos.com/v1/prometheusrules', name).metadata;
      eachAnswer(world, '/api/v1/rules', document => {
        document.data.groups = document.data.groups.filter((group: RawObject) => !group.file.includes(uid));
      });
      eachAnswer(world, '/api/v1/alerts', document => {
        document.data.alerts = [];
      });
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'PrometheusRule monitoring/kube-prometheus-stack-general.rules';
    expectRoots(report, { roots: ONE('rule-not-selected', cluster, subject) });
  });

  test('the operator is scaled to nothing', async () => {
    const report = await diagnosed('healthy-fleet', inCluster(cluster, operatorGone));
    const subject = 'Deployment monitoring/kube-prometheus-stack-operator';
    expectRoots(report, { roots: ONE('operator-down', cluster, subject) });
  });

  test('the operator ends at every start', async () => {
    const change = (world: World) => {
      const pod = podOf(world, 'kube-prometheus-stack-operator-');
      const line =
        'ts=2026-11-23T17:42:40.1Z level=error caller=/workspace/cmd/operator/main.go:300 msg="failed to request Kubernetes server version" err="dial tcp 10.96.0.1:443: i/o timeout"';
      crashes(world, { pod, container: 'kube-prometheus-stack', lines: [line], ports: [8080] });
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const roots = report.findings.filter(finding => finding.root && finding.severity !== 'info');
    expect(roots.map(root => root.subject.name)).toEqual(['kube-prometheus-stack-operator']);
  });

  test('its sidecar has no object store', async () => {
    const report = await diagnosed('healthy-fleet', inCluster(cluster, withoutObjectStore));
    expectRoots(report, { roots: ONE('sidecar-has-no-object-store', cluster, `Prometheus ${CR}`) });
  });

  test('its blocks are compacted on the spot', async () => {
    const change = (world: World) => blockDurations(world, place);
    const report = await diagnosed(
      'healthy-fleet',
      inCluster(cluster, change, hub => edgeLost(hub, EDGE_ADDRESS)),
    );
    expectRoots(report, {
      roots: ONE('sidecar-block-durations-unequal', cluster, `Prometheus ${CR}`),
      symptoms: ['query-endpoint-down'],
    });
  });

  test('Alertmanager refuses its configuration and runs on', async () => {
    const change = (world: World) => {
      for (const path of world.paths()) {
        const pod = /^logs\/(monitoring\/alertmanager-[^/]+)\/alertmanager\.log$/.exec(path)?.[1];
        if (!pod) continue;
        const line =
          'time=$NOW level=ERROR source=coordinator.go:118 msg="Loading configuration file failed" component=configuration file=/etc/alertmanager/config_out/alertmanager.env.yaml err="undefined receiver \\"slack\\" used in route"';
        world.log(
          pod,
          'alertmanager',
          [65, 35, 5].map(ago => [ago, line] as const),
        );
        const told =
          'level=error ts=$NOW caller=runutil.go:117 msg="function failed. Retrying in next tick" err="trigger reload: received non-200 response: 500 Internal Server Error; have you set `--web.enable-lifecycle` Prometheus flag?"';
        world.log(
          pod,
          'config-reloader',
          [65, 35, 5].map(ago => [ago, told] as const),
        );
      }
      world.replace(
        /^http\/.*9093\/metrics\.txt$/,
        'alertmanager_config_last_reload_successful 1',
        'alertmanager_config_last_reload_successful 0',
      );
      world.replace(
        /^http\/monitoring\/alertmanager.*8080\/metrics\.txt$/,
        'reloader_last_reload_successful 1',
        'reloader_last_reload_successful 0',
      );
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'Alertmanager monitoring/kube-prometheus-stack-alertmanager';
    expectRoots(report, { roots: ONE('alertmanager-config-invalid', cluster, subject) });
  });

  test('Alertmanager refuses its configuration at the start', async () => {
    const change = (world: World) => {
      const line =
        'time=2026-11-23T17:42:40.1Z level=ERROR source=coordinator.go:118 msg="Loading configuration file failed" component=configuration file=/etc/alertmanager/config_out/alertmanager.env.yaml err="undefined receiver \\"slack\\" used in route"';
      for (const pod of podsOf(world, 'alertmanager-')) {
        crashes(world, { pod, container: 'alertmanager', lines: [line], ports: [9093] });
      }
      lostAlertmanagers(world);
    };
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'Alertmanager monitoring/kube-prometheus-stack-alertmanager';
    expectRoots(report, {
      roots: ONE('alertmanager-config-invalid', cluster, subject),
      symptoms: ['alertmanager-down', 'pod-crash-loops'],
    });
  });

  test('the operator refuses the configuration of Alertmanager', async () => {
    const change = (world: World) =>
      world.edit('monitoring.coreos.com/v1/alertmanagers', 'monitoring/kube-prometheus-stack-alertmanager', object => {
        const condition = object.status.conditions.find((one: RawObject) => one.type === 'Reconciled');
        const message =
          'provision alertmanager configuration: failed to initialize from secret: undefined receiver "slack" used in route';
        Object.assign(condition, { status: 'False', reason: 'ReconciliationFailed', message });
      });
    const report = await diagnosed('healthy-fleet', inCluster(cluster, change));
    const subject = 'Alertmanager monitoring/kube-prometheus-stack-alertmanager';
    expectRoots(report, { roots: ONE('alertmanager-config-invalid', cluster, subject) });
  });
});

test('replicas write alike', async () => {
  const change = (world: World) => {
    world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
      object.spec.replicaExternalLabelName = '';
    });
    eachAnswer(world, '/api/v1/status/config', document => {
      document.data.yaml = document.data.yaml
        .replace(/ {4}prometheus_replica: \S+\n/, '')
        .replace(/ {2}alert_relabel_configs:\n(?: {2}- .*\n(?: {4}.*\n)*)/, '');
    });
    const labels = { cluster: 'cluster-01', prometheus: CR, region: 'central' };
    const addresses: string[] = [];
    eachAnswer(world, '/api/v1/stores', document => {
      for (const row of document.data.sidecar) {
        if (row.labelSets[0].cluster !== 'cluster-01') continue;
        row.labelSets = [labels];
        addresses.push(row.name);
      }
    });
    const query = podOf(world, 'thanos-query-');
    const line = `ts=$NOW caller=endpointset.go:373 level=warn component=endpointset msg="found duplicate storeEndpoints producer (sidecar or ruler). This is not advices as it will malform data in in the same bucket" address=${addresses[0]} extLset="{cluster=\\"cluster-01\\", prometheus=\\"${CR}\\", region=\\"central\\"}" duplicates=2`;
    world.log(
      query,
      'thanos-query',
      [20, 15, 10, 5].map(ago => [ago, line] as const),
    );
    world.replace(
      /^logs\/monitoring\/prometheus.*thanos-sidecar\.log$/,
      /, prometheus_replica=\\"[^"]+\\"/g as never,
      '',
    );
  };
  const report = await diagnosed('healthy-fleet', { 'cluster-01': change });
  expectRoots(report, {
    roots: ONE('replica-label-missing', 'cluster-01', `Prometheus ${CR}`),
    symptoms: ['query-sees-duplicate-producers'],
  });
});

function podsOf(world: World, prefix: string): readonly string[] {
  const names: string[] = [];
  world.list('core/v1/pods', pods => {
    for (const { metadata } of pods) {
      if (metadata.name.startsWith(prefix)) names.push(`${metadata.namespace}/${metadata.name}`);
    }
  });
  return names;
}

const podOf = (world: World, prefix: string) => podsOf(world, prefix)[0]!;

function noTargets(world: World, pool: string): void {
  eachAnswer(world, '/api/v1/targets?state=active', document => {
    document.data.activeTargets = document.data.activeTargets.filter(
      (target: RawObject) => !target.scrapePool.includes(pool),
    );
  });
}

function lostAlertmanagers(world: World): void {
  eachAnswer(world, '/api/v1/alertmanagers', document => {
    document.data.activeAlertmanagers = [];
  });
  world.replace(
    /^http\/.*9090\/metrics\.txt$/,
    /prometheus_notifications_alertmanagers_discovered \d+/g as never,
    'prometheus_notifications_alertmanagers_discovered 0',
  );
}

function operatorGone(world: World): void {
  const pod = podOf(world, 'kube-prometheus-stack-operator-');
  const name = pod.split('/')[1]!;
  const address = world.object('core/v1/pods', pod).status.podIP;
  world.edit('apps/v1/deployments', 'monitoring/kube-prometheus-stack-operator', object => {
    object.spec.replicas = 0;
    const { observedGeneration, conditions } = object.status;
    object.status = { observedGeneration, conditions };
  });
  world.list('apps/v1/replicasets', sets => {
    for (const set of sets) {
      if (!name.startsWith(`${set.metadata.name}-`)) continue;
      set.spec.replicas = 0;
      set.status = { replicas: 0, observedGeneration: set.status.observedGeneration };
    }
  });
  world.list('core/v1/pods', pods => pods.filter(one => one.metadata.name !== name));
  world.list('discovery.k8s.io/v1/endpointslices', slices => {
    for (const slice of slices) {
      slice.endpoints = slice.endpoints?.filter((one: RawObject) => one.targetRef?.name !== name);
    }
  });
  for (const path of world.paths()) if (path.startsWith(`logs/${pod}/`)) world.remove(path);
  world.yaml('http/index.yaml', entries => (entries as never as RawObject[]).filter(row => row.name !== name) as never);
  eachAnswer(world, '/api/v1/targets?state=active', document => {
    document.data.activeTargets = document.data.activeTargets.filter(
      (target: RawObject) => !target.scrapeUrl.includes(`//${address}:`),
    );
  });
}

function withoutObjectStore(world: World): void {
  world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
    delete object.spec.thanos.objectStorageConfig;
  });
  const strip = (spec: RawObject) => {
    const [prometheus, sidecar] = ['prometheus', 'thanos-sidecar'].map(name =>
      spec.containers.find((one: RawObject) => one.name === name),
    ) as [RawObject, RawObject];
    prometheus.args = prometheus.args.filter((arg: string) => !arg.includes('block-duration'));
    sidecar.args = sidecar.args.filter((arg: string) => !/objstore|tsdb\.path/.test(arg));
    delete sidecar.env;
  };
  world.edit('apps/v1/statefulsets', 'monitoring/prometheus-kube-prometheus-stack-prometheus', object =>
    strip(object.spec.template.spec),
  );
  for (const pod of podsOf(world, 'prometheus-')) {
    world.edit('core/v1/pods', pod, object => strip(object.spec));
    world.log(pod, 'thanos-sidecar', [
      [
        290,
        'ts=$NOW caller=sidecar.go:140 level=info msg="no supported bucket was configured, uploads will be disabled"',
      ],
    ]);
  }
  world.yaml('stores.yaml', stores => {
    for (const store of stores as never as RawObject[]) {
      store.usedBy = store.usedBy.filter((user: RawObject) => user.container !== 'thanos-sidecar');
      store.namedBy = store.namedBy.filter((user: RawObject) => !user.name.includes('prometheus-stack'));
    }
    return (stores as never as RawObject[]).filter(store => store.usedBy.length > 0) as never;
  });
  if (world.cluster === 'cluster-02') world.yaml('buckets/index.yaml', () => [] as never);
  eachAnswer(world, '/api/v1/status/flags', document => {
    document.data['storage.tsdb.max-block-duration'] = '2h24m';
  });
  world.replace(
    /^http\/monitoring\/prometheus.*10902\/metrics\.txt$/,
    /^thanos_(?:objstore|shipper)_.*\n/gm as never,
    '',
  );
}

function blockDurations(world: World, place: string): void {
  world.edit('monitoring.coreos.com/v1/prometheuses', CR, object => {
    object.spec.additionalArgs = [{ name: 'storage.tsdb.max-block-duration', value: '1d12h' }];
  });
  for (const pod of podsOf(world, 'prometheus-')) {
    world.edit('core/v1/pods', pod, object => {
      const prometheus = object.spec.containers.find((one: RawObject) => one.name === 'prometheus');
      prometheus.args = prometheus.args.map((arg: string) =>
        arg.replace('max-block-duration=2h', 'max-block-duration=1d12h'),
      );
    });
    const line =
      'ts=$NOW caller=sidecar.go:193 level=warn msg="failed to validate prometheus flags. Is Prometheus running? Retrying" err="found that TSDB Max time is 1d12h and Min time is 2h. Compaction needs to be disabled (storage.tsdb.min-block-duration = storage.tsdb.max-block-duration)"';
    world.log(
      pod,
      'thanos-sidecar',
      [95, 65, 35, 5].map(ago => [ago, line] as const),
    );
    const { podIP } = world.object('core/v1/pods', pod).status;
    if (place === 'hub') storeApiFails(world, `${podIP}:10901`, 'connect: connection refused');
    world.httpText(pod.split('/')[1]!, 10902, '/-/ready', () => 'NOT OK\n', 503);
  }
  eachAnswer(world, '/api/v1/status/flags', document => {
    document.data['storage.tsdb.max-block-duration'] = '1d12h';
  });
}
