import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLiveWriter } from '../../src/clusters/live-writer.ts';
import type { Target, Writer } from '../../src/model/remediation.ts';
import type { RawObject } from '../../src/model/source.ts';
import { targetOf } from '../../src/remediations/targets.ts';
import { startMutableServer } from '../mutable-server/server.ts';
import { controlPlaneAssets, startControlPlane } from './control-plane.ts';

/**
 * What every write rests on, on the server of the tests and on a real one: what the two answer differently is a mistake
 * of the first. The real one is found through KUBEBUILDER_ASSETS, and left out where there is none.
 */
const SERVERS = {
  'the server of the tests': async () => {
    const server = await startMutableServer({ objects: [], controllers: [] });
    return { kubeconfig: server.kubeconfig, close: server.close };
  },
  'a real API server': () => startControlPlane(controlPlaneAssets()),
};

const CONTAINERS = [{ name: 'main', image: 'example/main:1' }];
const template = (name: string): RawObject => ({
  metadata: { labels: { app: name } },
  spec: { containers: CONTAINERS },
});

describe.each(Object.entries(SERVERS))('%s', (name, start) => {
  const isLeftOut = name === 'a real API server' && controlPlaneAssets() === '';
  const maybe = test.skipIf(isLeftOut);
  let writer: Writer;
  let end: () => Promise<void> = async () => {};
  let count = 0;

  beforeAll(async () => {
    if (isLeftOut) return;
    const { kubeconfig, close } = await start();
    const folder = await mkdtemp(join(tmpdir(), 'writes-'));
    await writeFile(join(folder, 'kubeconfig'), kubeconfig);
    writer = await openLiveWriter({ name: 'test', kubeconfig: join(folder, 'kubeconfig'), environment: {} });
    end = async () => {
      writer.close();
      await close();
    };
    const namespace: Target = { group: '', resource: 'namespaces', kind: 'Namespace', namespace: '', name: 'ns' };
    await writer.create(namespace, { metadata: { name: 'ns' } }, false);
  }, 150_000);
  afterAll(() => end());

  async function made(kind: string, object: RawObject): Promise<{ target: Target; object: RawObject }> {
    count += 1;
    const target = targetOf(kind, 'ns', `object-${count}`);
    const answer = await writer.create(target, { metadata: { name: target.name, namespace: 'ns' }, ...object }, false);
    if (answer.is !== 'done') throw new Error(`${answer.is}: ${answer.message}`);
    return { target: { ...target, name: answer.object.metadata.name }, object: answer.object };
  }

  const secret = (more: RawObject = {}) => made('Secret', { data: { key: 'b25l' }, ...more });
  const deployment = () =>
    made('Deployment', { spec: { replicas: 2, selector: { matchLabels: { app: 'd' } }, template: template('d') } });

  maybe('a dry run tells what would be, and changes nothing', async () => {
    const { target, object } = await secret();
    const answer = await writer.patch(target, 'merge', { data: { key: 'dHdv' } }, true);
    expect(answer).toMatchObject({ is: 'done', object: { data: { key: 'dHdv' } } });
    expect(await writer.get(target)).toMatchObject({
      data: { key: 'b25l' },
      metadata: { resourceVersion: object.metadata.resourceVersion },
    });
    const fresh = { ...target, name: 'never' };
    expect((await writer.create(fresh, { metadata: { name: 'never', namespace: 'ns' } }, true)).is).toBe('done');
    expect(await writer.get(fresh)).toBeUndefined();
    expect((await writer.delete(target, { uid: object.metadata.uid }, false, true)).is).toBe('done');
    expect(await writer.get(target)).toBeDefined();
  });

  maybe('a merge patch carries uid and resourceVersion', async () => {
    const { target, object } = await secret();
    const { uid, resourceVersion } = object.metadata;
    expect(
      (
        await writer.patch(
          target,
          'merge',
          { metadata: { uid: 'other', resourceVersion }, data: { key: 'dHdv' } },
          false,
        )
      ).is,
    ).toBe('conflict');
    expect(
      (await writer.patch(target, 'merge', { metadata: { uid, resourceVersion: '1' }, data: { key: 'dHdv' } }, false))
        .is,
    ).toBe('conflict');
    const done = await writer.patch(
      target,
      'merge',
      { metadata: { uid, resourceVersion }, data: { key: 'dHdv', more: 'eA==' } },
      false,
    );
    expect(done).toMatchObject({ is: 'done', object: { data: { key: 'dHdv', more: 'eA==' } } });
    const later = await writer.patch(
      target,
      'merge',
      { metadata: { uid, resourceVersion }, data: { key: 'eA==' } },
      false,
    );
    expect(later.is).toBe('conflict');
    const taken = await writer.patch(target, 'merge', { data: { more: null } }, false);
    expect(taken).toMatchObject({ is: 'done', object: { data: { key: 'dHdv' } } });
  });

  maybe('a patch that changes nothing is no new version', async () => {
    const { target, object } = await secret();
    await writer.patch(target, 'merge', { data: { key: 'b25l' } }, false);
    expect((await writer.get(target))?.metadata.resourceVersion).toBe(object.metadata.resourceVersion);
  });

  maybe('a JSON patch tests before it replaces', async () => {
    const { target } = await deployment();
    const path = '/spec/template/spec/containers/0/image';
    const patch = (old: string) => [
      { op: 'test', path, value: old },
      { op: 'replace', path, value: 'example/main:2' },
    ];
    expect((await writer.patch(target, 'json', patch('example/other:1'), false)).is).toBe('conflict');
    expect((await writer.patch(target, 'json', [{ op: 'remove', path: '/spec/nothing' }], false)).is).toBe('conflict');
    expect((await writer.patch(target, 'json', patch('example/main:1'), true)).is).toBe('done');
    const done = await writer.patch(target, 'json', patch('example/main:1'), false);
    expect(done).toMatchObject({ is: 'done', object: { metadata: { generation: 2 } } });
  });

  maybe('a JSON patch tests texts with characters that Go escapes', async () => {
    const value = 'a < b && c > d \u2028';
    const { target } = await made('ConfigMap', { data: { text: value } });
    const patch = [
      { op: 'test', path: '/data/text', value },
      { op: 'replace', path: '/data/text', value: '<&>' },
    ];
    expect(await writer.patch(target, 'json', patch, false)).toMatchObject({
      is: 'done',
      object: { data: { text: '<&>' } },
    });
  });

  maybe('a JSON patch can test uid and resourceVersion', async () => {
    const { target, object } = await deployment();
    const { uid, resourceVersion } = object.metadata;
    const patch = (version: string) => [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/metadata/resourceVersion', value: version },
      { op: 'add', path: '/spec/template/spec/containers/0/args', value: ['a'] },
    ];
    expect((await writer.patch(target, 'json', patch('1'), false)).is).toBe('conflict');
    expect((await writer.patch(target, 'json', patch(resourceVersion), false)).is).toBe('done');
  });

  maybe('a name that is taken is a conflict', async () => {
    const { target } = await secret();
    expect((await writer.create(target, { metadata: { name: target.name, namespace: 'ns' } }, false)).is).toBe(
      'conflict',
    );
  });

  maybe('a deletion has preconditions', async () => {
    const { target, object } = await secret();
    const { uid } = object.metadata;
    expect((await writer.delete(target, { uid: 'other' }, false, false)).is).toBe('conflict');
    expect((await writer.delete(target, { uid, resourceVersion: '1' }, false, false)).is).toBe('conflict');
    expect((await writer.delete(target, { uid }, false, false)).is).toBe('done');
    expect(await writer.get(target)).toBeUndefined();
    expect((await writer.delete(target, { uid }, false, false)).is).toBe('not-found');
    expect((await writer.patch(target, 'merge', { data: {} }, false)).is).toBe('not-found');
  });

  maybe('a name has its rules, in a dry run too', async () => {
    for (const name of ['thanos-doctor-{{plan}}', 'Upper', 'under_score']) {
      const target = targetOf('Secret', 'ns', name);
      const answer = await writer.create(target, { metadata: { name, namespace: 'ns' } }, true);
      expect(answer, name).toMatchObject({ is: 'refused', status: 422, message: expect.stringContaining('RFC 1123') });
    }
  });

  maybe('a finalizer keeps what is deleted', async () => {
    const { target, object } = await made('Secret', {});
    await writer.patch(target, 'merge', { metadata: { finalizers: ['example.com/keep'] } }, false);
    expect((await writer.delete(target, { uid: object.metadata.uid }, false, false)).is).toBe('done');
    expect((await writer.get(target))?.metadata.deletionTimestamp).toMatch(/^20/);
    await writer.patch(target, 'merge', { metadata: { finalizers: null } }, false);
  });

  maybe('an immutable Secret is refused', async () => {
    const { target } = await secret({ immutable: true });
    const answer = await writer.patch(target, 'merge', { data: { key: 'dHdv' } }, false);
    expect(answer).toMatchObject({ is: 'refused', status: 422, message: expect.stringContaining('immutable') });
  });

  maybe('a claim template of a StatefulSet is refused', async () => {
    const claims = (storage: string) => [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } },
    ];
    const { target } = await made('StatefulSet', {
      spec: {
        serviceName: 's',
        selector: { matchLabels: { app: 's' } },
        template: template('s'),
        volumeClaimTemplates: claims('1Gi'),
      },
    });
    const answer = await writer.patch(target, 'merge', { spec: { volumeClaimTemplates: claims('2Gi') } }, false);
    expect(answer).toMatchObject({
      is: 'refused',
      status: 422,
      message: expect.stringContaining('updates to statefulset spec'),
    });
  });

  maybe('replicas are changed through the scale subresource', async () => {
    const { target } = await deployment();
    const scale: Target = { ...target, subresource: 'scale' };
    const before = await writer.get(scale);
    expect(before).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } });
    const { uid, resourceVersion } = before!.metadata;
    expect((await writer.get(target))?.metadata).toMatchObject({ uid, resourceVersion });
    const answer = await writer.patch(
      scale,
      'merge',
      { metadata: { uid, resourceVersion }, spec: { replicas: 3 } },
      false,
    );
    expect(answer).toMatchObject({ is: 'done', object: { spec: { replicas: 3 } } });
    expect((await writer.get(target))?.spec.replicas).toBe(3);
    expect(
      (await writer.patch(scale, 'merge', { metadata: { uid, resourceVersion }, spec: { replicas: 0 } }, false)).is,
    ).toBe('conflict');
  });

  maybe('a scale of zero is a number', async () => {
    const { target } = await deployment();
    const scale: Target = { ...target, subresource: 'scale' };
    expect((await writer.patch(scale, 'merge', { spec: { replicas: 0 } }, false)).is).toBe('done');
    expect(await writer.get(scale)).toMatchObject({ spec: { replicas: 0 } });
    expect((await writer.get(target))?.spec.replicas).toBe(0);
  });

  maybe('a restart is one annotation, and a new generation', async () => {
    const { target, object } = await deployment();
    const { uid, resourceVersion } = object.metadata;
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-11-23T08:00:00Z' };
    const answer = await writer.patch(
      target,
      'merge',
      { metadata: { uid, resourceVersion }, spec: { template: { metadata: { annotations } } } },
      false,
    );
    expect(answer).toMatchObject({
      is: 'done',
      object: { metadata: { generation: 2 }, spec: { template: { metadata: { annotations } } } },
    });
  });

  maybe('a DaemonSet counts its templates in an annotation', async () => {
    const { target, object } = await made('DaemonSet', {
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    });
    const key = 'deprecated.daemonset.template.generation';
    expect(object.metadata.annotations[key]).toBe('1');
    const labels = await writer.patch(target, 'merge', { metadata: { labels: { a: 'b' } } }, false);
    expect(labels).toMatchObject({ is: 'done', object: { metadata: { annotations: { [key]: '1' } } } });
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-11-23T08:00:00Z' };
    const restart = { spec: { template: { metadata: { annotations } } } };
    const answer = await writer.patch(target, 'merge', restart, true);
    expect(answer).toMatchObject({ is: 'done', object: { metadata: { annotations: { [key]: '2' } } } });
  });

  maybe('an eviction has a precondition, and a dry run', async () => {
    const { target: pod, object } = await made('Pod', { spec: { containers: CONTAINERS } });
    expect((await writer.evict(pod, 'other', false)).is).toBe('conflict');
    expect((await writer.evict(pod, object.metadata.uid, true)).is).toBe('done');
    expect(await writer.get(pod)).toBeDefined();
    expect((await writer.evict(pod, object.metadata.uid, false)).is).toBe('done');
    expect(await writer.get(pod)).toBeUndefined();
    expect((await writer.evict(pod, object.metadata.uid, false)).is).toBe('not-found');
  });

  maybe('a Lease is taken with a time of microseconds', async () => {
    const { object } = await made('Lease', {
      spec: { holderIdentity: 'a', leaseDurationSeconds: 300, renewTime: '2026-11-23T08:00:00.000000Z' },
    });
    expect(object.spec.holderIdentity).toBe('a');
  });

  maybe('rights can be asked for, and who asks', async () => {
    expect(await writer.allowed({ verb: 'patch', target: targetOf('Secret', 'ns', 'x') })).toBe(true);
    expect(await writer.allowed({ verb: 'create', target: targetOf('Pod', 'ns', 'x'), subresource: 'eviction' })).toBe(
      true,
    );
    expect(await writer.who()).toBe('tester');
  });

  maybe('an uncordoned node has no field of it any more', async () => {
    const target = targetOf('Node', '', 'node-1');
    await writer.create(target, { metadata: { name: 'node-1' }, spec: { unschedulable: true } }, false);
    expect((await writer.get(target))?.spec.unschedulable).toBe(true);
    await writer.patch(target, 'merge', { spec: { unschedulable: null } }, false);
    expect((await writer.get(target))?.spec.unschedulable).toBeUndefined();
  });

  maybe('lists are told by labels', async () => {
    const { target } = await made('Secret', { metadata: { name: 'labelled', namespace: 'ns', labels: { who: 'me' } } });
    expect(target.kind).toBe('Secret');
    const items = await writer.list('', 'secrets', 'ns', 'who=me');
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['labelled']);
  });
});
