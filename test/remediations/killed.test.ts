import { beforeAll, describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { type Program, program, type Started } from '../cli/program.ts';
import { CONTROLLERS, type Controller } from '../mutable-server/controllers.ts';
import { stateOfCluster } from './harness.ts';
import { node, pod, workload } from './scenes.ts';
import { RULE, type Site, site } from './site.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

const QUERY_CONTAINER = { name: 'query', image: 'quay.io/thanos/thanos:v0.40.1', args: ['query'] };
const QUERY = workload('Deployment', 'query', {
  spec: { replicas: 0, template: { metadata: { labels: { app: 'query' } }, spec: { containers: [QUERY_CONTAINER] } } },
});

/** The pod that the controllers make of a Query that was scaled up. */
const startQuery: Controller = (cluster, _before, after) => {
  if (after?.metadata.name !== 'query' || after.kind !== 'Deployment') return;
  const running = cluster.find('Pod', 'ns', 'query-1');
  if (after.spec.replicas === 0 && running) cluster.remove(running);
  if (after.spec.replicas === 0 || running) return;
  const status = { ready: true, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } };
  cluster.put(
    pod(QUERY, 'query-1', {
      spec: { containers: [QUERY_CONTAINER] },
      status: { containerStatuses: [{ name: 'query', image: QUERY_CONTAINER.image, imageID: '', ...status }] },
    }),
  );
};

interface Case {
  readonly rule: string;
  readonly objects: readonly RawObject[];
  readonly controllers?: readonly Controller[];
}

const CORDONED = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' };

/** One step; a step that is waited for; and several, with a copy kept in the cluster and a restart. */
const CASES: Readonly<Record<string, Case>> = {
  'a node that is uncordoned': {
    rule: 'node-cordoned',
    objects: [node('node-2', { spec: { unschedulable: true, taints: [CORDONED] } })],
  },
  'a Query that is scaled up': {
    rule: 'query-not-running',
    objects: [QUERY],
    controllers: [...CONTROLLERS, startQuery],
  },
  'a store that speaks HTTP': { rule: RULE, objects: [] },
};

const KINDS = ['Secret', 'StatefulSet', 'Deployment', 'Node'];
const stateOf = ({ server }: Site) =>
  (stateOfCluster(server, KINDS) as readonly { readonly kind: string; readonly name: string }[]).filter(
    ({ kind, name }) => kind !== 'Secret' || !name.startsWith('thanos-doctor-'),
  );
const copies = ({ server }: Site) => server.all('Secret').filter(({ metadata }) => metadata.name !== 'objstore');

/** A process that dies with kill -9 when its n-th write arrives: before the server does it, or before it hears of it. */
async function killed(
  of: Case,
  at: number,
  when: 'before' | 'after',
): Promise<{ here: Site; before: unknown; dead: boolean }> {
  let count = 0;
  let child: Started | undefined;
  const here = await site({
    ...(of.controllers ? { controllers: of.controllers } : {}),
    fault: ({ dryRun }) => {
      if (!dryRun) count += 1;
      if (dryRun || count !== at || !child) return undefined;
      child.kill('SIGKILL');
      child = undefined;
      return when === 'before' ? { is: 'cut', applied: false } : undefined;
    },
  });
  for (const object of of.objects) here.server.put(object);
  const before = stateOf(here);
  child = doctor.start(['fix', of.rule, '--yes'], { env: here.environment });
  const { signal, code, stderr } = await child.result;
  if (signal !== 'SIGKILL') expect(code, stderr).toBe(0);
  return { here, before, dead: signal === 'SIGKILL' };
}

async function history({ environment }: Site): Promise<readonly { id: string; mode: string; outcome: string }[]> {
  return JSON.parse((await doctor.run(['fix', '--history', '--format', 'json'], environment)).stdout);
}

describe.each(Object.entries(CASES))('kill -9 in the middle of %s', (_, of) => {
  test.each(['before', 'after'] as const)(
    '%s each write: it is gone on with, or taken back',
    async when => {
      const whole = await killed(of, 0, when);
      const goal = stateOf(whole.here);
      expect(goal).not.toEqual(whole.before);
      const withStore = (state: unknown) => JSON.stringify(state).replaceAll(/"store\.yml":"[^"]*"/g, '');
      for (let at = 1; at <= whole.here.server.writes.length; at += 1) {
        const { here, before, dead } = await killed(of, at, when);
        expect(dead, `write ${at}`).toBe(true);
        const [attempt, ...others] = await history(here);
        expect(others).toEqual([]);
        expect(attempt).toMatchObject({ mode: 'fix', outcome: 'not ended' });
        const undoes = at % 2 === 0;
        const args = undoes ? ['fix', '--undo', attempt!.id, '--yes'] : ['fix', '--resume', '--yes'];
        const { stdout, stderr, code } = await doctor.run(args, here.environment);
        const what = `${args.join(' ')} after a kill ${when} write ${at}: ${stdout}${stderr}`;
        expect(stdout, what).toMatch(/^fixed: /m);
        expect(code, what).toBe(0);
        // The port of the store is another one in each run: how its text is edited is tested elsewhere.
        if (undoes) expect(stateOf(here), what).toEqual(before);
        else expect(withStore(stateOf(here)), what).toBe(withStore(goal));
        if (undoes) expect(copies(here), what).toEqual([]);
        const ends = (await history(here)).map(({ mode, outcome }) => `${mode} ${outcome}`);
        expect(ends, what).toEqual(undoes ? ['fix taken back', 'undo fixed'] : ['fix fixed']);
        expect(
          here.server.find('Lease', of.rule === 'node-cordoned' ? 'kube-system' : 'ns', 'thanos-doctor')?.spec
            .holderIdentity,
          what,
        ).toBe('');
        const again = await doctor.run(['fix', '--resume', '--yes'], here.environment);
        expect(again.stderr, what).toMatch(/there is nothing to resume/);
      }
    },
    120_000,
  );
});
