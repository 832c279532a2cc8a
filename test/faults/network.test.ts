import { describe, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import {
  addressPending,
  lostEndpoint,
  lostWay,
  noRecord,
  policy,
  pool,
  poolOf,
  pools,
  probe,
  queryArgument,
  releaseLease,
  scrapesTimeOut,
  sidecarService,
  staleLease,
  unlisted,
  withoutLease,
} from './network.ts';
import { ago, component, scaledToZero } from './pods.ts';
import type { World } from './recorded-world.ts';
import { expectFound, expectHealthy, type Fleet } from './scenario.ts';

const NO_ROUTE = 'connect: no route to host';
const EDGE_GONE = ['query-endpoint-down', 'edge-unreachable', 'edge-missing-from-query'];

/** The edge's address answers nobody any more. */
function edgeGone({ hub, edge }: Fleet, words = NO_ROUTE, tcp = 'timeout'): string {
  const { ip, port } = sidecarService(edge);
  const address = `${ip}:${port}`;
  lostWay(hub, address, words);
  probe(hub, address, { tcp });
  probe(edge, address, { tcp });
  return address;
}

const serviceRoot = (rule: string, world: World) => [
  { rule, cluster: world.cluster, subject: `Service ${sidecarService(world).name}` },
];

describe('the cluster DNS is down', () => {
  test.each(['hub', 'edge'] as const)('%s: scaled to nothing, and names are asked for', async cluster => {
    await expectFound(fleet => {
      const world = fleet[cluster];
      const dns = component(world, 'coredns');
      scaledToZero(dns);
      const sidecar = component(world, 'sidecar');
      const words =
        'dial tcp: lookup s3.minio.miribit.lab on 10.111.0.10:53: read udp 10.241.0.27:39613->10.111.0.10:53: read: connection refused';
      for (const pod of sidecar.pods) {
        world.log(
          pod,
          sidecar.container,
          [125, 95, 65, 35, 5].map(
            seconds =>
              [
                seconds,
                `ts=$NOW caller=sidecar.go:433 level=warn err="check exists: stat s3 object: Get \\"http://s3.minio.miribit.lab/thanos-bucket/?location=\\": ${words}" uploaded=0`,
              ] as const,
          ),
        );
      }
      return {
        roots: [{ rule: 'cluster-dns-down', cluster: world.cluster, subject: dns.key }],
        symptoms: ['dns-fails'],
      };
    });
  });
});

describe('an edge behind a firewall', () => {
  const found = (fleet: Fleet, address: string) => ({
    roots: [{ rule: 'edge-unreachable', cluster: fleet.hub.cluster, subject: `Endpoint ${address}` }],
    symptoms: ['query-endpoint-down', 'edge-missing-from-query'],
  });

  test.each(['i/o timeout', NO_ROUTE])('packets are dropped: %s', async words => {
    await expectFound(fleet => found(fleet, edgeGone(fleet, words)));
  });

  test('the hub has never reached it', async () => {
    await expectFound(fleet => {
      const { ip, port } = sidecarService(fleet.edge);
      const address = `${ip}:${port}`;
      lostEndpoint(fleet.hub, address, 'rpc error: code = DeadlineExceeded desc = context deadline exceeded', {
        listed: false,
      });
      probe(fleet.hub, address, { tcp: 'timeout' });
      return found(fleet, address);
    });
  });

  test('and nobody probed it', async () => {
    await expectFound(fleet => {
      const address = edgeGone(fleet, 'i/o timeout');
      for (const world of fleet.worlds) probe(world, address, null);
      return found(fleet, address);
    });
  });

  test('from here it is open', async () => {
    await expectFound(fleet => {
      const address = edgeGone(fleet, 'i/o timeout');
      for (const world of fleet.worlds) probe(world, address, { tcp: 'open', speaks: 'grpc' });
      return found(fleet, address);
    });
  });
});

describe('the Service before the sidecars leads to a wrong port', () => {
  const targeted = (world: World, targetPort: unknown) => {
    const { name } = sidecarService(world);
    world.edit('core/v1/services', name, service => {
      service.spec.ports[0].targetPort = targetPort;
    });
  };

  test('that of HTTP', async () => {
    await expectFound(fleet => {
      const { hub, edge } = fleet;
      targeted(edge, 10902);
      const { ip, port } = sidecarService(edge);
      const address = `${ip}:${port}`;
      lostEndpoint(
        hub,
        address,
        'rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "error reading server preface: http2: frame too large"',
      );
      for (const world of fleet.worlds) probe(world, address, { tcp: 'open', speaks: 'http' });
      return { roots: serviceRoot('sidecar-service-wrong-port', edge), symptoms: ['query-endpoint-down'] };
    });
  });

  test.each([
    ['one on which nobody listens', 10911],
    ['a name that no container has', 'grpcs'],
  ] as const)('%s', async (_, target) => {
    await expectFound(fleet => {
      targeted(fleet.edge, target);
      edgeGone(fleet, 'connect: connection refused', 'refused');
      return { roots: serviceRoot('sidecar-service-wrong-port', fleet.edge), symptoms: ['query-endpoint-down'] };
    });
  });
});

describe('the Query was given a wrong port', () => {
  const PREFACE =
    'rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "error reading server preface: http2: frame too large"';
  const given = (fleet: Fleet) => ({
    address: `${sidecarService(fleet.edge).ip}:10902`,
    edgeIp: sidecarService(fleet.edge).ip,
  });

  test('that of HTTP, which the Service has as well', async () => {
    await expectFound(fleet => {
      const { hub, edge } = fleet;
      const { address, edgeIp } = given(fleet);
      edge.edit('core/v1/services', sidecarService(edge).name, service => {
        service.spec.ports.push({ name: 'http', protocol: 'TCP', port: 10902, targetPort: 10902, nodePort: 31460 });
      });
      queryArgument(hub, new RegExp(`^--endpoint=${edgeIp}`), `--endpoint=${address}`);
      unlisted(hub, entry => entry.name.startsWith(edgeIp));
      lostEndpoint(hub, address, PREFACE, { listed: false });
      probe(hub, address, { tcp: 'open', speaks: 'http' });
      return {
        roots: [{ rule: 'query-endpoint-wrong-port', cluster: hub.cluster, subject: component(hub, 'query').key }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });

  test('one that the Service has not', async () => {
    await expectFound(fleet => {
      const { hub } = fleet;
      const { address, edgeIp } = given(fleet);
      queryArgument(hub, new RegExp(`^--endpoint=${edgeIp}`), `--endpoint=${address}`);
      unlisted(hub, entry => entry.name.startsWith(edgeIp));
      lostWay(hub, address, 'connect: connection refused');
      probe(hub, address, { tcp: 'refused' });
      return {
        roots: [{ rule: 'hub-endpoint-served-by-no-edge', cluster: 'fleet', subject: `Endpoint ${address}` }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });

  test('that of HTTP of a Service of its own cluster', async () => {
    await expectFound(({ hub }) => {
      const ruler = component(hub, 'rule');
      const host = `${ruler.name.split('/')[1]}.${ruler.namespace}.svc.cluster.local`;
      queryArgument(hub, /^--endpoint=thanos-ruler/, `--endpoint=${host}:10902`);
      unlisted(hub, (_, type) => type === 'rule');
      lostEndpoint(hub, `${host}:10902`, PREFACE, { listed: false });
      return {
        roots: [{ rule: 'query-endpoint-wrong-port', cluster: hub.cluster, subject: component(hub, 'query').key }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });
});

describe('an SRV record that does not exist', () => {
  const storeService = (hub: World) =>
    hub.items('core/v1/services').find(one => one.metadata.name === component(hub, 'store').name.split('/')[1])!;

  test('the Service has no port of that name', async () => {
    await expectFound(({ hub }) => {
      const { metadata } = storeService(hub);
      hub.edit('core/v1/services', `${metadata.namespace}/${metadata.name}`, service => {
        for (const port of service.spec.ports) if (port.name === 'grpc') port.name = 'store-api';
      });
      unlisted(hub, (_, type) => type === 'store');
      noRecord(hub, `_grpc._tcp.${metadata.name}.${metadata.namespace}.svc.cluster.local`);
      return {
        roots: [
          {
            rule: 'query-endpoint-srv-empty',
            cluster: hub.cluster,
            subject: `Service ${metadata.namespace}/${metadata.name}`,
          },
        ],
        symptoms: ['query-endpoint-down'],
      };
    });
  });

  test('the Query asks for another name', async () => {
    await expectFound(({ hub }) => {
      const { metadata } = storeService(hub);
      const record = `_grpcs._tcp.${metadata.name}.${metadata.namespace}.svc.cluster.local`;
      queryArgument(hub, /dnssrv\+_grpc._tcp.thanos-store/, `--endpoint=dnssrv+${record}`);
      unlisted(hub, (_, type) => type === 'store');
      noRecord(hub, record);
      return {
        roots: [
          {
            rule: 'query-endpoint-srv-empty',
            cluster: hub.cluster,
            subject: `Service ${metadata.namespace}/${metadata.name}`,
          },
        ],
        symptoms: ['query-endpoint-down'],
      };
    });
  });

  test.each([
    ['thanos-store', 'thanos-stores'],
    ['prometheus-operated', 'prometheus-operate'],
  ])('there is no such Service: %s', async (right, wrong) => {
    await expectFound(({ hub }) => {
      const { namespace } = component(hub, 'query');
      const record = `_grpc._tcp.${wrong}.${namespace}.svc.cluster.local`;
      queryArgument(hub, new RegExp(`dnssrv\\+_grpc._tcp.${right}\\.`), `--endpoint=dnssrv+${record}`);
      unlisted(hub, (entry, type) =>
        right === 'thanos-store' ? type === 'store' : type === 'sidecar' && entry.name.startsWith('10.'),
      );
      noRecord(hub, record);
      return {
        roots: [{ rule: 'dns-name-missing', cluster: hub.cluster, subject: `Endpoint ${record}` }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });
});

const NO_POOL = {
  reason: 'no_pool',
  message: 'There are no enabled CiliumLoadBalancerIPPools that match this service',
};

describe('a Service of the load balancer gets no address', () => {
  const asked = (ip: string) => ({ reason: 'no_pool', message: `No pool exists with a CIDR containing '${ip}'` });

  test('there is no pool', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name } = sidecarService(edge);
      edgeGone(fleet);
      pools(edge, () => []);
      addressPending(edge, name, null);
      return {
        roots: [{ rule: 'load-balancer-pending-no-pool', cluster: edge.cluster, subject: `Cluster ${edge.cluster}` }],
        symptoms: ['load-balancer-pending', ...EDGE_GONE],
      };
    });
  });

  test('there is no pool any more', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name, ip } = sidecarService(edge);
      edgeGone(fleet);
      pools(edge, () => []);
      addressPending(edge, name, asked(ip), ip);
      return {
        roots: [{ rule: 'load-balancer-pending-no-pool', cluster: edge.cluster, subject: `Cluster ${edge.cluster}` }],
        symptoms: ['load-balancer-pending', ...EDGE_GONE],
      };
    });
  });

  test('the only pool is switched off', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name } = sidecarService(edge);
      edgeGone(fleet);
      pools(edge, ([only]) => {
        only.spec.disabled = true;
      });
      addressPending(edge, name, NO_POOL);
      return {
        roots: [{ rule: 'load-balancer-pending-no-pool', cluster: edge.cluster, subject: `Cluster ${edge.cluster}` }],
        symptoms: ['load-balancer-pending'],
      };
    });
  });

  test.each([
    ['which asks for none', false],
    ['which asks for one of it', true],
  ] as const)('the pool does not select it, %s', async (_, asks) => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name, ip } = sidecarService(edge);
      edgeGone(fleet);
      pools(edge, ([only]) => {
        only.spec.serviceSelector = { matchLabels: { exposed: 'yes' } };
        only.metadata.generation = 2;
      });
      const refusal = asks
        ? {
            reason: 'pool_selector_mismatch',
            message: `The pool with the CIDR containing '${ip}', doesn't select this service`,
          }
        : NO_POOL;
      addressPending(edge, name, refusal, asks ? ip : null);
      return {
        roots: [
          {
            rule: 'load-balancer-pending-selector-mismatch',
            cluster: edge.cluster,
            subject: `CiliumLoadBalancerIPPool ${poolOf(edge).metadata.name}`,
          },
        ],
        symptoms: ['load-balancer-pending', ...EDGE_GONE],
      };
    });
  });

  test('it asks for an address that no pool has', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name } = sidecarService(edge);
      edgeGone(fleet);
      addressPending(edge, name, asked('192.168.7.7'), '192.168.7.7');
      return {
        roots: [
          { rule: 'load-balancer-pending-address-outside-pools', cluster: edge.cluster, subject: `Service ${name}` },
        ],
        symptoms: ['load-balancer-pending', 'query-endpoint-down'],
      };
    });
  });

  test('the pool has no address left, and its counts were not kept', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name } = sidecarService(edge);
      const other = '192.168.101.213';
      edgeGone(fleet);
      pools(edge, ([only]) => {
        only.spec.blocks = [{ start: other, stop: other }];
        only.status.conditions = only.status.conditions.slice(0, 1);
      });
      edge.list('core/v1/services', services => {
        const taker = structuredClone(services.find(one => one.metadata.name === name.split('/')[1]));
        taker.metadata = {
          ...taker.metadata,
          name: 'shop',
          namespace: 'default',
          uid: 'u-shop',
          annotations: {},
          labels: {},
        };
        taker.spec.selector = { app: 'shop' };
        taker.status.loadBalancer.ingress[0].ip = other;
        taker.spec.ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
        taker.spec.clusterIP = '10.112.1.77';
        services.push(taker);
      });
      addressPending(edge, name, {
        reason: 'out_of_ips',
        message: 'All enabled CiliumLoadBalancerIPPools that match this service ran out of allocatable IPs',
      });
      edge.list('coordination.k8s.io/v1/leases', leases => {
        const lease = structuredClone(leases.find(one => one.metadata.name.startsWith('cilium-l2announce-')));
        lease.metadata.name = 'cilium-l2announce-default-shop';
        Object.assign(lease.spec, {
          holderIdentity: edge.items('core/v1/nodes')[0]!.metadata.name,
          renewTime: `${ago(edge, 3).slice(0, -1)}.000000Z`,
        });
        leases.push(lease);
      });
      return {
        roots: [
          {
            rule: 'load-balancer-pending-pool-exhausted',
            cluster: edge.cluster,
            subject: `CiliumLoadBalancerIPPool ${poolOf(edge).metadata.name}`,
          },
        ],
        symptoms: ['load-balancer-pending'],
      };
    });
  });

  test('of the Ingress', async () => {
    await expectFound(({ hub }) => {
      const service = hub.items('core/v1/services').find(one => one.metadata.name === 'cilium-ingress')!;
      const ip = service.status.loadBalancer.ingress[0].ip;
      pools(hub, () => []);
      addressPending(hub, 'kube-system/cilium-ingress', asked(ip), ip);
      hub.list('networking.k8s.io/v1/ingresses', ingresses => {
        for (const ingress of ingresses) ingress.status.loadBalancer = {};
      });
      const probes = [`${ip}:80`, `${ip}:443`];
      for (const endpoint of probes) probe(hub, endpoint, null);
      probe(hub, 'grafana.k8s-cluster-01.miribit.lab:80', { tcp: 'timeout' });
      return {
        roots: [{ rule: 'load-balancer-pending-no-pool', cluster: hub.cluster, subject: `Cluster ${hub.cluster}` }],
        symptoms: ['load-balancer-pending', 'ingress-unserved'],
      };
    });
  });
});

