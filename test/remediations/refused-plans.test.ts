import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { pod, RELEASE, SCENES, workload } from './scenes.ts';

type Change = (scene: Scene) => Scene;

const evidence =
  (id: string, value: unknown): Change =>
  scene => ({ ...scene, evidence: { ...scene.evidence, [id]: value } });
const given =
  (more: Readonly<Record<string, string>>): Change =>
  scene => ({ ...scene, with: { ...scene.with, ...more } });
const wishing =
  (wishes: Scene['wishes']): Change =>
  scene => ({ ...scene, wishes: { ...scene.wishes, ...wishes } });
/** Changes the object of that kind and name, or adds it. */
const object =
  (kind: string, name: string, change: (found: RawObject) => RawObject): Change =>
  scene => ({
    ...scene,
    objects: scene.objects.map(one => (one.kind === kind && one.metadata.name === name ? change(one) : one)),
  });
const adding =
  (...objects: readonly RawObject[]): Change =>
  scene => ({ ...scene, objects: [...scene.objects, ...objects] });

/** The rows of evidence, with the fields of the blocks of the first one changed. */
function blocks(change: (block: RawObject, index: number) => RawObject): Change {
  return scene => {
    const [bucket] = scene.evidence!['bucket.blocks'] as readonly RawObject[];
    return evidence('bucket.blocks', [{ ...bucket, blocks: bucket!.blocks.map(change) }])(scene);
  };
}

const disk = (more: RawObject): Change =>
  object('Node', 'node-1', node => ({
    ...node,
    status: { ...node.status, diskStatus: { new: { ...node.status.diskStatus.new, ...more } } },
  }));
const spec =
  (more: RawObject): ((found: RawObject) => RawObject) =>
  found => ({ ...found, spec: { ...found.spec, ...more } });
const oneCompactor = (more: RawObject): Change =>
  evidence('fleet.buckets', [
    {
      compactors: [
        { workload: { key: 'StatefulSet ns/second @test' }, selector: '', running: 1, ready: 1 },
        {
          workload: { key: 'StatefulSet ns/first @hub' },
          selector: '',
          running: 1,
          ready: 1,
          created: '2026-01-01T00:00:00Z',
          ...more,
        },
      ],
    },
  ]);
const busy = evidence('thanos.compactors', [
  { bucketKey: 'Bucket thanos@127.0.0.1:1', running: true, halted: false, workload: { name: 'compact' } },
]);

