import type { RawObject } from '../../src/model/source.ts';
import type { Answer } from '../../src/simulator/answers.ts';
import { operator, replacePods, resize, rollout, runOnce, scalePods } from '../mutable-server/controllers.ts';
import type { Scene } from './harness.ts';

export const STORE_TEXT = `type: S3 # the only store
config:
  bucket: thanos
  endpoint: "s3.example"
  access_key: AKIAQQQQQQQQQQQQQQQQ
  secret_key: canary-secret-value-0123456789
prefix: ''
`;

export const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

/** A workload whose pods are all ready. */
export function workload(kind: string, name: string, more: RawObject = {}): RawObject {
  const replicas = more.spec?.replicas ?? 1;
  const isDaemonSet = kind === 'DaemonSet';
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'ns', generation: 1, uid: `uid-${name}`, ...more.metadata },
    spec: {
      ...(isDaemonSet ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'example/main:1' }] },
      },
      ...more.spec,
    },
    status: {
      observedGeneration: 1,
      ...(isDaemonSet
        ? {
            desiredNumberScheduled: replicas,
            currentNumberScheduled: replicas,
            updatedNumberScheduled: replicas,
            numberMisscheduled: 0,
            numberReady: replicas,
          }
        : { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas }),
      ...(kind === 'StatefulSet' ? { currentRevision: 'revision-1', updateRevision: 'revision-1' } : {}),
      ...more.status,
    },
  };
}

export function pod(of: RawObject, name: string, more: RawObject = {}): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'ns',
      labels: { app: of.metadata.name, 'controller-revision-hash': 'revision-1', ...more.metadata?.labels },
      ownerReferences: [
        { apiVersion: of.apiVersion, kind: of.kind, name: of.metadata.name, uid: of.metadata.uid, controller: true },
      ],
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'example/main:1' }], ...more.spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...more.status },
  };
}

export function node(name: string, more: RawObject = {}): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...more.metadata },
    spec: { ...more.spec },
    status: {
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      allocatable: { memory: '16Gi' },
      ...more.status,
    },
  };
}

const reader = (name: string, component: string, more: RawObject = {}) => {
  const env = [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: 'objstore', key: 'store.yml' } } }];
  const container = { name: component, image: 'example/thanos:v0.40.1', args: [component], env };
  const others = more.containers ?? [];
  return workload('StatefulSet', name, {
    spec: {
      replicas: more.replicas ?? 1,
      template: { metadata: { labels: { app: name } }, spec: { containers: [...others, container] } },
    },
  });
};

const SERVER = { name: 'prometheus', image: 'example/prometheus:v3.7.0', args: ['--storage.tsdb.retention.time=6h'] };

export function secret(text = STORE_TEXT, more: RawObject = {}): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: 'objstore', namespace: 'ns', ...more.metadata },
    data: { 'store.yml': base64(text), other: base64('untouched') },
    ...(more.immutable ? { immutable: true } : {}),
  };
}

/** A revision of the Helm release `stack`. */
export const RELEASE = {
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'helm.sh/release.v1',
  metadata: { name: 'sh.helm.release.v1.stack.v1', namespace: 'ns', labels: { owner: 'helm', name: 'stack' } },
};

const STORE = { secret: 'Secret ns/objstore', key: 'store.yml' };

export const PLAIN_HTTP: Scene = {
  action: 'thanos.allow-plain-http',
  rule: 'object-store-speaks-http',
  with: STORE,
  objects: [secret(), reader('prometheus-main', 'sidecar', { containers: [SERVER] }), reader('store', 'store')],
  evidence: { 'network.probe {"endpoint":"s3.example:80"}': { tcp: 'open', speaks: 'http' } },
};

/** A Prometheus resource. */
function prometheus(spec: RawObject): RawObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    metadata: { name: 'main', namespace: 'ns', uid: 'uid-main' },
    spec,
  };
}

function monitor(spec: RawObject): RawObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: 'store', namespace: 'ns', labels: { app: 'store' } },
    spec: { selector: { matchLabels: { app: 'store' } }, ...spec },
  };
}

/** A Service with one port, and a ready pod behind it. */
function scrapedService(port: RawObject): readonly RawObject[] {
  const metadata = { name: 'store', namespace: 'ns' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'store' }, ports: [port] } },
    pod(workload('StatefulSet', 'store'), 'store-0'),
  ];
}

/** Every pod has metrics. */
function answersMetrics({ pathname }: URL): Answer | undefined {
  if (!pathname.endsWith('/pods/store-0:10902/proxy/metrics')) return undefined;
  return { is: 'answer', status: 200, headers: {}, body: Buffer.from('# TYPE up gauge\nup 1\n') };
}

function claim(name: string, labels: RawObject = {}): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'ns', labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      volumeName: `pv-${name}`,
      resources: { requests: { storage: '10Gi' } },
    },
    status: { phase: 'Bound', capacity: { storage: '10Gi' } },
  };
}

