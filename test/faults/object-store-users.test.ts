import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import * as faults from './object-store.ts';
import { HOST, SECRET, type StoreFault } from './object-store.ts';
import { component, crashes, scaledToZero, waits } from './pods.ts';
import { diagnosed, expectRoots, type World } from './recorded-world.ts';
import { expectFound } from './scenario.ts';

const BUCKET = `Bucket thanos-bucket@${HOST}:80`;
const USERS = ['sidecar', 'store', 'compact', 'rule'];

interface User {
  readonly kind: string;
  readonly pod: string;
  readonly container: string;
}

/** All that read the configuration, in the order of their kinds; of the operator's pods, the sidecar. */
function usersOf(world: World): readonly User[] {
  const users: User[] = [];
  for (const pod of world.items('core/v1/pods')) {
    for (const { name, image, args } of pod.spec.containers) {
      const kind: string = args?.[0] ?? '';
      if (!/thanos/.test(image) || !USERS.includes(kind)) continue;
      users.push({ kind, pod: `${pod.metadata.namespace}/${pod.metadata.name}`, container: name });
    }
  }
  return users;
}

function store(world: World, change: (store: RawObject) => void): void {
  world.yaml('stores.yaml', stores => {
    for (const one of stores as never as RawObject[]) change(one);
    return stores;
  });
}

/** What the store answers from here, as of now. */
function answers(world: World, { answer, probe, config }: StoreFault): void {
  if (config) {
    store(world, one => {
      Object.assign(one.config.config, config);
      for (const [name, value] of Object.entries(config)) if (value === undefined) delete one.config.config[name];
    });
  }
  world.yaml('buckets/index.yaml', () => [] as never);
  if (answer) world.fail({ path: 's3://thanos-bucket', store: 'monitoring/thanos-s3-config/objstore.yml', ...answer });
  if (probe) {
    world.yaml(
      'probes.yaml',
      probes =>
        (probes as never as RawObject[]).map(row =>
          row.endpoint === `${HOST}:80` ? { endpoint: row.endpoint, from: 'here', for: row.for, ...probe } : row,
        ) as never,
    );
  }
}

/** All of them run on, and say what happens to their next try. */
function complain(world: World, words: string): void {
  const text = words.replaceAll('"', '\\"');
  for (const { kind, pod, container } of usersOf(world)) {
    if (kind === 'sidecar') {
      const line = `ts=$NOW caller=sidecar.go:433 level=warn err="check exists: stat s3 object: ${text}" uploaded=0`;
      world.log(
        pod,
        container,
        [130, 100, 70, 40, 10].map(ago => [ago, line] as const),
      );
    } else if (kind === 'store') {
      const line = `ts=$NOW caller=store.go:490 level=warn msg="syncing blocks failed" err="BaseFetcher: iter bucket: ${text}"`;
      world.log(pod, container, [[20, line]]);
    } else if (kind === 'compact') {
      const line = `ts=$NOW caller=runutil.go:117 level=error msg="function failed. Retrying in next tick" err="BaseFetcher: iter bucket: ${text}"`;
      world.log(
        pod,
        container,
        [104, 44].map(ago => [ago, line] as const),
      );
    }
  }
}

const RUNNING: readonly (readonly [name: string, fault: StoreFault, rule: string, subject: string])[] = [
  ['key unknown', faults.KEY_UNKNOWN, 'object-store-key-unknown', SECRET],
  ['secret key wrong', faults.SECRET_WRONG, 'object-store-secret-wrong', SECRET],
  ['account lacks a right', faults.ACCESS_DENIED, 'object-store-access-denied', BUCKET],
  ['bucket missing', faults.BUCKET_MISSING, 'object-store-bucket-missing', BUCKET],
  ['store refuses connections', faults.STORE_REFUSES, 'object-store-unreachable', `Endpoint ${HOST}:80`],
  ['store does not answer', faults.STORE_SILENT, 'object-store-unreachable', `Endpoint ${HOST}:80`],
  ['name not resolved', faults.NAME_UNRESOLVED, 'object-store-name-unresolved', `Endpoint ${HOST}:80`],
  ['clocks apart', faults.CLOCK_WRONG, 'object-store-clock-skew', `Endpoint ${HOST}:80`],
];

