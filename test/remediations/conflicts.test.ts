import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { openAttempts } from '../../src/remediations/history.ts';
import { type Controller, rollout } from '../mutable-server/controllers.ts';
import type { Call, Fault } from '../mutable-server/server.ts';
import { Killed, refusals, stage, stateOfCluster } from './harness.ts';
import { base64, node, PLAIN_HTTP, pod, RELEASE, SCENES, STORE_TEXT, secret, workload } from './scenes.ts';

const EDITED = STORE_TEXT.replace('"s3.example"\n', '"s3.example"\n  insecure: true\n');
const textOf = (server: Awaited<ReturnType<typeof stage>>['server']) =>
  Buffer.from(server.find('Secret', 'ns', 'objstore')!.data['store.yml'], 'base64').toString('utf8');

const isSecretPatch = ({ method, path, dryRun }: Call) => method === 'PATCH' && path.endsWith('/objstore') && !dryRun;

/** The fault, the first `times` times. */
function faulty(fault: Fault, times: number, when: (call: Call) => boolean = isSecretPatch) {
  let left = times;
  return (call: Call) => {
    if (!when(call) || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

describe('between plan and confirmation', () => {
  test('a changed object makes another plan', async () => {
    const { server, plan } = await stage(PLAIN_HTTP);
    const before = await plan();
    const live = server.find('Secret', 'ns', 'objstore')!;
    server.put({ ...live, data: { ...live.data, other: base64('changed') } });
    expect((await plan()).digest).not.toBe(before.digest);
  });

  test('an object that was deleted, or made again under its name, makes another plan', async () => {
    const { server, plan } = await stage(PLAIN_HTTP);
    const before = await plan();
    const live = server.find('Secret', 'ns', 'objstore')!;
    server.remove(live);
    expect(refusals(await plan())).toEqual(['object-there failed: Secret ns/objstore does not exist']);
    server.put({ ...live, metadata: { ...live.metadata, uid: 'another' } });
    expect((await plan()).digest).not.toBe(before.digest);
  });

  test('the time between two plans makes no difference', async () => {
    const { plan } = await stage(PLAIN_HTTP);
    expect((await plan()).digest).toBe((await plan()).digest);
  });
});

describe('between confirmation and write', () => {
  test.each([
    ['changed', { data: { 'store.yml': base64(STORE_TEXT.replace('thanos', 'other')) } }],
    [
      'set by somebody else',
      { data: { 'store.yml': base64(STORE_TEXT.replace('"s3.example"\n', '"s3.example"\n  insecure: false\n')) } },
    ],
    ['made again', { metadata: { uid: 'another' } }],
  ])('an object that was %s is left alone', async (what, change) => {
    const { server, plan, apply } = await stage(PLAIN_HTTP);
    const planned = await plan();
    const live = server.find('Secret', 'ns', 'objstore')!;
    const theirs = server.put({
      ...live,
      ...change,
      metadata: { ...live.metadata, ...('metadata' in change ? change.metadata : {}) },
    });
    const report = await apply(planned);
    if (what === 'changed') {
      // Another line was changed: ours is written beside it, and theirs stays.
      expect(textOf(server)).toContain('bucket: other');
      return;
    }
    expect(['refused', 'failed']).toContain(report.outcome);
    expect(server.find('Secret', 'ns', 'objstore')).toEqual(theirs);
  });

  test('an object that was deleted is not made again', async () => {
    const { server, plan, apply } = await stage(PLAIN_HTTP);
    const planned = await plan();
    server.remove(server.find('Secret', 'ns', 'objstore')!);
    expect(await apply(planned)).toMatchObject({ outcome: 'refused', applied: [] });
    expect(server.find('Secret', 'ns', 'objstore')).toBeUndefined();
  });

  test('a field that is neither as before nor as planned is left alone', async () => {
    const { server, plan, apply } = await stage(SCENES['prometheus.lengthen-retention']!);
    const planned = await plan();
    const live = server.find('Prometheus', 'ns', 'main')!;
    server.put({ ...live, spec: { retention: '12h' } });
    expect(await apply(planned)).toMatchObject({ outcome: 'refused', applied: [] });
    expect(server.find('Prometheus', 'ns', 'main')!.spec.retention).toBe('12h');
  });

  test('what was done by somebody else meanwhile is not done twice', async () => {
    const { server, plan, apply, journal } = await stage(SCENES['prometheus.lengthen-retention']!);
    const planned = await plan();
    const live = server.find('Prometheus', 'ns', 'main')!;
    server.put({ ...live, spec: { retention: '6h' } });
    expect(await apply(planned)).toMatchObject({ outcome: 'fixed', applied: [] });
    expect(server.writes.filter(write => write.includes('prometheuses'))).toEqual([]);
    expect(journal.lines.find(line => line.is === 'result')).toMatchObject({ how: 'held already' });
  });
});

describe('in the middle', () => {
  const passing: readonly [string, Fault, number][] = [
    ['a 409, once', { is: 'status', status: 409, reason: 'Conflict' }, 1],
    ['a 429, twice', { is: 'status', status: 429, reason: 'TooManyRequests' }, 2],
    ['a 500, once', { is: 'status', status: 500, reason: 'InternalError' }, 1],
    ['a 500 after it was applied', { is: 'status', status: 500, reason: 'InternalError', applied: true }, 1],
    ['a connection that was cut before', { is: 'cut', applied: false }, 2],
    ['a connection that was cut after', { is: 'cut', applied: true }, 1],
  ];

  test.each(passing)('%s ends well, and nothing is done twice', async (_, fault, times) => {
    const { server, plan, apply } = await stage({ ...PLAIN_HTTP, server: { fault: faulty(fault, times) } });
    expect(await apply(await plan())).toMatchObject({ outcome: 'fixed' });
    expect(textOf(server)).toBe(EDITED);
    expect(server.all('Secret')).toHaveLength(2);
  });

  test.each(passing)('%s, at whatever is created', async (_, fault, times) => {
    const isCreation = ({ method, dryRun }: Call) => method === 'POST' && !dryRun;
    const { server, plan, apply } = await stage({ ...PLAIN_HTTP, server: { fault: faulty(fault, times, isCreation) } });
    const report = await apply(await plan());
    if (report.outcome !== 'fixed') expect(report).toMatchObject({ outcome: 'refused', applied: [] });
    else expect(textOf(server)).toBe(EDITED);
    expect(server.all('Secret').length).toBeLessThan(3);
  });

  test.each([
    ['409', { is: 'status', status: 409, reason: 'Conflict' }],
    ['429', { is: 'status', status: 429, reason: 'TooManyRequests' }],
    ['500', { is: 'status', status: 500, reason: 'InternalError' }],
    ['403', { is: 'status', status: 403, reason: 'Forbidden' }],
  ] as const)('a %s that stays is said, with what was applied, and can be undone', async (_, fault) => {
    const restart = ({ method, path, dryRun }: Call) =>
      method === 'PATCH' && path.endsWith('/statefulsets/store') && !dryRun;
    let broken = true;
    const { server, plan, apply, undo } = await stage({
      ...PLAIN_HTTP,
      server: { fault: call => (broken && restart(call) ? fault : undefined) },
    });
    const before = stateOfCluster(server, ['Secret', 'StatefulSet']);
    const report = await apply(await plan());
    expect(report.outcome).toBe('failed');
    expect(report.detail).toMatch(/^step 3, restart StatefulSet ns\/store/);
    expect(report.applied).toHaveLength(2);
    expect(report.undo).toMatch(/^thanos-doctor fix --undo /);
    broken = false;
    expect(await undo()).toMatchObject({ outcome: 'fixed' });
    expect(stateOfCluster(server, ['Secret', 'StatefulSet'])).toEqual(before);
  });

  /** The pods come up with the old text only. */
  const wary: Controller = (cluster, before, after) => {
    const text = Buffer.from(cluster.find('Secret', 'ns', 'objstore')!.data['store.yml'], 'base64').toString('utf8');
    if (!text.includes('insecure: true')) rollout(cluster, before, after);
  };

  test('a first reader that does not become ready takes everything back at once', async () => {
    const { plan, apply, server, journal } = await stage({ ...PLAIN_HTTP, server: { controllers: [wary] } });
    const before = stateOfCluster(server, ['Secret', 'StatefulSet']);
    const planned = await plan();
    expect(planned.notes).toContain(
      'everything is taken back at once if StatefulSet ns/store does not come up with it',
    );
    const report = await apply(planned);
    expect(report).toMatchObject({ outcome: 'failed', applied: [], undo: '' });
    expect(report.detail).toMatch(/^step 4, .*did not come about within 5 min; everything was taken back$/);
    expect(textOf(server)).toBe(STORE_TEXT);
    expect(stateOfCluster(server, ['Secret', 'StatefulSet'])).toEqual(before);
    // What was never restarted is not restarted for the undo either.
    expect(server.writes.filter(write => write.endsWith('/statefulsets/prometheus-main'))).toEqual([]);
    expect(openAttempts(journal.lines)).toEqual([]);
  });

  test.each(['before', 'after'] as const)('and a kill %s any call on that way is gone on with', async when => {
    for (let call = 1; ; call += 1) {
      const killed = await stage({ ...PLAIN_HTTP, server: { controllers: [wary] } });
      const planned = await killed.plan();
      killed.killAt(call, when);
      const ended = await killed.apply(planned).catch(error => {
        if (error instanceof Killed) return undefined;
        throw error;
      });
      if (ended) break;
      killed.revive();
      if (killed.journal.lines.length === 0) continue;
      await killed.resume();
      expect(textOf(killed.server), `after a kill ${when} call ${call}`).toBe(STORE_TEXT);
      expect(killed.server.all('Secret')).toHaveLength(1);
      expect(openAttempts(killed.journal.lines)).toEqual([]);
    }
  });

  test('pods that were never ready are not waited for in the undo', async () => {
    const objects = structuredClone(PLAIN_HTTP.objects);
    objects[2].status.readyReplicas = 0;
    const { plan, apply, server } = await stage({ ...PLAIN_HTTP, objects, server: { controllers: [] } });
    const report = await apply(await plan());
    expect(report.detail).toMatch(/everything was taken back$/);
    expect(textOf(server)).toBe(STORE_TEXT);
  });

  test('a Secret that somebody changed after the fix is not undone over', async () => {
    const { server, plan, apply, undo } = await stage(PLAIN_HTTP);
    await apply(await plan());
    const live = server.find('Secret', 'ns', 'objstore')!;
    server.put({ ...live, data: { ...live.data, 'store.yml': base64(EDITED.replace('thanos', 'theirs')) } });
    await expect(undo()).rejects.toThrow(/changed by somebody else/);
  });
});

describe('guards', () => {
  test('a budget refuses an eviction, and is named', async () => {
    const set = workload('StatefulSet', 'set');
    const { server, plan } = await stage({
      ...SCENES['kubernetes.delete-pod']!,
      objects: [
        set,
        pod(set, 'set-0'),
        node('node-1'),
        {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'keep', namespace: 'ns' },
          spec: { minAvailable: 1, selector: { matchLabels: { app: 'set' } } },
          status: { disruptionsAllowed: 0, desiredHealthy: 1, currentHealthy: 1 },
        },
      ],
    });
    expect(refusals(await plan()).join()).toMatch(/dry-run-accepted failed: .*disruption budget.*keep needs 1/);
    expect(server.writes).toEqual([]);
  });

  test('a single replica is not restarted, unless that is accepted', async () => {
    const set = workload('StatefulSet', 'set');
    const scene = {
      ...SCENES['kubernetes.restart-workload']!,
      with: { workload: 'StatefulSet ns/set' },
      objects: [set, pod(set, 'set-0'), node('node-1')],
    };
    expect(refusals(await (await stage(scene)).plan())).toEqual([
      expect.stringMatching(/^second-replica-ready failed/),
    ]);
    expect(refusals(await (await stage({ ...scene, wishes: { downtime: true } })).plan())).toEqual([]);
  });

  test('a short retention with one replica keeps a Prometheus from being restarted', async () => {
    const short = structuredClone(PLAIN_HTTP.objects);
    short[1].spec.template.spec.containers[0].args = ['--storage.tsdb.retention.time=2h'];
    expect(refusals(await (await stage({ ...PLAIN_HTTP, objects: short })).plan())).toEqual([
      'local-data-lasts failed: StatefulSet ns/prometheus-main keeps its data for 2h only, and has no second replica that is ready',
    ]);
  });

  test('what is not known refuses like what is not so', async () => {
    const { plan } = await stage({ ...PLAIN_HTTP, evidence: {} });
    expect(refusals(await plan())).toEqual(['endpoint-speaks-http unknown: network.probe was not given']);
  });

  test.each([
    ['port-written-by-hand', STORE_TEXT.replace('"s3.example"', 's3.example:443')],
    [
      'no-tls-elsewhere',
      STORE_TEXT.replace('  access_key', '  http_config: { tls_config: { ca_file: /a } }\n  access_key'),
    ],
    ['store-parses', 'type: S3\nconfig: ['],
  ])('%s', async (guard, text) => {
    const { plan } = await stage({ ...PLAIN_HTTP, objects: [secret(text), ...PLAIN_HTTP.objects.slice(1)] });
    expect(refusals(await plan()).join()).toContain(`${guard} failed`);
  });

  test('a webhook that would change more refuses', async () => {
    const { plan } = await stage({
      ...PLAIN_HTTP,
      server: {
        mutate: object =>
          object.kind === 'Secret' ? { ...object, data: { ...object.data, injected: 'eA==' } } : object,
      },
    });
    expect(refusals(await plan()).join()).toMatch(/dry-run-accepted failed: .*would also change data.injected/);
  });

  test('a webhook that would change another container of the same list is found out by the dry run', async () => {
    const scene = SCENES['thanos.set-flag']!;
    const injected = { name: 'injected', image: 'example/other:1' };
    const withContainers = (object: RawObject, change: (list: readonly RawObject[]) => readonly RawObject[]) => {
      const { template } = object.spec;
      const containers = change(template.spec.containers);
      const spec = { ...object.spec, template: { ...template, spec: { ...template.spec, containers } } };
      return { ...object, spec };
    };
    const isWorkload = ({ kind }: RawObject) => kind === 'Deployment';
    for (const change of [
      (list: readonly RawObject[]) => [...list, injected],
      (list: readonly RawObject[]) => list.map(container => ({ ...container, image: 'example/thanos:none' })),
    ]) {
      const mutate = (object: RawObject) => (isWorkload(object) ? withContainers(object, change) : object);
      const { plan } = await stage({ ...scene, server: { ...scene.server, mutate } });
      expect(refusals(await plan()).join()).toMatch(
        /dry-run-accepted failed: .*would also change spec.template.spec.containers/,
      );
    }
  });

  test('whoever may not take it back is told so before it is done', async () => {
    const denied = (verb: string) => verb === 'delete';
    const { plan } = await stage({ ...PLAIN_HTTP, server: { denied } });
    expect(refusals(await plan()).join()).toMatch(/may-write failed: you may not delete secrets/);
  });

  test('a text that is no UTF-8 would not stay as it is, byte for byte, and is left alone', async () => {
    const bytes = Buffer.concat([Buffer.from(`${STORE_TEXT}# caf`), Buffer.from([0xe9, 0x0a])]);
    const [first, ...rest] = PLAIN_HTTP.objects;
    const data = { ...first!.data, 'store.yml': bytes.toString('base64') };
    const { plan } = await stage({ ...PLAIN_HTTP, objects: [{ ...first!, data }, ...rest] });
    expect(refusals(await plan())).toEqual([
      'store-parses failed: key store.yml of Secret ns/objstore is no UTF-8 text',
    ]);
  });

  test('two at once: the Lease lets one in, and one that is gone holds nothing', async () => {
    const held = (renewTime: string) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'thanos-doctor', namespace: 'ns' },
      spec: { holderIdentity: 'another', leaseDurationSeconds: 300, renewTime },
    });
    const now = await stage({ ...PLAIN_HTTP, objects: [...PLAIN_HTTP.objects, held(new Date().toISOString())] });
    expect(refusals(await now.plan())).toEqual([
      'no-second-doctor failed: plan another holds the Lease ns/thanos-doctor',
    ]);
    const long = await stage({ ...PLAIN_HTTP, objects: [...PLAIN_HTTP.objects, held('2026-01-01T00:00:00.000000Z')] });
    expect(await long.apply(await long.plan())).toMatchObject({ outcome: 'fixed' });
  });

  test('an attempt that did not help makes the next one wait, until it is taken back', async () => {
    const { plan, apply, undo, journal } = await stage({ ...PLAIN_HTTP, healed: () => false });
    const justNow = () => {
      const time = new Date().toISOString();
      for (const [at, line] of journal.lines.entries()) journal.lines[at] = { ...line, time };
    };
    await apply(await plan());
    justNow();
    const waits = await plan({ objects: PLAIN_HTTP.objects });
    expect(waits.guards.map(({ id }) => id)).toContain('something-to-change');
    await undo();
    justNow();
    expect(refusals(await plan())).toEqual([]);
  });

  test('the same object is not changed again and again', async () => {
    const { plan, journal } = await stage(PLAIN_HTTP);
    const time = new Date().toISOString();
    const planned = await plan();
    journal.lines.push({
      is: 'begin',
      id: 'x',
      mode: 'fix',
      undoes: '',
      plan: planned,
      who: '',
      reason: '',
      at: time,
      time,
    });
    for (let step = 0; step < 3; step += 1) {
      journal.lines.push({
        is: 'result',
        id: 'x',
        step,
        title: '',
        how: 'applied',
        object: 'Secret ns/objstore',
        after: {},
        time,
      });
    }
    const found = refusals(await plan()).join();
    expect(found).toMatch(/budget failed: Secret ns\/objstore was changed 3 times/);
    expect(found).toMatch(/no-other-change-running failed: x was begun/);
  });

  test.each([
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'site:/x' } }],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'site' } }],
    ['Helm', { annotations: { 'meta.helm.sh/release-name': 'stack' } }],
    ['ExternalSecret', { ownerReferences: [{ kind: 'ExternalSecret', name: 's', uid: 'u', controller: true }] }],
  ])('what %s owns is not written, unless that is insisted on', async (who, metadata) => {
    const objects = [
      secret(STORE_TEXT, { metadata: { name: 'objstore', namespace: 'ns', ...metadata } }),
      ...PLAIN_HTTP.objects.slice(1),
      RELEASE,
    ];
    const { plan } = await stage({ ...PLAIN_HTTP, objects });
    const planned = await plan();
    expect(refusals(planned)).toEqual([expect.stringContaining(`comes from ${who}`)]);
    expect(planned.patches[0]?.text).not.toContain('canary');
    expect(refusals(await plan({ wishes: { insist: true } }))).toEqual([]);
  });
});
