import { parse, stringify } from 'yaml';
import { type BundleFiles, memoryFiles } from '../../src/clusters/bundle-files.ts';
import type { RawObject } from '../../src/model/source.ts';
import { recording } from './recorded-reads.ts';

/** The cluster of the recording in which there is one of everything. */
export const HUB = 'cluster-01';

const NAMESPACE = 'monitoring';
const TIME = '2026-11-20T08:00:00Z';
const named = (name: string, more: object = {}) => ({
  metadata: { name, namespace: NAMESPACE, uid: `uid-${name}`, creationTimestamp: TIME, ...more },
});
const condition = (type: string) => ({
  type,
  status: 'True',
  reason: 'AsUsual',
  message: 'well',
  lastTransitionTime: TIME,
});
const service = { name: 'thanos-query', namespace: NAMESPACE, port: 9090, path: '/' };
const selector = { matchLabels: { app: 'some' }, matchExpressions: [{ key: 'app', operator: 'In', values: ['some'] }] };

/** One object, unremarkable, of each kind of which the recorded fleet has none. */
const OBJECTS: Readonly<Record<string, RawObject>> = {
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations': {
    ...named('some', { namespace: undefined }),
    webhooks: [
      {
        name: 'some.example.com',
        clientConfig: { service, caBundle: 'AAAA' },
        failurePolicy: 'Ignore',
        timeoutSeconds: 5,
        rules: [{ resources: ['pods'] }],
      },
      { name: 'other.example.com', clientConfig: { url: 'https://example.com/hook', caBundle: 'AAAA' } },
    ],
  },
  'apiregistration.k8s.io/v1/apiservices': {
    ...named('v1.some.example.com', { namespace: undefined }),
    spec: { group: 'some.example.com', version: 'v1', service },
    status: { conditions: [condition('Available')] },
  },
  'autoscaling/v2/horizontalpodautoscalers': {
    ...named('some'),
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'thanos-query' }, minReplicas: 1, maxReplicas: 3 },
    status: { currentReplicas: 1, desiredReplicas: 1, conditions: [condition('AbleToScale')] },
  },
  'batch/v1/cronjobs': {
    ...named('some'),
    spec: { schedule: '0 * * * *', suspend: true, concurrencyPolicy: 'Forbid' },
    status: { active: [{ name: 'some-1' }], lastScheduleTime: TIME, lastSuccessfulTime: TIME },
  },
  'batch/v1/jobs': {
    ...named('some-1', { ownerReferences: [{ kind: 'CronJob', name: 'some', controller: true, uid: 'u' }] }),
    spec: { suspend: false },
    status: {
      active: 0,
      succeeded: 1,
      failed: 0,
      startTime: TIME,
      completionTime: TIME,
      conditions: [condition('Complete')],
    },
  },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    ...named('csr-1', { namespace: undefined }),
    spec: { signerName: 'kubernetes.io/kubelet-serving', username: 'system:node:some' },
    status: { certificate: 'AAAA', conditions: [condition('Approved')] },
  },
  'cilium.io/v2/ciliumnetworkpolicies': {
    ...named('some'),
    spec: { endpointSelector: { matchLabels: { app: 'nothing-has-this' } }, ingress: [{ fromEndpoints: [{}] }] },
    status: { conditions: [condition('Valid')] },
  },
  'core/v1/limitranges': {
    ...named('some'),
    spec: {
      limits: [
        {
          type: 'Container',
          max: { memory: '64Gi' },
          min: { memory: '1Mi' },
          default: { memory: '1Gi' },
          defaultRequest: { memory: '1Mi' },
        },
      ],
    },
  },
  'core/v1/resourcequotas': {
    ...named('some'),
    spec: { hard: { pods: '1000', 'requests.cpu': '100' } },
    status: { hard: { pods: '1000', 'requests.cpu': '100' }, used: { pods: '20', 'requests.cpu': '900m' } },
  },
  'longhorn.io/v1beta2/orphans': {
    ...named('orphan-1'),
    spec: {
      nodeID: 'some-node',
      parameters: { DiskName: 'disk', DiskPath: '/var/lib/longhorn' },
      orphanType: 'replica-data',
    },
  },
  'longhorn.io/v1beta2/recurringjobs': {
    ...named('some'),
    spec: { task: 'snapshot-cleanup', cron: '0 0 * * *', retain: 1, groups: ['some'] },
  },
  'longhorn.io/v1beta2/snapshots': {
    ...named('snapshot-1'),
    spec: { volume: 'no-such-volume' },
    status: { size: '0', userCreated: true, markRemoved: false, readyToUse: true },
  },
  'longhorn.io/v1beta2/volumeattachments': {
    ...named('some-volume'),
    spec: { volume: 'some-volume', attachmentTickets: { 'csi-1': { type: 'csi-attacher', nodeID: 'some-node' } } },
    status: { attachmentTicketStatuses: { 'csi-1': { satisfied: true, conditions: [condition('Satisfied')] } } },
  },
  'monitoring.coreos.com/v1/thanosrulers': {
    ...named('some'),
    spec: {
      replicas: 0,
      paused: true,
      queryEndpoints: ['dns+thanos-query:9090'],
      queryConfig: { name: 'a', key: 'b' },
      alertmanagersUrl: ['http://alertmanager:9093'],
      alertmanagersConfig: { name: 'a', key: 'b' },
      objectStorageConfig: { name: 'thanos-s3-config', key: 'objstore.yml' },
      ruleSelector: selector,
      ruleNamespaceSelector: selector,
      labels: { replica: 'a' },
      retention: '24h',
      storage: {
        volumeClaimTemplate: { spec: { storageClassName: 'longhorn', resources: { requests: { storage: '1Gi' } } } },
      },
      resources: { requests: { memory: '1Gi', cpu: '1' }, limits: { memory: '1Gi', cpu: '1' } },
    },
    status: { replicas: 0, availableReplicas: 0, updatedReplicas: 0, conditions: [condition('Available')] },
  },
  'monitoring.coreos.com/v1alpha1/alertmanagerconfigs': {
    ...named('some'),
    spec: {
      receivers: [{ name: 'team', webhookConfigs: [{}] }],
      route: { receiver: 'team', matchers: [{ name: 'team', matchType: '=', value: 'a' }] },
    },
    status: { bindings: [] },
  },
  'monitoring.coreos.com/v1alpha1/prometheusagents': {
    ...named('some'),
    spec: { replicas: 0, paused: true, serviceMonitorSelector: selector, serviceMonitorNamespaceSelector: selector },
  },
  'metrics.k8s.io/v1beta1/nodes': {
    ...named('k8s-cluster-01', { namespace: undefined }),
    usage: { cpu: '500m', memory: '4Gi' },
  },
  'metrics.k8s.io/v1beta1/pods': {
    ...named('thanos-store-0'),
    containers: [{ name: 'thanos-store', usage: { cpu: '5m', memory: '64Mi' } }],
  },
  'networking.k8s.io/v1/networkpolicies': {
    ...named('some'),
    spec: {
      podSelector: { matchLabels: { app: 'nothing-has-this' }, matchExpressions: [] },
      policyTypes: ['Ingress'],
      ingress: [{}],
    },
  },
};

