import { describe, expect, test } from 'vitest';
import { addressOf, blockOf, countOf, overlap, rangeOf, textOf } from '../../src/evidence/addresses.ts';
import { collector as pools } from '../../src/evidence/collectors/cilium.pools.ts';
import { collector as balancers } from '../../src/evidence/derived/cilium.load-balancers.ts';
import { collector as pending } from '../../src/evidence/derived/cilium.pending-addresses.ts';
import { collector as validity } from '../../src/evidence/derived/cilium.policy-validity.ts';
import { collector as addressPools } from '../../src/evidence/derived/fleet.address-pools.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';

const AGENT = {
  metadata: { namespace: 'kube-system', name: 'cilium' },
  spec: {
    template: {
      spec: { containers: [{ name: 'a', image: 'quay.io/cilium/cilium:v1.18.2', command: ['cilium-agent'] }] },
    },
  },
  status: { desiredNumberScheduled: 1, numberReady: 1 },
};

const config = (data: Readonly<Record<string, string>>): RawObject => ({
  metadata: { namespace: 'kube-system', name: 'cilium-config' },
  data: { 'enable-l2-announcements': 'true', ...data },
});

const pool = (name: string, first: string, last: string, spec: RawObject = {}, status: RawObject = {}): RawObject => ({
  metadata: { name },
  spec: { blocks: [{ start: first, stop: last }], ...spec },
  status,
});

const service = (name: string, ip: string, more: RawObject = {}): RawObject => ({
  metadata: { namespace: 'm', name, creationTimestamp: ago(300), labels: { app: name }, ...more.metadata },
  spec: { type: 'LoadBalancer', ports: [{ port: 10901 }], ...more.spec },
  status: { loadBalancer: ip ? { ingress: [{ ip }] } : {}, conditions: more.conditions },
});

const policy = (spec: RawObject): RawObject => ({ metadata: { name: 'l2' }, spec });

function cluster(objects: NonNullable<FakeCluster['objects']>): FakeCluster {
  return {
    discovery: { resources: [], unreadable: [] },
    objects: {
      pods: [],
      services: [],
      nodes: [
        {
          metadata: { name: 'n', labels: { os: 'linux' } },
          status: { addresses: [{ type: 'InternalIP', address: '192.0.2.4' }] },
        },
      ],
      configmaps: [config({})],
      'apps/replicasets': [],
      'apps/deployments': [],
      'apps/daemonsets': [AGENT],
      'coordination.k8s.io/leases': [],
      'discovery.k8s.io/endpointslices': [],
      'storage.k8s.io/csidrivers': [],
      'cilium.io/ciliumloadbalancerippools': [],
      'cilium.io/ciliuml2announcementpolicies': [],
      ...objects,
    },
  };
}

