import { describe, expect, test } from 'vitest';
import type { AuditLine, Draft, Step } from '../../src/model/remediation.ts';
import type { RawObject } from '../../src/model/source.ts';
import { noRollout } from '../../src/remediations/middle.ts';
import { targetOf } from '../../src/remediations/targets.ts';
import type { Answer } from '../../src/simulator/answers.ts';
import { refusals, type Scene, stage } from './harness.ts';
import { node, pod, SCENES, workload } from './scenes.ts';

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
        server: {
          other: answering(
            403,
            '{"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden"}',
          ),
        },
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

describe('prometheus.extend-startup-budget', () => {
  const scene = SCENES['prometheus.extend-startup-budget']!;
  const [hit] = (scene.evidence!['logs.signatures'] as RawObject).hits as readonly RawObject[];
  const withHits = (...hits: readonly RawObject[]): Scene => ({
    ...scene,
    evidence: { ...scene.evidence, 'logs.signatures': { hits } },
  });

  test('gives twice the time that the whole replay takes by its pace', async () => {
    const planned = await (await stage(scene)).plan();
    // 900 s for 80 of 100 segments at 10 s each, and 20 more.
    expect(planned.diffs[0]!.lines).toEqual(['+ spec.maximumStartupDurationSeconds: 2220']);
  });

  test.each<[string, Scene, RegExp]>([
    ['a log without segments', withHits(), /^replay-progresses failed: the log .* names no segment/],
    [
      'one that stands',
      withHits({ ...hit, last: '2026-11-23T07:38:00Z' }),
      /^replay-progresses failed: prometheus-main-0 stands at segment 80/,
    ],
    [
      'a log that was not read',
      { ...scene, evidence: { ...scene.evidence, 'logs.signatures': undefined } },
      /^evidence-known unknown/,
    ],
  ])('is refused for %s', async (_, given, why) => {
    expect(await refusalsOf(given)).toEqual([expect.stringMatching(why)]);
  });

  test('the last segment is not the end: what comes after it says nothing', async () => {
    const done = { ...hit, last: '2026-11-23T07:38:00Z', captured: { segment: '100', last: '100' } };
    expect(await refusalsOf(withHits(done))).toEqual([]);
  });
});

describe('cilium.announce-load-balancer-addresses', () => {
  const scene = SCENES['cilium.announce-load-balancer-addresses']!;
  const [row] = scene.evidence!['cilium.load-balancers'] as readonly RawObject[];
  const withRows = (...rows: readonly RawObject[]): Scene => ({
    ...scene,
    evidence: { ...scene.evidence, 'cilium.load-balancers': rows },
  });
  const withPolicy = (spec: RawObject): Scene => ({
    ...scene,
    objects: scene.objects.map(object =>
      object.kind === 'CiliumL2AnnouncementPolicy' ? { ...object, spec: { ...object.spec, ...spec } } : object,
    ),
  });

  test.each<[string, Scene, RegExp]>([
    [
      'another cluster that announces it',
      withRows(row!, { service: { key: 'Service ns/other' }, ips: row!.ips, fault: { name: '' }, l2: { holder: 'n' } }),
      /^address-not-announced-elsewhere failed: n announces 10.0.0.8 for Service ns\/other/,
    ],
    ['nobody who waits', withRows(), /^policy-matches-service-and-node failed: no Service waits for it/],
    [
      'a policy for other Services',
      withPolicy({ serviceSelector: { matchLabels: { app: 'other' } } }),
      /^policy-matches-service-and-node failed: it does not take Service ns\/edge/,
    ],
    [
      'a policy for other nodes',
      withPolicy({ nodeSelector: { matchLabels: { zone: 'b' } } }),
      /^policy-matches-service-and-node failed: it takes no node that is ready/,
    ],
    [
      'addresses that were not read',
      { ...scene, evidence: { 'cilium.config': { l2Announcements: true } } },
      /^policy-matches-service-and-node unknown/,
    ],
  ])('is refused with %s', async (_, given, why) => {
    expect((await refusalsOf(given))[0]).toMatch(why);
  });
});

