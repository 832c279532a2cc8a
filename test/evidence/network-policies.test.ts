import { describe, expect, test } from 'vitest';
import { collector as blocked } from '../../src/evidence/derived/network.blocked-paths.ts';
import { collector as effects } from '../../src/evidence/derived/network.policy-effects.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';

const pod = (name: string, more: RawObject = {}): RawObject => ({
  metadata: { namespace: more.namespace ?? 'm', name, uid: `uid-${name}`, labels: { app: name } },
  spec: {
    nodeName: 'n',
    hostNetwork: more.hostNetwork,
    containers: more.containers ?? [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 10902 }] }],
  },
  status: {
    phase: 'Running',
    podIP: more.ip ?? '10.0.0.2',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(900) }],
    containerStatuses: [{ name: 'c', ready: true, state: { running: { startedAt: ago(900) } } }],
  },
});

const namespace = (name: string): RawObject => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, team: name } },
});

const AGENT = {
  metadata: { namespace: 'kube-system', name: 'cilium' },
  spec: {
    template: {
      spec: { containers: [{ name: 'a', image: 'quay.io/cilium/cilium:v1.18.2', command: ['cilium-agent'] }] },
    },
  },
};

const networkPolicy = (name: string, spec: RawObject, created = 5000): RawObject => ({
  metadata: { namespace: 'm', name, creationTimestamp: ago(created) },
  spec: { podSelector: {}, ...spec },
});

const ciliumPolicy = (name: string, spec: RawObject, status: RawObject = {}): RawObject => ({
  metadata: { namespace: 'm', name, creationTimestamp: ago(5000) },
  spec: { endpointSelector: {}, ...spec },
  status,
});

function cluster(objects: NonNullable<FakeCluster['objects']>): FakeCluster {
  return {
    discovery: { resources: [], unreadable: [] },
    objects: {
      pods: [pod('a'), pod('b', { ip: '10.0.0.3' }), pod('far', { namespace: 'other', ip: '10.0.0.4' })],
      namespaces: [namespace('m'), namespace('other')],
      services: [],
      nodes: [],
      configmaps: [],
      'apps/replicasets': [],
      'apps/deployments': [],
      'apps/statefulsets': [],
      'apps/daemonsets': [AGENT],
      'networking.k8s.io/networkpolicies': [],
      'cilium.io/ciliumnetworkpolicies': [],
      'cilium.io/ciliumclusterwidenetworkpolicies': [],
      ...objects,
    },
  };
}

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
}

async function verdict(objects: NonNullable<FakeCluster['objects']>, asked: Asked = {}): Promise<string> {
  const params = { from: 'm/a', to: 'm/b', port: '10902', ...asked };
  return (await collect(effects, cluster(objects), params)).verdict;
}

const np = (spec: RawObject) => ({ 'networking.k8s.io/networkpolicies': [networkPolicy('p', spec)] });
const cnp = (spec: RawObject, status: RawObject = {}) => ({
  'cilium.io/ciliumnetworkpolicies': [ciliumPolicy('p', spec, status)],
});

