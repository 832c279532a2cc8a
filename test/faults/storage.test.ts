import { describe, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { nodeOf } from './nodes.ts';
import {
  ago,
  type Component,
  component,
  crashes,
  creating,
  event,
  scaledToZero,
  setCondition,
  surged,
} from './pods.ts';
import type { World } from './recorded-world.ts';
import { expectFound, expectHealthy } from './scenario.ts';
import {
  claimOf,
  claimsPending,
  detachedVolume,
  faultedVolume,
  fullClaim,
  givenClaim,
  notAttached,
  secondNode,
  volumeOf,
} from './volumes.ts';

type Place = readonly [cluster: 'hub' | 'edge', what: string];
const WITH_CLAIMS: readonly Place[] = [
  ['hub', 'store'],
  ['hub', 'compact'],
  ['hub', 'rule'],
  ['hub', 'sidecar'],
  ['hub', 'alertmanager'],
  ['edge', 'sidecar'],
  ['edge', 'alertmanager'],
];

test('a cluster of two nodes is healthy', async () => {
  await expectHealthy(({ hub, edge }) => {
    secondNode(hub);
    secondNode(edge);
  });
});

test('a Deployment with a claim is healthy', async () => {
  await expectHealthy(({ hub }) => void givenClaim(component(hub, 'query'), component(hub, 'store')));
});

describe('a storage class that does not exist', () => {
  test.each(WITH_CLAIMS)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world } = what;
      claimsPending(what, {
        storageClass: 'fast',
        reason: 'ProvisioningFailed',
        message: 'storageclass.storage.k8s.io "fast" not found',
      });
      return {
        roots: [{ rule: 'claim-names-missing-storage-class', cluster: world.cluster, subject: 'StorageClass fast' }],
        symptoms: ['pod-waits-for-volume'],
      };
    });
  });
});

const withoutDefault = (world: World): void =>
  world.list('storage.k8s.io/v1/storageclasses', classes => {
    for (const { metadata } of classes) delete metadata.annotations;
  });

describe('no default storage class', () => {
  test.each(WITH_CLAIMS)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world } = what;
      withoutDefault(world);
      claimsPending(what, {
        storageClass: undefined,
        reason: 'FailedBinding',
        type: 'Normal',
        message: 'no persistent volumes available for this claim and no storage class is set',
      });
      return {
        roots: [{ rule: 'claim-has-no-storage-class', cluster: world.cluster, subject: `Cluster ${world.cluster}` }],
        symptoms: ['pod-waits-for-volume'],
      };
    });
  });

  test('and nobody needs one', async () => {
    await expectHealthy(({ hub, edge }) => {
      withoutDefault(hub);
      withoutDefault(edge);
    });
  });
});

const WAITS =
  "Waiting for a volume to be created either by the external provisioner 'driver.longhorn.io' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";

const staleLease = (world: World, name: string): void =>
  world.edit('coordination.k8s.io/v1/leases', `longhorn-system/${name}`, lease => {
    lease.spec.renewTime = `${ago(world, 240).slice(0, -1)}.000000Z`;
  });

const rootOf = (rule: string, what: Component) => [{ rule, cluster: what.world.cluster, subject: what.key }];

describe('the CSI provisioner is down', () => {
  const waitFor = (what: Component) =>
    claimsPending(what, {
      storageClass: 'longhorn',
      provisioner: 'driver.longhorn.io',
      reason: 'ExternalProvisioning',
      type: 'Normal',
      message: WAITS,
    });

  test.each(WITH_CLAIMS)('%s: %s, scaled to nothing', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const provisioner = component(what.world, 'csi-provisioner');
      scaledToZero(provisioner);
      staleLease(what.world, 'driver-longhorn-io');
      waitFor(what);
      return {
        roots: rootOf('provisioner-down', provisioner),
        symptoms: ['claim-waits-for-provisioner', 'pod-waits-for-volume'],
      };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: it runs, and leads no more', async cluster => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], 'alertmanager');
      staleLease(what.world, 'driver-longhorn-io');
      waitFor(what);
      return {
        roots: rootOf('provisioner-down', component(what.world, 'csi-provisioner')),
        symptoms: ['claim-waits-for-provisioner'],
      };
    });
  });

  test('it crashes', async () => {
    await expectFound(({ hub }) => {
      const provisioner = component(hub, 'csi-provisioner');
      crashes(hub, provisioner.pods[0]!, provisioner.container, {
        lines: ['F1123 17:41:00.000000       1 main.go:1] no more'],
      });
      staleLease(hub, 'driver-longhorn-io');
      waitFor(component(hub, 'store'));
      return {
        roots: rootOf('pod-crash-loops', provisioner),
        symptoms: ['provisioner-down', 'claim-waits-for-provisioner'],
      };
    });
  });
});