const BLOCK = '01KA0000000000000000000000';

/** A Prometheus of whose two replicas the second cannot open its data. */
function quarantined(): readonly RawObject[] {
  const container = {
    name: 'prometheus',
    image: 'example/prometheus:v3.7.0',
    args: ['--storage.tsdb.path=/prometheus'],
    volumeMounts: [{ name: 'data', mountPath: '/prometheus', subPath: 'prometheus-db' }],
  };
  const metadata = {
    ownerReferences: [
      {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'Prometheus',
        name: 'main',
        uid: 'uid-main',
        controller: true,
      },
    ],
  };
  const set = workload('StatefulSet', 'prometheus-main', {
    metadata,
    spec: {
      replicas: 2,
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
        },
      ],
      template: { metadata: { labels: { app: 'prometheus-main' } }, spec: { containers: [container] } },
    },
  });
  const replica = (ordinal: number) =>
    pod(set, `prometheus-main-${ordinal}`, {
      spec: {
        containers: [container],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${ordinal}` } }],
      },
    });
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv-data-1' },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'driver.longhorn.io', volumeHandle: 'pv-data-1' },
    },
  };
  return [
    node('node-1'),
    prometheus({ replicas: 2 }),
    set,
    replica(0),
    replica(1),
    claim('data-0'),
    claim('data-1'),
    volume,
  ];
}

/** Every Prometheus tells these as its blocks. */
function tellsBlocks(blocks: readonly RawObject[]): (url: URL) => Answer | undefined {
  const body = Buffer.from(JSON.stringify({ status: 'success', data: { blocks } }));
  return ({ pathname }) =>
    pathname.endsWith(':9090/proxy/api/v1/status/tsdb/blocks')
      ? { is: 'answer', status: 200, headers: {}, body }
      : undefined;
}
const LOCAL_STORE = STORE_TEXT.replace('"s3.example"', '127.0.0.1:65535\n  insecure: true\n  region: us-east-1');

function withArguments(name: string, args: readonly string[]): RawObject {
  const container = { name: 'query', image: 'quay.io/thanos/thanos:v0.40.1', args };
  return workload('Deployment', name, {
    spec: { template: { metadata: { labels: { app: name } }, spec: { containers: [container] } } },
  });
}

const STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'fast' },
  provisioner: 'csi.example',
  allowVolumeExpansion: true,
};

const LIMITED = workload('Deployment', 'query', {
  spec: {
    template: {
      metadata: { labels: { app: 'query' } },
      spec: { containers: [{ name: 'main', image: 'example/main:1', resources: { limits: { memory: '1Gi' } } }] },
    },
  },
});

const TWIN = '01KB0000000000000000000000';

function block(id: string, more: RawObject = {}): RawObject {
  return {
    id,
    state: 'complete',
    sources: [BLOCK],
    minTime: '2026-11-01T00:00:00Z',
    maxTime: '2026-11-01T02:00:00Z',
    samples: 1000,
    series: 10,
    labelText: '{cluster="a"}',
    resolution: 0,
    missing: [],
    truncated: [],
    files: 3,
    size: 100,
    live: true,
    ...more,
    marks: { noCompact: false, deletion: false, ...more.marks },
  };
}

/** A bucket whose Compactor of this cluster does not run. */
function bucketEvidence(blocks: readonly RawObject[]): RawObject {
  return {
    'bucket.blocks': [
      {
        place: 'thanos@127.0.0.1:1',
        bucket: 'thanos',
        bucketKey: 'Bucket thanos@127.0.0.1:1',
        stores: [{ cluster: 'test', id: 'ns/objstore/store.yml' }],
        blocks,
      },
    ],
    'thanos.workloads': [
      {
        component: 'compact',
        workload: { key: 'StatefulSet ns/compact' },
        objstore: { id: 'ns/objstore/store.yml' },
        version: '0.40.1',
      },
    ],
    'thanos.compactors': [],
  };
}

const MARKED: Scene = {
  action: 'bucket.mark-no-compact',
  with: { bucket: 'thanos@127.0.0.1:1', compactor: 'StatefulSet ns/compact', block: BLOCK },
  objects: [secret(LOCAL_STORE), reader('compact', 'compact')],
  buckets: { thanos: [`${BLOCK}/meta.json`] },
  wishes: { bucketWrites: true },
  evidence: {
    ...bucketEvidence([block(BLOCK)]),
    'thanos.compactors': [
      {
        workload: { key: 'StatefulSet ns/compact' },
        bucketKey: 'Bucket thanos@127.0.0.1:1',
        running: true,
        halted: true,
        haltBlocks: [BLOCK],
      },
    ],
  },
};

const BROKEN_ROLLOUT = workload('Deployment', 'query', {
  spec: { template: templateOf('example/main:none', { added: 'yes' }) },
  status: { readyReplicas: 1, updatedReplicas: 1 },
});

function templateOf(image: string, labels: RawObject = {}): RawObject {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }];
  return { metadata: { labels: { app: 'query', ...labels } }, spec: { containers: [{ name: 'main', image, env }] } };
}

function replicaSet(of: RawObject, revision: number, image: string, ready: number): RawObject {
  const { name, uid } = of.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${revision}`,
      namespace: 'ns',
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: [{ apiVersion: of.apiVersion, kind: of.kind, name, uid, controller: true }],
    },
    spec: {
      selector: { matchLabels: { app: name, 'pod-template-hash': `hash-${revision}` } },
      template: templateOf(image, { 'pod-template-hash': `hash-${revision}` }),
    },
    status: { replicas: ready, readyReplicas: ready },
  };
}

