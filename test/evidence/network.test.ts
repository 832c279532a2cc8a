import { describe, expect, test } from 'vitest';
import { collector as probe } from '../../src/evidence/collectors/network.probe.ts';
import { collector as ingressEntries } from '../../src/evidence/derived/network.ingress-entries.ts';
import { collector as needs } from '../../src/evidence/derived/network.service-needs.ts';
import { collector as tlsHosts } from '../../src/evidence/derived/network.tls-hosts.ts';
import { commonZone, isClusterName, nameIn } from '../../src/evidence/lookups.ts';
import { nearestName } from '../../src/evidence/nearest-name.ts';
import type { RawObject } from '../../src/model/source.ts';
import { derive } from './derive.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';

describe('a probe', () => {
  test('of a name that only the cluster knows is no problem', async () => {
    const row = await collect(probe, {}, { endpoint: 'store.m.svc.cluster.local:10901' });
    expect(row).toMatchObject({ tcp: 'unresolved', clusterName: true });
  });

  test('tells an expired certificate by the time of the evidence', async () => {
    const certificate = { notBefore: ago(9000), notAfter: ago(60), names: ['edge.example'], issuer: 'CN=x' };
    const row = await collect(
      probe,
      { probe: () => ({ speaks: 'tls', certificate }) },
      { endpoint: 'edge.example:443' },
    );
    expect(row.certificate).toMatchObject({ present: true, expired: true, notAfterAge: 60 });
  });

  test('that nobody made is a gap', async () => {
    await expect(collect(probe, {}, { endpoint: 'edge.example:443' })).rejects.toThrow();
  });
});

describe('names in log lines', () => {
  test.each([
    ['dial tcp: lookup s3.example on 10.96.0.10:53: no such host', 's3.example'],
    ['err="lookup SRV records \\"_grpc._tcp.a.m.svc\\": could not resolve"', '_grpc._tcp.a.m.svc'],
    ['resolution against server 10.96.0.10 for _grpc._tcp.a.svc.: exchange: read udp', '_grpc._tcp.a.svc'],
    ['Failed to resolve am-0.alertmanager-operated:9094: no such host', 'am-0.alertmanager-operated'],
    ['nothing of the kind', ''],
  ])('%s', (line, name) => expect(nameIn(line)).toBe(name));

  test('are of the cluster where a Service has that name', () => {
    const services = [{ namespace: 'm', name: 'alertmanager-operated' }];
    expect(isClusterName('am-0.alertmanager-operated', 'm', services)).toBe(true);
    expect(isClusterName('am-0.alertmanager-operated', 'other', services)).toBe(false);
    expect(isClusterName('query.m.svc.cluster.local', 'x', [])).toBe(true);
    expect(isClusterName('query', 'm', [])).toBe(true);
    expect(isClusterName('s3.example', 'm', services)).toBe(false);
  });
});

test('the nearest name is near', () => {
  expect(nearestName('longhorn-ssd', ['longhorn', 'nfs'])).toBe('longhorn');
  expect(nearestName('stroe', ['store', 'query'])).toBe('store');
  expect(nearestName('x', ['something-else'])).toBe('');
});

const CONTAINER = {
  name: 'store',
  image: 'quay.io/thanos/thanos:v0.37.2',
  args: ['store', '--data-dir=/d'],
  ports: [{ name: 'grpc', containerPort: 10901 }],
};

const workload = (replicas: number): RawObject => ({
  metadata: { namespace: 'm', name: 'store', uid: 'w' },
  spec: {
    replicas,
    selector: {},
    template: { metadata: { labels: { app: 'store' } }, spec: { containers: [CONTAINER] } },
  },
  status: {},
});

const pod = (readyFor: number, ready: boolean): RawObject => ({
  metadata: {
    namespace: 'm',
    name: 'store-0',
    uid: 'p',
    creationTimestamp: ago(900),
    labels: { app: 'store' },
    ownerReferences: [{ kind: 'StatefulSet', name: 'store', controller: true }],
  },
  spec: { nodeName: 'n', containers: [CONTAINER] },
  status: {
    phase: 'Running',
    podIP: '10.0.0.2',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(readyFor) }],
    containerStatuses: [{ name: 'store', ready, state: { running: { startedAt: ago(900) } } }],
  },
});