const TIMED_OUT =
  'AttachVolume.Attach failed for volume "$VOLUME" : timed out waiting for external-attacher of driver.longhorn.io CSI driver to attach volume $VOLUME';

describe('the CSI attacher is down', () => {
  test.each(WITH_CLAIMS)('%s: %s, scaled to nothing', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const attacher = component(what.world, 'csi-attacher');
      scaledToZero(attacher);
      staleLease(what.world, 'external-attacher-leader-driver-longhorn-io');
      for (const pod of what.pods) {
        detachedVolume(what.world, volumeOf(what.world, claimOf(what.world, pod)));
        notAttached(what.world, pod, { event: TIMED_OUT });
      }
      return { roots: rootOf('attacher-down', attacher), symptoms: ['volume-attach-fails'] };
    });
  });

  test('it runs, and leads no more', async () => {
    await expectFound(({ edge }) => {
      const what = component(edge, 'sidecar');
      staleLease(edge, 'external-attacher-leader-driver-longhorn-io');
      detachedVolume(edge, volumeOf(edge, claimOf(edge, what.pods[0]!)));
      notAttached(edge, what.pods[0]!, { event: TIMED_OUT });
      return { roots: rootOf('attacher-down', component(edge, 'csi-attacher')), symptoms: ['volume-attach-fails'] };
    });
  });
});

const NOT_READY = 'rpc error: code = Aborted desc = volume $VOLUME is not ready for workloads';

describe('a faulted Longhorn volume', () => {
  test.each(WITH_CLAIMS)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world } = what;
      const pod = what.pods[0]!;
      const volume = volumeOf(world, claimOf(world, pod));
      faultedVolume(world, volume);
      const error = NOT_READY.replace('$VOLUME', volume);
      notAttached(world, pod, { error, event: `AttachVolume.Attach failed for volume "${volume}" : ${error}` });
      return {
        roots: [{ rule: 'volume-faulted', cluster: world.cluster, subject: `Volume longhorn-system/${volume}` }],
        symptoms: ['volume-attach-fails'],
      };
    });
  });

  test('under a pod that still runs', async () => {
    await expectFound(({ edge }) => {
      const pod = component(edge, 'sidecar').pods[0]!;
      const volume = volumeOf(edge, claimOf(edge, pod));
      edge.edit('longhorn.io/v1beta2/volumes', `longhorn-system/${volume}`, ({ status }) => {
        status.robustness = 'faulted';
      });
      edge.list('longhorn.io/v1beta2/replicas', items => {
        for (const { spec, status } of items) {
          if (spec.volumeName !== volume) continue;
          spec.failedAt = ago(edge, 160);
          status.currentState = 'error';
        }
      });
      return {
        roots: [{ rule: 'volume-faulted', cluster: edge.cluster, subject: `Volume longhorn-system/${volume}` }],
      };
    });
  });
});

const MULTI =
  'Multi-Attach error for volume "$VOLUME" Volume is already exclusively attached to one node and can\'t be attached to another';