const GRAFANA = workload('Deployment', 'grafana', { spec: { replicas: 2 } });

const RESTARTED = workload('Deployment', 'resizer', { spec: { replicas: 2 } });

const TRAPPED = workload('StatefulSet', 'set', {
  status: { readyReplicas: 0, availableReplicas: 0, updateRevision: 'revision-2' },
});

function controllerRevision(name: string, revision: number): RawObject {
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name, namespace: 'ns' }, data: {}, revision };
}

/** One scene for every action. */
export const SCENES: Readonly<Record<string, Scene>> = {
  'thanos.allow-plain-http': PLAIN_HTTP,
  'thanos.use-tls': {
    ...PLAIN_HTTP,
    action: 'thanos.use-tls',
    objects: [secret(STORE_TEXT.replace('  access_key', '  insecure: true\n  access_key')), reader('store', 'store')],
    evidence: {
      'network.probe {"endpoint":"s3.example:443"}': {
        tcp: 'open',
        speaks: 'tls',
        certificate: { issuer: "Let's Encrypt R13" },
      },
    },
  },
  'thanos.correct-endpoint': {
    ...PLAIN_HTTP,
    action: 'thanos.correct-endpoint',
    objects: [secret(STORE_TEXT.replace('"s3.example"', '"http://s3.example/"')), reader('store', 'store')],
  },
  'thanos.set-region': { ...PLAIN_HTTP, action: 'thanos.set-region', with: { ...STORE, region: 'eu-central-1' } },
  'kubernetes.restart-workload': {
    action: 'kubernetes.restart-workload',
    with: { workload: 'Deployment ns/resizer' },
    objects: [node('node-1'), RESTARTED, pod(RESTARTED, 'resizer-1'), pod(RESTARTED, 'resizer-2')],
  },
  'kubernetes.delete-pod': {
    action: 'kubernetes.delete-pod',
    with: { pod: 'Pod ns/set-0' },
    objects: [
      TRAPPED,
      pod(TRAPPED, 'set-0', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }),
      node('node-1'),
    ],
  },
  'kubernetes.delete-stuck-revision-pod': {
    action: 'kubernetes.delete-stuck-revision-pod',
    with: { pod: 'Pod ns/set-0' },
    objects: [
      TRAPPED,
      pod(TRAPPED, 'set-0', {
        status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
      }),
      node('node-1'),
      controllerRevision('revision-1', 1),
      controllerRevision('revision-2', 2),
    ],
  },
  'kubernetes.uncordon-node': {
    action: 'kubernetes.uncordon-node',
    with: { node: 'Node node-1' },
    objects: [
      node('node-1', {
        spec: {
          unschedulable: true,
          taints: [
            { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' },
          ],
        },
      }),
    ],
  },
  'prometheus.raise-memory-limit': {
    action: 'prometheus.raise-memory-limit',
    with: { prometheus: 'Prometheus ns/main', pod: 'Pod ns/prometheus-main-0' },
    objects: [
      prometheus({ resources: { limits: { memory: '2Gi' }, requests: { memory: '2Gi' } } }),
      pod(workload('StatefulSet', 'prometheus-main'), 'prometheus-main-0', {
        metadata: { labels: { 'operator.prometheus.io/name': 'main' } },
        status: { containerStatuses: [{ name: 'prometheus', lastState: { terminated: { reason: 'OOMKilled' } } }] },
      }),
      node('node-1'),
    ],
  },
  'prometheus.lengthen-retention': {
    action: 'prometheus.lengthen-retention',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [prometheus({ retention: '2h' })],
    evidence: {
      'storage.claim-usage': [
        { claim: { namespace: 'ns', name: 'db-prometheus-main-0' }, measured: true, capacity: 100, available: 90 },
      ],
    },
  },
  'prometheus.unpause': {
    action: 'prometheus.unpause',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [prometheus({ paused: true }), workload('StatefulSet', 'prometheus-main')],
  },
  'prometheus.extend-startup-budget': {
    action: 'prometheus.extend-startup-budget',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [prometheus({})],
    evidence: {
      'prometheus.replicas': [
        {
          prometheus: { key: 'Prometheus ns/main' },
          pod: { namespace: 'ns', name: 'prometheus-main-0' },
          container: 'prometheus',
          ready: false,
          last: { reason: 'Error' },
          before: { reason: '', ranFor: 900, finished: '2026-11-23T07:50:00Z' },
        },
      ],
      'logs.signatures': {
        hits: [
          {
            id: 'wal-segment-loaded',
            count: 81,
            first: '2026-11-23T07:36:00Z',
            last: '2026-11-23T07:49:20Z',
            captured: { segment: '80', last: '100' },
          },
        ],
      },
    },
  },
  'prometheus.set-external-labels': {
    action: 'prometheus.set-external-labels',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [prometheus({ externalLabels: { replica: 'a' } })],
    evidence: { 'fleet.producers': [{ cluster: 'other', labels: { cluster: 'other' } }], 'bucket.groups': [] },
  },
  'prometheus.set-objstore-key': {
    action: 'prometheus.set-objstore-key',
    with: STORE,
    objects: [prometheus({ thanos: { objectStorageConfig: { name: 'objstore', key: 'objstore.yml' } } }), secret()],
  },
  'prometheus.set-block-duration': {
    action: 'prometheus.set-block-duration',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [
      prometheus({
        thanos: { objectStorageConfig: { name: 'objstore', key: 'store.yml' }, blockSize: '1h' },
        additionalArgs: [
          { name: 'storage.tsdb.max-block-duration', value: '1d' },
          { name: 'web.page-title', value: 'main' },
        ],
      }),
      pod(workload('StatefulSet', 'prometheus-main'), 'prometheus-main-0', {
        metadata: { labels: { 'operator.prometheus.io/name': 'main' } },
      }),
    ],
    server: {
      other: tellsBlocks([{ ulid: BLOCK, minTime: 0, maxTime: 6 * 3_600_000, compaction: { sources: ['A'] } }]),
    },
    evidence: { 'bucket.blocks': [{ blocks: [{ sources: ['A'] }] }] },
  },
  'prometheus.quarantine-block': {
    action: 'prometheus.quarantine-block',
    with: { prometheus: 'Prometheus ns/main', pod: 'Pod ns/prometheus-main-1', block: BLOCK },
    objects: quarantined(),
    server: { controllers: [rollout, replacePods, resize, scalePods, runOnce] },
    wishes: { dataSteps: true },
    evidence: {
      'prometheus.replicas': [{ pod: { key: 'Pod ns/prometheus-main-1' }, container: 'prometheus', ready: false }],
      'logs.signatures': { hits: [{ id: 'prometheus-block-damaged', open: true, captured: { block: BLOCK } }] },
      'bucket.blocks': [{ blocks: [{ state: 'complete', sources: [BLOCK] }] }],
      'longhorn.snapshots': [{ volume: 'pv-data-1', ready: true, markedRemoved: false, age: 60 }],
    },
  },
  'network.allow-scrape': {
    action: 'network.allow-scrape',
    with: { policy: 'NetworkPolicy ns/deny' },
    objects: [
      pod(workload('StatefulSet', 'store'), 'store-0'),
      pod(workload('StatefulSet', 'prometheus-main'), 'prometheus-main-0'),
    ],
    evidence: {
      'network.blocked-paths': [
        {
          policy: { key: 'NetworkPolicy ns/deny' },
          direction: 'ingress',
          byRule: false,
          paths: [{ purpose: 'scrape', from: 'ns/prometheus-main-0', to: 'ns/store-0', port: 10902, protocol: 'TCP' }],
        },
      ],
      'network.policy-effects': { verdict: 'denied', direction: 'ingress' },
    },
  },
  'prometheus.grow-claim': {
    action: 'prometheus.grow-claim',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [
      node('node-1'),
      prometheus({
        storage: {
          volumeClaimTemplate: {
            metadata: { name: 'db' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
          },
        },
      }),
      workload('StatefulSet', 'prometheus-main', {
        spec: {
          volumeClaimTemplates: [
            {
              metadata: { name: 'db' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
            },
          ],
        },
      }),
      pod(workload('StatefulSet', 'prometheus-main'), 'prometheus-main-0', {
        metadata: { labels: { 'operator.prometheus.io/name': 'main' } },
      }),
      claim('db-prometheus-main-0', { 'operator.prometheus.io/name': 'main' }),
      STORAGE_CLASS,
    ],
    server: { controllers: [replacePods, resize, operator] },
  },
  'kubernetes.expand-claim': {
    action: 'kubernetes.expand-claim',
    with: { claim: 'PersistentVolumeClaim ns/data' },
    objects: [claim('data'), STORAGE_CLASS],
  },
  'kubernetes.set-default-storage-class': {
    action: 'kubernetes.set-default-storage-class',
    with: { class: 'fast' },
    objects: [STORAGE_CLASS],
  },
  'kubernetes.set-ingress-class': {
    action: 'kubernetes.set-ingress-class',
    with: { ingress: 'Ingress ns/site' },
    objects: [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'site', namespace: 'ns' },
        spec: {
          rules: [
            {
              host: 'site.example',
              http: {
                paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
              },
            },
          ],
        },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'cilium' },
        spec: { controller: 'example/c' },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'ns' },
        spec: { ports: [{ port: 80 }] },
      },
    ],
  },
  'kubernetes.scale-workload': {
    action: 'kubernetes.scale-workload',
    with: { workload: 'StatefulSet ns/query' },
    objects: [workload('StatefulSet', 'query', { spec: { replicas: 0 } })],
  },
  'kubernetes.raise-memory-limit': {
    action: 'kubernetes.raise-memory-limit',
    with: { workload: 'Deployment ns/query', container: 'main', pod: 'Pod ns/query-1' },
    objects: [
      LIMITED,
      pod(LIMITED, 'query-1', {
        status: { containerStatuses: [{ name: 'main', lastState: { terminated: { reason: 'OOMKilled' } } }] },
      }),
      node('node-1'),
    ],
  },
  'kubernetes.delete-evicted-pods': {
    action: 'kubernetes.delete-evicted-pods',
    with: { workload: 'Deployment ns/resizer' },
    objects: [
      RESTARTED,
      pod(RESTARTED, 'resizer-1'),
      pod(RESTARTED, 'resizer-old', {
        status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.', conditions: [] },
      }),
      node('node-1'),
    ],
    server: { controllers: [] },
  },
  'kubernetes.use-recreate-strategy': {
    action: 'kubernetes.use-recreate-strategy',
    with: { workload: 'Deployment ns/board' },
    objects: [
      workload('Deployment', 'board', {
        spec: {
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
          template: {
            metadata: { labels: { app: 'board' } },
            spec: {
              containers: [{ name: 'main', image: 'example/main:1' }],
              volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
            },
          },
        },
      }),
      claim('data'),
    ],
  },
  'longhorn.set-replica-count': {
    action: 'longhorn.set-replica-count',
    with: { volume: 'Volume storage/pvc-1' },
    objects: [
      {
        apiVersion: 'longhorn.io/v1beta2',
        kind: 'Volume',
        metadata: { name: 'pvc-1', namespace: 'storage' },
        spec: { numberOfReplicas: 3 },
        status: { robustness: 'degraded', state: 'attached' },
      },
      {
        apiVersion: 'longhorn.io/v1beta2',
        kind: 'Node',
        metadata: { name: 'node-1', namespace: 'storage' },
        spec: { allowScheduling: true },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
  },
  'monitoring.add-selector-label': {
    action: 'monitoring.add-selector-label',
    with: { object: 'ServiceMonitor ns/store', label: 'release', value: 'main' },
    objects: [
      monitor({ endpoints: [{ port: 'http' }] }),
      prometheus({ serviceMonitorSelector: { matchLabels: { release: 'main' } } }),
    ],
    evidence: {
      'prometheus.targets': [],
      'prometheus-operator.selection': [
        {
          object: { key: 'ServiceMonitor ns/store' },
          selected: false,
          missing: 'label',
          wantedLabels: { release: 'main' },
        },
      ],
    },
  },
  'monitoring.set-monitor-port': {
    action: 'monitoring.set-monitor-port',
    with: { monitor: 'ServiceMonitor ns/store', endpoint: '0', port: 'http' },
    objects: [
      monitor({ endpoints: [{ port: '10902', interval: '30s' }] }),
      ...scrapedService({ name: 'http', port: 10902 }),
    ],
    server: { other: answersMetrics },
    evidence: {
      'prometheus-operator.selection': [
        {
          object: { key: 'ServiceMonitor ns/store' },
          selected: true,
          endpoints: [{ index: 0, fault: 'no-port', likely: 'http', portNames: ['http'] }],
          matchedServices: [{ key: 'Service ns/store' }],
        },
      ],
    },
  },
  'monitoring.name-service-port': {
    action: 'monitoring.name-service-port',
    with: { monitor: 'ServiceMonitor ns/store', endpoint: '0' },
    objects: [monitor({ endpoints: [{ port: 'http' }] }), ...scrapedService({ port: 10902 })],
    server: { other: answersMetrics },
    evidence: {
      'prometheus-operator.selection': [
        { object: { key: 'ServiceMonitor ns/store' }, matchedServices: [{ key: 'Service ns/store' }] },
      ],
    },
  },
  'monitoring.install-alerts': {
    action: 'monitoring.install-alerts',
    with: { prometheus: 'Prometheus ns/main' },
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns', labels: { team: 'a' } } },
      prometheus({ ruleSelector: { matchLabels: { release: 'main' } }, ruleNamespaceSelector: {} }),
    ],
    evidence: {
      'prometheus.alert-expressions': [
        { loaded: true, known: '', alert: 'Watchdog', watches: ['always'], selectors: [] },
        { loaded: true, known: 'shipper-last-upload', alert: 'Dead', watches: ['uploads'], selectors: [] },
      ],
      'prometheus.metric-names': [
        {
          evaluator: { key: 'Prometheus ns/main' },
          names: [
            'up',
            'thanos_compact_halted',
            'thanos_shipper_dir_syncs_total',
            'thanos_objstore_bucket_last_successful_upload_time',
            'thanos_sidecar_prometheus_up',
          ],
        },
      ],
      'prometheus.targets': [
        {
          prometheus: { key: 'Prometheus ns/main' },
          running: true,
          targets: [{ component: 'query', job: 'the-query' }],
        },
      ],
    },
  },
  'monitoring.replace-dead-alert': {
    action: 'monitoring.replace-dead-alert',
    with: { rule: 'PrometheusRule ns/alerts', alert: 'NoUpload,QueryDown' },
    objects: [
      {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PrometheusRule',
        metadata: { name: 'alerts', namespace: 'ns' },
        spec: {
          groups: [
            {
              name: 'thanos',
              rules: [
                { record: 'x', expr: 'up' },
                {
                  alert: 'NoUpload',
                  expr: '(time() - thanos_shipper_last_successful_upload_time) > 7200\n',
                  for: '30m',
                },
                { alert: 'QueryDown', expr: 'up{job="the-query"} == 0' },
              ],
            },
          ],
        },
      },
    ],
    evidence: {
      'prometheus.alert-expressions': [
        {
          object: { key: 'PrometheusRule ns/alerts' },
          loaded: true,
          evaluator: { key: 'Prometheus ns/main' },
          alert: 'NoUpload',
        },
      ],
      'prometheus.metric-names': [
        {
          evaluator: { key: 'Prometheus ns/main' },
          names: ['up', 'thanos_objstore_bucket_last_successful_upload_time', 'thanos_sidecar_prometheus_up'],
        },
      ],
      'prometheus.query': { answered: true, series: [] },
    },
  },
  'cilium.extend-address-pool': {
    action: 'cilium.extend-address-pool',
    with: { pool: 'main' },
    wishes: { range: '10.0.0.20-10.0.0.21' },
    objects: [
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumLoadBalancerIPPool',
        metadata: { name: 'main' },
        spec: { blocks: [{ cidr: '10.0.0.8/30' }] },
      },
      node('node-1', { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } }),
    ],
    evidence: {
      'cilium.pools': [],
      'kubernetes.nodes': [],
      'kubernetes.services': [],
      'network.probe': { tcp: 'timeout', speaks: '' },
    },
  },
  'cilium.announce-load-balancer-addresses': {
    action: 'cilium.announce-load-balancer-addresses',
    with: { policy: 'main' },
    objects: [
      {
        apiVersion: 'cilium.io/v2alpha1',
        kind: 'CiliumL2AnnouncementPolicy',
        metadata: { name: 'main' },
        spec: { externalIPs: true, serviceSelector: { matchLabels: { app: 'edge' } } },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'edge', namespace: 'ns', labels: { app: 'edge' } },
        spec: { type: 'LoadBalancer', ports: [{ port: 10901 }] },
      },
      node('node-1'),
    ],
    evidence: {
      'cilium.config': { l2Announcements: true },
      'cilium.load-balancers': [
        { service: { key: 'Service ns/edge' }, ips: ['10.0.0.8'], fault: { name: 'main' }, l2: { holder: '' } },
      ],
    },
  },
  'cilium.restart-operator': {
    action: 'cilium.restart-operator',
    with: { workload: 'Deployment ns/cilium-operator' },
    objects: [
      node('node-1'),
      workload('Deployment', 'cilium-operator'),
      pod(workload('Deployment', 'cilium-operator'), 'cilium-operator-1'),
      workload('DaemonSet', 'cilium', {
        spec: {
          template: {
            metadata: { labels: { app: 'cilium' } },
            spec: { containers: [{ name: 'agent', image: 'quay.io/cilium/cilium:v1.18.2' }] },
          },
        },
      }),
    ],
  },
  'thanos.restart-halted-compactor': {
    action: 'thanos.restart-halted-compactor',
    with: { workload: 'StatefulSet ns/compact', class: 'overlap', bucket: 'Bucket b@h:1' },
    objects: [reader('compact', 'compact')],
    evidence: {
      'thanos.compactors': [
        {
          workload: { key: 'StatefulSet ns/compact' },
          halted: true,
          running: true,
          haltClass: 'overlap',
          bucketKey: 'Bucket b@h:1',
        },
      ],
      'bucket.groups': [{ bucketKey: 'Bucket b@h:1', overlaps: [], labelText: '{}', bytes: 1 }],
    },
  },
  'thanos.set-flag': {
    action: 'thanos.set-flag',
    with: { workload: 'Deployment ns/query', flag: '--endpoint', value: 'edge.example:10901', how: 'add' },
    objects: [withArguments('query', ['query', '--endpoint=a.example:10901'])],
  },
  'thanos.correct-endpoint-port': {
    action: 'thanos.correct-endpoint-port',
    with: { workload: 'Deployment ns/query', flag: '--endpoint', value: 'edge.example:10902', port: '10901' },
    objects: [withArguments('query', ['query', '--endpoint=a.example:10901', '--endpoint=edge.example:10902'])],
    evidence: { 'network.probe {"endpoint":"edge.example:10901"}': { tcp: 'open', speaks: 'grpc' } },
  },
  'bucket.mark-no-compact': MARKED,
  'longhorn.allow-scheduling': {
    action: 'longhorn.allow-scheduling',
    with: { node: 'LonghornNode storage/node-1' },
    objects: [
      {
        apiVersion: 'longhorn.io/v1beta2',
        kind: 'Node',
        metadata: { name: 'node-1', namespace: 'storage' },
        spec: {
          allowScheduling: true,
          disks: {
            old: { path: '/old', allowScheduling: true, storageReserved: 10 },
            new: { path: '/new', allowScheduling: false, storageReserved: 10 },
          },
        },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          diskStatus: {
            new: {
              storageMaximum: 100,
              storageAvailable: 90,
              storageScheduled: 0,
              conditions: [{ type: 'Ready', status: 'True' }],
            },
          },
        },
      },
    ],
    evidence: { 'longhorn.settings': [{ name: 'storage-minimal-available-percentage', value: '25' }] },
  },
  'longhorn.set-default-replica-count': {
    action: 'longhorn.set-default-replica-count',
    with: { setting: 'Setting storage/default-replica-count' },
    objects: [
      {
        apiVersion: 'longhorn.io/v1beta2',
        kind: 'Setting',
        metadata: { name: 'default-replica-count', namespace: 'storage' },
        value: '{"v1":"3","v2":"3"}',
      },
      {
        apiVersion: 'longhorn.io/v1beta2',
        kind: 'Node',
        metadata: { name: 'node-1', namespace: 'storage' },
        spec: { allowScheduling: true },
      },
    ],
  },
  'kubernetes.undo-rollout': {
    action: 'kubernetes.undo-rollout',
    with: { workload: 'Deployment ns/query' },
    objects: [
      BROKEN_ROLLOUT,
      replicaSet(BROKEN_ROLLOUT, 1, 'example/main:1', 1),
      replicaSet(BROKEN_ROLLOUT, 2, 'example/main:none', 0),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'ns' }, data: { a: '1' } },
    ],
  },
  'thanos.stop-second-compactor': {
    action: 'thanos.stop-second-compactor',
    with: { workload: 'StatefulSet ns/second', other: 'StatefulSet ns/first @hub' },
    objects: [
      workload('StatefulSet', 'second', {
        metadata: { creationTimestamp: '2026-11-01T00:00:00Z' },
        status: { readyReplicas: 1 },
      }),
    ],
    evidence: {
      'fleet.buckets': [
        {
          compactors: [
            { workload: { key: 'StatefulSet ns/second @test' }, selector: '', running: 1, ready: 1 },
            {
              workload: { key: 'StatefulSet ns/first @hub' },
              selector: '',
              running: 1,
              ready: 1,
              created: '2026-01-01T00:00:00Z',
            },
          ],
        },
      ],
    },
  },
  'bucket.unmark': {
    ...MARKED,
    action: 'bucket.unmark',
    with: { ...MARKED.with, mark: 'no-compact' },
    buckets: { thanos: [`${BLOCK}/meta.json`, `${BLOCK}/no-compact-mark.json`] },
    evidence: bucketEvidence([
      block(BLOCK, {
        marks: {
          noCompact: true,
          noCompactAt: '2026-11-01T00:00:00Z',
          noCompactReason: 'manual',
          details: 'thanos-doctor block-index-corrupt',
        },
      }),
    ]),
  },
  'bucket.mark-duplicate-for-deletion': {
    ...MARKED,
    action: 'bucket.mark-duplicate-for-deletion',
    buckets: { thanos: [`${BLOCK}/meta.json`, `${TWIN}/meta.json`] },
    wishes: { bucketWrites: true, copy: '/copy' },
    copies: { [TWIN]: { files: 3, bytes: 100 } },
    evidence: bucketEvidence([block(BLOCK), block(TWIN)]),
  },
  'grafana.set-datasource-url': {
    action: 'grafana.set-datasource-url',
    with: { configMap: 'ConfigMap ns/datasources', datasource: 'Thanos' },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'datasources', namespace: 'ns', labels: { grafana_datasource: '1' } },
        data: {
          'datasources.yaml':
            'apiVersion: 1\ndatasources: # of this cluster\n- name: Thanos\n  type: prometheus\n  url: "http://query.ns.svc:10902/" # once\n  isDefault: true\n',
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'query', namespace: 'ns' },
        spec: {
          selector: { app: 'query' },
          ports: [
            { name: 'grpc', port: 10901, targetPort: 'grpc' },
            { name: 'http', port: 9090, targetPort: 10902 },
          ],
        },
      },
      pod(workload('Deployment', 'query'), 'query-1', {
        spec: {
          containers: [{ name: 'main', image: 'example/main:1', ports: [{ name: 'grpc', containerPort: 10901 }] }],
        },
      }),
      node('node-1'),
      GRAFANA,
      pod(GRAFANA, 'grafana-1'),
      pod(GRAFANA, 'grafana-2'),
    ],
    server: {
      other: ({ pathname }) =>
        pathname.endsWith('/pods/query-1:10902/proxy/api/v1/status/buildinfo')
          ? { is: 'answer', status: 200, headers: {}, body: Buffer.from('{}') }
          : undefined,
    },
    evidence: {
      'grafana.datasources': [
        {
          name: 'Thanos',
          object: { key: 'ConfigMap ns/datasources' },
          service: { namespace: 'ns', name: 'query' },
          grafana: { key: 'Deployment ns/grafana' },
        },
      ],
    },
  },
  'bucket.create': {
    action: 'bucket.create',
    with: { secret: 'Secret ns/objstore', bucket: 'thanos' },
    objects: [secret(LOCAL_STORE)],
    buckets: {},
    wishes: { bucketWrites: true },
    evidence: {
      'thanos.store-access': [
        { bucket: 'thanos', refusal: 'NoSuchBucket', refusalBy: 'answer', others: [{ bucket: 'archive' }] },
      ],
      'thanos.uploads': [],
    },
  },
};

