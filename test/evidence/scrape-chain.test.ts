import { describe, expect, it } from 'vitest';
import { collector as chainCollector } from '../../src/evidence/derived/prometheus-operator.scrape-chain.ts';
import { collector as serviceCollector } from '../../src/evidence/derived/prometheus-operator.service-monitors.ts';
import { ref } from '../../src/evidence/objects.ts';
import { derive, gap } from './derive.ts';

const WEB = ref('ServiceMonitor', 'shop', 'web');
const K8S = ref('Prometheus', 'monitoring', 'k8s');
const SERVICE = ref('Service', 'shop', 'web');
const ROW = {
  object: WEB,
  kind: 'ServiceMonitor',
  namespace: 'shop',
  name: 'web',
  selected: true,
  selectedBy: [K8S],
  takers: 1,
  jobNames: ['serviceMonitor/shop/web/0'],
  searchNamespaces: ['shop'],
  matchedServices: [SERVICE],
  targetsExpected: 2,
  portOk: true,
};
const CONFIG = [{ prometheus: K8S, pod: ref('Pod', 'monitoring', 'k8s-0'), jobs: ['serviceMonitor/shop/web/0'] }];
const target = (health: string, error = '', service = 'web') => ({
  monitor: WEB,
  url: `http://10.0.0.1/${health}`,
  health,
  error,
  labels: { namespace: 'shop', service },
});
const targets = (...list: readonly object[]) => [{ prometheus: K8S, running: true, targets: list }];

async function chain(
  row: object,
  evidence: Readonly<Record<string, unknown>> = {},
  service = '',
  kind = 'ServiceMonitor',
): Promise<Readonly<Record<string, { readonly state: string; readonly says: string; readonly remedy: string }>>> {
  const given = {
    'prometheus-operator.selection': [{ ...ROW, ...row }],
    'prometheus.config': CONFIG,
    'prometheus.targets': targets(target('up')),
    ...evidence,
  };
  const { steps } = await derive(
    chainCollector,
    { 'edge-1': { evidence: given } },
    { kind, namespace: 'shop', name: 'web', service },
  );
  return Object.fromEntries(steps.map(({ step, ...rest }) => [step, rest]));
}

const LOST = { selected: false, selectedBy: [], nearest: K8S, jobNames: ['other'] };

