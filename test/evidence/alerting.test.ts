import { describe, expect, it } from 'vitest';
import { collector as alertsCollector } from '../../src/evidence/collectors/alertmanager.alerts.ts';
import { collector as silencesCollector } from '../../src/evidence/collectors/alertmanager.silences.ts';
import { collector as statusCollector } from '../../src/evidence/collectors/alertmanager.status.ts';
import { collector as healthCollector } from '../../src/evidence/collectors/grafana.health.ts';
import { collector as requestsCollector } from '../../src/evidence/collectors/grafana.requests.ts';
import { collector as amInstancesCollector } from '../../src/evidence/derived/alertmanager.instances.ts';
import { collector as routingCollector } from '../../src/evidence/derived/alertmanager.routing.ts';
import { collector as datasourcesCollector } from '../../src/evidence/derived/grafana.datasources.ts';
import { collector as grafanasCollector } from '../../src/evidence/derived/grafana.instances.ts';
import { collector as expressionsCollector } from '../../src/evidence/derived/prometheus.alert-expressions.ts';
import { collector as duplicatesCollector } from '../../src/evidence/derived/prometheus.duplicate-targets.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { ago, collect } from './fake-source.ts';
import { clusterOf, prometheusPod, success } from './prometheus-objects.ts';
import { metadata, pod, workload } from './raw-objects.ts';

const GROUP = 'monitoring.coreos.com';

const alertmanagerPod = pod('alertmanager-am-0', {
  owner: { kind: 'StatefulSet', name: 'alertmanager-am' },
  containers: [
    { name: 'alertmanager', image: 'quay.io/prometheus/alertmanager:v0.28.1', args: ['--web.route-prefix=/am/'] },
  ],
});
const alerting = {
  pods: [alertmanagerPod],
  'apps/statefulsets': [workload('alertmanager-am', { owner: { kind: 'Alertmanager', name: 'am' } })],
  [`${GROUP}/alertmanagers`]: [{ metadata: metadata('am'), spec: { replicas: 1 } }],
};

describe('alertmanager', () => {
  const original = `route:
  receiver: nobody
  routes:
  - matchers: ['severity="critical"']
    receiver: team
    routes:
    - match: {x: y}
      mute_time_intervals: [night]
receivers:
- name: nobody
- name: team
  slack_configs: [{api_url: <secret>}]
inhibit_rules: [{}]
`;
  const cluster = clusterOf(alerting, {
    '/am/-/ready': 'OK',
    '/am/api/v2/status': {
      cluster: { status: 'ready', peers: [{}, {}] },
      config: { original },
      versionInfo: { version: '0.28.1' },
      uptime: ago(60),
    },
    '/am/api/v2/alerts': [
      {
        labels: { alertname: 'Watchdog' },
        status: { state: 'active', silencedBy: [], inhibitedBy: [] },
        startsAt: ago(90),
        receivers: [{ name: 'nobody' }],
      },
    ],
    '/am/api/v2/silences': [
      {
        id: 's',
        createdBy: 'a',
        startsAt: ago(100),
        endsAt: ago(-3600),
        status: { state: 'active' },
        matchers: [
          { name: 'alertname', value: '.*', isRegex: true, isEqual: true },
          { name: 'x', value: '', isRegex: false, isEqual: false },
        ],
      },
    ],
  });

  it('reads status, the tree of routes, alerts and silences below its prefix', async () => {
    const [status] = await collect(statusCollector, cluster);
    expect(status).toMatchObject({
      ready: true,
      peers: 2,
      peersExpected: 1,
      defaultReceiver: 'nobody',
      routesToNothing: true,
      inhibitions: 1,
    });
    expect(status!.routes.map(route => [route.path, route.receiver, route.depth, route.timed, route.matchers])).toEqual(
      [
        ['', 'nobody', 0, false, []],
        ['0', 'team', 1, false, ['severity="critical"']],
        ['0.0', 'team', 2, true, ['x=y']],
      ],
    );
    expect(JSON.stringify(status)).not.toContain('api_url');
    expect((await collect(alertsCollector, cluster))[0]).toMatchObject({
      watchdog: true,
      alerts: [{ startsAge: 90, receivers: ['nobody'] }],
    });
    expect((await collect(silencesCollector, cluster))[0]).toMatchObject({
      silences: [{ matchers: ['alertname=~".*"', 'x!=""'], endsIn: 3600, matchesEverything: true }],
    });
    expect((await collect(amInstancesCollector, cluster)).map(row => [row.object.key, row.ready])).toEqual([
      ['Alertmanager m/am', 1],
    ]);
  });

  it('a configuration that is none is a gap', async () => {
    const [status] = await collect(
      statusCollector,
      clusterOf(alerting, () => '{"config":{"original":"x"}}'),
    );
    expect(() => status!.routes).toThrow(/not YAML/);
  });
});

