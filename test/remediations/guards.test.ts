import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import type { Answer } from '../../src/simulator/answers.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { pod, SCENES, workload } from './scenes.ts';

const refusalsOf = async (scene: Scene) => refusals(await (await stage(scene)).plan());
const answering =
  (status: number, text: string) =>
  (url: URL): Answer | undefined =>
    url.pathname.includes('/proxy/') ? { is: 'answer', status, headers: {}, body: Buffer.from(text) } : undefined;

describe('prometheus.quarantine-block', () => {
  const scene = SCENES['prometheus.quarantine-block']!;
  const hit = (block: string) => ({ id: 'prometheus-block-damaged', open: true, captured: { block } });
  const block = scene.with.block!;
  const withEvidence = (id: string, value: unknown) => ({ ...scene, evidence: { ...scene.evidence, [id]: value } });

  test.each<[string, Scene, RegExp]>([
    ['not allowed', { ...scene, wishes: {} }, /^data-steps-allowed failed: say so with --allow-data-steps/],
    [
      'two blocks',
      withEvidence('logs.signatures', { hits: [hit(block), hit('01KB0000000000000000000000')] }),
      /^ulid-from-the-error failed: its log names .* and /,
    ],
    ['no block', withEvidence('logs.signatures', { hits: [] }), /^ulid-from-the-error failed: its log names no block/],
    ['an unread log', withEvidence('logs.signatures', undefined), /^ulid-from-the-error unknown/],
    [
      'it runs again',
      withEvidence('prometheus.replicas', [{ pod: { key: scene.with.pod }, container: 'prometheus', ready: true }]),
      /^ulid-from-the-error failed: .* is ready/,
    ],
    ['an unread bucket', withEvidence('bucket.blocks', undefined), /^block-in-bucket-or-accepted unknown/],
    [
      'an old snapshot',
      withEvidence('longhorn.snapshots', [{ volume: 'pv-data-1', ready: true, markedRemoved: false, age: 1000 }]),
      /^backup-verified failed: volume pv-data-1 has no ready snapshot/,
    ],
    [
      'another pod on the claim',
      {
        ...scene,
        objects: [
          ...scene.objects,
          pod(workload('Deployment', 'other'), 'other-1', {
            spec: { volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'data-1' } }] },
          }),
        ],
      },
      /^claim-unused failed: other-1 has it too/,
    ],
    ['no name of a block', { ...scene, with: { ...scene.with, block: `${block},X` } }, /^ulid-from-the-error failed/],
  ])('is refused with %s', async (_, given, why) => {
    const found = await refusalsOf(given);
    expect(found).toEqual([expect.stringMatching(why)]);
  });

  test('has the loss typed where the bucket does not have the block', async () => {
    const kept = await (await stage(scene)).plan();
    expect(kept.typed).toBe('name');
    const lost = await (await stage(withEvidence('bucket.blocks', [{ blocks: [] }]))).plan();
    expect(refusals(lost)).toEqual([]);
    expect(lost.typed).toMatch(/^\d{4}-\d\d-\d\dT\d[02468]:00 to \d{4}-\d\d-\d\dT\d[02468]:00 of test$/);
    expect(lost.riskText).toMatch(/its samples are lost.*1 replicas go on scraping/);
  });

  test('stops only the damaged pod and those after it', async () => {
    const { plan, apply, server } = await stage(scene);
    await apply(await plan());
    const scales = server.writes.filter(write => write.endsWith('/scale'));
    expect(scales).toHaveLength(2);
    expect(server.find('StatefulSet', 'ns', 'prometheus-main')!.spec.replicas).toBe(2);
    expect(server.find('PersistentVolumeClaim', 'ns', 'data-1')!.metadata.annotations).toEqual({
      'thanos-doctor/quarantined-block': block,
    });
    expect(server.all('Pod').map(({ metadata }) => metadata.name)).toEqual(['prometheus-main-0', 'prometheus-main-1']);
  });
});

