import { describe, expect, test } from 'vitest';
import { collector as classProvisioners } from '../../src/evidence/derived/storage.class-provisioners.ts';
import { collector as loggedNoSpace } from '../../src/evidence/derived/storage.logged-no-space.ts';
import { collector as staticClaims } from '../../src/evidence/derived/storage.static-claims.ts';
import { collector as templateClaims } from '../../src/evidence/derived/storage.template-claims.ts';
import type { RawObject } from '../../src/model/source.ts';
import { derive } from './derive.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';
import { event, metadata, pod, workload } from './raw-objects.ts';

const claim = (name: string, spec: RawObject = {}, phase = 'Pending', more: RawObject = {}): RawObject => ({
  metadata: metadata(name, { age: 600 }),
  spec: {
    storageClassName: '',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
    ...spec,
  },
  status: { phase, ...more },
});

const volume = (name: string, spec: RawObject = {}, phase = 'Available', labels = {}): RawObject => ({
  metadata: { name, labels, creationTimestamp: ago(9000) },
  spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], ...spec },
  status: { phase },
});

const storageClass = (name: string, provisioner: string, volumeBindingMode = 'Immediate'): RawObject => ({
  metadata: metadata(name, { namespace: '' }),
  provisioner,
  volumeBindingMode,
});

function cluster(objects: NonNullable<FakeCluster['objects']>): FakeCluster {
  return {
    objects: {
      pods: [],
      events: [],
      persistentvolumes: [],
      persistentvolumeclaims: [],
      'apps/replicasets': [],
      'apps/statefulsets': [],
      'storage.k8s.io/storageclasses': [],
      'storage.k8s.io/csidrivers': [],
      'storage.k8s.io/csinodes': [],
      'coordination.k8s.io/leases': [],
      'monitoring.coreos.com/prometheuses': [],
      'monitoring.coreos.com/alertmanagers': [],
      'monitoring.coreos.com/thanosrulers': [],
      ...objects,
    },
  };
}

async function misfitOf(spec: RawObject, ...volumes: readonly RawObject[]) {
  const [row] = await collect(
    staticClaims,
    cluster({ persistentvolumeclaims: [claim('c', spec)], persistentvolumes: volumes }),
  );
  return row!.misfit;
}

describe('a claim that names a volume', () => {
  const held = (uid: string, name = 'c') => ({ claimRef: { namespace: 'm', name, uid } });
  test.each<[string, RawObject[], string]>([
    ['which is not there', [], 'missing'],
    ['of another claim', [volume('pv', held('x', 'other'), 'Bound')], 'taken'],
    ['released by an older claim of its name', [volume('pv', held('old'), 'Released')], 'taken'],
    ['that is too small', [volume('pv', { capacity: { storage: '1Gi' } })], 'too-small'],
    ['of a class', [volume('pv', { storageClassName: 'slow' })], 'class'],
    ['that is read-only', [volume('pv', { accessModes: ['ReadOnlyMany'] })], 'access-mode'],
    ['of another mode', [volume('pv', { volumeMode: 'Block' })], 'volume-mode'],
    ['that fits', [volume('pv')], ''],
    ['that was bound to it beforehand', [volume('pv', held(''))], ''],
    ['that is its own', [volume('pv', held('uid-c'), 'Bound')], ''],
  ])('%s', async (_, volumes, why) => {
    expect((await misfitOf({ volumeName: 'pv' }, ...volumes)).why).toBe(why);
  });

  test('is not known to name a missing one where volumes cannot be read', async () => {
    const gap = { reason: 'forbidden' } as const;
    const [row] = await collect(
      staticClaims,
      cluster({ persistentvolumeclaims: [claim('c', { volumeName: 'pv' })], persistentvolumes: gap }),
    );
    expect(() => row!.misfit).toThrow();
  });
});

describe('a claim that takes any volume', () => {
  test('fits the one that does, whatever the others are', async () => {
    expect((await misfitOf({}, volume('a', { storageClassName: 'slow' }), volume('b'))).why).toBe('');
  });

  test('tells the one difference of the nearest', async () => {
    const far = volume('far', { storageClassName: 'slow', capacity: { storage: '1Gi' } });
    const near = volume('near', { capacity: { storage: '1Gi' } });
    const [row] = await collect(
      staticClaims,
      cluster({ persistentvolumeclaims: [claim('c')], persistentvolumes: [far, near] }),
    );
    expect(row).toMatchObject({ misfit: { why: 'too-small' }, volume: { name: 'near' } });
  });

  test('takes none that is Released, nor one that its selector leaves out', async () => {
    expect((await misfitOf({}, volume('a', {}, 'Released'))).why).toBe('not-available');
    const picky = { selector: { matchLabels: { disk: 'fast' } } };
    expect((await misfitOf(picky, volume('a'))).why).toBe('labels');
    expect((await misfitOf(picky, volume('a', {}, 'Available', { disk: 'fast' }))).why).toBe('');
  });

  test('is left without a provisioner by an empty class or one that makes none', async () => {
    const local = storageClass('local', 'kubernetes.io/no-provisioner', 'WaitForFirstConsumer');
    const rows = await collect(
      staticClaims,
      cluster({
        persistentvolumeclaims: [
          claim('empty'),
          claim('absent', { storageClassName: undefined }),
          claim('local', { storageClassName: 'local' }),
          claim('made', { storageClassName: 'longhorn' }),
          claim('bound', {}, 'Bound'),
        ],
        'storage.k8s.io/storageclasses': [local, storageClass('longhorn', 'driver.longhorn.io')],
      }),
    );
    expect(rows.map(row => [row.claim.name, row.unprovided, row.waitsForConsumer])).toEqual([
      ['empty', true, false],
      ['absent', false, false],
      ['local', true, true],
      ['made', false, false],
    ]);
  });
});

