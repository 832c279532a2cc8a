import { describe, expect, it } from 'vitest';
import { collector as answers } from '../../src/evidence/collectors/bucket.answer.ts';
import { collector as blocks } from '../../src/evidence/collectors/bucket.blocks.ts';
import { collector as objectStores } from '../../src/evidence/collectors/thanos.object-stores.ts';
import { collector as queryStores } from '../../src/evidence/collectors/thanos.query-stores.ts';
import { collector as readiness } from '../../src/evidence/collectors/thanos.readiness.ts';
import { collector as groups } from '../../src/evidence/derived/bucket.groups.ts';
import { collector as addresses } from '../../src/evidence/derived/fleet.addresses.ts';
import { collector as clusters } from '../../src/evidence/derived/fleet.clusters.ts';
import { collector as endpoints } from '../../src/evidence/derived/fleet.endpoints.ts';
import { collector as producers } from '../../src/evidence/derived/fleet.producers.ts';
import { collector as components } from '../../src/evidence/derived/thanos.components.ts';
import { collector as queryEndpoints } from '../../src/evidence/derived/thanos.query-endpoints.ts';
import { collector as servicePorts } from '../../src/evidence/derived/thanos.service-ports.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';
import { metadata, pod, waiting } from './raw-objects.ts';

const LABELS = { app: 'prometheus' };
const SIDECAR = {
  name: 'side',
  image: 'quay.io/thanos/thanos:v0.39.2',
  args: ['sidecar', '--objstore.config=$(CONFIG)', '--tsdb.path=/prometheus'],
  env: [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: 's3', key: 'k.yml' } } }],
  ports: [{ name: 'grpc', containerPort: 10901 }],
};
const PROMETHEUS = {
  name: 'prom',
  image: 'quay.io/prometheus/prometheus:v3.6.0',
  args: ['--storage.tsdb.path=/prometheus'],
};

function prometheusPod(ip: string, ready = true): RawObject {
  const made = pod('prometheus-p-0', {
    labels: LABELS,
    owner: { kind: 'StatefulSet', name: 'prometheus-p' },
    containers: [PROMETHEUS, SIDECAR],
    ready,
  });
  return { ...made, status: { ...made.status, podIP: ip } };
}

function statefulSet(): RawObject {
  return {
    metadata: metadata('prometheus-p', { owner: { kind: 'Prometheus', name: 'p' } }),
    spec: { replicas: 1, template: { metadata: { labels: LABELS }, spec: { containers: [PROMETHEUS, SIDECAR] } } },
    status: { replicas: 1, readyReplicas: 1 },
  };
}

function service(name: string, spec: RawObject, status: RawObject = {}): RawObject {
  return { metadata: metadata(name), spec: { selector: LABELS, ...spec }, status };
}

function slice(of: string, ip: string, port: number, ready = true): RawObject {
  return {
    metadata: metadata(`${of}-x`, { labels: { 'kubernetes.io/service-name': of } }),
    addressType: 'IPv4',
    ports: [{ name: 'grpc', port }],
    endpoints: [
      { addresses: [ip], conditions: { ready }, targetRef: { kind: 'Pod', namespace: 'm', name: 'prometheus-p-0' } },
    ],
  };
}

function httpSlice(): RawObject {
  return { ...slice('int', '10.2.0.1', 10902), ports: [{ name: 'http', port: 10902 }] };
}

const NODES = [
  { metadata: metadata('n', { namespace: '' }), status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] } },
];
const CONFIG = { type: 'S3', config: { bucket: 'b', endpoint: 'h:80', insecure: true } };