describe('pools that overlap', () => {
  const conflict = (with_: string) => ({
    type: 'cilium.io/PoolConflict',
    status: 'True',
    reason: 'cidr_overlap',
    message: `Pool conflicts since range '192.168.101.211 - 192.168.101.215' overlaps range '192.168.101.211 - 192.168.101.212' from IP Pool '${with_}'`,
    observedGeneration: 1,
  });

  test('of one cluster: the younger one is switched off, and nobody has missed it', async () => {
    await expectFound(({ edge }) => {
      pools(edge, items => {
        const younger = pool('younger', ago(edge, 200), '192.168.101.213', '192.168.101.220');
        younger.status.conditions[0] = { ...conflict(poolOf(edge).metadata.name), lastTransitionTime: ago(edge, 200) };
        items.push(younger);
      });
      return {
        roots: [
          { rule: 'load-balancer-pool-conflict', cluster: edge.cluster, subject: 'CiliumLoadBalancerIPPool younger' },
        ],
      };
    });
  });

  test('of one cluster: the Service is of the one that is switched off', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const { name } = sidecarService(edge);
      edgeGone(fleet);
      pools(edge, items => {
        const [mine] = items;
        const older = pool('older', ago(edge, 9_000), '192.168.101.211', '192.168.101.212', {
          matchLabels: { team: 'shop' },
        });
        mine.status.conditions[0] = { ...conflict('older'), lastTransitionTime: ago(edge, 150) };
        items.push(older);
      });
      addressPending(edge, name, NO_POOL);
      return {
        roots: [
          {
            rule: 'load-balancer-pool-conflict',
            cluster: edge.cluster,
            subject: `CiliumLoadBalancerIPPool ${poolOf(edge).metadata.name}`,
          },
        ],
        symptoms: ['load-balancer-pending'],
      };
    });
  });
});

