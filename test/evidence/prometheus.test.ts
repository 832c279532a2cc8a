import { describe, expect, it } from 'vitest';
import { collector as alertmanagersCollector } from '../../src/evidence/collectors/prometheus.alertmanagers.ts';
import { collector as alertsCollector } from '../../src/evidence/collectors/prometheus.alerts.ts';
import { collector as configCollector } from '../../src/evidence/collectors/prometheus.config.ts';
import { collector as flagsCollector } from '../../src/evidence/collectors/prometheus.flags.ts';
import { collector as namesCollector } from '../../src/evidence/collectors/prometheus.metric-names.ts';
import { collector as metricsCollector } from '../../src/evidence/collectors/prometheus.metrics.ts';
import { collector as queryCollector } from '../../src/evidence/collectors/prometheus.query.ts';
import { collector as rulesCollector } from '../../src/evidence/collectors/prometheus.rules.ts';
import { collector as runtimeCollector } from '../../src/evidence/collectors/prometheus.runtime.ts';
import { collector as targetsCollector } from '../../src/evidence/collectors/prometheus.targets.ts';
import { collector as tsdbCollector } from '../../src/evidence/collectors/prometheus.tsdb.ts';
import { collector as thanosMetricsCollector } from '../../src/evidence/collectors/thanos.metrics.ts';
import { lookedUpName, scrapeErrorKind } from '../../src/evidence/components/scrape-errors.ts';
import { collector as loadedFilesCollector } from '../../src/evidence/derived/prometheus.loaded-rule-files.ts';
import { collector as poolsCollector } from '../../src/evidence/derived/prometheus.pools.ts';
import { collector as healthCollector } from '../../src/evidence/derived/prometheus.rule-health.ts';
import { collector as jobsCollector } from '../../src/evidence/derived/prometheus.scrape-jobs.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import type { GapSignal } from '../../src/model/gap.ts';
import { ago, collect } from './fake-source.ts';
import { clusterOf, prometheusPod, prometheusSet, success } from './prometheus-objects.ts';
import { crashed, metadata } from './raw-objects.ts';

const RUNTIME = {
  startTime: ago(900),
  serverTime: ago(1),
  reloadConfigSuccess: false,
  lastConfigTime: ago(600),
  corruptionCount: 1,
  goroutineCount: 180,
  storageRetention: '1d or 10GiB',
};

describe('prometheus.runtime', () => {
  it('reads what each page says, and a page that fails leaves the others known', async () => {
    const pages: Readonly<Record<string, string>> = {
      '/-/healthy': 'ok',
      '/api/v1/status/runtimeinfo': JSON.stringify(success(RUNTIME)),
      '/api/v1/status/walreplay': JSON.stringify(success({ min: 0, max: 40, current: 12 })),
    };
    const [row] = await collect(
      runtimeCollector,
      clusterOf({}, ({ path }) => (path === '/-/ready' ? { status: 503, body: 'Service Unavailable' } : pages[path])),
    );
    expect(row).toMatchObject({ ready: false, healthy: true, configOk: false, startedAge: 900, corruptions: 1 });
    expect(row!.replay).toEqual({ running: true, current: 12, last: 40 });
    expect(row!.prometheus.key).toBe('Prometheus m/p');
  });

  it('knows that a container which does not run is not ready, and nothing else of it', async () => {
    const pods = [prometheusPod('p', 0, { status: crashed({ exitCode: 1 }), ready: false })];
    const [row] = await collect(runtimeCollector, clusterOf({ pods }));
    expect(row).toMatchObject({ running: false, answers: false, ready: false });
    expect(() => row!.configOk).toThrow(/does not run/);
  });

  it('takes a 503 of /-/ready as an answer, and one of the API as a gap', async () => {
    const starting = { status: 503, body: 'Service Unavailable' };
    const [row] = await collect(
      runtimeCollector,
      clusterOf({}, () => starting),
    );
    expect(row).toMatchObject({ answers: true, ready: false });
    expect(() => row!.configOk).toThrow(/answered 503/);
  });
});