describe('what was done already', () => {
  /** As if the scene's fix had been made an hour ago. */
  async function again(id: string, change: (lines: AuditLine[]) => void = () => {}): Promise<readonly string[]> {
    const { plan, journal } = await stage(SCENES[id]!);
    const planned = await plan();
    const time = new Date(Date.now() - 3_700_000).toISOString();
    journal.lines.push(
      { is: 'begin', id: 'x', mode: 'fix', undoes: '', plan: planned, who: '', reason: '', at: time, time },
      ...planned.steps.map((step, index) => ({
        is: 'result' as const,
        id: 'x',
        step: index,
        title: step.title,
        how: 'applied' as const,
        object: `${step.target.kind} ns/${step.target.name}`,
        after: {},
        time,
      })),
      {
        is: 'outcome',
        id: 'x',
        finding: planned.finding,
        cluster: planned.cluster,
        action: planned.action,
        digest: planned.digest,
        outcome: { is: 'fixed', detail: '' },
        time,
      },
    );
    change(journal.lines);
    return refusals(await plan());
  }

  test.each(['prometheus.raise-memory-limit', 'kubernetes.raise-memory-limit'])('%s', async id => {
    expect(await again(id)).toEqual([expect.stringMatching(/^not-raised-twice-today failed: it was raised at/)]);
    const old = (lines: AuditLine[]) => {
      for (const [at, line] of lines.entries()) lines[at] = { ...line, time: '2026-01-01T00:00:00Z' };
    };
    expect(await again(id, old)).toEqual([]);
  });

  test('thanos.restart-halted-compactor, for the same', async () => {
    const id = 'thanos.restart-halted-compactor';
    expect(await again(id)).toEqual([
      expect.stringMatching(/^not-restarted-for-this-before failed: .*halted on overlap/),
    ]);
    const forAnother = (lines: AuditLine[]) => {
      const [begin] = lines;
      if (begin?.is === 'begin')
        lines[0] = { ...begin, plan: { ...begin.plan, notes: ['it had halted on disk-full'] } };
    };
    expect(await again(id, forAnother)).toEqual([]);
  });
});

describe('bucket.mark-no-compact', () => {
  const scene = SCENES['bucket.mark-no-compact']!;
  const [workloads] = [scene.evidence!['thanos.workloads'] as readonly RawObject[]];

  test.each([
    ['0.21.0', /^marks-are-honoured failed: version 0.21.0 passes over them/],
    ['', /^marks-are-honoured failed: which version/],
  ])('is refused with a Compactor of version "%s"', async (version, why) => {
    const evidence = { ...scene.evidence, 'thanos.workloads': [{ ...workloads![0], version }] };
    expect(await refusalsOf({ ...scene, evidence })).toEqual([expect.stringMatching(why)]);
  });

  test('restarts the Compactor only where it halted on this very block', async () => {
    const [row] = scene.evidence!['thanos.compactors'] as readonly RawObject[];
    const other = { ...scene.evidence, 'thanos.compactors': [{ ...row, haltBlocks: ['01KB0000000000000000000000'] }] };
    expect((await (await stage(scene)).plan()).steps.map(step => step.do)).toEqual(['put-mark', 'restart', 'wait']);
    expect((await (await stage({ ...scene, evidence: other })).plan()).steps.map(step => step.do)).toEqual([
      'put-mark',
    ]);
  });
});

