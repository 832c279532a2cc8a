import { expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { PLAIN_HTTP, pod, SCENES } from './scenes.ts';

/** A pod of the StatefulSet of a Prometheus, with its data in this volume. */
function prometheusPod(scene: Scene, set: string, volume: RawObject): Scene {
  const owner = scene.objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === set)!;
  const spec = {
    containers: [
      {
        name: 'prometheus',
        image: 'example/prometheus:v3.7.0',
        args: ['--storage.tsdb.path=/prometheus/data'],
        volumeMounts: [{ name: 'db', mountPath: '/prometheus' }],
      },
    ],
    volumes: [{ name: 'db', ...volume }],
  };
  return {
    ...scene,
    objects: [...scene.objects, node, pod(owner, `${set}-9`, { spec: { nodeName: 'node-1', ...spec } })],
  };
}

const node = SCENES['prometheus.grow-claim']!.objects.find(({ kind }) => kind === 'Node')!;
const IN_POD = { emptyDir: {} };
const ON_CLAIM = { persistentVolumeClaim: { claimName: 'db' } };

test('a Prometheus whose data go with its pod is not restarted', async () => {
  const { plan } = await stage(prometheusPod(PLAIN_HTTP, 'prometheus-main', IN_POD));
  expect(refusals(await plan())).toEqual([
    'local-data-kept failed: prometheus-main-9 keeps its data in an emptyDir: what it has not uploaded goes with the pod',
  ]);
});

test('one with its data on a claim is', async () => {
  const { plan } = await stage(prometheusPod(PLAIN_HTTP, 'prometheus-main', ON_CLAIM));
  expect(refusals(await plan())).toEqual([]);
});