describe('a NetworkPolicy', () => {
  test('that does not select the pod says nothing', async () => {
    expect(await verdict(np({ podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Ingress'] }))).toBe('allowed');
  });

  test('without a rule lets nobody in, and leaves the way out open', async () => {
    expect(
      await verdict(np({ podSelector: { matchLabels: { app: 'b' } }, policyTypes: ['Ingress'], ingress: [] })),
    ).toBe('denied');
    expect(
      await verdict(np({ podSelector: { matchLabels: { app: 'a' } }, policyTypes: ['Ingress'], ingress: [] })),
    ).toBe('allowed');
  });

  test('with a rule without `from` lets everybody in', async () => {
    expect(await verdict(np({ policyTypes: ['Ingress'], ingress: [{}] }), { from: 'world' })).toBe('allowed');
  });

  test('means both selectors of one item, and either of two', async () => {
    const both = { namespaceSelector: { matchLabels: { team: 'other' } }, podSelector: { matchLabels: { app: 'a' } } };
    const either = [{ namespaceSelector: both.namespaceSelector }, { podSelector: both.podSelector }];
    expect(await verdict(np({ policyTypes: ['Ingress'], ingress: [{ from: [both] }] }))).toBe('denied');
    expect(await verdict(np({ policyTypes: ['Ingress'], ingress: [{ from: either }] }))).toBe('allowed');
    expect(await verdict(np({ policyTypes: ['Ingress'], ingress: [{ from: either }] }), { from: 'other/far' })).toBe(
      'allowed',
    );
  });

  test('a pod selector alone means the own namespace', async () => {
    expect(
      await verdict(np({ policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }), {
        from: 'other/far',
      }),
    ).toBe('denied');
  });

  test('ports are numbers, ranges, or names of the destination', async () => {
    const ingress = (port: RawObject) => np({ policyTypes: ['Ingress'], ingress: [{ ports: [port] }] });
    expect(await verdict(ingress({ port: 'http' }))).toBe('allowed');
    expect(await verdict(ingress({ port: 10900, endPort: 10910 }))).toBe('allowed');
    expect(await verdict(ingress({ port: 10901 }))).toBe('denied');
    expect(await verdict(ingress({ port: 10902, protocol: 'UDP' }))).toBe('denied');
  });

  test('a block of addresses never means pods under Cilium', async () => {
    const block = np({ policyTypes: ['Ingress'], ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] });
    expect(await verdict(block)).toBe('denied');
    expect(await verdict({ ...block, 'apps/daemonsets': [] })).toBe('allowed');
    const world = np({
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.7/32'] } }] }],
    });
    expect(await verdict(world, { from: '192.0.2.9' })).toBe('allowed');
    expect(await verdict(world, { from: '192.0.2.7' })).toBe('denied');
    expect(await verdict(world, { from: 'world' })).toBe('undecidable');
  });

  test('another one that allows is enough', async () => {
    const objects = {
      'networking.k8s.io/networkpolicies': [
        networkPolicy('deny', { policyTypes: ['Ingress'], ingress: [] }),
        networkPolicy('allow', {
          policyTypes: ['Ingress'],
          ingress: [{ from: [{ podSelector: { matchLabels: { app: 'a' } } }] }],
        }),
      ],
    };
    expect(await verdict(objects)).toBe('allowed');
    expect(await verdict(objects, { from: 'other/far' })).toBe('denied');
  });

  test('a pod in the network of its node is not concerned', async () => {
    const host = pod('b', { hostNetwork: true });
    expect(await verdict({ ...np({ policyTypes: ['Ingress'], ingress: [] }), pods: [pod('a'), host] })).toBe('allowed');
  });
});

describe('a CiliumNetworkPolicy', () => {
  test('means its own namespace, unless it names another', async () => {
    const own = { ingress: [{ fromEndpoints: [{}] }] };
    expect(await verdict(cnp(own))).toBe('allowed');
    expect(await verdict(cnp(own), { from: 'other/far' })).toBe('denied');
    const other = { ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'other' } }] }] };
    expect(await verdict(cnp(other), { from: 'other/far' })).toBe('allowed');
  });

  test('an empty rule closes, a rule with ports alone lets everybody in', async () => {
    expect(await verdict(cnp({ ingress: [{}] }))).toBe('denied');
    expect(await verdict(cnp({ ingress: [{ toPorts: [{ ports: [{ port: '10902' }] }] }] }), { from: 'world' })).toBe(
      'allowed',
    );
  });

  test('a denying rule wins over one that allows', async () => {
    const both = {
      ingress: [{ fromEntities: ['all'] }],
      ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: 'a' } }] }],
    };
    expect(await verdict(cnp(both))).toBe('denied');
    expect(await verdict(cnp(both), { from: 'other/far' })).toBe('allowed');
  });

  test('entities mean who they say', async () => {
    expect(await verdict(cnp({ ingress: [{ fromEntities: ['world'] }] }), { from: 'world' })).toBe('allowed');
    expect(await verdict(cnp({ ingress: [{ fromEntities: ['world'] }] }))).toBe('denied');
    expect(await verdict(cnp({ ingress: [{ fromEntities: ['cluster'] }] }))).toBe('allowed');
  });

  test('without default deny it closes nothing, and an invalid one is not enforced', async () => {
    const closing = { ingress: [{ fromEntities: ['world'] }] };
    expect(await verdict(cnp({ ...closing, enableDefaultDeny: { ingress: false } }))).toBe('allowed');
    expect(await verdict(cnp(closing, { conditions: [{ type: 'Valid', status: 'False' }] }))).toBe('allowed');
  });

  test('rules that look into requests are not decided here', async () => {
    const http = { toPorts: [{ ports: [{ port: '10902' }], rules: { http: [{ path: '/metrics' }] } }] };
    expect(await verdict(cnp({ ingress: [http] }))).toBe('undecidable');
  });

  test('names of the world are matched by their pattern', async () => {
    const egress = (pattern: string) =>
      cnp({ endpointSelector: { matchLabels: { app: 'a' } }, egress: [{ toFQDNs: [{ matchPattern: pattern }] }] });
    expect(await verdict(egress('*.example'), { to: 'world' })).toBe('undecidable');
  });
});