const EDGE_OBJECTS = {
  pods: [prometheusPod('10.2.0.1')],
  'apps/statefulsets': [statefulSet()],
  'apps/deployments': [],
  'apps/replicasets': [],
  'apps/daemonsets': [],
  nodes: NODES,
  services: [
    service(
      'ext',
      { type: 'LoadBalancer', ports: [{ name: 'grpc', port: 10901, targetPort: 10901 }] },
      { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } },
    ),
  ],
  'discovery.k8s.io/endpointslices': [slice('ext', '10.2.0.1', 10901)],
  'monitoring.coreos.com/prometheuses': [
    {
      metadata: metadata('p'),
      spec: { externalLabels: { cluster: 'edge' }, thanos: { objectStorageConfig: { name: 's3', key: 'k.yml' } } },
    },
  ],
  'monitoring.coreos.com/thanosrulers': [],
  'networking.k8s.io/ingresses': [],
};

function edge(changes: Partial<FakeCluster> = {}, objects: FakeCluster['objects'] = {}): FakeCluster {
  return {
    name: 'edge',
    objects: { ...EDGE_OBJECTS, ...objects },
    objectStore: () => ({ config: CONFIG, changedAt: ago(9000), keys: ['k.yml'] }),
    ...changes,
  };
}

interface Entry {
  readonly name: string;
  readonly error?: string | null;
}

function hub(args: readonly string[], listed: readonly Entry[], queryAge = 3000): FakeCluster {
  const query = {
    name: 'q',
    image: 'quay.io/thanos/thanos:v0.37.2',
    args: ['query', ...args],
    status: { state: { running: { startedAt: ago(queryAge) } }, ready: true, started: true, restartCount: 0 },
  };
  const made = pod('q-1', { labels: { app: 'q' }, owner: { kind: 'ReplicaSet', name: 'q-abc' }, containers: [query] });
  return {
    name: 'hub',
    objects: {
      pods: [{ ...made, metadata: { ...made.metadata, labels: { app: 'q', 'pod-template-hash': 'abc' } } }],
      'apps/statefulsets': [],
      'apps/deployments': [],
      'apps/replicasets': [],
      'apps/daemonsets': [],
      nodes: [],
      services: [],
      'discovery.k8s.io/endpointslices': [],
      'monitoring.coreos.com/prometheuses': null,
      'monitoring.coreos.com/thanosrulers': null,
      'networking.k8s.io/ingresses': [],
    },
    http: ({ path }) => {
      if (path !== '/api/v1/stores') return undefined;
      const sidecar = listed.map(({ name, error }) => ({
        name,
        lastCheck: ago(error ? 120 : 5),
        lastError: error ?? null,
        labelSets: [{ cluster: 'edge', prometheus: 'm/p', prometheus_replica: 'prometheus-p-0' }],
        minTime: Date.parse(ago(20000)),
        maxTime: 9.2e18,
      }));
      return JSON.stringify({ status: 'success', data: sidecar.length > 0 ? { sidecar } : {} });
    },
  };
}

const GIVEN = '--endpoint=198.51.100.7:10901';
const LISTED = [{ name: '198.51.100.7:10901' }];

describe('thanos.components', () => {
  it('names the resource that owns a sidecar, and where its configuration stands', async () => {
    const rows = await collect(components, edge());
    const sidecar = rows.find(row => row.component === 'sidecar')!;
    expect(sidecar).toMatchObject({
      containerKey: 'Container m/prometheus-p-0/side',
      version: '0.39.2',
      httpPort: 10902,
      grpcPort: 10901,
      settled: true,
      objstore: { source: 'env', kind: 'Secret', secret: 's3', key: 'k.yml', id: 'm/s3/k.yml' },
    });
    expect(sidecar.subject.key).toBe('Prometheus m/p');
    expect(sidecar.workload.key).toBe('StatefulSet m/prometheus-p');
  });

  it('knows what a workload without pods would run', async () => {
    const rows = await collect(components, edge({}, { pods: [] }));
    expect(rows.map(row => [row.component, row.running, row.containerKey])).toEqual([
      ['prometheus', false, ''],
      ['sidecar', false, ''],
    ]);
  });

  it('leaves out a finished pod beside its successor, and keeps a gap where workloads could not be read', async () => {
    const evicted = {
      ...pod('old', { owner: { kind: 'StatefulSet', name: 'prometheus-p' }, containers: [SIDECAR] }),
      status: { phase: 'Failed' },
    };
    const rows = await collect(
      components,
      edge({}, { pods: [prometheusPod('10.2.0.1'), evicted], 'apps/deployments': { reason: 'forbidden' } }),
    );
    expect(rows.filter(row => !gapOf(row)).map(row => row.component)).toEqual(['prometheus', 'sidecar']);
    expect(rows.some(row => gapOf(row))).toBe(true);
  });
});

