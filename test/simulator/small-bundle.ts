import { stringify } from 'yaml';
import { type BundleFiles, memoryFiles } from '../../src/clusters/bundle-files.ts';

type Files = Readonly<Record<string, unknown>>;

const list = (kind: string, apiVersion: string, items: readonly unknown[]) => ({
  kind: `${kind}List`,
  apiVersion,
  metadata: { resourceVersion: '77' },
  items,
});

const pod = (namespace: string, name: string, status: object = {}) => ({
  metadata: { name, namespace, labels: { app: name.split('-')[0] } },
  spec: {
    containers: [
      { name: 'main', ports: [{ containerPort: 9090 }], args: ['--token=redacted:hmac:aa11'] },
      { name: 'side', ports: [{ containerPort: 8080 }] },
    ],
  },
  status: { phase: 'Running', podIP: '10.9.0.7', ...status },
});

const storeConfig = (bucket: string, access: string, secret: string) => ({
  type: 'S3',
  config: {
    bucket,
    endpoint: 'objects.example:80',
    insecure: true,
    access_key: { set: true, fingerprint: `hmac:${access}` },
    secret_key: { set: true, fingerprint: `hmac:${secret}` },
  },
});

const HUB: Files = {
  'cluster.yaml': {
    name: 'hub',
    takenAt: '2026-02-03T04:05:06.000Z',
    serverVersion: { major: '1', minor: '34', gitVersion: 'v1.34.0' },
    context: 'hub',
    apiServer: 'hub.example:6443',
    ready: true,
  },
  'discovery.json': {
    groups: [
      {
        group: '',
        version: 'v1',
        resources: [
          { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list', 'patch'] },
          { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
          { name: 'services', kind: 'Service', namespaced: true, verbs: ['get', 'list'] },
          { name: 'secrets', kind: 'Secret', namespaced: true, verbs: ['get', 'list'] },
          { name: 'events', kind: 'Event', namespaced: true, verbs: ['get', 'list'] },
          { name: 'nodes', kind: 'Node', namespaced: false, verbs: ['get', 'list'] },
        ],
      },
      {
        group: 'apps',
        version: 'v1',
        resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['get', 'list'] }],
      },
      {
        group: 'discovery.k8s.io',
        version: 'v1',
        resources: [{ name: 'endpointslices', kind: 'EndpointSlice', namespaced: true, verbs: ['get', 'list'] }],
      },
      { group: 'metrics.example', version: 'v1', error: 'the server is currently unable to handle the request' },
    ],
  },
  'access.yaml': ['one', 'two'].map(namespace => ({
    namespace,
    incomplete: false,
    resourceRules: [
      {
        verbs: ['get', 'list'],
        apiGroups: ['', 'apps', 'discovery.k8s.io'],
        resources: ['pods', 'services', 'events', 'nodes', 'endpointslices', 'pods/log', '*/proxy'],
      },
      ...(namespace === 'one' ? [{ verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['*'] }] : []),
      ...(namespace === 'one'
        ? [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['store', 'other'] }]
        : []),
    ],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['*'] }],
  })),
  'objects/core/v1/pods.json': list('Pod', 'v1', [
    pod('one', 'alpha-0'),
    pod('one', 'beta-0', {
      phase: 'Pending',
      podIP: undefined,
      containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ContainerCreating' } } }],
    }),
    pod('two', 'gamma-0'),
  ]),
  'objects/core/v1/services.json': list('Service', 'v1', [
    { metadata: { name: 'alpha', namespace: 'one' }, spec: { ports: [{ name: 'web', port: 80, targetPort: 9090 }] } },
  ]),
  'objects/discovery.k8s.io/v1/endpointslices.json': list('EndpointSlice', 'discovery.k8s.io/v1', [
    {
      metadata: { name: 'alpha-x', namespace: 'one', labels: { 'kubernetes.io/service-name': 'alpha' } },
      ports: [{ name: 'web', port: 9090 }],
      endpoints: [
        { addresses: ['10.9.0.7'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'alpha-0' } },
      ],
    },
  ]),
  'objects/apps/v1/deployments.json': list('Deployment', 'apps/v1', []),
  'logs/one/alpha-0/main.log': [
    '2026-02-03T04:00:00.000000001Z first\n',
    '2026-02-03T04:05:00.000000002Z second\n',
    '2026-02-03T04:05:05.000000003Z third\n',
  ].join(''),
  'http/index.yaml': [
    {
      via: 'pod',
      namespace: 'one',
      name: 'alpha-0',
      port: 9090,
      path: '/-/ready',
      status: 503,
      contentType: 'text/plain',
      file: 'ready.txt',
    },
    {
      via: 'pod',
      namespace: 'one',
      name: 'alpha-0',
      port: 9090,
      path: '/api/v1/targets?state=active',
      status: 200,
      contentType: 'application/json',
      file: 'targets.json',
    },
    {
      via: 'node',
      name: 'node-1',
      path: '/stats/summary',
      status: 200,
      contentType: 'application/json',
      file: 'stats.json',
    },
  ],
  'http/ready.txt': 'Service Unavailable',
  'http/targets.json': { status: 'success' },
  'http/stats.json': { node: {} },
  'stores.yaml': [
    {
      id: 'one/store/objstore.yml',
      secret: { namespace: 'one', name: 'store', key: 'objstore.yml' },
      keys: ['objstore.yml', 'extra'],
      changedAt: '2026-02-01T00:00:00Z',
      resourceVersion: '5',
      config: storeConfig('blocks', 'a1', 'b1'),
    },
    {
      id: 'one/other/objstore.yml',
      secret: { namespace: 'one', name: 'other', key: 'objstore.yml' },
      config: storeConfig('blocks', 'a2', 'b1'),
    },
    {
      id: 'one/third/objstore.yml',
      secret: { namespace: 'one', name: 'third', key: 'objstore.yml' },
      config: storeConfig('blocks', 'a1', 'b9'),
    },
  ],
  'buckets/index.yaml': [
    {
      bucket: 'blocks',
      endpoint: 'objects.example:80',
      folder: 'blocks',
      via: 'here',
      stores: ['one/store/objstore.yml'],
      objects: 4,
      truncated: false,
    },
  ],
  'buckets/blocks/objects.jsonl': ['01A/index', '01A/meta.json', '01B/meta.json', 'debug/metas/01A.json']
    .map(key => `${JSON.stringify({ key, size: 10, lastModified: '2026-02-02T00:00:00.000Z' })}\n`)
    .join(''),
  'buckets/blocks/metas/01A.json': { ulid: '01A' },
  'probes.yaml': [
    { endpoint: 'objects.example:80', from: 'here', for: ['object-store'], tcp: 'open', speaks: 'http' },
    { endpoint: 'edge.example:10901', from: 'here', for: ['thanos-endpoint'], tcp: 'open', speaks: 'grpc' },
    {
      endpoint: 'secure.example:443',
      from: 'here',
      for: ['ingress'],
      tcp: 'open',
      speaks: 'tls',
      certificate: {
        notBefore: '2025-01-01T00:00:00Z',
        notAfter: '2026-01-01T00:00:00Z',
        names: ['secure.example'],
        issuer: 'CN=old authority',
      },
    },
    { endpoint: 'closed.example:80', from: 'here', for: ['ingress'], tcp: 'refused' },
    { endpoint: 'dark.example:80', from: 'here', for: ['ingress'], tcp: 'timeout' },
  ],
  'failures.yaml': [
    {
      path: '/api/v1/events',
      status: 403,
      reason: 'Forbidden',
      message: 'events is forbidden: User "lee" cannot list resource "events" in API group "" at the cluster scope',
    },
    { path: '/api/v1/namespaces/one/pods/alpha-0/log?container=side', status: 204, reason: 'NoContent', message: '' },
    {
      path: '/api/v1/namespaces/two/pods/gamma-0:9090/proxy/metrics',
      status: 503,
      reason: 'ServiceUnavailable',
      message: 'error trying to reach service: EOF',
    },
    {
      path: 's3://blocks',
      status: 403,
      reason: 'InvalidAccessKeyId',
      message: 'no such key id',
      store: 'one/other/objstore.yml',
    },
    {
      path: 's3://blocks',
      status: 403,
      reason: 'SignatureDoesNotMatch',
      message: 'wrong',
      store: 'one/third/objstore.yml',
    },
  ],
};

const EDGE: Files = {
  'cluster.yaml': {
    name: 'edge',
    takenAt: '2026-02-03T04:05:09.000Z',
    context: 'edge',
    apiServer: 'edge.example:6443',
  },
  'failures.yaml': [{ path: '/version', status: 0, reason: 'refused', message: 'connect ECONNREFUSED' }],
};

/** A bundle of two clusters: `hub` with a little of everything, and `edge`, which could not be reached. */
export function smallBundle(changes: Files = {}): BundleFiles {
  const files: Record<string, unknown> = {
    'manifest.yaml': { format: 1, createdBy: 'test', takenAt: '2026-02-03T04:05:09.000Z', clusters: ['hub', 'edge'] },
  };
  for (const [path, content] of Object.entries({ ...HUB, ...changes })) files[`clusters/hub/${path}`] = content;
  for (const [path, content] of Object.entries(EDGE)) files[`clusters/edge/${path}`] = content;
  return memoryFiles('small', new Map(Object.entries(files).map(([path, content]) => [path, bytes(path, content)])));
}

function bytes(path: string, content: unknown): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return Buffer.from(path.endsWith('.yaml') ? stringify(content) : JSON.stringify(content));
}
