import { describe, expect, it } from 'vitest';
import { collector as podsCollector } from '../../src/evidence/collectors/kubernetes.pods.ts';
import { collector as containersCollector } from '../../src/evidence/derived/kubernetes.containers.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { ago, collect, evidenceOf } from './fake-source.ts';
import { crashed, pod, replicaSet, running, waiting } from './raw-objects.ts';

describe('kubernetes.pods', () => {
  it('names the Deployment of a ReplicaSet, and follows the name where ReplicaSets cannot be read', async () => {
    const one = pod('web-5c85b4546b-rd877', {
      labels: { 'pod-template-hash': '5c85b4546b' },
      owner: { kind: 'ReplicaSet', name: 'web-5c85b4546b' },
    });
    const replicaSets = [replicaSet('web-5c85b4546b', { owner: { kind: 'Deployment', name: 'web' }, revision: 1 })];
    for (const objects of [
      { pods: [one], 'apps/replicasets': replicaSets },
      { pods: [one], 'apps/replicasets': { reason: 'forbidden' as const } },
    ]) {
      const [row] = await collect(podsCollector, { objects });
      expect(row?.workload.key).toBe('Deployment m/web');
    }
  });

  it('is its own workload where no workload controls it', async () => {
    const [row] = await collect(podsCollector, {
      objects: { pods: [pod('etcd-node-1', { owner: { kind: 'Node', name: 'node-1' } })], 'apps/replicasets': [] },
    });
    expect(row?.workload.key).toBe('Pod m/etcd-node-1');
  });

  it('takes an evicted leftover for history only while its workload has a ready pod', async () => {
    const owner = { kind: 'StatefulSet', name: 'db' };
    const evicted = pod('db-old', { owner, phase: 'Failed', reason: 'Evicted', ready: false });
    const healthy = pod('db-0', { owner });
    const together = await collect(podsCollector, { objects: { pods: [evicted, healthy], 'apps/replicasets': [] } });
    expect(together.map(row => [row.name, row.history])).toEqual([
      ['db-old', true],
      ['db-0', false],
    ]);
    const alone = await collect(podsCollector, { objects: { pods: [evicted], 'apps/replicasets': [] } });
    expect(alone[0]?.history).toBe(false);
  });

  it('says that containers run though the phase is Pending', async () => {
    const [row] = await collect(podsCollector, {
      objects: {
        pods: [
          pod('p-0', {
            phase: 'Pending',
            ready: false,
            containers: [
              { name: 'one', status: running() },
              { name: 'two', status: waiting('CreateContainerConfigError', 'secret "x" not found') },
            ],
          }),
        ],
        'apps/replicasets': [],
      },
    });
    expect(row).toMatchObject({ phase: 'Pending', anyRunning: true, unready: ['two'] });
  });

  it('marks pods of an older ReplicaSet', async () => {
    const owner = (hash: string) => ({ kind: 'ReplicaSet', name: `web-${hash}` });
    const deployment = { kind: 'Deployment', name: 'web' };
    const rows = await collect(podsCollector, {
      objects: {
        pods: [pod('web-a-1', { owner: owner('a') }), pod('web-b-1', { owner: owner('b') })],
        'apps/replicasets': [
          replicaSet('web-a', { owner: deployment, revision: 1 }),
          replicaSet('web-b', { owner: deployment, revision: 2 }),
        ],
      },
    });
    expect(rows.map(row => row.superseded)).toEqual([true, false]);
  });

  it('keeps a namespace that could not be read as a gap, and an object that is no pod', async () => {
    const rows = await collect(podsCollector, {
      objects: { pods: [pod('p-0'), { metadata: {} }], 'apps/replicasets': [] },
      unread: { pods: ['secret-place'] },
    });
    expect(rows.map(row => gapOf(row)?.reason)).toEqual([undefined, 'malformed', 'forbidden']);
  });

  it('is a gap where pods cannot be listed', async () => {
    const evidence = await evidenceOf(podsCollector, { objects: { pods: { reason: 'forbidden' } } });
    expect(evidence).toMatchObject({ known: false, gap: { reason: 'forbidden', evidence: 'kubernetes.pods' } });
  });
});

describe('kubernetes.containers', () => {
  const rowOf = async (container: Parameters<typeof pod>[1]) => {
    const rows = await collect(containersCollector, {
      objects: { pods: [pod('p-0', container)], 'apps/replicasets': [] },
    });
    return rows[0]!;
  };

  it('takes the last exit from the state before, and from the state itself if that is terminated', async () => {
    const loop = await rowOf({
      containers: [{ name: 'c', status: crashed({ exitCode: 2, finished: ago(90), restarts: 4 }) }],
    });
    expect(loop).toMatchObject({
      containerKey: 'Container m/p-0/c',
      state: 'waiting',
      crashLooping: true,
      last: { exitCode: 2, finishedAge: 90 },
    });
    const ended = await rowOf({
      containers: [
        { name: 'c', status: { state: { terminated: { exitCode: 3, reason: 'Error', finishedAt: ago(5) } } } },
      ],
    });
    expect(ended.last).toMatchObject({ exitCode: 3, finishedAge: 5 });
  });

  it('does not call an old exit a loop', async () => {
    const old = await rowOf({
      containers: [
        {
          name: 'c',
          status: {
            ...running(),
            restartCount: 9,
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: ago(90_000) } },
          },
        },
      ],
    });
    expect(old).toMatchObject({ crashLooping: false, outOfMemory: true, restarts: 9, state: 'running' });
  });

  it.each([
    ['quay.io/thanos/thanos:v0.37.2', ['store', '--data-dir=/d'], 'store'],
    ['quay.io/prometheus/prometheus:v3.1.0', [], 'prometheus'],
    ['x/prometheus-config-reloader:v0.79.0', [], ''],
    ['longhornio/longhorn-manager:v1.7.2', ['-d', 'daemon'], 'longhorn-manager'],
    ['longhornio/longhorn-manager:v1.7.2', ['-d', 'deploy-driver'], ''],
    ['longhornio/longhorn-manager:v1.7.2', ['--drivername=driver.longhorn.io'], 'longhorn-csi-plugin'],
    ['longhornio/csi-provisioner:v4.0.1', [], 'csi-provisioner'],
    ['longhornio/csi-node-driver-registrar:v2.12.0', [], ''],
    ['example/shop:1', [], ''],
  ])('knows what the stack needs: %s %j', async (image, args, needed) => {
    expect((await rowOf({ containers: [{ name: 'c', image, args }] })).needed).toBe(needed);
  });

  it('keeps where variables come from, and never their values', async () => {
    const row = await rowOf({
      containers: [
        {
          name: 'c',
          env: [
            { name: 'PASSWORD', value: 'hunter2' },
            { name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
          ],
          startupProbe: { httpGet: { path: '/-/ready', port: 'web' }, periodSeconds: 15, failureThreshold: 60 },
        },
      ],
    });
    expect(JSON.stringify(row)).not.toContain('hunter2');
    expect(row.env[1]).toEqual({
      name: 'KEY',
      fromSecret: 's',
      fromConfigMap: '',
      fromField: '',
      key: 'k',
      optional: true,
    });
    expect(row.probes.startup).toMatchObject({ kind: 'http', path: '/-/ready', port: 'web', budget: 900 });
    expect(row.probes.liveness).toMatchObject({ kind: '', budget: 0 });
  });

  it('reads the tag beside a port and a digest', async () => {
    const row = await rowOf({ containers: [{ name: 'c', image: 'registry:5000/thanos/thanos:v0.37.2@sha256:00' }] });
    expect(row.imageTag).toBe('v0.37.2');
  });
});