test.each<[string, string, (scene: Scene) => Scene, RegExp]>([
  [
    'a revision that is older than the pod',
    'kubernetes.delete-stuck-revision-pod',
    scene => ({
      ...scene,
      objects: scene.objects.map(object =>
        object.metadata.name === 'revision-1' ? { ...object, revision: 3 } : object,
      ),
    }),
    /^template-newer-than-pod failed: revision 3 of the pod is newer than 2/,
  ],
  [
    'revisions that are gone',
    'kubernetes.delete-stuck-revision-pod',
    scene => ({ ...scene, objects: scene.objects.filter(({ kind }) => kind !== 'ControllerRevision') }),
    /^template-newer-than-pod failed: which of the revisions/,
  ],
  [
    'a port that another monitor scrapes',
    'monitoring.add-selector-label',
    scene => ({
      ...scene,
      evidence: {
        'prometheus-operator.selection': [
          {
            ...(scene.evidence!['prometheus-operator.selection'] as readonly RawObject[])[0],
            matchedPods: [{ key: 'Pod ns/store-0' }],
          },
        ],
        'prometheus.targets': [
          {
            targets: [
              { pod: { key: 'Pod ns/store-0' }, labels: { endpoint: 'http' }, monitor: { key: 'PodMonitor ns/other' } },
            ],
          },
        ],
      },
    }),
    /^not-a-duplicate failed: Pod ns\/store-0, port http, is scraped by PodMonitor ns\/other already/,
  ],
  [
    'overlaps at which a Compactor works',
    'prometheus.set-external-labels',
    scene => ({
      ...scene,
      evidence: {
        ...scene.evidence,
        'bucket.groups': [{ bucketKey: 'b', labelText: '{}', overlaps: [{}] }],
        'thanos.compactors': [
          { bucketKey: 'b', running: true, halted: false, workload: { key: 'StatefulSet ns/compact' } },
        ],
      },
    }),
    /^compactor-halted-or-off failed: blocks of \{\} overlap, and StatefulSet ns\/compact works on them/,
  ],
  [
    'a version that does not know the flag',
    'thanos.set-flag',
    scene => ({
      ...scene,
      objects: JSON.parse(JSON.stringify(scene.objects).replace('v0.40.1', 'v0.22.0')),
    }),
    /^flag-known-in-that-version failed: version 0.22.0 does not know --endpoint/,
  ],
  [
    'a version that nobody tells',
    'thanos.set-flag',
    scene => ({ ...scene, objects: JSON.parse(JSON.stringify(scene.objects).replace('v0.40.1', 'latest')) }),
    /^flag-known-in-that-version unknown/,
  ],
])('%s: %s refuses', async (_, id, change, why) => {
  expect(await refusalsOf(change(SCENES[id]!))).toEqual([expect.stringMatching(why)]);
});

test('a Compactor at work is not interrupted, unless that is accepted', async () => {
  const restart = SCENES['kubernetes.restart-workload']!;
  const compact = SCENES['bucket.mark-no-compact']!.objects.find(({ kind }) => kind === 'StatefulSet')!;
  const working = (todo: number): Scene => ({
    ...restart,
    with: { workload: 'StatefulSet ns/compact' },
    objects: [compact],
    evidence: { 'thanos.compactors': [{ workload: { key: 'StatefulSet ns/compact' }, running: true, todo }] },
  });
  expect(await refusalsOf(working(0))).toEqual([]);
  expect(await refusalsOf(working(2))).toEqual([
    'not-the-compactor-mid-upload failed: it has 2 compactions to do: --accept-downtime interrupts it all the same',
  ]);
  expect(await refusalsOf({ ...working(2), wishes: { downtime: true } })).toEqual([]);
});

test('more replicas than nodes that can have one keep a claim from growing', async () => {
  const scene = SCENES['kubernetes.expand-claim']!;
  const volume = {
    apiVersion: 'longhorn.io/v1beta2',
    kind: 'Volume',
    metadata: { name: 'pv-data', namespace: 'storage' },
    spec: { numberOfReplicas: 3, size: '10737418240' },
    status: { robustness: 'healthy', conditions: [{ type: 'Scheduled', status: 'True' }] },
  };
  const given = (nodes: number): Scene => ({
    ...scene,
    objects: [
      ...scene.objects.map(object =>
        object.kind === 'StorageClass' ? { ...object, provisioner: 'driver.longhorn.io' } : object,
      ),
      volume,
    ],
    evidence: {
      'longhorn.volumes': [{ name: 'pv-data', namespace: 'storage', robustness: 'healthy' }],
      'longhorn.nodes': Array.from({ length: nodes }, () => ({ disks: [{ schedulable: true, available: 1e12 }] })),
    },
  });
  expect(await refusalsOf(given(3))).toEqual([]);
  expect(await refusalsOf(given(2))).toEqual([
    'replicas-fit-nodes failed: volume pv-data wants 3 replicas, and 2 nodes can have one: lower their number first',
  ]);
});

