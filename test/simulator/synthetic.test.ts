import { expect, test } from 'vitest';
import { startFleet } from '../../src/simulator/fleet.ts';
import { syntheticBundle } from '../../src/simulator/synthetic.ts';
import { smallBundle } from './small-bundle.ts';

test('a synthetic fleet is as large as asked for, of usual pods, and the same every time', async () => {
  const options = { clusters: 3, podsPerCluster: 100 };
  const [bundle, again] = [await syntheticBundle(options), await syntheticBundle(options)];
  const path = 'clusters/cluster-003/objects/core/v1/pods.json';
  const pods = Buffer.from((await bundle.read(path))!).toString();
  expect(pods).toBe(Buffer.from((await again.read(path))!).toString());
  const { items } = JSON.parse(pods);
  expect(items).toHaveLength(100);
  expect(pods.length / 100).toBeGreaterThan(6000);
  expect(pods.length / 100).toBeLessThan(7500);
  const names = items.map(
    (item: { metadata: { namespace: string; name: string } }) => `${item.metadata.namespace}/${item.metadata.name}`,
  );
  expect(new Set(names).size).toBe(100);
});

test('a synthetic fleet runs', async () => {
  const fleet = await startFleet(await syntheticBundle({ clusters: 2, podsPerCluster: 7 }));
  const { url } = fleet.clusters[1]!;
  const pods = (await (await fetch(`${url}/api/v1/pods`)).json()) as { items: unknown[] };
  const replicaSets = (await (await fetch(`${url}/apis/apps/v1/replicasets`)).json()) as { items: unknown[] };
  expect([pods.items.length, replicaSets.items.length]).toEqual([7, 3]);
  await fleet.close();
});

test('a recorded fleet grows: its first cluster once, its last as often as needed', async () => {
  const bundle = await syntheticBundle({ clusters: 3, podsPerCluster: 5, base: smallBundle() });
  const pods = JSON.parse(
    Buffer.from((await bundle.read('clusters/cluster-001/objects/core/v1/pods.json'))!).toString(),
  );
  expect(pods.items).toHaveLength(8);
  expect(bundle.paths.has('clusters/cluster-003/failures.yaml')).toBe(true);
});
