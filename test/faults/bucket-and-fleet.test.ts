import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import { throughIngress } from './fleets.ts';
import { component, crashes, gone, inTemplate, scaledToZero } from './pods.ts';
import { diagnosed, expectRoots, type World } from './recorded-world.ts';
import { expectFound, type Fleet } from './scenario.ts';
import { eachAnswer, edgeLost } from './workloads.ts';

const PLACE = 'thanos-bucket@s3.minio.miribit.lab:80';
const EDGE_ADDRESS = '192.168.101.211:10901';
const BLOCK = '01M8410CKGX26VAAAPTXXHCB8X';

/** Nobody looked into the buckets. */
function unlisted({ worlds }: Fleet): void {
  for (const world of worlds) world.remove('buckets/index.yaml');
}

const LISTED = [
  { listing: 'listed', look: () => undefined },
  { listing: 'not listed', look: unlisted },
] as const;

function halts(world: World, error: string): void {
  const { pods, container } = component(world, 'compact');
  const escaped = error.replaceAll('"', '\\"');
  world.log(pods[0]!, container, [
    [100, `ts=$NOW caller=compact.go:558 level=error msg="critical error detected; halting" err="${escaped}"`],
  ]);
  world.httpText(pods[0]!.split('/')[1]!, 10902, '/metrics', text =>
    text.replace('thanos_compact_halted 0', 'thanos_compact_halted 1'),
  );
}