describe('the Cilium operator is down', () => {
  const fails = (fleet: Fleet) => {
    const { edge } = fleet;
    const { name } = sidecarService(edge);
    edgeGone(fleet);
    addressPending(edge, name, null);
    edge.edit('coordination.k8s.io/v1/leases', 'kube-system/cilium-operator-resource-lock', lease => {
      lease.spec.renewTime = `${ago(edge, 300).slice(0, -1)}.000000Z`;
    });
    const operator = component(edge, 'cilium-operator');
    return {
      roots: [{ rule: 'cilium-operator-down', cluster: edge.cluster, subject: operator.key }],
      symptoms: ['load-balancer-pending', 'query-endpoint-down'],
    };
  };

  test('scaled to nothing', async () => {
    await expectFound(fleet => {
      scaledToZero(component(fleet.edge, 'cilium-operator'));
      return fails(fleet);
    });
  });

  test('it runs, and leads no more', async () => {
    await expectFound(fails);
  });

  test('it is gone, and nobody needs an address', async () => {
    await expectFound(({ hub }) => {
      const operator = component(hub, 'cilium-operator');
      scaledToZero(operator);
      return { roots: [{ rule: 'cilium-operator-down', cluster: hub.cluster, subject: operator.key }] };
    });
  });
});

const L2 = 'cilium.io/v2alpha1/ciliuml2announcementpolicies';