const TARGETS = {
  activeTargets: [
    {
      labels: { job: 'a', instance: '10.0.0.1:9090', namespace: 'm', pod: 'prometheus-p-0' },
      scrapePool: 'serviceMonitor/m/sm/0',
      scrapeUrl: 'http://10.0.0.1:9090/metrics',
      lastError: '',
      lastScrape: ago(10),
      lastScrapeDuration: 0.2,
      health: 'up',
      scrapeInterval: '30s',
      scrapeTimeout: '10s',
    },
    {
      labels: { job: 'b', instance: 'x' },
      scrapePool: 'blackbox',
      scrapeUrl: 'https://exporter.example/probe',
      lastError:
        'Get "https://exporter.example/probe": dial tcp: lookup exporter.example on 10.96.0.10:53: no such host',
      lastScrape: ago(20),
      lastScrapeDuration: 0.01,
      health: 'down',
      scrapeInterval: '30s',
      scrapeTimeout: '10s',
    },
    {
      labels: { job: 'c' },
      scrapePool: 'podMonitor/m/pm/1',
      scrapeUrl: 'http://10.0.0.9:80/metrics',
      lastError: 'context deadline exceeded',
      lastScrape: ago(400),
      health: 'down',
      scrapeInterval: '30s',
      scrapeTimeout: '10s',
    },
  ],
  droppedTargets: [],
  droppedTargetCounts: null,
};

describe('prometheus.targets and prometheus.pools', () => {
  const cluster = clusterOf({}, { '/api/v1/targets?state=active': success(TARGETS) });

  it('finds the pod and component behind a target, and names the pool’s monitor', async () => {
    const [row] = await collect(targetsCollector, cluster);
    expect(row!.targets.map(target => target.monitor.key)).toEqual([
      'ServiceMonitor m/sm',
      'ScrapePool m/blackbox',
      'PodMonitor m/pm',
    ]);
    expect(row!.targets[0]).toMatchObject({
      component: 'prometheus',
      behind: 0,
      portListed: true,
      address: '10.0.0.1:9090',
    });
    expect(row!.targets[0]!.owner.key).toBe('Prometheus m/p');
    expect(row!.targets[1]).toMatchObject({
      errorKind: 'unresolved',
      lookedUp: 'exporter.example',
      address: 'exporter.example:443',
    });
    expect(row).toMatchObject({ up: 1, slowScrape: 0.2 });
  });

  it('calls down only what is really being scraped', async () => {
    const pools = await collect(poolsCollector, cluster);
    expect(pools.map(pool => [pool.name, pool.active, pool.up, pool.down.length])).toEqual([
      ['serviceMonitor/m/sm/0', 1, 1, 0],
      ['blackbox', 1, 0, 1],
      ['podMonitor/m/pm/1', 1, 0, 0],
    ]);
  });

  it('believes a pair only where both replicas see a target down', async () => {
    const pair = {
      pods: [prometheusPod('p', 0), prometheusPod('p', 1)],
      'apps/statefulsets': [prometheusSet('p', 2)],
    };
    const seenUp = { ...TARGETS, activeTargets: TARGETS.activeTargets.map(target => ({ ...target, health: 'up' })) };
    const pools = await collect(
      poolsCollector,
      clusterOf(pair, ({ name }) => JSON.stringify(success(name.endsWith('-0') ? TARGETS : seenUp))),
    );
    expect(pools.flatMap(pool => pool.down)).toEqual([]);
  });

  it('says nothing for a replica that was not heard, and lets the twin of a stopped one speak', async () => {
    const forbidden = await collect(
      poolsCollector,
      clusterOf({}, () => ({ status: 403, body: 'no' })),
    );
    expect(forbidden.map(gapOf)).toMatchObject([{ reason: 'forbidden', evidence: 'prometheus.targets' }]);
    const pair = {
      pods: [prometheusPod('p', 0, { status: crashed({ exitCode: 1 }) }), prometheusPod('p', 1)],
      'apps/statefulsets': [prometheusSet('p', 2)],
    };
    const pools = await collect(
      poolsCollector,
      clusterOf(pair, () => JSON.stringify(success(TARGETS))),
    );
    expect(pools.map(gapOf)).toEqual([undefined, undefined, undefined]);
  });
});