const SPARE = workload('Deployment', 'resizer', { spec: { replicas: 2 } });
const AGENT = workload('DaemonSet', 'agent');

/** Actions on other kinds, and by other steps. */
const VARIANTS: Readonly<Record<string, Scene>> = {
  'kubernetes.delete-pod, of one that is ready and has a budget': {
    action: 'kubernetes.delete-pod',
    with: { pod: 'Pod ns/set-0' },
    objects: [
      workload('StatefulSet', 'set', { spec: { replicas: 2 } }),
      pod(workload('StatefulSet', 'set'), 'set-0'),
      pod(workload('StatefulSet', 'set'), 'set-1'),
      node('node-1'),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'set', namespace: 'ns' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'set' } } },
        status: { disruptionsAllowed: 1, desiredHealthy: 1, currentHealthy: 2, expectedPods: 2, observedGeneration: 1 },
      },
    ],
  },
  'kubernetes.restart-workload, of a DaemonSet': {
    action: 'kubernetes.restart-workload',
    with: { workload: 'DaemonSet ns/agent' },
    objects: [AGENT, pod(AGENT, 'agent-1'), pod(AGENT, 'agent-2'), node('node-1')],
  },
  'kubernetes.scale-workload, of a Deployment': {
    action: 'kubernetes.scale-workload',
    with: { workload: 'Deployment ns/query' },
    objects: [workload('Deployment', 'query', { spec: { replicas: 0 } })],
  },
  'kubernetes.delete-evicted-pods, several': {
    ...SCENES['kubernetes.delete-evicted-pods']!,
    objects: [
      SPARE,
      pod(SPARE, 'resizer-1'),
      pod(SPARE, 'resizer-2'),
      ...['a', 'b', 'c'].map(name =>
        pod(SPARE, `resizer-old-${name}`, {
          status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.', conditions: [] },
        }),
      ),
      node('node-1'),
    ],
  },
  'monitoring.add-selector-label, to a PodMonitor': {
    action: 'monitoring.add-selector-label',
    with: { object: 'PodMonitor ns/store', label: 'release', value: 'main' },
    objects: [
      { ...monitor({ podMetricsEndpoints: [{ port: 'http' }] }), kind: 'PodMonitor' },
      prometheus({ podMonitorSelector: { matchLabels: { release: 'main' } } }),
    ],
    evidence: {
      'prometheus.targets': [],
      'prometheus-operator.selection': [
        {
          object: { key: 'PodMonitor ns/store' },
          selected: false,
          missing: 'label',
          wantedLabels: { release: 'main' },
        },
      ],
    },
  },
};

/** Every scene by its name, which begins with its action. */
export const ALL_SCENES: Readonly<Record<string, Scene>> = { ...SCENES, ...VARIANTS };