describe('an address that nobody announces', () => {
  const policyName = (world: World) => world.items(L2)[0]!.metadata.name;

  test('there is no policy', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      edgeGone(fleet);
      edge.list(L2, () => []);
      withoutLease(edge, sidecarService(edge).name);
      return {
        roots: [{ rule: 'l2-announcement-misconfigured', cluster: edge.cluster, subject: `Cluster ${edge.cluster}` }],
        symptoms: ['load-balancer-not-announced', ...EDGE_GONE],
      };
    });
  });

  test('the feature is off', async () => {
    await expectFound(fleet => {
      const { edge } = fleet;
      edgeGone(fleet);
      edge.edit('core/v1/configmaps', 'kube-system/cilium-config', ({ data }) => {
        data['enable-l2-announcements'] = 'false';
      });
      releaseLease(edge, sidecarService(edge).name);
      return {
        roots: [
          {
            rule: 'l2-announcement-misconfigured',
            cluster: edge.cluster,
            subject: 'ConfigMap kube-system/cilium-config',
          },
        ],
        symptoms: [...EDGE_GONE],
      };
    });
  });

  test.each([
    ['announces no load balancer addresses', (spec: RawObject) => delete spec.loadBalancerIPs],
    ['selects no node', (spec: RawObject) => (spec.nodeSelector = { matchLabels: { rack: 'b' } })],
    ['selects another Service', (spec: RawObject) => (spec.serviceSelector = { matchLabels: { app: 'shop' } })],
  ] as const)('the policy %s', async (_, change) => {
    await expectFound(fleet => {
      const { edge } = fleet;
      edgeGone(fleet);
      edge.list(L2, ([only]) => void change(only.spec));
      withoutLease(edge, sidecarService(edge).name);
      return {
        roots: [
          {
            rule: 'l2-announcement-misconfigured',
            cluster: edge.cluster,
            subject: `CiliumL2AnnouncementPolicy ${policyName(edge)}`,
          },
        ],
        symptoms: ['load-balancer-not-announced', ...EDGE_GONE],
      };
    });
  });

  test.each([
    ['is stale', staleLease],
    ['has no holder', releaseLease],
  ] as const)('the lease %s', async (_, change) => {
    await expectFound(fleet => {
      const { edge } = fleet;
      edgeGone(fleet);
      change(edge, sidecarService(edge).name);
      return { roots: serviceRoot('load-balancer-not-announced', edge), symptoms: [...EDGE_GONE] };
    });
  });
});