describe('claims of a template', () => {
  const set = (name: string, spec: RawObject, owner?: { kind: string; name: string }): RawObject => {
    const template = { metadata: { name: 'data' }, spec: { resources: { requests: { storage: '4Gi' } } } };
    return workload(name, { spec: { volumeClaimTemplates: [template], ...spec }, ...(owner ? { owner } : {}) });
  };

  test('are those of its name, and only the replicas use them', async () => {
    const rows = await collect(
      templateClaims,
      cluster({
        persistentvolumeclaims: ['data-s-0', 'data-s-1', 'data-s-old', 'data-other-0'].map(name => claim(name)),
        'apps/statefulsets': [set('s', { replicas: 1 })],
      }),
    );
    expect(rows.map(row => [row.claim.name, row.inUse, row.templateSize / row.claimSize])).toEqual([
      ['data-s-0', true, 2],
      ['data-s-1', false, 2],
    ]);
    expect(rows[0]!.writeTo.key).toBe('StatefulSet m/s');
  });

  test('of an operator are measured by its resource', async () => {
    const storage = { volumeClaimTemplate: { spec: { resources: { requests: { storage: '8Gi' } } } } };
    const [row] = await collect(
      templateClaims,
      cluster({
        persistentvolumeclaims: [claim('data-prometheus-k-0')],
        'apps/statefulsets': [set('prometheus-k', {}, { kind: 'Prometheus', name: 'k' })],
        'monitoring.coreos.com/prometheuses': [{ metadata: metadata('k'), spec: { storage } }],
      }),
    );
    expect(row).toMatchObject({ templateSize: 8 * 1024 ** 3, writeTo: { key: 'Prometheus m/k' } });
  });
});

describe('the provisioner of a class for which a claim waits', () => {
  const NAME = 'example.com/nfs_v2';
  const waiting = {
    persistentvolumeclaims: [
      claim('c', { storageClassName: 'nfs' }),
      claim('d', { storageClassName: 'other' }, 'Bound'),
    ],
    'storage.k8s.io/storageclasses': [storageClass('nfs', NAME), storageClass('other', 'example.com/other')],
  };
  const found = async (objects: NonNullable<FakeCluster['objects']>) => {
    const rows = await collect(classProvisioners, cluster({ ...waiting, ...objects }));
    expect(rows.map(row => row.class.name)).toEqual(['nfs']);
    return rows[0]!;
  };

  test('shows by nothing', async () => {
    const row = await found({});
    expect(row).toMatchObject({ present: false, waitingFor: 600, provisioner: NAME });
  });

  test.each<[string, NonNullable<FakeCluster['objects']>]>([
    ['a CSI driver', { 'storage.k8s.io/csidrivers': [{ metadata: { name: NAME } }] }],
    [
      'a CSI driver of a node',
      { 'storage.k8s.io/csinodes': [{ metadata: { name: 'n' }, spec: { drivers: [{ name: NAME }] } }] },
    ],
    ['a lease', { 'coordination.k8s.io/leases': [{ metadata: metadata('example.com-nfs-v2') }] }],
    ['an argument', { pods: [pod('p', { containers: [{ name: 'c', args: [`--provisioner=${NAME}`] }] })] }],
    [
      'its environment',
      { pods: [pod('p', { containers: [{ name: 'c', env: [{ name: 'PROVISIONER_NAME', value: NAME }] }] })] },
    ],
  ])('shows by %s', async (_, objects) => {
    expect((await found(objects)).present).toBe(true);
  });

  test('shows by an event that it wrote', async () => {
    const own = { ...event({ kind: 'PersistentVolumeClaim', name: 'c', reason: 'Provisioning' }) };
    const row = await found({ events: [{ ...own, reportingComponent: `${NAME}_pod-1_1234` }] });
    expect(row.present).toBe(true);
  });

  test('is not known to be absent where its pods cannot be read', async () => {
    const row = await found({ pods: { reason: 'forbidden' } });
    expect(() => row.present).toThrow();
  });
});

test('a log tells the claim on which no space is left, unless its program has rules of its own', async () => {
  const crash = (name: string, image: string, args: readonly string[]) => ({
    containerKey: `Container m/${name}/c`,
    image,
    args,
    files: [
      { path: '/data/x', trouble: 'no-space', claim: 'PersistentVolumeClaim m/c' },
      { path: '/tmp/x', trouble: 'no-space', claim: '' },
    ],
  });
  const page = {
    containerKey: 'Container m/page/c',
    pod: { namespace: 'm', name: 'page', key: 'Pod m/page' },
    container: 'c',
    image: 'grafana/grafana:11',
    state: 'running',
    mounts: [{ volume: 'data', path: '/var/lib/grafana' }],
  };
  const hit = { id: 'volume-out-of-space', open: true, lastAge: 60, captured: { path: '/var/lib/grafana/x' } };
  const rows = await derive(loggedNoSpace, {
    a: {
      evidence: {
        'kubernetes.crashes': [
          crash('app', 'example/app:1', []),
          crash('store', 'quay.io/thanos/thanos:v0.37.2', ['store']),
        ],
        'kubernetes.containers': [page],
        'kubernetes.pods': [{ key: 'Pod m/page', volumes: [{ name: 'data', kind: 'claim', source: 'p' }] }],
        'logs.signatures': { hits: [hit, { ...hit, lastAge: 9000 }] },
      },
    },
  });
  expect(rows).toEqual([
    { claim: 'PersistentVolumeClaim m/c', containerKey: 'Container m/app/c', path: '/data/x' },
    { claim: 'PersistentVolumeClaim m/p', containerKey: 'Container m/page/c', path: '/var/lib/grafana/x' },
  ]);
});