describe('addresses', () => {
  test('blocks are counted whole, each address once', () => {
    expect(countOf([blockOf('192.0.2.0/24')!, rangeOf('192.0.2.250', '192.0.3.1')!])).toBe(258);
    expect(countOf([blockOf('192.0.2.7')!])).toBe(1);
    expect(countOf([blockOf('2001:db8::/64')!])).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('are read and written in both families', () => {
    for (const text of ['192.0.2.17', '2001:db8::1', '::1', 'fe80::']) expect(textOf(addressOf(text)!)).toBe(text);
    for (const text of ['192.0.2', '192.0.2.256', 'edge.example', '1::2::3', ''])
      expect(addressOf(text)).toBeUndefined();
  });

  test('overlap where both hold an address', () => {
    const shared = overlap(rangeOf('192.0.2.1', '192.0.2.9')!, rangeOf('192.0.2.9', '192.0.2.20')!)!;
    expect(textOf({ family: 4, value: shared.first })).toBe('192.0.2.9');
    expect(overlap(rangeOf('192.0.2.1', '192.0.2.8')!, rangeOf('192.0.2.9', '192.0.2.20')!)).toBeUndefined();
  });
});

test("a pool's use is counted, whatever its own stale conditions say", async () => {
  const stale = { conditions: [{ type: 'cilium.io/IPsUsed', status: 'Unknown', message: '0' }] };
  const [row] = await collect(
    pools,
    cluster({
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.4', '192.0.2.5', {}, stale)],
      services: [service('a', '192.0.2.5'), service('b', '198.51.100.1')],
    }),
  );
  expect(row).toMatchObject({
    total: 2,
    used: 1,
    available: 1,
    reported: { used: 0, total: -1 },
    containsNodeAddress: ['192.0.2.4'],
  });
});

describe('a Service that waits for an address', () => {
  const whyOf = async (objects: NonNullable<FakeCluster['objects']>, name = 'waiting') =>
    (await collect(pending, cluster(objects))).filter(row => row.service.name === name);
  const waiting = service('waiting', '');

  test('waits in vain without a pool', async () => {
    expect(await whyOf({ services: [waiting] })).toMatchObject([{ why: 'no-pool', detail: 'there is no pool at all' }]);
    const disabled = pool('p', '192.0.2.5', '192.0.2.6', { disabled: true });
    expect(await whyOf({ services: [waiting], 'cilium.io/ciliumloadbalancerippools': [disabled] })).toMatchObject([
      { why: 'no-pool', detail: 'every pool is disabled' },
    ]);
  });

  test('waits for a pool that is used up', async () => {
    const objects = {
      services: [waiting, service('a', '192.0.2.5')],
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.5')],
    };
    expect(await whyOf(objects)).toMatchObject([{ why: 'exhausted', pool: { name: 'p' }, used: 1, total: 1 }]);
  });

  test('is not selected by the nearest pool', async () => {
    const near = pool('near', '192.0.2.5', '192.0.2.9', { serviceSelector: { matchLabels: { app: 'other' } } });
    const far = pool('far', '192.0.2.15', '192.0.2.19', { serviceSelector: { matchLabels: { app: 'other', x: 'y' } } });
    const [row] = await whyOf({ services: [waiting], 'cilium.io/ciliumloadbalancerippools': [far, near] });
    expect(row).toMatchObject({ why: 'selector', pool: { name: 'near' } });
    expect(row!.detail).toContain('app=other (it has "waiting")');
  });

  test("is selected by its namespace's pseudo label", async () => {
    const own = pool('p', '192.0.2.5', '192.0.2.9', {
      serviceSelector: { matchLabels: { 'io.kubernetes.service.namespace': 'm' } },
    });
    expect(await whyOf({ services: [waiting], 'cilium.io/ciliumloadbalancerippools': [own] })).toEqual([]);
  });

  test('asks for an address of no pool, or for one that another has', async () => {
    const asking = (ip: string) =>
      service('waiting', '', { metadata: { annotations: { 'lbipam.cilium.io/ips': ip } } });
    const objects = {
      services: [service('a', '192.0.2.5')],
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9')],
    };
    expect(await whyOf({ ...objects, services: [asking('192.0.2.77')] })).toMatchObject([
      { why: 'outside', requested: '192.0.2.77' },
    ]);
    expect(await whyOf({ ...objects, services: [...objects.services, asking('192.0.2.5')] })).toMatchObject([
      { why: 'taken', holder: { name: 'a' } },
    ]);
  });

  test('waits for a pool that is in conflict', async () => {
    const conflict = {
      conditions: [{ type: 'cilium.io/PoolConflict', status: 'True', message: "overlaps range from IP Pool 'elder'" }],
    };
    const objects = {
      services: [waiting],
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9', {}, conflict)],
    };
    expect(await whyOf(objects)).toMatchObject([
      { why: 'pool-conflict', pool: { name: 'p' }, detail: 'it overlaps pool elder' },
    ]);
  });

  test('names a class that nobody handles, or one whose controller works', async () => {
    const classed = (name: string, ip: string) =>
      service(name, ip, { spec: { type: 'LoadBalancer', loadBalancerClass: 'x.example/y' } });
    expect(await whyOf({ services: [classed('waiting', '')] })).toMatchObject([{ why: 'class' }]);
    expect(await whyOf({ services: [classed('waiting', ''), classed('a', '192.0.2.5')] })).toEqual([]);
  });

  test('is taken by a pool without a selector, whatever the others select', async () => {
    const picky = pool('picky', '192.0.2.5', '192.0.2.9', { serviceSelector: { matchLabels: { app: 'other' } } });
    const open = pool('open', '192.0.2.15', '192.0.2.19');
    expect(await whyOf({ services: [waiting], 'cilium.io/ciliumloadbalancerippools': [picky, open] })).toEqual([]);
  });

  test('asks for an address of a pool that does not select it, or that is disabled', async () => {
    const asking = service('waiting', '', { metadata: { annotations: { 'lbipam.cilium.io/ips': '192.0.2.77' } } });
    const open = pool('open', '192.0.2.5', '192.0.2.9');
    const picky = pool('picky', '192.0.2.77', '192.0.2.79', { serviceSelector: { matchLabels: { app: 'other' } } });
    const off = pool('off', '192.0.2.77', '192.0.2.79', { disabled: true });
    const asked = (...pools: readonly RawObject[]) =>
      whyOf({ services: [asking], 'cilium.io/ciliumloadbalancerippools': pools });
    expect(await asked(open, picky)).toMatchObject([{ why: 'selector', pool: { name: 'picky' } }]);
    expect(await asked(open, off)).toMatchObject([
      { why: 'outside', detail: 'it lies in pool off, which is disabled' },
    ]);
    expect(await asked(off)).toMatchObject([{ why: 'no-pool', detail: 'every pool is disabled' }]);
  });

  test('does not wait for an address whose Service is just being deleted', async () => {
    const asking = service('waiting', '', { metadata: { annotations: { 'lbipam.cilium.io/ips': '192.0.2.5' } } });
    const leaving = service('a', '192.0.2.5', { metadata: { deletionTimestamp: ago(10) } });
    const objects = {
      services: [asking, leaving],
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9')],
    };
    expect(await whyOf(objects)).toEqual([]);
  });

  test('shares an address of which another has the port', async () => {
    const sharing = { metadata: { annotations: { 'lbipam.cilium.io/sharing-key': 'k' } } };
    const lastTransitionTime = ago(120);
    const type = 'cilium.io/IPAMRequestSatisfied';
    const refused = { type, status: 'False', reason: 'out_of_ips', lastTransitionTime };
    const objects = {
      services: [service('waiting', '', { ...sharing, conditions: [refused] }), service('a', '192.0.2.5', sharing)],
      'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9')],
    };
    expect(await whyOf(objects)).toMatchObject([
      { why: 'exhausted', detail: 'port clash with m/a', holder: { name: 'a' }, used: 1, total: 5 },
    ]);
  });

  test('is none that has an address, whatever the condition of an older version says', async () => {
    const left = { type: 'io.cilium/lb-ipam-request-satisfied', status: 'False', reason: 'no_pool' };
    const satisfied = { type: 'cilium.io/IPAMRequestSatisfied', status: 'True' };
    const [row] = await collect(
      balancers,
      cluster({
        services: [service('a', '192.0.2.5', { conditions: [left, satisfied] })],
        'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9')],
      }),
    );
    expect(row).toMatchObject({ pending: false });
  });

  test('is served by another controller where Cilium is not installed', async () => {
    const metallb = { group: 'metallb.io', version: 'v1beta1', resource: 'ipaddresspools', kind: 'IPAddressPool' };
    const served = { ...metallb, namespaced: true, verbs: ['list'] };
    const rows = await collect(pending, {
      ...cluster({ services: [waiting], 'apps/daemonsets': [] }),
      discovery: { resources: [served], unreadable: [] },
    });
    expect(rows).toEqual([]);
  });

  test('is told that address management is off, unless the addresses of nodes serve its class', async () => {
    const off = (data: Readonly<Record<string, string>>, name = 'waiting', ip = '') =>
      whyOf({ services: [service(name, ip)], configmaps: [config(data)] }, name);
    expect(await off({ 'enable-lb-ipam': 'false' })).toMatchObject([{ why: 'ipam-disabled' }]);
    expect(await off({ 'default-lb-service-ipam': 'nodeipam' })).toMatchObject([{ why: 'ipam-disabled' }]);
    expect(await off({ 'default-lb-service-ipam': 'nodeipam' }, 'a', '192.0.2.4')).toEqual([]);
    expect(await off({})).toMatchObject([{ why: 'no-pool' }]);
  });

  test('is told by nobody where the pools cannot be read', async () => {
    const rows = await collect(
      pending,
      cluster({ services: [waiting], 'cilium.io/ciliumloadbalancerippools': { reason: 'forbidden' } }),
    );
    expect(() => rows[0]!.why).toThrow();
  });
});