describe('scrapeErrorKind', () => {
  it.each([
    ['', ''],
    ['Get "http://10.0.0.1:1/metrics": dial tcp 10.0.0.1:1: connect: connection refused', 'refused'],
    ['lookup a.b on 10.96.0.10:53: read udp 10.0.0.1:1->10.96.0.10:53: connection refused', 'unresolved'],
    ['lookup a.b: i/o timeout', 'unresolved'],
    ['Get "http://x/": context deadline exceeded', 'timeout'],
    ['dial tcp 10.0.0.1:1: connect: no route to host', 'timeout'],
    ['server returned HTTP status 401 Unauthorized', 'http-401'],
    ['server returned HTTP status 405 Method Not Allowed', 'http-404'],
    ['server returned HTTP status 429 Too Many Requests', 'http-5xx'],
    ['server returned HTTP status 400 Bad Request', 'http-4xx'],
    ['http: server gave HTTP response to HTTPS client', 'tls-mismatch'],
    ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'certificate'],
    ['sample limit exceeded', 'limit'],
    ['received unsupported Content-Type "text/html" and no fallback_scrape_protocol', 'content-type'],
    ['expected a valid start token, got "<" ("INVALID") while parsing: "<"', 'parse'],
    ['EOF', 'other'],
  ])('%s', (error, kind) => {
    expect(scrapeErrorKind(error)).toBe(kind);
  });

  it('names what was looked up', () => {
    expect(lookedUpName('dial tcp: lookup a.example on 10.96.0.10:53: no such host')).toBe('a.example');
  });
});

const FILE = '/etc/prometheus/rules/f/m-general-11111111-2222-3333-4444-555555555555.yaml';
const RULES = {
  groups: [
    {
      name: 'g',
      file: FILE,
      interval: 30,
      evaluationTime: 41,
      lastEvaluation: ago(20),
      rules: [
        {
          type: 'alerting',
          name: 'Watchdog',
          query: 'vector(1)',
          health: 'ok',
          state: 'firing',
          labels: {},
          lastEvaluation: ago(20),
        },
        { type: 'recording', name: 'r', query: 'a', health: 'err', lastError: 'many-to-many', lastEvaluation: ago(20) },
        { type: 'recording', name: 'new', query: 'b', health: 'unknown', lastEvaluation: '0001-01-01T00:00:00Z' },
      ],
    },
  ],
};

describe('prometheus.rules, and what follows from them', () => {
  const cluster = clusterOf({}, { '/api/v1/rules': success(RULES) });

  it('keeps groups and rules, with the uid of the PrometheusRule', async () => {
    const [row] = await collect(rulesCollector, cluster);
    expect(row!.groups).toMatchObject([
      { name: 'g', took: 41, lastAge: 20, uid: '11111111-2222-3333-4444-555555555555' },
    ]);
    expect(row!.rules.map(rule => [rule.name, rule.health, rule.lastAge])).toEqual([
      ['Watchdog', 'ok', 20],
      ['r', 'err', 20],
      ['new', 'unknown', -1],
    ]);
    expect(await collect(loadedFilesCollector, cluster)).toEqual({ uids: ['11111111-2222-3333-4444-555555555555'] });
  });

  it('names the object whose rules fail, and the groups that are late', async () => {
    const rule = {
      metadata: { ...metadata('general'), uid: '11111111-2222-3333-4444-555555555555' },
      spec: { groups: [] },
    };
    const known = { 'monitoring.coreos.com/prometheusrules': [rule] };
    const [row] = await collect(healthCollector, clusterOf(known, { '/api/v1/rules': success(RULES) }));
    expect(row!.object.key).toBe('PrometheusRule m/general');
    expect(row!.failing.map(one => one.name)).toEqual(['r']);
    expect(row!.slow).toEqual([{ group: 'g', took: 41, interval: 30 }]);
    const [foreign] = await collect(healthCollector, cluster);
    expect(foreign!.object.key).toBe('RuleGroup m/g');
  });
});

