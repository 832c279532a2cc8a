import { describe, expect, test } from 'vitest';
import { collector as claims } from '../../src/evidence/collectors/kubernetes.persistent-volume-claims.ts';
import { collector as classes } from '../../src/evidence/collectors/kubernetes.storage-classes.ts';
import { collector as attachments } from '../../src/evidence/collectors/kubernetes.volume-attachments.ts';
import { collector as attachmentStates } from '../../src/evidence/derived/storage.attachment-states.ts';
import { collector as chains } from '../../src/evidence/derived/storage.chains.ts';
import { collector as usage } from '../../src/evidence/derived/storage.claim-usage.ts';
import { collector as missingClasses } from '../../src/evidence/derived/storage.missing-classes.ts';
import { collector as nodeUsage } from '../../src/evidence/derived/storage.node-disk-usage.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';

const claim = (name: string, spec: RawObject = {}, status: RawObject = { phase: 'Bound' }): RawObject => ({
  metadata: { namespace: 'm', name, uid: `uid-${name}`, creationTimestamp: ago(600) },
  spec: { resources: { requests: { storage: '1Gi' } }, accessModes: ['ReadWriteOnce'], ...spec },
  status,
});

const pod = (name: string, claimName: string, more: RawObject = {}): RawObject => ({
  metadata: { namespace: 'm', name, uid: `uid-${name}`, creationTimestamp: ago(400), ...more.metadata },
  spec: {
    nodeName: 'n',
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
    ...more.spec,
  },
  status: {
    phase: 'Pending',
    containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ContainerCreating' } } }],
    ...more.status,
  },
});

const volume = (name: string, claimName: string): RawObject => ({
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    csi: { driver: 'driver.longhorn.io', volumeHandle: name },
    claimRef: { namespace: 'm', name: claimName },
  },
  status: { phase: 'Bound' },
});

const node = (name: string): RawObject => ({
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(9000) }] },
});

function cluster(objects: NonNullable<FakeCluster['objects']>): FakeCluster {
  return {
    objects: {
      pods: [],
      'apps/replicasets': [],
      events: [],
      nodes: [node('n')],
      persistentvolumes: [],
      persistentvolumeclaims: [],
      'storage.k8s.io/storageclasses': [],
      'storage.k8s.io/volumeattachments': [],
      'storage.k8s.io/csinodes': [],
      'storage.k8s.io/csidrivers': [],
      'longhorn.io/volumes': null,
      'longhorn.io/engines': null,
      'longhorn.io/replicas': null,
      'longhorn.io/volumeattachments': null,
      ...objects,
    },
  };
}

describe('claims', () => {
  test('know who uses them, finished pods left out', async () => {
    const done = pod('done', 'data', { status: { phase: 'Succeeded' } });
    const [row] = await collect(
      claims,
      cluster({ persistentvolumeclaims: [claim('data')], pods: [pod('a', 'data'), done] }),
    );
    expect(row!.usedBy.map(user => user.name)).toEqual(['a']);
    expect(row!.wanted).toBe(true);
  });

  test('a pod that is being deleted does not want its claim', async () => {
    const leaving = pod('a', 'data', { metadata: { deletionTimestamp: ago(5) } });
    const [row] = await collect(claims, cluster({ persistentvolumeclaims: [claim('data')], pods: [leaving] }));
    expect(row!.wanted).toBe(false);
  });

  test('without the pods, that nobody wants a claim is not known', async () => {
    const [row] = await collect(
      claims,
      cluster({ persistentvolumeclaims: [claim('data')], pods: { reason: 'forbidden' } }),
    );
    expect(row!.phase).toBe('Bound');
    expect(() => row!.wanted).toThrow();
  });

  test('an absent class is not an empty one', async () => {
    const rows = await collect(
      claims,
      cluster({ persistentvolumeclaims: [claim('none'), claim('empty', { storageClassName: '' })] }),
    );
    expect(rows.map(row => row.classSet)).toEqual([false, true]);
  });
});