describe('a volume that is attached elsewhere', () => {
  test.each(WITH_CLAIMS)('%s: %s, to a node that is gone', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world } = what;
      const pod = what.pods[0]!;
      const volume = volumeOf(world, claimOf(world, pod));
      notAttached(world, pod, { error: null, event: MULTI });
      const stale = `csi-${'0badc0de'.repeat(8)}`;
      world.list('storage.k8s.io/v1/volumeattachments', items => {
        items.push({
          metadata: {
            name: stale,
            creationTimestamp: ago(world, 86_400),
            finalizers: ['external-attacher/driver-longhorn-io'],
          },
          spec: { attacher: 'driver.longhorn.io', nodeName: 'old-node', source: { persistentVolumeName: volume } },
          status: { attached: true },
        });
      });
      return {
        roots: [{ rule: 'volume-attachment-stale', cluster: world.cluster, subject: `VolumeAttachment ${stale}` }],
        symptoms: ['volume-multi-attach'],
      };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: two pods of one Deployment on two nodes', async cluster => {
    await expectFound(fleet => {
      const world = fleet[cluster];
      const what = component(world, cluster === 'hub' ? 'grafana' : 'operator');
      const claim =
        cluster === 'hub' ? claimOf(world, what.pods[0]!) : givenClaim(what, component(world, 'alertmanager'));
      const node = secondNode(world);
      const pod = surged(what, () => {}, 200);
      world.edit('core/v1/pods', pod, object => {
        object.spec.nodeName = node;
      });
      creating(world, pod, 200);
      event(world, 'Pod', world.object('core/v1/pods', pod), {
        reason: 'FailedAttachVolume',
        message: `Multi-Attach error for volume "${volumeOf(world, claim)}" Volume is already used by pod(s) ${what.pods[0]!.split('/')[1]}`,
        first: 200,
        last: 200,
        count: 1,
        from: 'attachdetach-controller',
      });
      return {
        roots: [{ rule: 'volume-multi-attach', cluster: world.cluster, subject: `PersistentVolumeClaim ${claim}` }],
      };
    });
  });
});

describe('open-iscsi is missing', () => {
  const line =
    'time="2026-11-23T17:41:00Z" level=fatal msg="Error starting manager: failed to check environment, please make sure you have iscsiadm/open-iscsi installed on the host: failed to execute: /usr/bin/nsenter [nsenter --mount=/host/proc/1/ns/mnt --net=/host/proc/1/ns/net iscsiadm --version], output , stderr nsenter: failed to execute iscsiadm: No such file or directory: exit status 127" func=main.main.DaemonCmd.func3 file="daemon.go:105"';
  const packages = (world: World) =>
    world.edit('longhorn.io/v1beta2/nodes', `longhorn-system/${nodeOf(world)}`, node =>
      setCondition(node, {
        type: 'RequiredPackages',
        status: 'False',
        lastProbeTime: '',
        lastTransitionTime: ago(world, 160),
        reason: 'PackagesNotInstalled',
        message: 'Missing packages: [open-iscsi]',
      }),
    );

  test.each(['hub', 'edge'] as const)('%s: the manager does not start', async cluster => {
    await expectFound(fleet => {
      const manager = component(fleet[cluster], 'longhorn-manager');
      crashes(manager.world, manager.pods[0]!, manager.container, { lines: [line] });
      return {
        roots: [
          { rule: 'longhorn-iscsi-missing', cluster: manager.world.cluster, subject: `Node ${nodeOf(manager.world)}` },
        ],
        symptoms: ['pod-crash-loops', 'longhorn-manager-down'],
      };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: and a volume is not attached', async cluster => {
    await expectFound(fleet => {
      const world = fleet[cluster];
      const pod = component(world, 'sidecar').pods[0]!;
      const volume = volumeOf(world, claimOf(world, pod));
      packages(world);
      detachedVolume(world, volume);
      const error = `rpc error: code = DeadlineExceeded desc = volume ${volume} failed to attach to node ${nodeOf(world)} with attachmentID csi-46075ecaf0c2f1`;
      notAttached(world, pod, { error, event: `AttachVolume.Attach failed for volume "${volume}" : ${error}` });
      return {
        roots: [{ rule: 'longhorn-iscsi-missing', cluster: world.cluster, subject: `Node ${nodeOf(world)}` }],
        symptoms: ['volume-attach-fails'],
      };
    });
  });
});

describe('the CSI driver is not registered', () => {
  test.each(WITH_CLAIMS)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world } = what;
      world.list('storage.k8s.io/v1/csinodes', nodes => {
        for (const node of nodes) node.spec.drivers = null;
      });
      for (const pod of what.pods) {
        detachedVolume(world, volumeOf(world, claimOf(world, pod)));
        notAttached(world, pod, {
          error: null,
          event: `AttachVolume.Attach failed for volume "$VOLUME" : CSINode ${nodeOf(world)} does not contain driver driver.longhorn.io`,
        });
      }
      return {
        roots: [{ rule: 'csi-driver-not-registered', cluster: world.cluster, subject: `Node ${nodeOf(world)}` }],
        symptoms: ['volume-attach-fails'],
      };
    });
  });
});