describe('an Ingress that nobody serves', () => {
  test.each([
    ['names no class', undefined],
    ['names a class that does not exist', 'nginx'],
  ] as const)('it %s', async (_, className) => {
    await expectFound(({ hub }) => {
      const [ingress] = hub.items('networking.k8s.io/v1/ingresses');
      hub.list('networking.k8s.io/v1/ingresses', ([only]) => {
        only.spec.ingressClassName = className;
        only.status.loadBalancer = {};
      });
      hub.list('cilium.io/v2/ciliumenvoyconfigs', configs => {
        for (const { spec } of configs) {
          spec.backendServices = [];
          spec.resources = [];
        }
      });
      const { namespace, name } = ingress!.metadata;
      return {
        roots: [{ rule: 'ingress-has-no-class', cluster: hub.cluster, subject: `Ingress ${namespace}/${name}` }],
      };
    });
  });
});

describe('a network policy that closes a path', () => {
  const KINDS = ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'] as const;
  type Kind = (typeof KINDS)[number];
  const labelsOf = (world: World, what: string): RawObject => {
    const { labels } = world.object('core/v1/pods', component(world, what).pods[0]!).metadata;
    return labels.app ? { app: labels.app } : { 'app.kubernetes.io/name': labels['app.kubernetes.io/name'] };
  };
  /** Only what has these labels may come in. */
  const only = (kind: Kind, subject: RawObject, from: RawObject): RawObject =>
    kind === 'NetworkPolicy'
      ? {
          podSelector: { matchLabels: subject },
          policyTypes: ['Ingress'],
          ingress: [{ from: [{ podSelector: { matchLabels: from } }] }],
        }
      : { endpointSelector: { matchLabels: subject }, ingress: [{ fromEndpoints: [{ matchLabels: from }] }] };
  const noWayOut = (kind: Kind, subject: RawObject): RawObject =>
    kind === 'NetworkPolicy'
      ? {
          podSelector: { matchLabels: subject },
          policyTypes: ['Egress'],
          egress: [
            {
              ports: [
                { port: 53, protocol: 'UDP' },
                { port: 53, protocol: 'TCP' },
              ],
            },
          ],
        }
      : {
          endpointSelector: { matchLabels: subject },
          egress: [
            {
              toEntities: ['cluster'],
              toPorts: [
                {
                  ports: [
                    { port: '53', protocol: 'UDP' },
                    { port: '53', protocol: 'TCP' },
                  ],
                },
              ],
            },
          ],
        };

  test.each(KINDS)('%s: scrapes of the Store', async kind => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      const subject = policy(hub, kind, what.namespace, only(kind, labelsOf(hub, 'store'), labelsOf(hub, 'query')));
      scrapesTimeOut(hub, what.pods);
      return {
        roots: [{ rule: 'network-policy-blocks', cluster: hub.cluster, subject }],
        symptoms: ['target-times-out', 'target-down'],
      };
    });
  });

  test.each(KINDS)('%s: the hub on its way to the sidecars of the edge', async kind => {
    await expectFound(fleet => {
      const { edge } = fleet;
      const what = component(edge, 'sidecar');
      const subject = policy(
        edge,
        kind,
        what.namespace,
        only(kind, labelsOf(edge, 'sidecar'), labelsOf(edge, 'sidecar')),
      );
      edgeGone(fleet, 'i/o timeout');
      return { roots: [{ rule: 'network-policy-blocks', cluster: edge.cluster, subject }], symptoms: EDGE_GONE };
    });
  });

  test.each(KINDS)('%s: the sidecar on its way to the object store', async kind => {
    await expectFound(({ edge }) => {
      const what = component(edge, 'sidecar');
      const subject = policy(edge, kind, what.namespace, noWayOut(kind, labelsOf(edge, 'sidecar')));
      for (const pod of what.pods) {
        edge.log(
          pod,
          what.container,
          [125, 95, 65, 35, 5].map(
            seconds =>
              [
                seconds,
                'ts=$NOW caller=sidecar.go:433 level=warn err="check exists: stat s3 object: Get \\"http://s3.minio.miribit.lab/thanos-bucket/?location=\\": dial tcp 192.168.101.9:80: i/o timeout" uploaded=0',
              ] as const,
          ),
        );
      }
      return {
        roots: [{ rule: 'network-policy-blocks', cluster: edge.cluster, subject }],
        symptoms: ['object-store-unreachable'],
      };
    });
  });

  test.each(KINDS)('%s: the ruler on its way to the Query', async kind => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'query');
      const subject = policy(hub, kind, what.namespace, only(kind, labelsOf(hub, 'query'), { app: 'nobody' }));
      const ruler = component(hub, 'rule');
      scrapesTimeOut(hub, what.pods);
      hub.http(ruler.pods[0]!.split('/')[1]!, 10902, '/api/v1/rules', ({ data }) => {
        for (const group of data.groups) {
          for (const rule of group.rules)
            Object.assign(rule, { health: 'err', lastError: 'no query API server reachable' });
        }
      });
      for (const pod of ruler.pods) {
        hub.log(
          pod,
          ruler.container,
          [105, 75, 45, 15].flatMap(seconds => [
            [
              seconds,
              'ts=$NOW caller=rule.go:942 level=error component=rules err="read query instant response: perform POST request against http://thanos-query.monitoring.svc.cluster.local:9090/api/v1/query: Post \\"http://thanos-query.monitoring.svc.cluster.local:9090/api/v1/query\\": dial tcp 10.111.177.175:9090: i/o timeout" query="sum by (cluster) (up)"',
            ] as const,
            [
              seconds,
              'ts=$NOW caller=group.go:527 level=warn name=cluster:up:sum index=0 group=fleet msg="Evaluating rule failed" rule="record: cluster:up:sum\\nexpr: sum by (cluster) (up)\\n" err="no query API server reachable"',
            ] as const,
          ]),
        );
      }
      return {
        roots: [{ rule: 'network-policy-blocks', cluster: hub.cluster, subject }],
        symptoms: ['ruler-cannot-query', 'target-times-out'],
      };
    });
  });

  test('one that allows what is needed', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'store');
      policy(hub, 'NetworkPolicy', what.namespace, {
        podSelector: { matchLabels: labelsOf(hub, 'store') },
        policyTypes: ['Ingress'],
        ingress: [{}],
      });
    });
  });
});
