import { describe, expect, test } from 'vitest';
import { collector as nodes } from '../../src/evidence/collectors/longhorn.nodes.ts';
import { collector as volumes } from '../../src/evidence/collectors/longhorn.volumes.ts';
import { collector as system } from '../../src/evidence/derived/kubernetes.system-workloads.ts';
import { collector as driverNodes } from '../../src/evidence/derived/longhorn.driver-nodes.ts';
import { collector as managers } from '../../src/evidence/derived/longhorn.managers.ts';
import { collector as health } from '../../src/evidence/derived/longhorn.volume-health.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';

const DISCOVERY = {
  resources: [
    {
      group: 'longhorn.io',
      version: 'v1beta2',
      resource: 'volumes',
      kind: 'Volume',
      namespaced: true,
      verbs: ['list'],
    },
  ],
  unreadable: [],
};

const EMPTY: NonNullable<FakeCluster['objects']> = {
  pods: [],
  services: [],
  nodes: [],
  events: [],
  persistentvolumes: [],
  persistentvolumeclaims: [],
  'apps/replicasets': [],
  'apps/deployments': [],
  'apps/daemonsets': [],
  'coordination.k8s.io/leases': [],
  'storage.k8s.io/csidrivers': [],
  'storage.k8s.io/csinodes': [],
  'storage.k8s.io/storageclasses': [],
  'storage.k8s.io/volumeattachments': [],
  'longhorn.io/volumes': [],
  'longhorn.io/engines': [],
  'longhorn.io/replicas': [],
  'longhorn.io/nodes': [],
  'longhorn.io/settings': [],
  'longhorn.io/volumeattachments': [],
  'longhorn.io/instancemanagers': [],
};

const cluster = (objects: NonNullable<FakeCluster['objects']>): FakeCluster => ({
  objects: { ...EMPTY, ...objects },
  discovery: DISCOVERY,
});

const node = (name: string, ready = 'True'): RawObject => ({
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: ready, lastTransitionTime: ago(5000) }] },
});

const daemonSet = (namespace: string, name: string, images: readonly string[], status: RawObject): RawObject => ({
  metadata: { namespace, name, uid: `uid-${name}`, creationTimestamp: ago(9000) },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: images.map((image, index) => ({ name: `c${index}`, image })) },
    },
  },
  status,
});