test('a class is the default by either annotation, and its provisioner is known by a CSIDriver', async () => {
  const rows = await collect(
    classes,
    cluster({
      'storage.k8s.io/storageclasses': [
        {
          metadata: { name: 'a', annotations: { 'storageclass.beta.kubernetes.io/is-default-class': 'true' } },
          provisioner: 'driver.longhorn.io',
        },
        {
          metadata: { name: 'b', annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } },
          provisioner: 'x.example',
        },
      ],
      'storage.k8s.io/csidrivers': [{ metadata: { name: 'driver.longhorn.io' } }],
    }),
  );
  expect(rows.map(row => [row.default, row.provisionerKnown])).toEqual([
    [true, true],
    [false, false],
  ]);
});

test('an attachment has been answered once it says anything', async () => {
  const attachment = (name: string, status: RawObject) => ({ metadata: { name }, spec: { nodeName: 'gone' }, status });
  const rows = await collect(
    attachments,
    cluster({
      'storage.k8s.io/volumeattachments': [
        attachment('silent', undefined),
        attachment('refused', { attached: false, attachError: { message: 'no', time: ago(60) } }),
      ],
    }),
  );
  expect(rows.map(row => [row.answered, row.errorAge, row.nodeExists])).toEqual([
    [false, -1, false],
    [true, 60, false],
  ]);
});

describe('chains', () => {
  const waiting = {
    persistentvolumeclaims: [claim('data', { volumeName: 'pv', storageClassName: 'fast' })],
    persistentvolumes: [volume('pv', 'data')],
    pods: [pod('a', 'data')],
  };
  const attachment = {
    metadata: { name: 'x', creationTimestamp: ago(200) },
    spec: { attacher: 'driver.longhorn.io', nodeName: 'n', source: { persistentVolumeName: 'pv' } },
    status: {
      attached: false,
      attachError: { message: 'rpc error: code = Aborted desc = volume pv is not ready for workloads' },
    },
  };

  test('break at the attachment that the driver refuses', async () => {
    const longhorn = {
      metadata: { namespace: 'l', name: 'pv' },
      spec: { size: '1' },
      status: { state: 'detached', robustness: 'faulted' },
    };
    const [row] = await collect(
      chains,
      cluster({ ...waiting, 'storage.k8s.io/volumeattachments': [attachment], 'longhorn.io/volumes': [longhorn] }),
    );
    expect(row).toMatchObject({ node: 'n', brokenAt: 'attach', why: 'not-ready', waitingFor: 400 });
    expect(row!.attachment.age).toBe(200);
    expect(row!.longhorn).toMatchObject({ exists: true, key: 'Volume l/pv', robustness: 'faulted' });
  });

  test('a pod whose container runs does not wait', async () => {
    const running = pod('a', 'data', {
      status: { phase: 'Running', containerStatuses: [{ name: 'c', state: { running: {} } }] },
    });
    const [row] = await collect(chains, cluster({ ...waiting, pods: [running] }));
    expect(row!.waitingPods).toEqual([]);
    expect(row!.brokenAt).toBe('');
  });

  test('an attachment on another node is kept apart, with the pods there', async () => {
    const other = { ...attachment, spec: { ...attachment.spec, nodeName: 'old' }, status: { attached: true } };
    const [row] = await collect(chains, cluster({ ...waiting, 'storage.k8s.io/volumeattachments': [other] }));
    expect(row!.attachment.name).toBe('');
    expect(row!.elsewhere).toMatchObject([{ node: 'old', attached: true, nodeExists: false, pods: [] }]);
  });

  test('without the attachments, only what hangs on them is unknown', async () => {
    const [row] = await collect(
      chains,
      cluster({ ...waiting, 'storage.k8s.io/volumeattachments': { reason: 'forbidden' } }),
    );
    expect(row!.node).toBe('n');
    expect(() => row!.attachment).toThrow();
    expect(() => row!.brokenAt).toThrow();
  });

  test('an attachment of a node that is gone is left over', async () => {
    const gone = { ...attachment, spec: { ...attachment.spec, nodeName: 'gone' }, status: { attached: true } };
    const [row] = await collect(attachmentStates, cluster({ ...waiting, 'storage.k8s.io/volumeattachments': [gone] }));
    expect(row).toMatchObject({ remains: 'no-node', claim: { name: 'data' } });
  });
});