describe('the chain of a monitor', () => {
  it('that works is done at every step', async () => {
    const steps = await chain({});
    expect(Object.entries(steps).map(([step, { state }]) => `${step} ${state}`)).toEqual([
      'chosen done',
      'accepted done',
      'finds done',
      'configured done',
      'answers done',
    ]);
    expect(steps.finds!.says).toBe('Service shop/web, 2 addresses');
    expect(steps.answers!.says).toBe('1 of 1 target up');
  });

  it.each([
    [
      { missing: 'label', missingKey: 'release', missingWanted: 'kps', wantedLabels: { release: 'kps', team: 'a' } },
      'kubectl --context edge-1 -n shop label servicemonitor web release=kps team=a',
    ],
    [
      { missing: 'namespace', missingKey: 'scrape', missingWanted: 'yes' },
      'kubectl --context edge-1 label namespace shop scrape=yes',
    ],
    [
      { missing: 'namespace', missingKey: '', missingWanted: 'monitoring' },
      `kubectl --context edge-1 -n monitoring patch prometheus k8s --type merge -p '{"spec":{"serviceMonitorNamespaceSelector":{}}}'`,
    ],
    [
      { missing: 'nil' },
      `kubectl --context edge-1 -n monitoring patch prometheus k8s --type merge -p '{"spec":{"serviceMonitorSelector":{}}}'`,
    ],
    [
      { missing: 'expression', missingKey: 'tier' },
      'change the label tier of ServiceMonitor web, or the selector of Prometheus monitoring/k8s',
    ],
  ])('that nobody chooses says what %j takes', async (missing, remedy) => {
    const steps = await chain({ ...LOST, ...missing, missingWhy: 'it lacks that' });
    expect(steps.chosen).toMatchObject({ state: 'stopped', remedy });
    expect(steps.chosen!.says).toBe('by nobody; the nearest is Prometheus monitoring/k8s, and it lacks that');
  });

  it('that runs is chosen by somebody, seen or not', async () => {
    const steps = await chain({ ...LOST, jobNames: ROW.jobNames });
    expect(steps.chosen!.state).toBe('done');
  });

  it('knows that there is nobody to choose it', async () => {
    expect((await chain({ ...LOST, takers: 0 })).chosen!.says).toMatch(/there is no resource here/);
  });

  it('that the operator refuses says why', async () => {
    const steps = await chain({ rejected: true, rejectedWhy: 'no such Secret' });
    expect(steps.accepted).toMatchObject({ state: 'stopped', says: 'the operator refuses it: no such Secret' });
  });

  it.each([
    [{ scaledToZero: true }, 'the workload that it would find has no replicas', ''],
    [{ matchedServices: [], podsInstead: 3 }, 'it matches no Service in shop; 3 pods would match', ''],
    [
      { matchedServices: [], nearestService: SERVICE, nearestServiceLacks: 'app=web' },
      'which lacks app=web',
      'kubectl --context edge-1 -n shop label service web app=web',
    ],
    [
      { matchedServices: [], elsewhere: [ref('Service', 'other', 'web')] },
      'Service other/web would match, and lies elsewhere',
      `kubectl --context edge-1 -n shop patch servicemonitor web --type merge -p '{"spec":{"namespaceSelector":{"matchNames":["shop","other"]}}}'`,
    ],
    [
      { endpoints: [{ index: 1, port: 'metrics', fault: 'no-such-port-name', portNames: ['http'], likely: 'http' }] },
      'its port metrics is none of Service shop/web, which have http',
      `kubectl --context edge-1 -n shop patch servicemonitor web --type json -p '[{"op":"replace","path":"/spec/endpoints/1/port","value":"http"}]'`,
    ],
    [{ targetsExpected: 0 }, 'nothing is behind Service shop/web', ''],
  ])('that finds nothing says why: %j', async (row, says, remedy) => {
    const { finds } = await chain(row);
    expect(finds!.state).toBe('stopped');
    expect(finds!.says).toContain(says);
    expect(finds!.remedy).toBe(remedy);
  });

  it('that is not in the configuration says of whom; of nobody that runs, too', async () => {
    const [config] = CONFIG;
    const without = await chain({}, { 'prometheus.config': [{ ...config, jobs: ['other'] }] });
    expect(without.configured).toMatchObject({
      state: 'stopped',
      says: 'not in the configuration that Pod monitoring/k8s-0 runs with',
    });
    expect((await chain({}, { 'prometheus.config': [] })).configured!.says).toBe('no Prometheus that chooses it runs');
  });

  it('tells the targets of one Service from those of another', async () => {
    const both = targets(target('up'), target('down', 'connection refused', 'other'));
    expect((await chain({}, { 'prometheus.targets': both }, 'shop/web')).answers!.state).toBe('done');
    expect((await chain({}, { 'prometheus.targets': both })).answers).toMatchObject({
      state: 'stopped',
      says: '1 of 2 targets up; http://10.0.0.1/down: connection refused',
    });
  });

  it('a target that one replica reaches is up', async () => {
    const url = 'http://10.0.0.1/metrics';
    const replicas = [...targets({ ...target('down', 'timeout'), url }), ...targets({ ...target('up'), url })];
    expect((await chain({}, { 'prometheus.targets': replicas })).answers!.says).toBe('1 of 1 target up');
  });

  it('says what could not be read, and never that it is well or broken', async () => {
    const forbidden = gap('forbidden', 'pods/proxy is forbidden');
    const steps = await chain({}, { 'prometheus.config': forbidden, 'prometheus.targets': forbidden });
    expect(steps.chosen!.state).toBe('done');
    for (const step of ['configured', 'answers'])
      expect(steps[step]).toMatchObject({ state: 'unknown', says: 'pods/proxy is forbidden' });
    const unheard = await chain({}, { 'prometheus.targets': [{ prometheus: K8S, running: true, targets: forbidden }] });
    expect(unheard.answers!.state).toBe('unknown');
    expect((await chain({ ...LOST, selected: forbidden })).chosen!.state).toBe('unknown');
  });
});

describe('the chain of a rule', () => {
  const RULE = { kind: 'PrometheusRule', uid: 'u', groups: ['g'] };
  const rules = (...groups: readonly object[]) => ({ 'prometheus.rules': [{ evaluator: K8S, groups }] });

  it('ends where its groups run', async () => {
    const runs = await chain(RULE, rules({ uid: 'u' }), '', 'PrometheusRule');
    expect(runs.configured).toMatchObject({ state: 'done', says: 'its groups run in Prometheus monitoring/k8s' });
    const replica = { evaluator: K8S, groups: [{ uid: 'u' }] };
    const twice = await chain(RULE, { 'prometheus.rules': [replica, replica] }, '', 'PrometheusRule');
    expect(twice.configured!.says).toBe(runs.configured!.says);
    const stays = await chain(RULE, rules({ uid: 'v' }), '', 'PrometheusRule');
    expect(stays.configured).toMatchObject({
      state: 'stopped',
      says: 'none of its groups runs in Prometheus monitoring/k8s',
    });
    expect((await chain({ ...RULE, groups: [] }, rules(), '', 'PrometheusRule')).configured!.says).toBe(
      'it has no groups',
    );
  });
});