describe('the store fails while its users run on', () => {
  test.each(RUNNING)('%s, in the hub', async (_, fault, rule, subject) => {
    await expectFound(({ hub }) => {
      answers(hub, fault);
      complain(hub, fault.words);
      return { roots: [{ rule, cluster: hub.cluster, subject }] };
    });
  });

  test.each(RUNNING)('%s, in both', async (_, fault, rule, subject) => {
    await expectFound(({ hub, edge }) => {
      for (const world of [hub, edge]) {
        answers(world, fault);
        complain(world, fault.words);
      }
      return { roots: [hub, edge].map(({ cluster }) => ({ rule, cluster, subject })) };
    });
  });

  test('blocks may be read and listed, and not written', async () => {
    await expectFound(({ edge }) => {
      const { pod, container } = usersOf(edge)[0]!;
      const block = '01M84NKHQPQCK78XA2WNG7QGBP';
      const line = `ts=$NOW caller=sidecar.go:433 level=warn err="upload ${block}: upload chunks: upload file /prometheus/thanos/upload/${block}/chunks/000001 as ${block}/chunks/000001: upload s3 object: Access Denied." uploaded=0`;
      edge.log(
        pod,
        container,
        [100, 70, 40, 10].map(ago => [ago, line] as const),
      );
      return { roots: [{ rule: 'object-store-access-denied', cluster: edge.cluster, subject: BUCKET }] };
    });
  });

  test('the Secret is right again, and nobody was started again', async () => {
    await expectFound(({ edge }) => {
      complain(edge, faults.KEY_UNKNOWN.words);
      store(edge, one => {
        one.changedAt = new Date(edge.now - 60_000).toISOString().replace(/\.\d+Z/, 'Z');
      });
      return {
        roots: [{ rule: 'component-runs-with-old-object-store-config', cluster: edge.cluster, subject: SECRET }],
      };
    });
  });

  test('the Secret is right again in the hub, and nobody was started again', async () => {
    await expectFound(({ hub }) => {
      complain(hub, faults.SECRET_WRONG.words);
      store(hub, one => {
        one.changedAt = new Date(hub.now - 60_000).toISOString().replace(/\.\d+Z/, 'Z');
      });
      return {
        roots: [{ rule: 'component-runs-with-old-object-store-config', cluster: hub.cluster, subject: SECRET }],
      };
    });
  });
});

const INVALID: readonly (readonly [what: string, config: Record<string, unknown> | string, error: string])[] = [
  [
    'endpoint with a scheme',
    { endpoint: 'http://s3.minio.miribit.lab:80' },
    'Endpoint url cannot have fully qualified paths.\\ninitialize s3 client\\ncreate S3 client',
  ],
  ['no endpoint', { endpoint: '' }, 'no s3 endpoint in config file\\ncreate S3 client'],
  [
    'half of the key',
    { secret_key: { set: false } },
    'no s3 secret_key specified while access_key is present in config file; either both should be present in config or envvars/IAM should be used.\\ncreate S3 client',
  ],
  [
    'a field that is unknown',
    { insecure_skip_verify: true },
    'yaml: unmarshal errors:\\n  line 9: field insecure_skip_verify not found in type s3.Config\\ncreate S3 client',
  ],
  [
    'no YAML',
    'invalid: Nested mappings are not allowed in compact mappings at line 2',
    'yaml: line 2: mapping values are not allowed in this context\\nparsing config YAML file',
  ],
];

describe.each(INVALID)('the configuration is invalid: %s', (_, config, error) => {
  const breaks = (world: World) => {
    store(world, one => {
      if (typeof config === 'string') {
        delete one.config;
        one.error = config;
      } else Object.assign(one.config.config, config);
    });
    world.yaml('buckets/index.yaml', () => [] as never);
    for (const { kind, pod, container } of usersOf(world)) {
      crashes(world, pod, container, {
        lines: [
          'ts=$NOW caller=factory.go:54 level=info msg="loading bucket configuration"',
          `ts=$NOW caller=main.go:145 level=error err="${error}\\npreparing ${kind} command failed"`,
        ],
      });
    }
  };

  test('in the hub, where everything was started again', async () => {
    await expectFound(({ hub }) => {
      breaks(hub);
      return {
        roots: [{ rule: 'objstore-config-invalid', cluster: hub.cluster, subject: SECRET }],
        symptoms: ['pod-crash-loops', 'query-endpoint-down'],
      };
    });
  });

  test('in the edge', async () => {
    await expectFound(({ edge }) => {
      breaks(edge);
      return {
        roots: [{ rule: 'objstore-config-invalid', cluster: edge.cluster, subject: SECRET }],
        symptoms: ['pod-crash-loops', 'query-endpoint-down', 'edge-unreachable'],
      };
    });
  });

  test('in the edge, and the Secret may not be read', async () => {
    await expectFound(({ edge }) => {
      breaks(edge);
      edge.yaml('stores.yaml', () => [] as never);
      edge.fail({
        path: '/api/v1/namespaces/monitoring/secrets/thanos-s3-config',
        status: 403,
        reason: 'Forbidden',
        message: 'secrets "thanos-s3-config" is forbidden: User "viewer" cannot get resource "secrets"',
      });
      return { roots: [{ rule: 'objstore-config-invalid', cluster: edge.cluster, subject: SECRET }] };
    });
  });
});