test('policies of which some could not be read leave what is open unknown', async () => {
  const unread = { 'cilium.io/ciliumnetworkpolicies': { reason: 'forbidden' as const } };
  await expect(verdict(unread)).rejects.toThrow();
  expect(await verdict({ ...unread, ...np({ policyTypes: ['Ingress'], ingress: [] }) })).toBe('denied');
});

describe('paths that policies close', () => {
  const prometheus = pod('prom', {
    ip: '10.0.0.8',
    containers: [
      {
        name: 'c',
        image: 'quay.io/prometheus/prometheus:v3.6.0',
        args: ['--storage.tsdb.path=/p'],
        ports: [{ name: 'web', containerPort: 9090 }],
      },
    ],
  });
  const targets = (health: string, error: string) => ({
    status: 'success',
    data: {
      activeTargets: [
        {
          scrapePool: 'p',
          scrapeUrl: 'http://10.0.0.3:10902/metrics',
          health,
          lastError: error,
          lastScrape: ago(5),
          labels: { namespace: 'm', pod: 'b' },
          discoveredLabels: {},
        },
      ],
      droppedTargets: [],
    },
  });
  const closed = np({ podSelector: { matchLabels: { app: 'b' } }, policyTypes: ['Ingress'], ingress: [] });

  async function rows(health: string, error: string, policies: NonNullable<FakeCluster['objects']> = closed) {
    const fake = cluster({ pods: [prometheus, pod('b', { ip: '10.0.0.3' })], ...policies });
    return collect(blocked, {
      ...fake,
      http: request =>
        request.path.startsWith('/api/v1/targets') ? JSON.stringify(targets(health, error)) : undefined,
    });
  }

  test('are told where the scrape times out', async () => {
    const [row] = await rows('down', 'Get "http://10.0.0.3:10902/metrics": context deadline exceeded');
    expect(row).toMatchObject({
      policy: { kind: 'NetworkPolicy', name: 'p' },
      direction: 'ingress',
      observed: true,
      enforced: true,
    });
    expect(row!.paths).toMatchObject([{ purpose: 'scrape', from: 'm/prom', to: 'm/b', port: 10902 }]);
    expect(row!.breaks).toContain('Pod m/b');
    expect(row!.missing[0]).toContain('port 10902/TCP');
  });

  test('are open where the scrape works, or is refused', async () => {
    expect(await rows('up', '')).toEqual([]);
    expect(await rows('down', 'dial tcp 10.0.0.3:10902: connect: connection refused')).toEqual([]);
  });

  test('cost nothing where there is no policy', async () => {
    expect(await rows('down', 'context deadline exceeded', {})).toEqual([]);
  });

  test('of several policies, the youngest is named', async () => {
    const two = {
      'networking.k8s.io/networkpolicies': [
        networkPolicy('elder', { policyTypes: ['Ingress'], ingress: [] }, 9000),
        networkPolicy('younger', { policyTypes: ['Ingress'], ingress: [] }, 100),
      ],
    };
    const [row] = await rows('down', 'context deadline exceeded', two);
    expect(row!.policy.name).toBe('younger');
  });
});