const service = (spec: RawObject, metadata: RawObject = {}): RawObject => ({
  metadata: { namespace: 'm', name: 'store', creationTimestamp: ago(5000), ...metadata },
  spec: { selector: { app: 'store' }, ports: [{ name: 'grpc', port: 10901, targetPort: 'grpc' }], ...spec },
});

const slice = (ready: boolean, ports: readonly RawObject[] = [{ name: 'grpc', port: 10901 }]): RawObject => ({
  metadata: { namespace: 'm', name: 'store-x', labels: { 'kubernetes.io/service-name': 'store' } },
  ports,
  endpoints: [{ addresses: ['10.0.0.2'], conditions: { ready } }],
});

function cluster(objects: NonNullable<FakeCluster['objects']>): FakeCluster {
  return {
    discovery: { resources: [], unreadable: [] },
    objects: {
      pods: [],
      services: [service({})],
      'apps/replicasets': [],
      'apps/deployments': [],
      'apps/statefulsets': [workload(1)],
      'apps/daemonsets': [],
      'discovery.k8s.io/endpointslices': [],
      'networking.k8s.io/ingresses': [],
      'networking.k8s.io/ingressclasses': [],
      'admissionregistration.k8s.io/validatingwebhookconfigurations': [],
      'admissionregistration.k8s.io/mutatingwebhookconfigurations': [],
      ...objects,
    },
  };
}

describe('a Service', () => {
  const one = async (objects: NonNullable<FakeCluster['objects']>) => (await collect(needs, cluster(objects)))[0]!;

  test('is needed by the component that it selects, and served by pods that are ready', async () => {
    const row = await one({ pods: [pod(300, true)], 'discovery.k8s.io/endpointslices': [slice(true)] });
    expect(row).toMatchObject({ neededBy: ['store (StatefulSet store)'], ready: 1, why: '', unservedFor: -1 });
  });

  test('is not served by addresses of pods that are not ready', async () => {
    const row = await one({ pods: [pod(300, false)], 'discovery.k8s.io/endpointslices': [slice(false)] });
    expect(row).toMatchObject({ ready: 0, why: 'none-ready', unservedFor: 300, unready: ['store-0: store'] });
    expect(row.workloads.map(one => one.key)).toEqual(['StatefulSet m/store']);
  });

  test('is not served by a slice without ports', async () => {
    const unnamed = service({ ports: [{ port: 10901, targetPort: 'nowhere' }] });
    const row = await one({
      services: [unnamed],
      pods: [pod(300, true)],
      'discovery.k8s.io/endpointslices': [slice(true, [])],
    });
    expect(row).toMatchObject({ ready: 0, why: 'port-not-in-pod' });
  });

  test('of a workload that is scaled to nothing says so', async () => {
    const row = await one({ 'apps/statefulsets': [workload(0)] });
    expect(row).toMatchObject({ why: 'scaled-to-zero', ledTo: false });
    expect(row.neededBy).toEqual(['store (StatefulSet store)']);
  });

  test('that selects nothing is told the nearest workload', async () => {
    const row = await one({ services: [service({ selector: { app: 'store', tier: 'x' } })] });
    expect(row).toMatchObject({
      why: 'none-selected',
      nearest: { name: 'store' },
      nearestLacks: ['tier=x (it has no such label)'],
    });
  });

  test('that a Query names is needed by it, whatever it selects', async () => {
    const query = { name: 'q', image: 'r/thanos:v0.37.2', args: ['query', '--endpoint=store.m.svc:10901'] };
    const asking = {
      metadata: { namespace: 'm', name: 'q', uid: 'q' },
      spec: { replicas: 1, selector: {}, template: { metadata: { labels: {} }, spec: { containers: [query] } } },
      status: {},
    };
    const objects = { services: [service({ selector: { app: 'stroe' } })], 'apps/deployments': [asking] };
    const row = await one({ ...objects, nodes: [] });
    expect(row).toMatchObject({ named: true, ledTo: false, why: 'none-selected' });
    expect(row.neededBy).toEqual(['--endpoint of Deployment q']);
  });

  test('without a selector is left out', async () => {
    expect(await collect(needs, cluster({ services: [service({ selector: undefined })] }))).toEqual([]);
  });

  test('is not known to be unserved without the slices', async () => {
    const row = await one({ pods: [pod(300, false)], 'discovery.k8s.io/endpointslices': { reason: 'forbidden' } });
    expect(row.neededBy).toEqual(['store (StatefulSet store)']);
    expect(() => row.ready).toThrow();
    expect(() => row.unservedFor).toThrow();
  });
});