describe('the Secret has another key', () => {
  const otherKey = (world: World) => {
    store(world, one => {
      delete one.config;
      one.error = 'no-such-key';
      one.keys = ['thanos.yaml'];
    });
    world.yaml('buckets/index.yaml', () => [] as never);
  };

  test('its users run on', async () => {
    await expectFound(({ edge }) => {
      otherKey(edge);
      return { roots: [{ rule: 'objstore-secret-key-mismatch', cluster: edge.cluster, subject: SECRET }] };
    });
  });

  test('one of them was started again and misses the file', async () => {
    await expectFound(({ hub }) => {
      otherKey(hub);
      const { pods, container } = component(hub, 'store');
      crashes(hub, pods[0]!, container, {
        lines: [
          'ts=$NOW caller=main.go:145 level=error err="loading YAML file /etc/thanos/objstore.yml for objstore.config: open /etc/thanos/objstore.yml: no such file or directory\\nget content of object store configuration\\npreparing store command failed"',
        ],
      });
      return {
        roots: [{ rule: 'objstore-secret-key-mismatch', cluster: hub.cluster, subject: SECRET }],
        symptoms: ['pod-crash-loops'],
      };
    });
  });

  test('the kubelet does not start the sidecar', async () => {
    await expectFound(({ edge }) => {
      otherKey(edge);
      const { pod, container } = usersOf(edge)[0]!;
      waits(edge, pod, container, {
        reason: 'CreateContainerConfigError',
        message: "couldn't find key objstore.yml in Secret monitoring/thanos-s3-config",
      });
      return {
        roots: [{ rule: 'config-object-missing', cluster: edge.cluster, subject: SECRET }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });
});

describe('MinIO runs in the hub', () => {
  const ADDRESS = '192.168.101.215:9000';
  const INSIDE = 'minio.storage.svc.cluster.local:9000';

  /** A MinIO behind a load balancer, with one pod. */
  function minio(hub: World, others: readonly World[], endpoint: string): void {
    const query = component(hub, 'query');
    const deployment = structuredClone(hub.object(query.resource, query.name));
    const pod = structuredClone(hub.object('core/v1/pods', query.pods[0]!));
    const set = structuredClone(
      hub.items('apps/v1/replicasets').find(one => one.metadata.name === pod.metadata.ownerReferences[0].name)!,
    );
    const container = {
      name: 'minio',
      image: 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z',
      args: ['server', '/data'],
      ports: [{ containerPort: 9000, name: 's3', protocol: 'TCP' }],
    };
    const place = (object: RawObject, name: string, uid: string) =>
      Object.assign(object.metadata, { name, uid, namespace: 'storage', labels: { app: 'minio' } });
    place(deployment, 'minio', 'a1');
    deployment.spec.selector.matchLabels = { app: 'minio' };
    deployment.spec.template.metadata.labels = { app: 'minio' };
    deployment.spec.template.spec.containers = [container];
    place(set, 'minio-7d9f', 'a2');
    Object.assign(set.metadata.ownerReferences[0], { name: 'minio', uid: 'a1' });
    set.spec.selector = { matchLabels: { app: 'minio' } };
    place(pod, 'minio-7d9f-x2x4z', 'a3');
    Object.assign(pod.metadata.ownerReferences[0], { name: 'minio-7d9f', uid: 'a2' });
    pod.spec.containers = [container];
    pod.status.podIP = '10.241.0.77';
    pod.status.podIPs = [{ ip: '10.241.0.77' }];
    Object.assign(pod.status.containerStatuses[0], { name: 'minio', image: container.image });
    hub.list('core/v1/namespaces', items => [
      ...items,
      { ...structuredClone(items[0]!), metadata: { ...items[0]!.metadata, name: 'storage', uid: 'a0' } },
    ]);
    hub.list('apps/v1/deployments', items => [...items, deployment]);
    hub.list('apps/v1/replicasets', items => [...items, set]);
    hub.list('core/v1/pods', items => [...items, pod]);
    hub.list('core/v1/services', items => {
      const service = structuredClone(items.find(one => one.metadata.name === 'thanos-query')!);
      place(service, 'minio', 'a4');
      service.spec = {
        ...service.spec,
        type: 'LoadBalancer',
        clusterIP: '10.96.7.7',
        clusterIPs: ['10.96.7.7'],
        selector: { app: 'minio' },
        ports: [{ name: 's3', port: 9000, targetPort: 9000, protocol: 'TCP' }],
      };
      service.status = { loadBalancer: { ingress: [{ ip: ADDRESS.split(':')[0], ipMode: 'VIP' }] } };
      return [...items, service];
    });
    hub.list('discovery.k8s.io/v1/endpointslices', items => {
      const slice = structuredClone(items.find(one => one.metadata.name.startsWith('thanos-query'))!);
      place(slice, 'minio-abcde', 'a5');
      slice.metadata.labels = { 'kubernetes.io/service-name': 'minio' };
      Object.assign(slice.metadata.ownerReferences?.[0] ?? {}, { name: 'minio', uid: 'a4' });
      slice.ports = [{ name: 's3', port: 9000, protocol: 'TCP' }];
      slice.endpoints[0].addresses = ['10.241.0.77'];
      Object.assign(slice.endpoints[0].targetRef, { name: 'minio-7d9f-x2x4z', namespace: 'storage', uid: 'a3' });
      return [...items, slice];
    });
    const leases = 'coordination.k8s.io/v1/leases';
    hub.list(leases, items => {
      const lease = structuredClone(items.find(one => one.metadata.name.startsWith('cilium-l2announce'))!);
      lease.metadata.name = 'cilium-l2announce-storage-minio';
      lease.metadata.uid = 'a6';
      return [...items, lease];
    });
    for (const world of others) {
      store(world, one => {
        one.config.config.endpoint = endpoint;
      });
      world.yaml('buckets/index.yaml', rows => {
        for (const row of rows as never as RawObject[]) row.endpoint = endpoint;
        return rows;
      });
      if (endpoint !== ADDRESS) continue;
      world.yaml(
        'probes.yaml',
        probes =>
          (probes as never as RawObject[]).map(row =>
            row.endpoint === `${HOST}:80` ? { ...row, endpoint, speaks: 'http' } : row,
          ) as never,
      );
    }
  }

  const lost = (world: World, endpoint: string) => {
    world.yaml('buckets/index.yaml', () => [] as never);
    const [host, port] = (endpoint === INSIDE ? '10.96.7.7:9000' : endpoint).split(':');
    complain(
      world,
      `Get "http://${endpoint}/thanos-bucket/?location=": dial tcp ${host}:${port}: connect: connection refused`,
    );
    if (endpoint === INSIDE) return;
    world.fail({
      path: 's3://thanos-bucket',
      status: 0,
      reason: 'refused',
      message: `connect ECONNREFUSED ${endpoint}`,
      store: 'monitoring/thanos-s3-config/objstore.yml',
    });
    world.yaml(
      'probes.yaml',
      probes =>
        (probes as never as RawObject[]).map(row =>
          row.endpoint === endpoint ? { endpoint, from: 'here', for: row.for, tcp: 'refused' } : row,
        ) as never,
    );
  };

  const pod = 'storage/minio-7d9f-x2x4z';

  test('and all is well', async () => {
    await expectFound(({ hub, edge }) => {
      minio(hub, [hub, edge], ADDRESS);
      return { roots: [] };
    });
  });

  test('and cannot be pulled', async () => {
    await expectFound(({ hub, edge }) => {
      minio(hub, [hub, edge], ADDRESS);
      waits(hub, pod, 'minio', {
        reason: 'ImagePullBackOff',
        message:
          'Back-off pulling image "quay.io/minio/minio:RELEASE.x": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "quay.io/minio/minio:RELEASE.x": failed to resolve reference "quay.io/minio/minio:RELEASE.x": quay.io/minio/minio:RELEASE.x: not found',
        image: 'quay.io/minio/minio:RELEASE.x',
      });
      for (const world of [hub, edge]) lost(world, ADDRESS);
      return {
        roots: [{ rule: 'image-missing', cluster: hub.cluster, subject: 'Deployment storage/minio' }],
        symptoms: [
          { rule: 'object-store-unreachable', cluster: hub.cluster },
          { rule: 'object-store-unreachable', cluster: edge.cluster },
        ],
      };
    });
  });

  test('and ends at every start, named by its Service', async () => {
    await expectFound(({ hub }) => {
      minio(hub, [hub], INSIDE);
      crashes(hub, pod, 'minio', {
        lines: ['FATAL Unable to initialize backend: /data: drive is full or path is not accessible'],
      });
      lost(hub, INSIDE);
      return {
        roots: [{ rule: 'pod-crash-loops', cluster: hub.cluster, subject: 'Deployment storage/minio' }],
        symptoms: ['object-store-unreachable'],
      };
    });
  });

  test('and is scaled to nothing', async () => {
    await expectFound(({ hub, edge }) => {
      minio(hub, [hub, edge], ADDRESS);
      const query = component(hub, 'query');
      scaledToZero({ ...query, name: 'storage/minio', pods: [pod], container: 'minio' });
      for (const world of [hub, edge]) lost(world, ADDRESS);
      return {
        roots: [{ rule: 'workload-scaled-to-zero', cluster: hub.cluster, subject: 'Deployment storage/minio' }],
        symptoms: [{ rule: 'object-store-unreachable', cluster: edge.cluster }],
      };
    });
  });
});

/** The same workloads, made by hand. */
function withoutOperator(world: World): void {
  world.json('discovery.json', discovery => {
    discovery.groups = discovery.groups.filter((one: RawObject) => one.group !== 'monitoring.coreos.com');
    return discovery;
  });
  for (const path of world.paths()) if (path.startsWith('objects/monitoring.coreos.com/')) world.remove(path);
  world.list('apiextensions.k8s.io/v1/customresourcedefinitions', items =>
    items.filter(item => !item.metadata.name.endsWith('monitoring.coreos.com')),
  );
  world.list('apps/v1/statefulsets', items => {
    for (const item of items) {
      const owned = item.metadata.ownerReferences?.some((owner: RawObject) =>
        /monitoring\.coreos/.test(owner.apiVersion),
      );
      if (owned) delete item.metadata.ownerReferences;
    }
    return items;
  });
  const made = (name: string) => name.startsWith('kube-prometheus-stack-operator');
  for (const list of [
    'apps/v1/deployments',
    'apps/v1/replicasets',
    'core/v1/pods',
    'core/v1/services',
    'discovery.k8s.io/v1/endpointslices',
  ]) {
    world.list(list, items => items.filter(item => !made(item.metadata.name)));
  }
  for (const path of world.paths()) {
    if (!path.endsWith('api_v1_targets_state_active.json')) continue;
    world.json(path, document => {
      document.data.activeTargets = document.data.activeTargets.filter(
        (target: RawObject) => !target.scrapePool.includes('stack-operator'),
      );
      return document;
    });
  }
}

describe('without an operator', () => {
  test('all is well', async () => {
    await expectFound(({ worlds }) => {
      for (const world of worlds) withoutOperator(world);
      return { roots: [] };
    });
  });

  test.each(['bucket-missing', 'key-unknown', 'block-corrupt', 'two-faults'])('the recording %s', async name => {
    const before = await diagnosed(name);
    const report = await diagnosed(name, worlds => {
      for (const world of worlds) withoutOperator(world);
    });
    const roots = before.findings.filter(finding => finding.root && finding.severity !== 'info');
    const set = 'StatefulSet monitoring/prometheus-kube-prometheus-stack-prometheus';
    expectRoots(report, {
      roots: roots.map(({ rule, cluster, subject: { kind, namespace, name: own } }) => ({
        rule,
        cluster,
        subject: kind === 'Prometheus' ? set : `${kind} ${namespace === '' ? own : `${namespace}/${own}`}`,
      })),
    });
    expect(roots.length).toBeGreaterThan(0);
  });
});