describe('in the middle of something', () => {
  const scene = SCENES['prometheus.lengthen-retention']!;
  const owner = [{ kind: 'Prometheus', name: 'main', uid: 'uid-main', controller: true }];
  const set = workload('StatefulSet', 'prometheus-main', {
    metadata: { ownerReferences: owner, generation: 2 },
    status: { observedGeneration: 2 },
  });
  const replica = pod(set, 'prometheus-main-0');

  test('a Prometheus that is being rolled out is left alone', async () => {
    const running = { ...set, status: { ...set.status, observedGeneration: 1 } };
    expect(await refusalsOf({ ...scene, objects: [...scene.objects, running] })).toEqual([
      'no-other-change-running failed: the pods of Prometheus ns/main are being replaced now',
    ]);
    expect(await refusalsOf({ ...scene, objects: [...scene.objects, set] })).toEqual([]);
  });

  test('so is a ThanosRuler, and one that is paused', async () => {
    const kind = 'ThanosRuler';
    const resource = (spec: RawObject) => ({
      apiVersion: 'monitoring.coreos.com/v1',
      kind,
      metadata: { name: 'main', namespace: 'ns', uid: 'uid-main' },
      spec,
    });
    const target = targetOf(kind, 'ns', 'main');
    const steps: readonly Step[] = [{ do: 'change', title: '', target, uid: 'uid-main', changes: [] }];
    const answer = async (...objects: readonly RawObject[]) =>
      noRollout(steps, {} as Draft, (await stage({ ...scene, objects })).writer);
    const made = { ...set, metadata: { ...set.metadata, ownerReferences: [{ ...owner[0], kind }] } };
    expect(await answer(resource({}), made)).toBe(true);
    expect(await answer(resource({ paused: true }), made)).toBe(`${kind} ns/main is paused`);
    const running = { ...made, status: { ...made.status, observedGeneration: 1 } };
    expect(await answer(resource({}), running)).toBe(`the pods of ${kind} ns/main are being replaced now`);
  });

  test.each(['MemoryPressure', 'DiskPressure', 'PIDPressure'])(
    'nothing is started anew on a node with %s',
    async type => {
      const pressed = node('node-1', { status: { conditions: [{ type, status: 'True' }] } });
      expect(await refusalsOf({ ...scene, objects: [...scene.objects, set, replica, pressed] })).toEqual([
        `not-in-the-middle failed: node node-1 has ${type}`,
      ]);
      const other = { ...pressed, metadata: { name: 'node-2' } };
      expect(await refusalsOf({ ...scene, objects: [...scene.objects, set, replica, node('node-1'), other] })).toEqual(
        [],
      );
    },
  );

  test('nodes that cannot be listed refuse', async () => {
    const objects = [...scene.objects, set, replica, node('node-1')];
    const other = ({ pathname }: URL): Answer | undefined =>
      pathname === '/api/v1/nodes'
        ? {
            is: 'answer',
            status: 403,
            headers: {},
            body: Buffer.from('{"kind":"Status","apiVersion":"v1","code":403}'),
          }
        : undefined;
    expect(await refusalsOf({ ...scene, objects, server: { other } })).toEqual([
      expect.stringMatching(/^not-in-the-middle unknown/),
    ]);
  });

  test('pods of a Deployment are found through its ReplicaSets', async () => {
    const restart = SCENES['kubernetes.restart-workload']!;
    const deployment = restart.objects.find(({ kind }) => kind === 'Deployment')!;
    const replicas = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: 'resizer-1',
        namespace: 'ns',
        uid: 'uid-rs',
        ownerReferences: [{ kind: 'Deployment', name: 'resizer', uid: deployment.metadata.uid, controller: true }],
      },
      spec: {},
    };
    const of = { kind: 'ReplicaSet', metadata: { name: 'resizer', uid: 'uid-rs' } };
    const pressed = node('node-1', { status: { conditions: [{ type: 'DiskPressure', status: 'True' }] } });
    const objects = [deployment, replicas, pod(of, 'resizer-1-a'), pod(of, 'resizer-1-b'), pressed];
    expect(await refusalsOf({ ...restart, objects })).toEqual([
      'not-in-the-middle failed: node node-1 has DiskPressure',
    ]);
  });
});