describe('an Ingress', () => {
  const AGENT = {
    metadata: { namespace: 'kube-system', name: 'cilium' },
    spec: { template: { spec: { containers: [{ name: 'a', image: 'quay.io/cilium/cilium:v1.18.2' }] } } },
    status: {},
  };
  const ingress = (metadata: RawObject = {}, spec: RawObject = {}): RawObject => ({
    metadata: { namespace: 'm', name: 'page', creationTimestamp: ago(600), ...metadata },
    spec: {
      ingressClassName: 'cilium',
      rules: [
        {
          host: 'page.example',
          http: { paths: [{ path: '/', backend: { service: { name: 'store', port: { number: 10901 } } } }] },
        },
      ],
      ...spec,
    },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } },
  });
  const base = {
    nodes: [],
    configmaps: [
      { metadata: { namespace: 'kube-system', name: 'cilium-config' }, data: { 'ingress-default-lb-mode': 'shared' } },
    ],
    'apps/daemonsets': [AGENT],
    'coordination.k8s.io/leases': [],
    'storage.k8s.io/csidrivers': [],
    'networking.k8s.io/ingressclasses': [
      { metadata: { name: 'cilium' }, spec: { controller: 'cilium.io/ingress-controller' } },
    ],
  };
  const one = async (objects: NonNullable<FakeCluster['objects']>) =>
    (await collect(ingressEntries, cluster({ ...base, ...objects })))[0]!;

  test('is entered by the shared Service, or by its own', async () => {
    const shared = await one({ 'networking.k8s.io/ingresses': [ingress()] });
    expect(shared).toMatchObject({
      cilium: true,
      mode: 'shared',
      entry: { key: 'Service kube-system/cilium-ingress' },
      entryExists: false,
    });
    const own = ingress({ annotations: { 'ingress.cilium.io/loadbalancer-mode': 'dedicated' } });
    expect((await one({ 'networking.k8s.io/ingresses': [own] })).entry.key).toBe('Service m/cilium-ingress-page');
  });

  test('leads nowhere without a Service, its port, or a ready endpoint', async () => {
    const row = await one({ 'networking.k8s.io/ingresses': [ingress()] });
    expect(row.deadBackends).toEqual(['store:10901: no ready endpoint']);
    expect(row.missingBackends).toEqual([]);
    const gone = await one({ 'networking.k8s.io/ingresses': [ingress()], services: [] });
    expect(gone.missingBackends).toEqual(['store:10901: no such Service']);
  });

  test('of a class that does not exist is told so', async () => {
    const row = await one({ 'networking.k8s.io/ingresses': [ingress({}, { ingressClassName: 'nginx' })] });
    expect(row).toMatchObject({ class: 'nginx', classExists: false, cilium: false });
  });
});

describe('zones of the world outside', () => {
  test('are what hosts have in common, of two labels at least', () => {
    expect(commonZone(['a.b.example.org', 'c.b.example.org'])).toBe('b.example.org');
    expect(commonZone(['a.example.org'])).toBe('a.example.org');
    expect(commonZone(['a.org', 'b.org'])).toBe('');
  });
});

test('a host with TLS shows a certificate, a stand-in of the controller, or nothing', async () => {
  const ingress = { namespace: 'm', name: 'page', tls: [{ hosts: ['Page.example', '*.example'], secret: 's' }] };
  const shown = async (probe: object) => {
    const evidence = { 'kubernetes.ingresses': [ingress], 'network.probe': { tcp: 'open', ...probe } };
    const rows = await derive(tlsHosts, { a: { evidence } });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ endpoint: 'page.example:443', secret: 's', ingress: { key: 'Ingress m/page' } });
    return rows[0]!.shows;
  };
  expect(await shown({ speaks: 'nothing' })).toBe('nothing');
  expect(await shown({ tcp: 'refused' })).toBe('');
  expect(await shown({ speaks: 'http' })).toBe('');
  const certificate = {
    present: true,
    names: ['ingress.local'],
    issuer: 'Kubernetes Ingress Controller Fake Certificate',
  };
  expect(await shown({ speaks: 'tls', certificate })).toBe('default');
  expect(await shown({ speaks: 'tls', certificate: { ...certificate, covers: true } })).toBe('certificate');
  expect(await shown({ speaks: 'tls', certificate: { ...certificate, issuer: 'an authority' } })).toBe('certificate');
});