describe.each(LISTED)('the Compactor, its bucket $listing', ({ look }) => {
  test('halts on overlapping blocks', async () => {
    const report = await diagnosed('compactor-halted', worlds => {
      if (look === unlisted) for (const world of worlds) world.remove('buckets/index.yaml');
    });
    expectRoots(report, {
      roots: [{ rule: 'blocks-overlap', cluster: 'fleet', subject: `Bucket ${PLACE}` }],
      symptoms: ['compactor-halted'],
    });
  });

  test.each([
    `group 0@5679675083797525161: gather index issues for block /var/thanos/compactor/compact/0@5679675083797525161/${BLOCK}: open index file: read TOC: read TOC: invalid checksum\\ncompaction\\nerror executing compaction\\ncompact command failed`,
    `group 0@5679675083797525161: gather index issues for block /var/thanos/compactor/compact/0@5679675083797525161/${BLOCK}: open index file: mmap, size 0: invalid argument\\ncompaction\\nerror executing compaction\\ncompact command failed`,
  ])('ends at every start because of a block: %s', async error => {
    await expectFound(fleet => {
      look(fleet);
      const { pods, container } = component(fleet.hub, 'compact');
      crashes(fleet.hub, pods[0]!, container, {
        lines: [
          'ts=$NOW caller=compact.go:1547 level=info msg="start of compactions"',
          `ts=$NOW caller=main.go:171 level=error err="${error}"`,
        ],
      });
      return {
        roots: [{ rule: 'block-index-corrupt', cluster: 'fleet', subject: `Bucket ${PLACE}` }],
        symptoms: ['pod-crash-loops', 'compactor-not-running'],
      };
    });
  });

  test('halts at chunks that cannot be read', async () => {
    await expectFound(fleet => {
      look(fleet);
      halts(
        fleet.hub,
        `compaction: group 0@5679675083797525161: compact blocks [/var/thanos/compactor/compact/0@5679675083797525161/${BLOCK}]: populate block: chunk iter: cannot populate chunk 8 from block ${BLOCK}: segment index 0 out of range`,
      );
      return {
        roots: [{ rule: 'block-index-corrupt', cluster: 'fleet', subject: `Bucket ${PLACE}` }],
        symptoms: ['compactor-halted'],
      };
    });
  });

  const noSpace =
    'compaction: group 0@5679675083797525161: compact blocks [a b]: populate block: add series: write series data: write /var/thanos/compactor/compact/0@5679675083797525161/01M8.tmp-for-creation/index: no space left on device';

  test('halts because its disk is full', async () => {
    await expectFound(fleet => {
      look(fleet);
      halts(fleet.hub, noSpace);
      fill(fleet.hub, 'data-thanos-compactor-0');
      return {
        roots: [
          {
            rule: 'claim-full',
            cluster: fleet.hub.cluster,
            subject: 'PersistentVolumeClaim monitoring/data-thanos-compactor-0',
          },
        ],
        symptoms: ['compactor-halted', 'compactor-disk-full'],
      };
    });
  });

  test('halts because its disk is full, and nobody knows how full', async () => {
    await expectFound(fleet => {
      look(fleet);
      halts(fleet.hub, noSpace);
      noStatistics(fleet.hub);
      return {
        roots: [
          {
            rule: 'compactor-disk-full',
            cluster: fleet.hub.cluster,
            subject: 'StatefulSet monitoring/thanos-compactor',
          },
        ],
        symptoms: ['compactor-halted'],
      };
    });
  });

  test('is scaled to nothing', async () => {
    await expectFound(fleet => {
      look(fleet);
      scaledToZero(component(fleet.hub, 'compact'));
      return {
        roots: [
          {
            rule: 'compactor-not-running',
            cluster: fleet.hub.cluster,
            subject: 'StatefulSet monitoring/thanos-compactor',
          },
        ],
      };
    });
  });

  test('is there twice, by its replicas', async () => {
    await expectFound(fleet => {
      look(fleet);
      const { hub } = fleet;
      const { pods, resource, name } = component(hub, 'compact');
      hub.edit(resource, name, set => {
        set.spec.replicas = 2;
      });
      hub.list('core/v1/pods', items => {
        const twin = structuredClone(items.find(pod => pod.metadata.name === pods[0]!.split('/')[1])!);
        twin.metadata.name = twin.metadata.name.replace(/-0$/, '-1');
        twin.metadata.uid = '22222222-0000-4000-8000-000000000000';
        twin.metadata.labels['apps.kubernetes.io/pod-index'] = '1';
        twin.status.podIP = '10.241.0.99';
        items.push(twin);
        return items;
      });
      hub.yaml('stores.yaml', stores => {
        (stores as never as RawObject[])[0]!.usedBy.push({
          namespace: 'monitoring',
          pod: 'thanos-compactor-1',
          container: 'thanos-compactor',
        });
        return stores;
      });
      return { roots: [{ rule: 'bucket-has-two-compactors', cluster: 'fleet', subject: `Bucket ${PLACE}` }] };
    });
  });

  test('is there twice, in both clusters', async () => {
    await expectFound(fleet => {
      look(fleet);
      const { hub, edge } = fleet;
      const { pods, resource, name } = component(hub, 'compact');
      const set = structuredClone(hub.object(resource, name));
      const pod = structuredClone(hub.object('core/v1/pods', pods[0]!));
      delete pod.spec.volumes[0].persistentVolumeClaim;
      pod.spec.volumes[0].emptyDir = {};
      pod.spec.nodeName = 'k8s-cluster-02';
      set.spec.volumeClaimTemplates = [];
      edge.list(resource, items => [...items, set]);
      edge.list('core/v1/pods', items => [...items, pod]);
      edge.yaml('stores.yaml', stores => {
        const store = (stores as never as RawObject[])[0]!;
        store.usedBy.push({ namespace: 'monitoring', pod: pod.metadata.name, container: 'thanos-compactor' });
        store.namedBy.push({ kind: 'StatefulSet', namespace: 'monitoring', name: set.metadata.name });
        return stores;
      });
      return { roots: [{ rule: 'bucket-has-two-compactors', cluster: 'fleet', subject: `Bucket ${PLACE}` }] };
    });
  });

  test('is not there', async () => {
    await expectFound(fleet => {
      look(fleet);
      const { hub } = fleet;
      const { pods, resource, name } = component(hub, 'compact');
      for (const pod of pods) gone(hub, pod);
      hub.list(resource, items => items.filter(set => `monitoring/${set.metadata.name}` !== name));
      for (const list of [
        'core/v1/services',
        'discovery.k8s.io/v1/endpointslices',
        'monitoring.coreos.com/v1/servicemonitors',
      ]) {
        hub.list(list, items => items.filter(item => !item.metadata.name.startsWith('thanos-compactor')));
      }
      hub.yaml('stores.yaml', stores => {
        for (const store of stores as never as RawObject[]) {
          store.usedBy = store.usedBy.filter((user: RawObject) => user.container !== 'thanos-compactor');
          store.namedBy = store.namedBy.filter((user: RawObject) => user.name !== 'thanos-compactor');
        }
        return stores;
      });
      // Somebody outside may compact: that only the bucket itself can tell.
      if (look === unlisted) return { roots: [], never: ['bucket-has-no-compactor'] };
      return { roots: [{ rule: 'bucket-has-no-compactor', cluster: 'fleet', subject: `Bucket ${PLACE}` }] };
    });
  });
});

