import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { emittedFiles, refusedPatches } from '../../src/app/fix-patches.ts';
import type { Plan } from '../../src/model/remediation.ts';
import { type Scene, stage } from './harness.ts';
import { PLAIN_HTTP, SCENES } from './scenes.ts';

async function planned(scene: Scene): Promise<Plan> {
  return (await stage(scene)).plan();
}

/** The documents by file name. */
async function emitted(scene: Scene): Promise<Readonly<Record<string, unknown>>> {
  const files = emittedFiles([await planned(scene)]);
  return Object.fromEntries([...files].map(([name, text]) => [name, parse(text)]));
}

test('what a plan changes for a while only is no part of the patch, and each file is applied once', async () => {
  const files = await emitted(SCENES['prometheus.grow-claim']!);
  expect(files['ns-prometheus-main.patch.yaml']).toEqual({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    metadata: { name: 'main', namespace: 'ns' },
    spec: { storage: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '15Gi' } } } } } },
  });
  const { patches } = files['kustomization.yaml'] as { patches: readonly { path: string }[] };
  const paths = patches.map(({ path }) => path);
  expect(paths).toEqual([...new Set(paths)]);
  expect(paths.every(path => path in files)).toBe(true);
});

test('a patch is for the kind that the API server knows', async () => {
  const files = await emitted(SCENES['longhorn.allow-scheduling']!);
  expect(files['kustomization.yaml']).toMatchObject({
    patches: [{ target: { group: 'longhorn.io', kind: 'Node', name: 'node-1', namespace: 'storage' } }],
  });
});

test('what is new is added by the kustomization', async () => {
  const files = await emitted(SCENES['network.allow-scrape']!);
  const { resources } = files['kustomization.yaml'] as { resources: readonly string[] };
  expect(resources).toHaveLength(1);
  expect(files[resources[0]!]).toMatchObject({ kind: 'NetworkPolicy' });
});

test('a pod that a plan makes and deletes again belongs into no repository', async () => {
  const names = Object.keys(await emitted(SCENES['prometheus.quarantine-block']!));
  expect(names.filter(name => /-pod-|statefulset|prometheus-main\.patch/.test(name))).toEqual([]);
});

test('patches of several clusters do not meet in one folder', async () => {
  const plan = await planned(SCENES['thanos.set-flag']!);
  const files = emittedFiles([plan, { ...plan, cluster: 'edge/1' }]);
  expect([...files.keys()]).toEqual([
    'test/ns-deployment-query.patch.yaml',
    'test/kustomization.yaml',
    'edge_1/ns-deployment-query.patch.yaml',
    'edge_1/kustomization.yaml',
  ]);
});

test('two patches of one object are two files', async () => {
  const plan = await planned(SCENES['thanos.set-flag']!);
  const [patch] = plan.patches;
  const files = emittedFiles([plan, plan, { ...plan, patches: [{ ...patch!, text: `${patch!.text}# another\n` }] }]);
  expect([...files.keys()]).toEqual([
    'ns-deployment-query.patch.yaml',
    'ns-deployment-query-2.patch.yaml',
    'kustomization.yaml',
  ]);
});

test('what is not safe to change is not emitted either; who may write it does not matter', async () => {
  const unsafe = await planned({ ...PLAIN_HTTP, evidence: { 'network.probe': { tcp: 'open', speaks: 'tls' } } });
  expect(refusedPatches([unsafe])).toEqual([expect.stringMatching(/^refused: a patch for .*: endpoint-speaks-http: /)]);
  const denied = await planned({ ...PLAIN_HTTP, server: { denied: verb => verb === 'patch' } });
  expect(refusedPatches([denied])).toEqual([]);
  const files = emittedFiles([denied]);
  expect([...files.keys()]).toEqual(['ns-secret-objstore.patch.yaml']);
  expect([...files.values()].join()).not.toContain('canary');
});