const REFUSED: Readonly<Record<string, readonly (readonly [string, Change, RegExp])[]>> = {
  'bucket.unmark': [
    [
      'marks of others',
      blocks(one => ({ ...one, marks: { ...one.marks, details: 'by hand' } })),
      /own-mark failed: none/,
    ],
    ['no permission', wishing({ bucketWrites: false }), /bucket-writes-allowed failed: .*--allow-bucket-writes/],
    ['a block that is not whole', blocks(one => ({ ...one, missing: ['index'] })), /block-still-complete failed/],
    ['a mark that it does not know', given({ mark: 'no-downsample' }), /mark-known failed/],
    ['a bucket that was not listed', evidence('bucket.blocks', []), /object-there failed: .* was not listed/],
    ['a bucket that is not known', evidence('bucket.blocks', undefined), /evidence-known unknown/],
  ],
  'bucket.mark-duplicate-for-deletion': [
    [
      'another content',
      blocks((one, index) => ({ ...one, samples: 1000 + index })),
      /identical-sources-and-stats failed/,
    ],
    [
      'other sources',
      blocks((one, index) => ({ ...one, sources: [`S${index}`] })),
      /identical-sources-and-stats failed/,
    ],
    ['no copy', wishing({ copy: '' }), /copy-verified failed: copy the blocks .* --copy/],
    ['a copy that lacks it', scene => ({ ...scene, copies: {} }), /copy-verified failed: \/copy has no block/],
    [
      'a copy that is smaller',
      scene => ({
        ...scene,
        copies: Object.fromEntries(Object.keys(scene.copies!).map(id => [id, { files: 3, bytes: 99 }])),
      }),
      /copy-verified failed: the copy of .* has 3 files of 99 bytes, the bucket 3 of 100/,
    ],
    ['a Compactor at work', busy, /compactor-halted-or-stopped failed: compact has not halted/],
    ['a Compactor that is not known', evidence('thanos.compactors', undefined), /compactor-halted-or-stopped unknown/],
    [
      'a twin that is marked',
      blocks((one, index) => (index === 0 ? { ...one, live: false } : one)),
      /other-one-complete-and-unmarked failed/,
    ],
  ],
  'grafana.set-datasource-url': [
    ['no port that answers', scene => ({ ...scene, server: {} }), /evidence-known unknown|target-answers failed/],
    [
      'an address with credentials',
      object('ConfigMap', 'datasources', found => ({
        ...found,
        data: { a: 'datasources:\n- name: Thanos\n  url: http://a:b@query.ns:1\n' },
      })),
      /one-candidate failed: .*not written as a plain address/,
    ],
    [
      'an address with a token',
      object('ConfigMap', 'datasources', found => ({
        ...found,
        data: { a: 'datasources:\n- name: Thanos\n  url: http://query.ns:1/?token=canary\n' },
      })),
      /no-credential-in-clear failed/,
    ],
    [
      'two of that name',
      object('ConfigMap', 'datasources', found => ({
        ...found,
        data: { ...found.data, b: found.data['datasources.yaml'] },
      })),
      /provisioned failed: .* has 2 datasources of name Thanos/,
    ],
    ['a Service that is not known', evidence('grafana.datasources', []), /one-candidate failed/],
  ],
  'kubernetes.undo-rollout': [
    ['no earlier pods', object('ReplicaSet', 'query-1', set => ({ ...set, status: {} })), /previous-was-ready failed/],
    [
      'new pods that are ready',
      object('ReplicaSet', 'query-2', set => ({ ...set, status: { readyReplicas: 1 } })),
      /new-never-ready failed: pods of query-2 are ready/,
    ],
    [
      'a ConfigMap that is gone',
      object('ConfigMap', 'settings', found => ({ ...found, metadata: { ...found.metadata, name: 'x' } })),
      /same-references-exist failed: ConfigMap ns\/settings does not exist/,
    ],
    ['a key that is gone', object('ConfigMap', 'settings', found => ({ ...found, data: {} })), /has no key a any more/],
    [
      'a repository behind it, even where that is insisted on',
      scene =>
        wishing({ insist: true })(
          object('Deployment', 'query', found => ({
            ...found,
            metadata: { ...found.metadata, annotations: { 'argocd.argoproj.io/tracking-id': 'site:/x' } },
          }))(scene),
        ),
      /not-gitops failed: it comes from Argo CD/,
    ],
    [
      'a credential in clear',
      object('Deployment', 'query', found => {
        const next = structuredClone(found);
        next.spec.template.spec.containers[0].env.push({ name: 'DB_PASSWORD', value: 'canary' });
        return next;
      }),
      /no-credential-in-clear failed/,
    ],
  ],
  'longhorn.allow-scheduling': [
    ['no room', disk({ storageAvailable: 20 }), /disk-has-room failed: .* more than 25 % free/],
    ['all of it promised', disk({ storageScheduled: 95 }), /disk-has-room failed/],
    ['settings that are not known', evidence('longhorn.settings', undefined), /disk-has-room unknown/],
    ['a disk that is not ready', disk({ conditions: [] }), /disk-ready failed: disk new is not ready/],
    [
      'replicas that are moved away',
      object('Node', 'node-1', spec({ evictionRequested: true })),
      /no-eviction-requested failed: replicas are being moved away/,
    ],
    [
      'two closed disks',
      object('Node', 'node-1', spec({ disks: { a: { allowScheduling: false }, b: { allowScheduling: false } } })),
      /one-disk failed: 2 disks/,
    ],
  ],
  'longhorn.set-default-replica-count': [
    [
      'nodes enough',
      object('Setting', 'default-replica-count', found => ({ ...found, value: '{"v1":"1","v2":"1"}' })),
      /fewer-nodes-than-default failed/,
    ],
    [
      'a value of another form',
      object('Setting', 'default-replica-count', found => ({ ...found, value: 'many' })),
      /setting-readable failed/,
    ],
    [
      'an installer that writes it',
      adding({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'longhorn-default-setting', namespace: 'storage' },
        data: { 'default-setting.yaml': 'default-replica-count: 3\n' },
      }),
      /not-chart-governed failed: ConfigMap storage\/longhorn-default-setting says it too/,
    ],
  ],
  'thanos.stop-second-compactor': [
    ['another bucket', evidence('fleet.buckets', []), /same-place failed/],
    ['a bucket that is not known', evidence('fleet.buckets', undefined), /evidence-known unknown/],
    ['one that is older', oneCompactor({ created: '2026-11-20T00:00:00Z' }), /younger-told-by-created failed/],
    ['an age that is not known', oneCompactor({ created: '' }), /younger-told-by-created failed: .* cannot be told/],
    ['another that is not ready', oneCompactor({ ready: 0 }), /other-one-ready failed: .* has no pod that is ready/],
    ['shards', oneCompactor({ selector: '- action: hashmod' }), /not-sharded failed/],
    [
      'a release of Helm',
      scene =>
        adding(RELEASE)({
          ...scene,
          objects: [
            workload('StatefulSet', 'second', {
              metadata: {
                creationTimestamp: '2026-11-01T00:00:00Z',
                annotations: { 'meta.helm.sh/release-name': 'stack' },
              },
            }),
          ],
        }),
      /owner-known failed: .*Helm \(release stack\)/,
    ],
  ],
  'thanos.set-flag': [
    [
      'a shorter retention',
      given({ flag: '--retention.resolution-raw', value: '40h', how: 'replace' }),
      /never-shortens-retention failed/,
    ],
    [
      'a credential in clear',
      object('Deployment', 'query', found => {
        const next = structuredClone(found);
        next.spec.template.spec.containers[0].args.push('--objstore.config=config:\n  secret_key: canary');
        return next;
      }),
      /no-credential-in-clear failed/,
    ],
  ],
};