describe('an address', () => {
  const objects = (spec: RawObject, leases: readonly RawObject[] = []) => ({
    services: [service('a', '192.0.2.5')],
    'cilium.io/ciliumloadbalancerippools': [pool('p', '192.0.2.5', '192.0.2.9')],
    'cilium.io/ciliuml2announcementpolicies': [policy(spec)],
    'coordination.k8s.io/leases': leases,
  });
  const lease = (holder: string, renewed: number) => ({
    metadata: { namespace: 'kube-system', name: 'cilium-l2announce-m-a' },
    spec: { holderIdentity: holder, leaseDurationSeconds: 15, renewTime: ago(renewed) },
  });
  const one = async (all: NonNullable<FakeCluster['objects']>) => (await collect(balancers, cluster(all)))[0]!;

  test('is announced by who holds its lease and renews it', async () => {
    expect((await one(objects({ loadBalancerIPs: true }, [lease('n', 2)]))).l2).toMatchObject({
      needed: true,
      why: '',
      holderKey: 'Node n',
    });
    expect((await one(objects({ loadBalancerIPs: true }, [lease('', 2)]))).l2.why).toBe('lease-released');
    expect((await one(objects({ loadBalancerIPs: true }, [lease('n', 90)]))).l2.why).toBe('lease-stale');
  });

  test('changes hands often and is renewed: all is well', async () => {
    const restless = lease('n', 2);
    const row = await one(
      objects({ loadBalancerIPs: true }, [{ ...restless, spec: { ...restless.spec, leaseTransitions: 900 } }]),
    );
    expect(row.l2.why).toBe('');
  });

  test('that BGP announces needs no lease', async () => {
    const byRouter = service('a', '192.0.2.5', { spec: { loadBalancerClass: 'io.cilium/bgp-control-plane' } });
    expect((await one({ ...objects({ loadBalancerIPs: true }), services: [byRouter] })).l2.needed).toBe(false);
  });

  test('whose policy is not called bad is announced', async () => {
    const good = {
      metadata: { name: 'l2' },
      spec: { loadBalancerIPs: true },
      status: { conditions: [{ type: 'io.cilium/bad-service-selector', status: 'False' }] },
    };
    const row = await one({
      ...objects({ loadBalancerIPs: true }, [lease('n', 2)]),
      'cilium.io/ciliuml2announcementpolicies': [good],
    });
    expect(row.fault.why).toBe('');
  });

  test('whose lease may be one that names a Service of nobody is not judged', async () => {
    const renamed = { ...lease('n', 2), metadata: { namespace: 'kube-system', name: 'cilium-l2announce-elsewhere-z' } };
    const row = await one(objects({ loadBalancerIPs: true }, [renamed]));
    expect(() => row.l2).toThrow(/not in the list/);
    const released = { ...renamed, spec: { ...renamed.spec, holderIdentity: '' } };
    expect((await one(objects({ loadBalancerIPs: true }, [released]))).l2.why).toBe('lease-absent');
  });

  test('is not announced by a policy that does not say so', async () => {
    expect((await one(objects({}))).fault).toMatchObject({ why: 'policy-without-load-balancer-ips', name: 'l2' });
    const others = { loadBalancerIPs: true, serviceSelector: { matchLabels: { app: 'b' } } };
    expect((await one(objects(others))).fault.why).toBe('policy-excludes');
    const nodes = { loadBalancerIPs: true, nodeSelector: { matchLabels: { os: 'other' } } };
    expect((await one(objects(nodes))).fault.why).toBe('no-node');
  });

  test('is not announced at all where neither policy nor feature is there', async () => {
    const without = {
      ...objects({}),
      'cilium.io/ciliuml2announcementpolicies': [],
      configmaps: [config({ 'enable-l2-announcements': 'false' })],
    };
    expect((await one(without)).l2.needed).toBe(false);
    const off = { ...objects({ loadBalancerIPs: true }), configmaps: [config({ 'enable-l2-announcements': 'false' })] };
    expect((await one(off)).fault).toMatchObject({ why: 'feature-off', kind: 'ConfigMap', namespace: 'kube-system' });
  });
});