describe('thanos.object-stores', () => {
  it('has one row for a Secret and key, with its users', async () => {
    const [store, ...rest] = await collect(objectStores, edge());
    expect(rest).toEqual([]);
    expect(store).toMatchObject({
      id: 'm/s3/k.yml',
      address: 'h:80',
      place: 'b@h:80',
      bucketKey: 'Bucket b@h:80',
      usable: true,
    });
    expect(store!.usedBy.map(user => user.containerKey)).toEqual(['Container m/prometheus-p-0/side']);
    expect(store!.namedBy.map(by => by.key)).toContain('Prometheus m/p');
  });

  it('keeps the row where the Secret may not be read, and knows nothing of what is in it', async () => {
    const [store] = await collect(objectStores, edge({ objectStore: () => undefined }));
    expect(store).toMatchObject({ id: 'm/s3/k.yml', readable: false });
    expect(() => store!.bucket).toThrow();
    expect(() => store!.exists).toThrow();
  });

  it('knows that a Secret was deleted', async () => {
    const [store] = await collect(objectStores, edge({ objectStore: () => ({ error: 'not-found' }) }));
    expect(store).toMatchObject({
      readable: true,
      exists: false,
      usable: false,
      parseErrorId: 'not-found',
      bucketKey: '',
    });
  });

  it('does not know when it was changed where nobody kept that', async () => {
    const [store] = await collect(objectStores, edge({ objectStore: () => ({ config: CONFIG }) }));
    expect(store!.bucket).toBe('b');
    expect(() => store!.changedAt).toThrow();
  });

  it('tells users that started before the change', async () => {
    const [store] = await collect(objectStores, edge({ objectStore: () => ({ config: CONFIG, changedAt: ago(60) }) }));
    expect(store!.restartedSince).toMatchObject([{ restarted: false }]);
  });
});

describe('bucket.answer', () => {
  it('takes a refusal as knowledge, and silence as a gap', async () => {
    const [refused] = await collect(answers, edge({ bucketAnswer: () => ({ code: 'NoSuchBucket', status: 404 }) }));
    expect(refused).toMatchObject({ reached: true, code: 'NoSuchBucket' });
    const [silent] = await collect(answers, edge());
    expect(() => silent!.code).toThrow();
  });
});