describe('network.allow-scrape', () => {
  const scene = SCENES['network.allow-scrape']!;
  const [row] = scene.evidence!['network.blocked-paths'] as readonly RawObject[];
  const withRow = (more: RawObject): Scene => ({
    ...scene,
    evidence: { ...scene.evidence, 'network.blocked-paths': [{ ...row, ...more }] },
  });

  test.each<[string, Scene, RegExp]>([
    ['a rule that denies', withRow({ byRule: true }), /^no-deny-rule failed/],
    [
      'other paths',
      withRow({ paths: [...row!.paths, { ...row!.paths[0], purpose: 'store' }] }),
      /^only-scrapes failed: it closes store too/,
    ],
    [
      'an egress that is closed too',
      {
        ...scene,
        evidence: { ...scene.evidence, 'network.policy-effects': { verdict: 'denied', direction: 'egress' } },
      },
      /^effect-decidable failed: ns\/prometheus-main-0 may not leave/,
    ],
    [
      'an effect that nobody knows',
      { ...scene, evidence: { ...scene.evidence, 'network.policy-effects': undefined } },
      /^effect-decidable unknown/,
    ],
    [
      'labels that others have too',
      {
        ...scene,
        objects: [
          ...scene.objects,
          {
            ...pod(workload('Deployment', 'x'), 'x-1'),
            metadata: { name: 'x-1', namespace: 'ns', labels: { app: 'store', more: 'y' } },
          },
        ],
      },
      /^peer-labels-narrow failed: the labels of these pods take ns\/x-1 too/,
    ],
  ])('is refused with %s', async (_, given, why) => {
    expect(await refusalsOf(given)).toEqual([expect.stringMatching(why)]);
  });

  test('allows this peer at this port, and nothing else', async () => {
    const { plan, apply, server } = await stage(scene);
    await apply(await plan());
    expect(server.all('NetworkPolicy')[0]!.spec).toEqual({
      podSelector: { matchLabels: { app: 'store' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ns' } },
              podSelector: { matchLabels: { app: 'prometheus-main' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 10902 }],
        },
      ],
    });
  });
});

describe('prometheus.set-block-duration', () => {
  const scene = SCENES['prometheus.set-block-duration']!;
  const young = (age: number) => ({
    'prometheus.metrics': [
      {
        pod: { key: 'Pod ns/prometheus-main-0' },
        oldestSample: new Date(Date.parse('2026-11-23T08:00:00Z') - age * 1000).toISOString(),
      },
    ],
  });
  const silent = { ...scene, server: { other: answering(404, '404 page not found') } };

  test.each<[string, Scene, RegExp]>([
    [
      'a joined block that the bucket lacks',
      { ...scene, evidence: { 'bucket.blocks': [{ blocks: [] }] } },
      /^no-large-local-blocks failed: block .* was joined/,
    ],
    ['an unread bucket', { ...scene, evidence: {} }, /^no-large-local-blocks unknown/],
    [
      'a version that does not tell, and old data',
      { ...silent, evidence: young(20_000) },
      /^no-large-local-blocks failed/,
    ],
    ['a version that does not tell, and nothing else', { ...silent, evidence: {} }, /^no-large-local-blocks unknown/],
  ])('is refused with %s', async (_, given, why) => {
    expect(await refusalsOf(given)).toEqual([expect.stringMatching(why)]);
  });

  test('goes on where the data are too young for joined blocks', async () => {
    expect(await refusalsOf({ ...silent, evidence: young(10_000) })).toEqual([]);
  });
});

describe.each(['monitoring.name-service-port', 'monitoring.set-monitor-port'])('%s', id => {
  const scene = SCENES[id]!;

  test.each<[string, Scene, RegExp]>([
    [
      'a page',
      { ...scene, server: { other: answering(200, '<html>hello</html>') } },
      /^metrics-answer failed: .* no metrics/,
    ],
    ['401', { ...scene, server: { other: answering(401, 'no') } }, /^metrics-answer failed: .* answers 401/],
    [
      'no proxy',
      {
        ...scene,
        server: { other: answering(403, '{"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden"}') },
      },
      /^metrics-answer unknown/,
    ],
    [
      'no pod that is ready',
      { ...scene, objects: scene.objects.filter(({ kind }) => kind !== 'Pod') },
      /^metrics-answer failed: no pod of Service ns\/store is ready/,
    ],
  ])('is refused where the answer is %s', async (_, given, why) => {
    expect(await refusalsOf(given)).toEqual([expect.stringMatching(why)]);
  });
});

test('a Service with two ports without a name is not named', async () => {
  const scene = SCENES['monitoring.name-service-port']!;
  const objects = structuredClone(scene.objects);
  objects[1].spec.ports.push({ port: 10901 });
  expect(await refusalsOf({ ...scene, objects })).toEqual([
    'single-port-or-all-named failed: Service store has several ports without a name',
  ]);
});