const MINIO = 'minio-0';
const PODS = [
  {
    ...named(MINIO, { labels: { app: 'minio' } }),
    spec: {
      nodeName: 'k8s-cluster-01',
      containers: [
        {
          name: 'minio',
          image: 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z',
          args: ['server', '/data'],
          ports: [{ containerPort: 9000, name: 'http' }],
          volumeMounts: [],
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.244.0.250',
      startTime: TIME,
      conditions: [condition('Ready')],
      containerStatuses: [{ name: 'minio', ready: true, restartCount: 0, state: { running: { startedAt: TIME } } }],
    },
  },
];

const success = (data: unknown) => JSON.stringify({ status: 'success', data });
const vector = success({ resultType: 'vector', result: [{ metric: { job: 'a' }, value: [1795000000, '3'] }] });
/** Answers that the recording has not, by the end of the pod's name, port and path. */
const ANSWERS: readonly (readonly [pod: RegExp, port: number, path: string, body: string])[] = [
  [
    /^alertmanager-/,
    9093,
    '/api/v2/silences',
    '[{"id":"1","status":{"state":"expired"},"matchers":[{"name":"a","value":"b","isRegex":false,"isEqual":true}],"createdBy":"x","startsAt":"2026-11-20T08:00:00Z","endsAt":"2026-11-20T09:00:00Z"}]',
  ],
  [
    /^alertmanager-/,
    9093,
    '/api/v2/alerts',
    '[{"labels":{"alertname":"Watchdog"},"status":{"state":"active","silencedBy":[],"inhibitedBy":[]},"startsAt":"2026-11-20T08:00:00Z","receivers":[{"name":"null"}]}]',
  ],
  [/^prometheus-.*-\d$/, 9090, '/api/v1/label/__name__/values', success(['up'])],
  [/^prometheus-.*-\d$/, 9090, '/api/v1/query?query=up', vector],
  [/^thanos-query-/, 10902, '/api/v1/query?query=count(up)&dedup=false&partial_response=true', vector],
  [/^minio-0$/, 9000, '/minio/health/live', ''],
  [/^minio-0$/, 9000, '/minio/health/cluster', ''],
];

/** A healthy recorded fleet, and in its hub one of everything that a collector reads. */
export async function richFleet(): Promise<BundleFiles> {
  const files = await allFiles(await recording('healthy-fleet'));
  const at = (path: string) => `clusters/${HUB}/${path}`;
  const text = (path: string) => Buffer.from(files.get(at(path))!).toString('utf8');
  const write = (path: string, content: string) => void files.set(at(path), Buffer.from(content));
  const add = (place: string, objects: readonly RawObject[]) => {
    const path = `objects/${place}.json`;
    const before = files.has(at(path))
      ? JSON.parse(text(path))
      : { kind: 'List', apiVersion: 'v1', metadata: {}, items: [] };
    write(path, JSON.stringify({ ...before, items: [...before.items, ...objects] }));
  };
  for (const [place, object] of Object.entries(OBJECTS)) add(place, [object]);
  const discovery = JSON.parse(text('discovery.json'));
  const resource = (name: string, kind: string, namespaced: boolean) => ({
    name,
    kind,
    namespaced,
    verbs: ['get', 'list'],
  });
  const metrics = [resource('nodes', 'NodeMetrics', false), resource('pods', 'PodMetrics', true)];
  discovery.groups.push({ group: 'metrics.k8s.io', version: 'v1beta1', resources: metrics });
  write('discovery.json', JSON.stringify(discovery));
  add('core/v1/pods', PODS);
  const pods: readonly RawObject[] = JSON.parse(text('objects/core/v1/pods.json')).items;
  const index: RawObject[] = parse(text('http/index.yaml'));
  for (const [pod, port, path, body] of ANSWERS) {
    for (const { metadata } of pods.filter(
      one => one.metadata.namespace === NAMESPACE && pod.test(one.metadata.name),
    )) {
      const file = `made-${index.length}.json`;
      write(`http/${file}`, body);
      const where = { via: 'pod', namespace: NAMESPACE, name: metadata.name, port, path };
      index.push({ ...where, status: 200, contentType: 'application/json', file });
    }
  }
  write('http/index.yaml', stringify(index));
  return memoryFiles('rich fleet', files);
}

async function allFiles(bundle: BundleFiles): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of bundle.paths) files.set(path, (await bundle.read(path))!);
  return files;
}