describe.each(Object.entries(REFUSED))('%s', (id, cases) => {
  test.each(cases)('is refused for %s', async (_, change, why) => {
    const { plan, server } = await stage(change(SCENES[id]!));
    const planned = await plan();
    expect(refusals(planned).join('\n')).toMatch(why);
    expect(JSON.stringify(planned)).not.toContain('canary');
    expect(server.writes).toEqual([]);
  });
});

test('a pod that was ready once speaks against a template that never worked', async () => {
  const scene = SCENES['kubernetes.undo-rollout']!;
  const newest = scene.objects.find(({ kind, metadata }) => kind === 'ReplicaSet' && metadata.name === 'query-2')!;
  const of = { ...newest, metadata: { ...newest.metadata, uid: 'uid-query-2' } };
  const times = { startTime: '2026-11-01T00:00:00Z' };
  const condition = { type: 'Ready', status: 'False', lastTransitionTime: '2026-11-01T05:00:00Z' };
  const once = pod(of, 'query-2-x', { status: { ...times, conditions: [condition] } });
  const objects = [...scene.objects.map(one => (one === newest ? of : one)), once];
  const { plan } = await stage({ ...scene, objects });
  expect(refusals(await plan()).join()).toMatch(/new-never-ready failed: query-2-x was ready once/);
});

test('a Grafana whose sidecar reloads datasources is not restarted', async () => {
  const scene = SCENES['grafana.set-datasource-url']!;
  const env = Object.entries({ LABEL: 'grafana_datasource', REQ_URL: 'http://localhost:3000/reload' });
  const sidecar = { name: 'sidecar', image: 'example/sidecar:1', env: env.map(([name, value]) => ({ name, value })) };
  const changed = object('Deployment', 'grafana', found => {
    const next = structuredClone(found);
    next.spec.template.spec.containers.push(sidecar);
    return next;
  })(scene);
  const { plan, apply, server } = await stage(changed);
  const planned = await plan();
  expect(refusals(planned)).toEqual([]);
  expect(planned.steps.map(step => step.do)).toEqual(['edit-text']);
  expect(await apply(planned)).toMatchObject({ outcome: 'fixed' });
  expect(server.find('ConfigMap', 'ns', 'datasources')!.data['datasources.yaml']).toContain(
    'url: "http://query.ns.svc:9090/" # once',
  );
});

test('a deletion mark is taken away only while the Compactor waits', async () => {
  const scene = given({ mark: 'deletion' })(SCENES['bucket.unmark']!);
  const marked = (age: number) =>
    blocks(one => ({
      ...one,
      marks: { ...one.marks, deletion: true, deletionAt: '2026-11-22T00:00:00Z', deletionAge: age },
    }))(scene);
  const upkeep = evidence('bucket.upkeep', [
    { bucketKey: 'Bucket thanos@127.0.0.1:1', prefix: undefined, deleteDelay: 172_800 },
  ]);
  expect(refusals(await (await stage(upkeep(marked(3600)))).plan())).toEqual([]);
  expect(refusals(await (await stage(upkeep(marked(172_800)))).plan()).join()).toMatch(/within-the-delay failed/);
  expect(refusals(await (await stage(marked(3600))).plan()).join()).toMatch(/within-the-delay unknown/);
});

test('a claim grows to what the finding says at least', async () => {
  const scene = SCENES['kubernetes.expand-claim']!;
  const { plan } = await stage(given({ least: String(40 * 1024 ** 3) })(scene));
  expect((await plan()).steps[0]).toMatchObject({ changes: [{ after: '40Gi' }] });
});