const podOf = (owner: RawObject, name: string, nodeName: string, readyFor: number, ready: boolean): RawObject => ({
  metadata: {
    namespace: owner.metadata.namespace,
    name,
    creationTimestamp: ago(9000),
    ownerReferences: [{ kind: 'DaemonSet', name: owner.metadata.name, controller: true }],
  },
  spec: { nodeName, containers: owner.spec.template.spec.containers },
  status: {
    phase: 'Running',
    podIP: '10.0.0.9',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(readyFor) }],
    containerStatuses: [
      { name: 'c0', ready, state: ready ? { running: {} } : { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
  },
});

test('the terms of a scheduling message are the same in either form that Longhorn writes', async () => {
  const volume = (message: string) => ({
    metadata: { namespace: 'l', name: 'pv' },
    spec: { size: '10' },
    status: { conditions: [{ type: 'Scheduled', status: 'False', message }] },
  });
  for (const message of [
    'insufficient storage;precheck new replica failed',
    'precheck new replica failed: insufficient storage',
  ]) {
    const [row] = await collect(volumes, cluster({ 'longhorn.io/volumes': [volume(message)] }));
    expect(row!.schedulingTerms).toContain('insufficient storage');
    expect(row!.schedulingTerms).toContain('precheck new replica failed');
  }
});

test('packages that are missing are read from the condition, and a good condition lists none', async () => {
  const withPackages = (status: string, message: string) => ({
    metadata: { namespace: 'l', name: 'n' },
    spec: {},
    status: { conditions: [{ type: 'RequiredPackages', status, message }] },
  });
  const [missing] = await collect(
    nodes,
    cluster({ 'longhorn.io/nodes': [withPackages('False', 'Missing packages: [open-iscsi nfs-common]')] }),
  );
  const [good] = await collect(nodes, cluster({ 'longhorn.io/nodes': [withPackages('True', 'Missing packages: []')] }));
  expect(missing!.missingPackages).toEqual(['open-iscsi', 'nfs-common']);
  expect(good!.missingPackages).toEqual([]);
});

describe('volume health', () => {
  const volume = {
    metadata: { namespace: 'l', name: 'pv' },
    spec: { size: '10', numberOfReplicas: 3, replicaSoftAntiAffinity: 'ignored' },
    status: {
      state: 'attached',
      robustness: 'degraded',
      lastDegradedAt: ago(1000),
      kubernetesStatus: { pvName: 'pv' },
    },
  };
  const replica = (name: string, failedAt: string, healthyAt: string) => ({
    metadata: { namespace: 'l', name },
    spec: { volumeName: 'pv', nodeID: 'n', failedAt, healthyAt },
  });
  const all = {
    'longhorn.io/volumes': [volume],
    'longhorn.io/replicas': [
      replica('good', '', ago(5000)),
      replica('bad', ago(900), ago(6000)),
      replica('worse', ago(900), ago(950)),
    ],
    persistentvolumes: [{ metadata: { name: 'pv' } }],
  };

  test('tells healthy replicas from failed ones, and which was healthy last', async () => {
    const [row] = await collect(health, cluster(all));
    expect(row).toMatchObject({
      claimed: true,
      healthyReplicas: 1,
      degradedFor: 1000,
      newestReplica: 'worse',
      softAntiAffinity: false,
    });
    expect(row!.failedReplicas.map(one => one.name)).toEqual(['bad', 'worse']);
  });

  test('the setting decides where the volume leaves anti-affinity to it', async () => {
    const settings = [{ metadata: { namespace: 'l', name: 'replica-soft-anti-affinity' }, value: 'true' }];
    const [row] = await collect(health, cluster({ ...all, 'longhorn.io/settings': settings }));
    expect(row!.softAntiAffinity).toBe(true);
  });

  test('without the replicas the state stays known, and how many are healthy does not', async () => {
    const [row] = await collect(health, cluster({ ...all, 'longhorn.io/replicas': { reason: 'forbidden' } }));
    expect(row!.robustness).toBe('degraded');
    expect(() => row!.healthyReplicas).toThrow();
  });

  test('a volume whose PersistentVolume is gone is left over', async () => {
    const [row] = await collect(health, cluster({ ...all, persistentvolumes: [] }));
    expect(row!.claimed).toBe(false);
  });
});

describe('what the cluster hangs on', () => {
  const manager = (ready: number, namespace = 'storage') =>
    daemonSet(namespace, 'some-manager', ['longhornio/longhorn-manager:v1.7.2'], {
      desiredNumberScheduled: 1,
      numberReady: ready,
    });
  const find = async (objects: NonNullable<FakeCluster['objects']>, component: string) =>
    (await collect(system, cluster(objects))).find(row => row.component === component);

  test('is told by its image, in whatever namespace', async () => {
    const row = await find({ 'apps/daemonsets': [manager(1)], nodes: [node('n')] }, 'longhorn-manager');
    expect(row).toMatchObject({ why: '', workload: { namespace: 'storage', name: 'some-manager' } });
  });

  test('is down once a pod has not been ready for two minutes on a node that is', async () => {
    const set = manager(0);
    const objects = { 'apps/daemonsets': [set], nodes: [node('n')], pods: [podOf(set, 'p', 'n', 400, false)] };
    expect(await find(objects, 'longhorn-manager')).toMatchObject({
      why: 'not-ready',
      downFor: 400,
      nodes: ['n'],
      reasons: ['CrashLoopBackOff'],
    });
    expect(await find({ ...objects, pods: [podOf(set, 'p', 'n', 60, false)] }, 'longhorn-manager')).toMatchObject({
      why: '',
    });
    expect(await find({ ...objects, nodes: [node('n', 'False')] }, 'longhorn-manager')).toMatchObject({ why: '' });
  });

  test('is absent where the product is installed, and no fault where it is not', async () => {
    expect(await find({}, 'csi-provisioner')).toMatchObject({
      why: 'absent',
      workload: { key: 'Deployment longhorn-system/csi-provisioner' },
    });
    const rows = await collect(system, { ...cluster({}), discovery: { resources: [], unreadable: [] } });
    expect(rows).toEqual([]);
  });

  test('kinds that could not be read are no proof that nothing is installed', async () => {
    const unreadable = [{ group: 'longhorn.io', version: 'v1beta2', error: 'timeout' }];
    const rows = await collect(system, { ...cluster({}), discovery: { resources: [], unreadable } });
    const row = rows.find(one => one.component === 'csi-provisioner')!;
    expect(() => row.why).toThrow(/longhorn.io could not be read/);
  });

  const provisioner = (replicas: number, ready: number) => ({
    metadata: { namespace: 'longhorn-system', name: 'csi-provisioner', creationTimestamp: ago(9000) },
    spec: { replicas, template: { spec: { containers: [{ name: 'c', image: 'longhornio/csi-provisioner:v4' }] } } },
    status: {
      readyReplicas: ready,
      conditions: [{ type: 'Available', status: ready > 0 ? 'True' : 'False', lastTransitionTime: ago(300) }],
    },
  });
  const lease = (renewed: number) => ({
    metadata: { namespace: 'longhorn-system', name: 'driver-longhorn-io' },
    spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime: ago(renewed) },
  });

  test('needs a leader besides a ready replica', async () => {
    const leases = (renewed: number) => ({
      'apps/deployments': [provisioner(3, 1)],
      'coordination.k8s.io/leases': [lease(renewed)],
    });
    expect(await find(leases(5), 'csi-provisioner')).toMatchObject({ why: '' });
    expect(await find(leases(400), 'csi-provisioner')).toMatchObject({ why: 'no-leader', downFor: 400 });
    expect(await find({ 'apps/deployments': [provisioner(1, 1)] }, 'csi-provisioner')).toMatchObject({ why: '' });
    expect(await find({ 'apps/deployments': [provisioner(0, 0)] }, 'csi-provisioner')).toMatchObject({
      why: 'scaled-to-zero',
    });
    expect(await find({ 'apps/deployments': [provisioner(3, 0)] }, 'csi-provisioner')).toMatchObject({
      why: 'not-ready',
      downFor: 300,
    });
  });

  test('leases that could not be read leave one thing unknown, and not the others', async () => {
    const objects = {
      'apps/deployments': [provisioner(3, 1)],
      'apps/daemonsets': [manager(1, 'longhorn-system')],
      nodes: [node('n')],
      'coordination.k8s.io/leases': { reason: 'forbidden' as const },
    };
    const provisionerRow = await find(objects, 'csi-provisioner');
    expect(() => provisionerRow!.why).toThrow();
    expect(await find(objects, 'longhorn-manager')).toMatchObject({ why: '' });
  });
});