/** What Prometheus and its sidecar say of a volume without a free byte. */
function prometheusWithoutSpace(what: Component, pod: string): void {
  const { world } = what;
  const name = pod.split('/')[1]!;
  const words = 'write to WAL: log samples: write /prometheus/wal/00000004: no space left on device';
  const every = (seconds: number, line: string) =>
    Array.from({ length: Math.floor(140 / seconds) }, (_, index) => [140 - index * seconds, line] as const);
  world.log(
    pod,
    'prometheus',
    every(
      5,
      `time=$NOW level=ERROR source=scrape.go:1435 msg="Scrape commit failed" component="scrape manager" scrape_pool=serviceMonitor/m/x/0 target=http://10.0.0.1:9090/metrics err="${words}"`,
    ),
  );
  world.log(
    pod,
    'thanos-sidecar',
    every(
      30,
      'ts=$NOW caller=shipper.go:337 level=warn msg="updating meta file failed" err="write /prometheus/thanos.shipper.json.tmp: no space left on device"',
    ),
  );
  world.http(name, 9090, '/api/v1/rules', ({ data }) => {
    for (const group of data.groups)
      for (const rule of group.rules) Object.assign(rule, { health: 'err', lastError: words });
  });
}

describe('a claim that is full', () => {
  test.each(['hub', 'edge'] as const)('%s: under Prometheus', async cluster => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], 'sidecar');
      const pod = what.pods[0]!;
      const claim = claimOf(what.world, pod);
      fullClaim(what.world, claim);
      prometheusWithoutSpace(what, pod);
      return {
        roots: [{ rule: 'claim-full', cluster: what.world.cluster, subject: `PersistentVolumeClaim ${claim}` }],
        symptoms: ['prometheus-disk-full'],
      };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: under Prometheus, which does not start any more', async cluster => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], 'sidecar');
      const pod = what.pods[0]!;
      const claim = claimOf(what.world, pod);
      fullClaim(what.world, claim);
      crashes(what.world, pod, 'prometheus', {
        lines: [
          'time=$NOW level=ERROR source=main.go:1432 msg="Fatal error" err="opening storage failed: open /prometheus/wal/00000005: no space left on device"',
        ],
      });
      return {
        roots: [{ rule: 'claim-full', cluster: what.world.cluster, subject: `PersistentVolumeClaim ${claim}` }],
        symptoms: ['prometheus-disk-full', 'pod-crash-loops'],
      };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: under Prometheus, and nobody measures it', async cluster => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], 'sidecar');
      const { world } = what;
      world.yaml(
        'http/index.yaml',
        entries => (entries as never as RawObject[]).filter(entry => entry.via !== 'node') as never,
      );
      world.fail({
        path: `/api/v1/nodes/${nodeOf(world)}/proxy/stats/summary`,
        status: 403,
        reason: 'Forbidden',
        message: `nodes "${nodeOf(world)}" is forbidden: User "viewer" cannot get resource "nodes/proxy" in API group "" at the cluster scope`,
      });
      prometheusWithoutSpace(what, what.pods[0]!);
      const resource = world.items('monitoring.coreos.com/v1/prometheuses')[0]!;
      return {
        roots: [
          {
            rule: 'prometheus-disk-full',
            cluster: world.cluster,
            subject: `Prometheus ${resource.metadata.namespace}/${resource.metadata.name}`,
          },
        ],
      };
    });
  });

  test.each([
    ['hub', 'store'],
    ['hub', 'compact'],
    ['edge', 'alertmanager'],
  ] as const)('%s: under %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const claim = claimOf(what.world, what.pods[0]!);
      fullClaim(what.world, claim, 100_000_000);
      return {
        roots: [{ rule: 'claim-full', cluster: what.world.cluster, subject: `PersistentVolumeClaim ${claim}` }],
      };
    });
  });
});
