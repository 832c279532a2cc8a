import type { RawObject } from '../../src/model/source.ts';
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
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'ns', generation: 1, uid: `uid-${name}`, ...more.metadata },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'example/main:1' }] },
      },
      ...more.spec,
    },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      ...(kind === 'StatefulSet' ? { currentRevision: 'revision-1', updateRevision: 'revision-1' } : {}),
      ...(kind === 'DaemonSet'
        ? { desiredNumberScheduled: replicas, updatedNumberScheduled: replicas, numberReady: replicas }
        : {}),
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
      ownerReferences: [{ kind: of.kind, name: of.metadata.name, uid: of.metadata.uid, controller: true }],
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

const STORE = { secret: 'Secret ns/objstore', key: 'store.yml' };

export const PLAIN_HTTP: Scene = {
  action: 'thanos.allow-plain-http',
  rule: 'object-store-speaks-http',
  with: STORE,
  objects: [secret(), reader('prometheus-main', 'sidecar', { containers: [SERVER] }), reader('store', 'store')],
  evidence: { 'network.probe {"endpoint":"s3.example:80"}': { tcp: 'open', speaks: 'http' } },
};

const RESTARTED = workload('Deployment', 'resizer', { spec: { replicas: 2 } });

const TRAPPED = workload('StatefulSet', 'set', { status: { readyReplicas: 0, updateRevision: 'revision-2' } });

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
    objects: [RESTARTED, pod(RESTARTED, 'resizer-1'), pod(RESTARTED, 'resizer-2')],
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
};
