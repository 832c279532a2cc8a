import { expect, test } from 'vitest';
import { statusAnswer } from '../../src/simulator/answers.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { RELEASE, SCENES, workload } from './scenes.ts';

const OF_RELEASE = { annotations: { 'meta.helm.sh/release-name': 'stack' } };
const SCALE = SCENES['kubernetes.scale-workload']!;

function scaled(more: Partial<Scene>, metadata = {}): Scene {
  return { ...SCALE, objects: [workload('StatefulSet', 'query', { spec: { replicas: 0 }, metadata })], ...more };
}

async function told(scene: Scene): Promise<string> {
  return refusals(await (await stage(scene)).plan()).join();
}

test('what Helm left behind when its release was uninstalled is written', async () => {
  expect(await told(scaled({}, OF_RELEASE))).toBe('');
});

test('what a release is of that is there is not written', async () => {
  const { objects } = scaled({}, OF_RELEASE);
  expect(await told({ ...SCALE, objects: [...objects, RELEASE] })).toMatch(
    /owner-known failed: .*Helm \(release stack\)/,
  );
});

test('a release that cannot be looked for is taken to be there', async () => {
  const other = ({ pathname }: URL) =>
    pathname.endsWith('/secrets') ? statusAnswer(403, 'Forbidden', 'secrets is forbidden') : undefined;
  expect(await told(scaled({ server: { other } }, OF_RELEASE))).toMatch(/owner-known failed: .*Helm/);
});

test('what a controller made by its own account is not written either', async () => {
  const row = { object: { key: 'StatefulSet ns/query' }, writeTo: { key: 'Thanos ns/main' }, gitops: '' };
  expect(await told(scaled({ evidence: { 'kubernetes.owners': [row] } }))).toMatch(/is made from Thanos ns\/main/);
  const applied = { ...row, writeTo: row.object, gitops: 'argocd' };
  expect(await told(scaled({ evidence: { 'kubernetes.owners': [applied] } }))).toMatch(/comes from Argo CD/);
});

test('where it is not known to whom a workload belongs, it is not written', async () => {
  expect(await told(scaled({ evidence: { 'kubernetes.owners': [] } }))).toMatch(/owner-known unknown: to whom/);
});