test('pools of two neighbours that share an address are told once, the younger one last', async () => {
  const other = (name: string, node: string, created: number): FakeCluster => ({
    ...cluster({
      'cilium.io/ciliumloadbalancerippools': [
        { ...pool('p', '192.0.2.5', '192.0.2.9'), metadata: { name: 'p', uid: name, creationTimestamp: ago(created) } },
      ],
      services: [service('a', '192.0.2.7')],
      nodes: [{ metadata: { name: `node-${name}` }, status: { addresses: [{ type: 'InternalIP', address: node }] } }],
    }),
    name,
  });
  const rows = await collect(addressPools, [other('a', '192.0.2.20', 100), other('b', '192.0.2.21', 900)]);
  expect(rows).toMatchObject([
    {
      kind: 'pools',
      first: { cluster: 'b' },
      second: { cluster: 'a' },
      from: '192.0.2.5',
      to: '192.0.2.9',
      sameNetwork: true,
    },
  ]);
  expect(rows[0]!.usedTwice).toHaveLength(1);
  const apart = await collect(addressPools, [other('a', '192.0.2.20', 100), other('b', '198.51.100.2', 900)]);
  expect(apart[0]!.sameNetwork).toBe(false);
  const own = await collect(addressPools, [other('a', '192.0.2.6', 100)]);
  expect(own).toMatchObject([{ kind: 'node', node: 'node-a', sameNetwork: true }]);
});