describe('thanos.query-stores and thanos.query-endpoints', () => {
  it('finds whose an outside address is, and that it is up', async () => {
    const fleet = [hub([GIVEN], LISTED), edge()];
    const [view] = await collect(queryStores, fleet);
    expect(view).toMatchObject({ count: 1, healthyCount: 1, missing: [] });
    expect(view!.stores[0]).toMatchObject({ cluster: 'edge', healthy: true });
    const [endpoint] = await collect(queryEndpoints, fleet);
    expect(endpoint).toMatchObject({ outside: true, cluster: 'edge', state: 'up', errorKind: '' });
    expect(endpoint!.objects).toContain('Prometheus m/p @edge');
  });

  it('says down for an entry with an error, and for one that is not listed', async () => {
    const [failing] = await collect(queryEndpoints, [
      hub([GIVEN], [{ ...LISTED[0]!, error: 'dial tcp: i/o timeout' }]),
      edge(),
    ]);
    expect(failing).toMatchObject({ state: 'down', errorKind: 'timeout' });
    const [unlisted] = await collect(queryEndpoints, [hub([GIVEN], []), edge()]);
    expect(unlisted).toMatchObject({ state: 'down', errorKind: 'unlisted' });
  });

  it('waits for a Query that has just started', async () => {
    const [endpoint] = await collect(queryEndpoints, [hub([GIVEN], [], 20), edge()]);
    expect(endpoint!.state).toBe('settling');
  });

  it('does not know whose an address is while a cluster is not read', async () => {
    const [endpoint] = await collect(queryEndpoints, [hub([GIVEN], []), edge({ objects: {} })]);
    expect(endpoint!.unreadClusters).toEqual(['edge']);
    expect(endpoint!.objects).toContain('Cluster edge');
    expect(() => endpoint!.cluster).toThrow();
  });

  it('names the Service that waits for an address as the one that is likely meant', async () => {
    const pending = service('ext', { type: 'LoadBalancer', ports: [{ name: 'grpc', port: 10901, targetPort: 10901 }] });
    const [endpoint] = await collect(queryEndpoints, [hub([GIVEN], []), edge({}, { services: [pending] })]);
    expect(endpoint!.candidates).toContain('Service m/ext @edge');
  });

  it('does not know the state where the Query could not be asked', async () => {
    const [endpoint] = await collect(queryEndpoints, [{ ...hub([GIVEN], []), http: () => undefined }, edge()]);
    expect(() => endpoint!.state).toThrow();
  });
});

describe('thanos.readiness', () => {
  it('knows that a container that does not run is not ready, without asking', async () => {
    const looping = pod('prometheus-p-0', {
      owner: { kind: 'StatefulSet', name: 'prometheus-p' },
      containers: [{ ...SIDECAR, status: waiting('CrashLoopBackOff') }],
    });
    const [row] = await collect(readiness, edge({}, { pods: [looping] }));
    expect(row).toMatchObject({ answers: false, ready: false, status: 0 });
  });

  it('takes a 503 as an answer', async () => {
    const [row] = await collect(readiness, edge({ http: () => ({ status: 503, body: 'NOT OK' }) }));
    expect(row).toMatchObject({ answers: true, ready: false, status: 503 });
  });
});

describe('thanos.service-ports', () => {
  it('finds a port for gRPC that leads to the web port', async () => {
    const wrong = service('ext', { type: 'LoadBalancer', ports: [{ name: 'grpc', port: 10901, targetPort: 9090 }] });
    const rows = await collect(
      servicePorts,
      edge({}, { services: [wrong], 'discovery.k8s.io/endpointslices': [slice('ext', '10.2.0.1', 9090)] }),
    );
    expect(rows).toMatchObject([{ meantForGrpc: true, leadsToGrpc: false, fault: 'web-port', resolved: 9090 }]);
  });

  it('is content with the right port', async () => {
    const rows = await collect(servicePorts, edge());
    expect(rows).toMatchObject([{ leadsToGrpc: true, fault: '' }]);
  });
});