function fill(world: World, claim: string): void {
  const [node] = world.items('core/v1/nodes');
  const file = `http/nodes/${node!.metadata.name}/stats_summary.json`;
  world.json(file, summary => {
    for (const pod of summary.pods) {
      for (const volume of pod.volume ?? []) {
        if (volume.pvcRef?.name !== claim) continue;
        volume.usedBytes = volume.capacityBytes;
        volume.availableBytes = 0;
      }
    }
    return summary;
  });
}

function noStatistics(world: World): void {
  const [node] = world.items('core/v1/nodes');
  world.yaml('http/index.yaml', rows => (rows as never as RawObject[]).filter(row => row.via !== 'node') as never);
  world.fail({
    path: `/api/v1/nodes/${node!.metadata.name}/proxy/stats/summary`,
    status: 403,
    reason: 'Forbidden',
    message: `nodes "${node!.metadata.name}" is forbidden: User "viewer" cannot get resource "nodes/proxy" in API group "" at the cluster scope`,
  });
}

const argument = `--endpoint=${EDGE_ADDRESS}`;

describe("the hub's endpoints", () => {
  test('lack an edge', async () => {
    await expectFound(({ hub, edge }) => {
      inTemplate(component(hub, 'query'), spec => {
        spec.containers[0].args = spec.containers[0].args.filter((arg: string) => arg !== argument);
      });
      eachAnswer(hub, '/api/v1/stores', document => {
        document.data.sidecar = document.data.sidecar.filter((row: RawObject) => row.name !== EDGE_ADDRESS);
      });
      hub.yaml(
        'probes.yaml',
        probes => (probes as never as RawObject[]).filter(row => row.endpoint !== EDGE_ADDRESS) as never,
      );
      return { roots: [{ rule: 'edge-not-in-query-arguments', cluster: 'fleet', subject: `Cluster ${edge.cluster}` }] };
    });
  });

  const nobody = '192.168.101.250:10901';

  test.each(['with the labels of before', 'unknown to the Query'])(
    'name an address that the edge had before, %s',
    async known => {
      await expectFound(({ hub }) => {
        inTemplate(component(hub, 'query'), spec => {
          spec.containers[0].args = spec.containers[0].args.map((arg: string) => arg.replace(EDGE_ADDRESS, nobody));
        });
        hub.replace(/^logs\/monitoring\/thanos-query/, EDGE_ADDRESS, nobody);
        hub.replace(/^(?:probes\.yaml|http\/.*api_v1_stores\.json)$/, EDGE_ADDRESS, nobody);
        edgeLost(hub, nobody, 'timeout');
        if (known.startsWith('unknown')) {
          eachAnswer(hub, '/api/v1/stores', document => {
            document.data.sidecar = document.data.sidecar.filter((row: RawObject) => row.name !== nobody);
          });
        }
        return {
          roots: [{ rule: 'hub-endpoint-served-by-no-edge', cluster: 'fleet', subject: `Endpoint ${nobody}` }],
          symptoms: ['query-endpoint-down', 'edge-missing-from-query'],
        };
      });
    },
  );

  test('name the edge by the host of an Ingress, which does not answer', async () => {
    await expectFound(({ hub, edge }) => {
      const host = 'thanos.edge.example';
      throughIngress(hub, edge, EDGE_ADDRESS, host);
      edgeLost(hub, `${host}:443`, 'timeout');
      return {
        roots: [{ rule: 'edge-unreachable', cluster: hub.cluster, subject: `Endpoint ${host}:443` }],
        symptoms: ['query-endpoint-down', 'edge-missing-from-query'],
      };
    });
  });

  test('name an address too many', async () => {
    await expectFound(({ hub }) => {
      const query = component(hub, 'query');
      inTemplate(query, spec => {
        spec.containers[0].args.push(`--endpoint=${nobody}`);
      });
      const error =
        'rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = \\"transport: Error while dialing: dial tcp 192.168.101.250:10901: connect: no route to host\\"';
      const line = `ts=$NOW caller=endpointset.go:385 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: ${error}" address=${nobody}`;
      hub.log(
        query.pods[0]!,
        query.container,
        [60, 45, 30, 15, 5].map(ago => [ago, line] as const),
      );
      hub.yaml(
        'probes.yaml',
        probes =>
          [
            ...(probes as never as RawObject[]),
            { endpoint: nobody, from: 'here', for: ['thanos-endpoint'], tcp: 'unroutable' },
          ] as never,
      );
      return {
        roots: [{ rule: 'hub-endpoint-served-by-no-edge', cluster: 'fleet', subject: `Endpoint ${nobody}` }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });
});

/** Of a cluster, nothing could be read. */
function unread(world: World, failure: { readonly reason: string; readonly message: string }): void {
  for (const path of world.paths()) if (path !== 'cluster.yaml') world.remove(path);
  world.yaml('cluster.yaml', about => {
    for (const field of ['serverVersion', 'ready', 'nodeCount', 'partial']) delete about[field];
    return about;
  });
  world.write('failures.yaml', stringify([{ path: '/version', status: 0, ...failure }]));
}

test('an API server does not answer from here, and the Query still sees its sidecar', async () => {
  const silent = { reason: 'timeout', message: 'no answer within 8 s' };
  const report = await diagnosed('healthy-fleet', { 'cluster-02': world => unread(world, silent) });
  expectRoots(report, { roots: [] });
  expect(report.verdict).toBe('unknown');
});

describe('a certificate that has expired', () => {
  const certificate = (world: World, name: string) => ({
    notBefore: new Date(world.now - 400 * 86_400_000).toISOString(),
    notAfter: new Date(world.now - 3_600_000).toISOString(),
    names: [name],
    issuer: 'CN=lab',
  });

  test('is that of an Ingress', async () => {
    await expectFound(({ hub }) => {
      const host = 'grafana.k8s-cluster-01.miribit.lab';
      hub.list('networking.k8s.io/v1/ingresses', items => {
        for (const item of items) item.spec.tls = [{ hosts: [host], secretName: 'grafana-tls' }];
        return items;
      });
      hub.yaml(
        'probes.yaml',
        probes =>
          [
            ...(probes as never as RawObject[]),
            {
              endpoint: `${host}:443`,
              from: 'here',
              for: ['ingress'],
              tcp: 'open',
              speaks: 'tls',
              certificate: certificate(hub, host),
            },
          ] as never,
      );
      return {
        roots: [
          {
            rule: 'certificate-expired',
            cluster: hub.cluster,
            subject: 'Ingress monitoring/kube-prometheus-stack-grafana',
          },
        ],
      };
    });
  });

  test('is that of the sidecar, and the Query refuses it', async () => {
    await expectFound(({ hub, edge }) => {
      const query = component(hub, 'query');
      inTemplate(query, spec => {
        spec.containers[0].args.push('--grpc-client-tls-secure');
      });
      const host = EDGE_ADDRESS.split(':')[0]!;
      const error = `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T17:43:00Z is after 2026-11-23T16:43:00Z"`;
      eachAnswer(hub, '/api/v1/stores', document => {
        for (const row of document.data.sidecar) {
          if (row.name !== EDGE_ADDRESS) continue;
          Object.assign(row, { lastError: error, lastCheck: new Date(hub.now - 130_000).toISOString() });
        }
      });
      const line = `ts=$NOW caller=endpointset.go:385 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: ${error.replaceAll('"', '\\"')}" address=${EDGE_ADDRESS}`;
      hub.log(
        query.pods[0]!,
        query.container,
        [60, 45, 30, 15, 5].map(ago => [ago, line] as const),
      );
      for (const world of [hub, edge]) {
        world.yaml(
          'probes.yaml',
          probes =>
            (probes as never as RawObject[]).map(row =>
              row.endpoint === EDGE_ADDRESS
                ? { ...row, tcp: 'open', speaks: 'tls', certificate: certificate(world, host) }
                : row,
            ) as never,
        );
      }
      return {
        roots: [
          { rule: 'certificate-expired', cluster: edge.cluster, subject: 'Service monitoring/thanos-sidecar-external' },
        ],
        symptoms: ['query-endpoint-down', 'query-endpoint-certificate-rejected'],
      };
    });
  });
});

describe('equal external labels', () => {
  const expected = {
    roots: [{ rule: 'external-labels-duplicated', cluster: 'fleet' }],
    symptoms: ['query-sees-duplicate-producers'],
  };

  test('in the words of Thanos 0.39 and later', async () => {
    const report = await diagnosed('alike-labels-of-two', {
      'cluster-01': world => {
        world.replace(/^logs\/monitoring\/thanos-query/, 'This is not advices as', 'This is not advised as');
        world.replace(
          /^objects\/(?:apps|core)\/v1\/(?:deployments|pods)\.json$/,
          'thanos/thanos:v0.37.2',
          'thanos/thanos:v0.39.2',
        );
      },
    });
    expectRoots(report, expected);
  });

  test('with a bucket into which nobody looked', async () => {
    const report = await diagnosed('alike-labels-of-two', worlds => {
      for (const world of worlds) world.remove('buckets/index.yaml');
    });
    expectRoots(report, expected);
  });
});