describe('whether a network policy is valid', () => {
  const operator = (ready: number): RawObject => ({
    metadata: { namespace: 'kube-system', name: 'cilium-operator', creationTimestamp: ago(90_000) },
    spec: {
      replicas: 1,
      template: { spec: { containers: [{ name: 'o', image: 'o', command: ['cilium-operator'] }] } },
    },
    status: { readyReplicas: ready },
  });
  const networkPolicy = {
    metadata: { namespace: 'm', name: 'p' },
    spec: { endpointSelector: {}, ingress: [{}], egressDeny: [{}] },
    status: { conditions: [{ type: 'Valid', status: 'False', message: 'port', lastTransitionTime: ago(600) }] },
  };
  const policies = (ready: number) =>
    collect(
      validity,
      cluster({
        namespaces: [{ metadata: { name: 'm' } }],
        'apps/deployments': [operator(ready)],
        'cilium.io/ciliumnetworkpolicies': [networkPolicy],
        'cilium.io/ciliumclusterwidenetworkpolicies': [],
      }),
    );

  test('is what the operator of Cilium says', async () => {
    const [row] = await policies(1);
    expect(row).toMatchObject({ refused: true, refusedFor: 600, message: 'port', sections: ['egressDeny', 'ingress'] });
  });

  test('is not known while that does not run', async () => {
    const [row] = await policies(0);
    expect(() => row!.refused).toThrow();
  });
});