const grafanaPod = pod('grafana-1-x', {
  owner: { kind: 'ReplicaSet', name: 'grafana-1' },
  labels: { 'pod-template-hash': '1', app: 'grafana' },
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'grafana' } }],
  containers: [
    {
      name: 'grafana',
      image: 'grafana/grafana:12',
      volumeMounts: [{ name: 'data', mountPath: '/var/lib/grafana' }],
      ports: [{ name: 'grafana', containerPort: 3000 }],
    },
  ],
});
const queryPod = pod('query-1-x', {
  owner: { kind: 'ReplicaSet', name: 'query-1' },
  labels: { 'pod-template-hash': '1', app: 'query' },
  containers: [
    {
      name: 'query',
      image: 'quay.io/thanos/thanos:v0.37.2',
      args: ['query', '--http-address=0.0.0.0:10902'],
      ports: [{ name: 'http', containerPort: 10902 }],
    },
  ],
});
const queryService = {
  metadata: metadata('query'),
  spec: { type: 'ClusterIP', selector: { app: 'query' }, ports: [{ name: 'http', port: 9090, targetPort: 'http' }] },
};
const querySlice = {
  metadata: metadata('query-1', { labels: { 'kubernetes.io/service-name': 'query' } }),
  ports: [{ name: 'http', port: 10902 }],
  endpoints: [
    {
      addresses: ['10.0.0.2'],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: 'm', name: 'query-1-x' },
    },
  ],
};
const provisioned = (yaml: string) => ({
  metadata: metadata('ds', { labels: { grafana_datasource: '1' } }),
  data: { 'd.yaml': yaml },
});
const grafana = (yaml: string) => ({
  pods: [grafanaPod, queryPod],
  'apps/deployments': [workload('grafana', { spec: { strategy: { type: 'Recreate' } } })],
  services: [queryService],
  'discovery.k8s.io/endpointslices': [querySlice],
  persistentvolumeclaims: [{ metadata: metadata('grafana'), spec: { accessModes: ['ReadWriteOnce'] } }],
  configmaps: [provisioned(yaml)],
});