test('the driver is looked for where its plugin is wanted', async () => {
  const plugin = daemonSet('l', 'plugin', ['x/csi-node-driver-registrar:v2', 'x/longhorn-manager:v1.7.2'], {
    desiredNumberScheduled: 1,
  });
  const objects = {
    nodes: [node('n')],
    'apps/daemonsets': [plugin],
    pods: [podOf(plugin, 'p', 'n', 300, false)],
    'storage.k8s.io/csidrivers': [{ metadata: { name: 'driver.longhorn.io' } }],
    'storage.k8s.io/csinodes': [{ metadata: { name: 'n' }, spec: { drivers: [{ name: 'nfs.example' }] } }],
  };
  const [row] = await collect(driverNodes, cluster(objects));
  expect(row).toMatchObject({
    expected: true,
    registered: false,
    drivers: ['nfs.example'],
    pluginReason: 'CrashLoopBackOff',
  });
  expect(await collect(driverNodes, cluster({ ...objects, 'storage.k8s.io/csidrivers': [] }))).toEqual([]);
});

test('an instance manager is down while its pod is not ready, and not while it starts', async () => {
  const manager = daemonSet('l', 'm', ['x/longhorn-manager:v1.7.2'], { desiredNumberScheduled: 1, numberReady: 1 });
  const instance = (state: string) => ({
    metadata: { namespace: 'l', name: 'im', creationTimestamp: ago(9000) },
    spec: { nodeID: 'n', type: 'aio', dataEngine: 'v1' },
    status: { currentState: state, instances: { a: {} } },
  });
  const objects = (state: string) => ({
    nodes: [node('n')],
    'apps/daemonsets': [manager],
    pods: [
      podOf(manager, 'p', 'n', 300, true),
      { ...podOf(manager, 'im', 'n', 300, false), metadata: { namespace: 'l', name: 'im' } },
    ],
    'longhorn.io/instancemanagers': [instance(state)],
  });
  const [down] = await collect(managers, cluster(objects('error')));
  expect(down).toMatchObject({
    node: 'n',
    container: 'c0',
    instances: 1,
    instanceDownFor: 300,
    instancePod: { name: 'im' },
  });
  const [starting] = await collect(managers, cluster(objects('starting')));
  expect(starting!.instanceDownFor).toBe(-1);
});