describe('the fleet', () => {
  it('finds hub and edge by looking', async () => {
    const rows = await collect(clusters, [edge(), hub([GIVEN], LISTED)]);
    expect(rows.map(row => [row.name, row.role, row.roleBy])).toEqual([
      ['edge', 'edge', 'discovered'],
      ['hub', 'hub', 'discovered'],
    ]);
  });

  it('knows who holds an address', async () => {
    const rows = await collect(addresses, [edge()]);
    expect(rows.find(row => row.address === '198.51.100.7:10901')).toMatchObject({
      kind: 'load-balancer',
      grpc: true,
      component: 'sidecar',
    });
    expect(rows.find(row => row.kind === 'node')).toMatchObject({ host: '192.0.2.9', address: '' });
  });

  const behindIngress = (host: string, rules: RawObject = {}, pathPort: RawObject = { number: 10901 }) =>
    edge(
      {},
      {
        services: [
          service('int', { type: 'ClusterIP', ports: [{ name: 'grpc', port: 10901, targetPort: 10901 }], ...rules }),
        ],
        'discovery.k8s.io/endpointslices': [slice('int', '10.2.0.1', 10901)],
        'networking.k8s.io/ingresses': [
          {
            metadata: metadata('i'),
            spec: {
              tls: [{ hosts: [host] }],
              rules: [
                { host, http: { paths: [{ path: '/', backend: { service: { name: 'int', port: pathPort } } }] } },
              ],
            },
            status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } },
          },
        ],
      },
    );

  it('knows which Service the host of an Ingress leads to, and whose the address of an Ingress is', async () => {
    const rows = await collect(addresses, [hub([], []), behindIngress('Edge.example')]);
    const found = rows.find(row => row.address === 'edge.example:443')!;
    expect(found).toMatchObject({
      kind: 'ingress',
      cluster: 'edge',
      grpc: true,
      component: 'sidecar',
      targetPort: 10901,
    });
    expect([found.service.key, found.ingress.key]).toEqual(['Service m/int', 'Ingress m/i']);
    expect(found.objects).toEqual(expect.arrayContaining(['Ingress m/i @edge', 'Prometheus m/p @edge']));
    // Who asks by the address alone names no host: nothing is behind it.
    const bare = rows.find(row => row.address === '198.51.100.9:443')!;
    expect(bare).toMatchObject({ kind: 'ingress', cluster: 'edge', grpc: false, objects: [] });
  });

  it('does not know whose an address is where the Ingresses of a cluster cannot be read', async () => {
    const unread = edge({}, { 'networking.k8s.io/ingresses': { reason: 'forbidden' } });
    const [endpoint] = await collect(queryEndpoints, [hub(['--endpoint=192.0.2.77:443'], []), unread]);
    expect(() => endpoint!.ownerCluster).toThrow();
  });

  it.each([
    ['edge.example', 'edge.example:443'],
    ['*.example', 'edge.example:443'],
  ])('an Ingress for %s leads to the edge that is given as %s', async (host, given) => {
    const fleet = [hub([`--endpoint=${given}`], [{ name: given, error: 'i/o timeout' }]), behindIngress(host)];
    const [endpoint] = await collect(queryEndpoints, fleet);
    expect(endpoint).toMatchObject({ outside: true, ownerCluster: 'edge', state: 'down' });
    const [row] = await collect(endpoints, fleet);
    expect(row).toMatchObject({ configured: true, onlyByIngress: true, likelyMoved: false, seen: false });
    expect(row).toMatchObject({ endpoints: [given], firstBrokenHop: 'timeout' });
  });

  it('a star stands for one part of a name', async () => {
    const given = 'a.edge.example:443';
    const [row] = await collect(endpoints, [hub([`--endpoint=${given}`], []), behindIngress('*.example')]);
    expect(row).toMatchObject({ configured: false });
  });

  it('an Ingress for the web page of the sidecar is no way in', async () => {
    const ports = [{ name: 'http', port: 10902, targetPort: 10902 }];
    const web = behindIngress('edge.example', { ports }, { number: 10902 });
    const objects = { ...web.objects, 'discovery.k8s.io/endpointslices': [httpSlice()] };
    const [row] = await collect(endpoints, [hub([], LISTED.slice(1)), { ...web, objects }]);
    expect(row?.exposedAt ?? []).toEqual([]);
  });

  it('takes labels from the Query, or from the resource, where Prometheus cannot be asked', async () => {
    const fromQuery = await collect(producers, [hub([GIVEN], LISTED), edge()]);
    expect(fromQuery).toMatchObject([
      { labelsFrom: 'query', labelText: '{cluster="edge",prometheus="m/p",prometheus_replica="prometheus-p-0"}' },
    ]);
    const fromResource = await collect(producers, [edge()]);
    expect(fromResource[0]).toMatchObject({ labelsFrom: 'resource', labelText: fromQuery[0]!.labelText });
  });

  it('says whether the hub sees the edge, and the first hop that does not work', async () => {
    const seen = await collect(endpoints, [hub([GIVEN], LISTED), edge()]);
    expect(seen).toMatchObject([{ cluster: 'edge', hub: 'hub', seen: true, firstBrokenHop: 'none' }]);
    const notGiven = await collect(endpoints, [hub(['--endpoint=192.0.2.77:10901'], []), edge()]);
    expect(notGiven).toMatchObject([
      { seen: false, configured: false, likelyMoved: true, firstBrokenHop: 'not-configured' },
    ]);
    const failing = await collect(endpoints, [hub([GIVEN], [{ ...LISTED[0]!, error: 'i/o timeout' }]), edge()]);
    expect(failing).toMatchObject([{ seen: false, configured: true, listed: true, firstBrokenHop: 'timeout' }]);
  });
});