describe('grafana', () => {
  const yaml = `datasources:
- {name: Thanos, uid: t, type: prometheus, url: 'http://query.m.svc:9090', isDefault: true, jsonData: {timeInterval: 30s, httpHeaderName1: secret}}
- {name: Gone, type: prometheus, url: 'http://nowhere:9090'}
- {name: Port, type: prometheus, url: 'http://query:1234'}
- {name: Out, type: prometheus, url: 'https://metrics.example/x'}
- {name: Var, type: prometheus, url: 'http://\${HOST}:9090'}
`;

  it('resolves datasources to Services, and keeps no credential', async () => {
    const rows = await collect(datasourcesCollector, clusterOf(grafana(yaml)));
    expect(rows.map(row => [row.name, row.place, row.serviceExists, row.portExists, row.target])).toEqual([
      ['Thanos', 'cluster', true, true, 'thanos-query'],
      ['Gone', 'cluster', false, false, 'unknown'],
      ['Port', 'cluster', true, false, 'thanos-query'],
      ['Out', 'outside', false, false, 'unknown'],
      ['Var', 'variable', false, false, 'unknown'],
    ]);
    expect(rows[0]).toMatchObject({
      default: true,
      organisation: 1,
      backendsReady: 1,
      params: { timeInterval: '30s' },
    });
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it('does not know what is behind a ConfigMap whose values were not kept', async () => {
    const rows = await collect(datasourcesCollector, clusterOf(grafana('')));
    expect(rows.map(gapOf)).toMatchObject([{ reason: 'not-in-bundle', notLookedAt: true }]);
  });

  it('reads health, also where the database fails, and what it lies on', async () => {
    const failing = clusterOf(grafana(''), () => ({ status: 503, body: '{"database":"failing","version":"12.2.0"}' }));
    expect((await collect(healthCollector, failing))[0]).toMatchObject({
      database: 'failing',
      strategy: 'Recreate',
      volumeAccess: 'ReadWriteOnce',
      claim: { key: 'PersistentVolumeClaim m/grafana' },
    });
    expect((await collect(grafanasCollector, failing)).map(row => row.object.key)).toEqual(['Deployment m/grafana']);
  });

  it('takes the time of requests from its log', async () => {
    const line = (seconds: number, path: string, milliseconds: number, status = 200) =>
      `${ago(seconds)} logger=context level=info msg="Request Completed" method=POST path=${path} status=${status} time_ms=${milliseconds} duration=1s`;
    const logs = [
      line(60, '/api/ds/query', 7000),
      line(50, '/api/ds/query', 90, 504),
      line(9000, '/api/ds/query', 99999),
      line(40, '/login', 9000),
      'x',
    ];
    const [row] = await collect(requestsCollector, { ...clusterOf(grafana('')), logs: () => logs.join('\n') });
    expect(row).toMatchObject({ requests: 2, slow: 7, timedOut: 1 });
    const [unread] = await collect(requestsCollector, clusterOf(grafana('')));
    expect(gapOf(unread)).toMatchObject({ evidence: 'grafana.requests' });
  });
});

describe('prometheus.alert-expressions', () => {
  const uid = '11111111-2222-3333-4444-555555555555';
  const rule = (alerts: Readonly<Record<string, string>>) => ({
    metadata: { ...metadata('r'), uid },
    spec: { groups: [{ name: 'g', rules: Object.entries(alerts).map(([alert, expr]) => ({ alert, expr })) }] },
  });
  const loaded = (names: readonly string[], state = 'inactive') =>
    success({
      groups: [
        {
          name: 'g',
          file: `/r/m-r-${uid}.yaml`,
          interval: 30,
          rules: names.map(name => ({ type: 'alerting', name, query: 'cut off…', health: 'ok', state, labels: {} })),
        },
      ],
    });
  const targets = success({
    activeTargets: [
      {
        labels: { job: 'kps-prometheus' },
        scrapePool: 'x',
        scrapeUrl: 'http://10.0.0.1:9090/metrics',
        health: 'up',
        lastScrape: ago(1),
        scrapeInterval: '30s',
        scrapeTimeout: '10s',
      },
    ],
  });
  const judge = async (alerts: Readonly<Record<string, string>>, names = Object.keys(alerts), state = 'inactive') =>
    collect(
      expressionsCollector,
      clusterOf(
        { [`${GROUP}/prometheusrules`]: [rule(alerts)], pods: [prometheusPod('p', 0, { sidecar: true })] },
        {
          '/api/v1/rules': loaded(names, state),
          '/api/v1/alerts': success({ alerts: [] }),
          '/api/v1/targets?state=active': targets,
        },
      ),
    );

  it.each([
    ['thanos_shipper_last_successful_upload_time > 0', 'shipper-last-upload'],
    ['up == 0 or thanos_shipper_last_successful_upload_time > 0', ''],
    ['absent(thanos_shipper_last_successful_upload_time)', ''],
    ['increase(thanos_compact_iterations_total{result="error"}[1h]) > 0', 'compact-iterations-result'],
    ['thanos_compact_iterations_total{result!="x"} > 0', ''],
    ['thanos_compact_iterations_total > 0', ''],
    ['prometheus_config_last_reload_success == 0', 'config-reload-success'],
    ['thanos_shipper_dir_sync_failures_total > 0', ''],
  ])('%s: %s', async (expr, known) => {
    expect((await judge({ A: expr }))[0]).toMatchObject({ known, loaded: true });
  });

  it('sees a job that no target has, though its component has another', async () => {
    const rows = await judge({
      Wrong: 'up{job="prometheus"} == 0',
      Right: 'up{job=~"kps-.*"} == 0',
      Elsewhere: 'up{job="thanos-query"} == 0',
    });
    expect(rows.map(row => [row.wrongJob, row.otherJobs, row.silentJob])).toEqual([
      ['job="prometheus"', ['kps-prometheus'], 'prometheus'],
      ['', [], ''],
      ['', [], 'thanos-query'],
    ]);
  });

  it('sees an absence that is always true, and an absence that speaks for another alert', async () => {
    const [forever] = await judge({ Gone: 'absent(up{job=~"prometheus|prom"} == 1)' }, ['Gone'], 'firing');
    expect(forever).toMatchObject({ foreverJob: 'job=~"prometheus|prom"', wrongJob: '' });
    const [down] = await judge({ Down: 'up{job="a"} == 0', Gone: 'absent(up{job=~"a|b"} == 1)' });
    expect(down!.silentJob).toBe('');
  });

  it('tells what is meant from what runs, and what is watched', async () => {
    const rows = await judge({ Watchdog: 'vector(1)', Halted: 'thanos_compact_halted == 1', Broken: 'up{' }, [
      'Watchdog',
    ]);
    expect(rows.map(row => [row.alert, row.loaded, row.parsed, row.constant, row.watches])).toEqual([
      ['Watchdog', true, true, true, ['always']],
      ['Halted', false, true, false, ['compactor']],
      ['Broken', false, false, false, []],
    ]);
  });

  it('does not know what is loaded where the evaluator was not heard', async () => {
    const cluster = clusterOf({ [`${GROUP}/prometheusrules`]: [rule({ A: 'up == 0' })] }, () => ({
      status: 403,
      body: 'no',
    }));
    const [row, more] = await collect(expressionsCollector, cluster);
    expect(row!.expr).toBe('up == 0');
    expect(() => row!.loaded).toThrow(/403/);
    expect(gapOf(more)).toMatchObject({ reason: 'forbidden' });
  });
});

describe('alertmanager.routing', () => {
  const routed = async (routes: string) => {
    const original = `route:\n  receiver: nobody\n${routes}receivers:\n- name: nobody\n- name: team\n  slack_configs: [{}]\n`;
    const [row] = await collect(
      routingCollector,
      clusterOf(alerting, { '/am/api/v2/status': { config: { original } } }),
    );
    return [row!.reached, row!.tellsSomebody];
  };

  it('walks the tree as Alertmanager does', async () => {
    expect(await routed('')).toEqual([['nobody'], false]);
    expect(await routed('  routes:\n  - {receiver: team, matchers: [severity=~"critical|warning"]}\n')).toEqual([
      ['team'],
      true,
    ]);
    expect(await routed('  routes:\n  - {receiver: nobody, matchers: [alertname="Watchdog"]}\n')).toEqual([
      ['nobody'],
      false,
    ]);
    expect(
      await routed(
        '  routes:\n  - {receiver: nobody, match: {severity: critical}, continue: true}\n  - {receiver: team}\n',
      ),
    ).toEqual([['nobody', 'team'], true]);
  });
});

describe('prometheus.duplicate-targets', () => {
  it('finds one address in two pools, and names the youngest monitor', async () => {
    const target = (pool: string, labels: object) => ({
      labels,
      scrapePool: pool,
      scrapeUrl: 'http://10.0.0.1:9090/metrics',
      health: 'up',
      lastScrape: ago(1),
      scrapeInterval: '30s',
      scrapeTimeout: '10s',
    });
    const monitor = (name: string, age: number) => ({
      metadata: metadata(name, { age }),
      spec: { selector: {}, endpoints: [{}] },
    });
    const ask = (labels: object) =>
      collect(
        duplicatesCollector,
        clusterOf(
          { [`${GROUP}/servicemonitors`]: [monitor('old', 9000), monitor('young', 60)] },
          {
            '/api/v1/targets?state=active': success({
              activeTargets: [
                target('serviceMonitor/m/young/0', { job: 'a' }),
                target('serviceMonitor/m/old/0', labels),
              ],
            }),
          },
        ),
      );
    expect(await ask({ job: 'a' })).toMatchObject([{ sameLabels: true, youngest: { name: 'young' } }]);
    expect(await ask({ job: 'b' })).toMatchObject([{ sameLabels: false, differing: ['job'] }]);
  });
});
