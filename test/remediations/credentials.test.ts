import { expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { SCENES } from './scenes.ts';

const ROLLOUT = SCENES['kubernetes.undo-rollout']!;
const FLAG = SCENES['thanos.set-flag']!;

/** The scene with each container changed. */
function withContainers(scene: Scene, change: (container: RawObject, of: RawObject) => RawObject): Scene {
  const objects = scene.objects.map(object => {
    const { template } = object.spec ?? {};
    if (!template) return object;
    const containers = template.spec.containers.map((container: RawObject) => change(container, object));
    return { ...object, spec: { ...object.spec, template: { ...template, spec: { ...template.spec, containers } } } };
  });
  return { ...scene, objects };
}

async function expectUnseen(scene: Scene): Promise<void> {
  const { plan } = await stage(scene);
  const planned = await plan();
  expect(refusals(planned).join()).toMatch(/no-credential-in-clear failed/);
  expect(JSON.stringify(planned)).not.toContain('canary');
}

test('the value of a variable is a credential by the name beside it, which does not change', () =>
  expectUnseen(
    withContainers(ROLLOUT, (container, { metadata }) => ({
      ...container,
      env: [...container.env, { name: 'ADMIN_PASSWORD', value: `canary-of-${metadata.name}` }],
    })),
  ));

test('an argument is a credential by the one before it', () =>
  expectUnseen(
    withContainers(ROLLOUT, (container, { metadata }) => ({
      ...container,
      args: ['run', '--auth-token', `canary-of-${metadata.name}`],
    })),
  ));

test.each([
  '--alertmanagers.url=https://user:canary@alerts.example',
  '--query=http://:canary@query.example:9090',
  '--remote=Bearer canary0123456789',
])('credentials of an address or a header are never shown: %s', argument =>
  expectUnseen(withContainers(FLAG, container => ({ ...container, args: [...container.args, argument] }))),
);

test('what only looks like one does not stand in the way', async () => {
  const { plan } = await stage(
    withContainers(FLAG, container => ({
      ...container,
      args: [...container.args, '--alert.query-url=http://query.example:9090/a@b', '--tokens'],
    })),
  );
  expect(refusals(await plan())).toEqual([]);
});