const ULIDS = ['01M8410CKGX26VAAAPTXXHCB8X', '01M84KKG52YVTGJ4V9H93RH8JR'] as const;

function meta(ulid: string, from: number, to: number, more: RawObject = {}): string {
  return JSON.stringify({
    ulid,
    minTime: from * 3600_000,
    maxTime: to * 3600_000,
    compaction: { level: 1, sources: [ulid] },
    thanos: { labels: { cluster: 'edge' }, downsample: { resolution: 0 }, source: 'sidecar' },
    ...more,
  });
}

function block(ulid: string, body: string): Record<string, string> {
  return { [`${ulid}/meta.json`]: body, [`${ulid}/index`]: 'i', [`${ulid}/chunks/000001`]: 'c' };
}

describe('bucket.blocks and bucket.groups', () => {
  const bucket = (objects: Record<string, string>) => edge({ bucket: () => objects });

  it('reads blocks, leaves out what is none, and tells what is missing', async () => {
    const objects = {
      ...block(ULIDS[0], meta(ULIDS[0], 2, 4)),
      [`${ULIDS[1]}/chunks/000001`]: 'c',
      'debug/metas/x.json': '{}',
    };
    const [row] = await collect(blocks, [bucket(objects)]);
    expect(row).toMatchObject({ place: 'b@h:80', listed: true, foreign: 1 });
    expect(row!.blocks).toMatchObject([
      { id: ULIDS[0], state: 'complete', level: 1, missing: [], live: true },
      { id: ULIDS[1], state: 'partial', live: false },
    ]);
  });

  it('reads a bucket once, however many clusters name it', async () => {
    const rows = await collect(blocks, [
      bucket(block(ULIDS[0], meta(ULIDS[0], 2, 4))),
      { ...bucket({}), name: 'other' },
    ]);
    expect(rows).toMatchObject([{ stores: [{ cluster: 'edge' }, { cluster: 'other' }] }]);
  });

  it('finds an overlap, and none in a block that is marked or contained in another', async () => {
    const two = { ...block(ULIDS[0], meta(ULIDS[0], 2, 4)), ...block(ULIDS[1], meta(ULIDS[1], 2, 4)) };
    const [group] = await collect(groups, [bucket(two)]);
    expect(group!.overlaps).toMatchObject([{ first: ULIDS[0], second: ULIDS[1], sameSources: false }]);
    const [marked] = await collect(groups, [bucket({ ...two, [`${ULIDS[1]}/no-compact-mark.json`]: '{}' })]);
    expect(marked!.overlaps).toEqual([]);
    const joined = block(ULIDS[1], meta(ULIDS[1], 2, 6, { compaction: { level: 2, sources: [ULIDS[0], 'X'] } }));
    const [contained] = await collect(groups, [bucket({ ...block(ULIDS[0], meta(ULIDS[0], 2, 4)), ...joined })]);
    expect(contained!.overlaps).toEqual([]);
  });

  it('knows nothing of a bucket that may not be listed', async () => {
    const [row] = await collect(blocks, [edge()]);
    expect(row!.place).toBe('b@h:80');
    expect(() => row!.blocks).toThrow();
  });
});