describe('the other pages of Prometheus', () => {
  const yaml = `global:
  scrape_interval: 30s
  external_labels: {cluster: a}
alerting:
  alertmanagers:
  - static_configs: [{targets: ['am:9093']}]
    basic_auth: {username: u, password: <secret>}
rule_files: [/x/*.yaml]
scrape_configs:
- job_name: serviceMonitor/m/sm/0
- job_name: blackbox
`;
  const cluster = clusterOf(
    {},
    {
      '/api/v1/alerts': success({
        alerts: [{ labels: { alertname: 'Watchdog' }, state: 'firing', activeAt: ago(60), value: '1e+00' }],
      }),
      '/api/v1/status/config': success({ yaml }),
      '/api/v1/status/flags': success({
        'storage.tsdb.min-block-duration': '2h',
        'storage.tsdb.max-block-duration': '2h',
        'storage.tsdb.retention.time': '1d',
        'storage.tsdb.retention.size': '10GiB',
        'web.enable-admin-api': 'false',
      }),
      '/api/v1/status/tsdb': success({
        headStats: { numSeries: 10, chunkCount: 20, minTime: 9223372036854776000, maxTime: Date.parse(ago(5)) },
        seriesCountByMetricName: [{ name: 'a', value: 4 }],
        labelValueCountByLabelName: [],
      }),
      '/api/v1/alertmanagers': success({
        activeAlertmanagers: [{ url: 'http://am/api/v2/alerts' }],
        droppedAlertmanagers: [],
      }),
      '/api/v1/label/__name__/values': success(['up']),
      '/api/v1/query?query=up%20%3D%3D%200': success({
        resultType: 'vector',
        result: [{ metric: { job: 'a' }, value: [0, '1'] }],
      }),
      '/metrics':
        'prometheus_notifications_dropped_total 3\nprometheus_tsdb_lowest_timestamp_seconds 1700000000\nup 1\n',
    },
  );

  it('reads alerts, configuration, flags, head, Alertmanagers, names, a query and numbers', async () => {
    expect((await collect(alertsCollector, cluster))[0]).toMatchObject({ watchdog: true, alerts: [{ activeAge: 60 }] });
    const [config] = await collect(configCollector, cluster);
    expect(config).toMatchObject({
      jobs: ['serviceMonitor/m/sm/0', 'blackbox'],
      scrapeInterval: 30,
      alertmanagers: 1,
      alertmanagerTargets: ['am:9093'],
      alertmanagerNames: ['am'],
    });
    expect(JSON.stringify(config)).not.toContain('password');
    expect((await collect(flagsCollector, cluster))[0]).toMatchObject({
      minBlock: 7200,
      retention: 86400,
      retentionSize: 10737418240,
    });
    expect((await collect(tsdbCollector, cluster))[0]).toMatchObject({ series: 10, headMin: '', headMaxAge: 5 });
    expect((await collect(alertmanagersCollector, cluster))[0]).toMatchObject({ active: ['http://am/api/v2/alerts'] });
    expect((await collect(namesCollector, cluster))[0]).toMatchObject({ names: ['up'], complete: true });
    expect(await collect(queryCollector, cluster, { expr: 'up == 0', prometheus: 'm/p' })).toMatchObject({
      series: [{ labels: { job: 'a' }, value: 1 }],
    });
    expect((await collect(metricsCollector, cluster))[0]).toMatchObject({
      notificationsDropped: 3,
      walCorruptions: -1,
      oldestSample: '2023-11-14T22:13:20.000Z',
      present: true,
    });
    expect(await collect(jobsCollector, cluster)).toEqual({ jobs: ['serviceMonitor/m/sm/0', 'blackbox'] });
  });

  it.each([
    ['a web page', '<html>login</html>', 'malformed'],
    ['an error of its own', JSON.stringify({ status: 'error', error: 'boom' }), 'server-error'],
    ['an envelope without data', '{"status":"success"}', 'malformed'],
    ['half an answer', '{"status":"success","data":{"aler', 'malformed'],
  ])('%s is a gap', async (_name, body, reason) => {
    const [row] = await collect(
      alertsCollector,
      clusterOf({}, () => body),
    );
    let thrown: unknown;
    try {
      void row!.alerts;
    } catch (error) {
      thrown = error;
    }
    expect((thrown as GapSignal).gap).toMatchObject({ reason, evidence: 'prometheus.alerts' });
  });

  it.each([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [500, 'server-error'],
  ])('a status of %d is a gap', async (status, reason) => {
    const [row] = await collect(
      tsdbCollector,
      clusterOf({}, () => ({ status, body: 'no' })),
    );
    let thrown: unknown;
    try {
      void row!.series;
    } catch (error) {
      thrown = error;
    }
    expect((thrown as GapSignal).gap.reason).toBe(reason);
  });
});

describe('thanos.metrics', () => {
  it('names the metric that a component does not expose, and the component', async () => {
    const text = '# TYPE thanos_shipper_uploads_total counter\nthanos_shipper_uploads_total 4\n';
    const pods = [prometheusPod('p', 0, { sidecar: true })];
    const cluster = clusterOf({ pods }, ({ path }) => (path === '/metrics' ? text : undefined));
    const [row] = await collect(thanosMetricsCollector, cluster);
    expect(row).toMatchObject({ component: 'sidecar' });
    expect(row!.uploads).toBe(4);
    expect(() => row!.dirSyncs).toThrow('sidecar does not expose thanos_shipper_dir_syncs_total');
    expect(() => row!.meanCpu).toThrow('sidecar does not expose process_');
    expect(() => row!.started).toThrow('sidecar does not expose process_start_time_seconds');
  });
});