describe('storage classes that are missing', () => {
  const pending = claim('data', { storageClassName: 'fast-ssd' }, { phase: 'Pending' });
  const fast = { metadata: { name: 'fast' }, provisioner: 'driver.longhorn.io' };
  const none = {
    'monitoring.coreos.com/prometheuses': null,
    'monitoring.coreos.com/alertmanagers': null,
    'monitoring.coreos.com/thanosrulers': null,
  };

  test('are told with the claims that name them and the nearest name', async () => {
    const rows = await collect(
      missingClasses,
      cluster({ ...none, persistentvolumeclaims: [pending], 'storage.k8s.io/storageclasses': [fast] }),
    );
    expect(rows).toMatchObject([{ class: 'fast-ssd', nearest: 'fast', claims: [{ name: 'data' }], age: 600 }]);
  });

  test('a volume made by hand needs no class of that name', async () => {
    const byHand = {
      metadata: { name: 'pv' },
      spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'fast-ssd' },
      status: { phase: 'Available' },
    };
    const rows = await collect(
      missingClasses,
      cluster({ ...none, persistentvolumeclaims: [pending], persistentvolumes: [byHand] }),
    );
    expect(rows).toEqual([]);
  });

  test('a bound claim works, whatever became of its class', async () => {
    const bound = claim('data', { storageClassName: 'fast-ssd' });
    expect(await collect(missingClasses, cluster({ ...none, persistentvolumeclaims: [bound] }))).toEqual([]);
  });
});

describe('usage', () => {
  const summary = {
    node: {
      fs: { capacityBytes: 1000, availableBytes: 500 },
      runtime: { imageFs: { capacityBytes: 1000, availableBytes: 500 } },
    },
    pods: [
      {
        podRef: { namespace: 'm', name: 'a' },
        volume: [
          {
            name: 'v',
            pvcRef: { namespace: 'm', name: 'data' },
            capacityBytes: 200,
            availableBytes: 10,
            inodes: 10,
            inodesFree: 5,
            time: ago(30),
          },
          { name: 'tmp', capacityBytes: 5, availableBytes: 5 },
        ],
        'ephemeral-storage': { usedBytes: 300 },
      },
    ],
  };
  const objects = cluster({
    persistentvolumeclaims: [claim('data', { volumeName: 'pv' }), claim('idle', { volumeName: 'pw' })],
  });
  const live: FakeCluster = {
    ...objects,
    http: request => (request.via === 'node' ? JSON.stringify(summary) : undefined),
  };

  test('of a mounted claim is what its kubelet counts; of another, nothing is known', async () => {
    const [data, idle] = await collect(usage, live);
    expect(data).toMatchObject({ measured: true, freePercent: 5, inodesFreePercent: 50, measuredAge: 30 });
    expect(idle!.measured).toBe(false);
    expect(() => idle!.freePercent).toThrow(/no running pod mounts it/);
  });

  test('without the kubelets nothing is known, and no claim is empty', async () => {
    const [data] = await collect(usage, objects);
    expect(data!.measured).toBe(false);
    expect(() => data!.freePercent).toThrow();
  });

  test('of a node counts its pods by what they hold beside their claims', async () => {
    const all = { ...live, objects: { ...live.objects, 'longhorn.io/nodes': null, 'longhorn.io/orphans': null } };
    const [row] = await collect(nodeUsage, all);
    expect(row).toMatchObject({ pressure: false, sameFilesystem: true, nodefs: { freePercent: 50 } });
    expect(row!.pods).toMatchObject([{ pod: { name: 'a' }, bytes: 300, percent: 30 }]);
  });

  test('of a node whose kubelet does not answer is a gap of its numbers', async () => {
    const [row] = await collect(nodeUsage, objects);
    expect(row!.node).toBe('n');
    expect(gapOf(row)).toBeUndefined();
    expect(() => row!.nodefs).toThrow();
  });
});