describe('the chain of an AlertmanagerConfig', () => {
  const config = async (labels: object, alertmanagers: unknown) => {
    const { steps } = await derive(
      chainCollector,
      {
        'edge-1': {
          evidence: {
            'prometheus-operator.alertmanager-configs': [{ namespace: 'shop', name: 'web', labels }],
            'prometheus-operator.alertmanagers': alertmanagers,
            'kubernetes.namespaces': [{ name: 'shop' }],
          },
        },
      },
      { kind: 'AlertmanagerConfig', namespace: 'shop', name: 'web', service: '' },
    );
    return steps[0];
  };
  const MAIN = { namespace: 'monitoring', name: 'main', selector: { labels: { team: 'shop' } } };

  it('is chosen by labels', async () => {
    expect(await config({ team: 'shop' }, [MAIN])).toMatchObject({ state: 'done' });
    expect(await config({}, [MAIN])).toMatchObject({
      state: 'stopped',
      says: 'by nobody; the nearest is Alertmanager monitoring/main, and label team is absent, wanted "shop"',
      remedy: 'kubectl --context edge-1 -n shop label alertmanagerconfig web team=shop',
    });
    expect(await config({}, [])).toMatchObject({ says: 'there is no Alertmanager resource here' });
    expect(await config({}, gap())).toMatchObject({ state: 'unknown' });
  });
});

describe('which monitors name a Service', () => {
  const monitor = (more: object) => ({
    kind: 'ServiceMonitor',
    namespace: 'shop',
    name: 'web',
    namespaces: ['shop'],
    selector: { app: 'web' },
    ...more,
  });
  const named = async (monitors: unknown, service: object = {}) =>
    derive(
      serviceCollector,
      {
        'edge-1': {
          evidence: {
            'kubernetes.services': [
              { namespace: 'shop', name: 'web', labels: { app: 'web' }, selector: { run: 'web' }, ...service },
            ],
            'kubernetes.pods': [{ namespace: 'shop', name: 'web-0', labels: { run: 'web', pod: 'yes' } }],
            'prometheus-operator.monitors': monitors,
            'prometheus-operator.prometheuses': [
              { namespace: 'monitoring', name: 'k8s', selectors: { serviceMonitor: { labels: { release: 'kps' } } } },
            ],
          },
        },
      },
      { namespace: 'shop', name: 'web' },
    );

  it('by its own labels, and a PodMonitor by those of its pods', async () => {
    const pods = monitor({ kind: 'PodMonitor', name: 'pods', selector: { pod: 'yes' } });
    expect(
      (await named([monitor({}), pods, monitor({ name: 'far', namespaces: ['x'] })])).monitors.map(({ key }) => key),
    ).toEqual(['ServiceMonitor shop/web', 'PodMonitor shop/pods']);
  });

  it('names the one that was meant, and what it takes', async () => {
    const found = await named([
      monitor({ selector: { app: 'web', tier: 'front' } }),
      monitor({ selector: { app: 'x' } }),
    ]);
    expect(found).toMatchObject({
      lacks: 'label tier of the Service is absent, wanted front',
      remedy: 'kubectl --context edge-1 -n shop label service web tier=front',
    });
    expect(await named([monitor({ namespace: 'monitoring', namespaces: ['monitoring'] })])).toMatchObject({
      lacks: 'it looks in monitoring only',
      remedy: `kubectl --context edge-1 -n monitoring patch servicemonitor web --type merge -p '{"spec":{"namespaceSelector":{"matchNames":["monitoring","shop"]}}}'`,
    });
  });

  it('writes a monitor where none was meant', async () => {
    const found = await named([monitor({ selector: { app: 'other' } })], {
      labels: { app: 'web', 'helm.sh/chart': 'web-1.2' },
      ports: [{ name: 'http' }, { name: 'http-metrics' }],
      annotations: { 'prometheus.io/scrape': 'true' },
    });
    expect(found.nearest.name).toBe('');
    expect(found.annotated).toBe(true);
    expect(found.remedy).toContain('metadata: { name: web, namespace: shop, labels: { release: "kps" } }');
    expect(found.remedy).toContain('selector: { matchLabels: { app: "web" } }');
    expect(found.remedy).toContain('endpoints: [{ port: http-metrics }]');
    expect((await named([], { labels: {} })).remedy).toMatch(/give the Service a label/);
  });

  it('does not know it where monitors could not be read', async () => {
    await expect(named(gap())).rejects.toThrow(/forbidden/);
  });
});
