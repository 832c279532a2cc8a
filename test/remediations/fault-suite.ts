import { describe, expect, test } from 'vitest';
import type { BucketFault } from '../mutable-server/buckets.ts';
import type { Call, Fault, MutableServer } from '../mutable-server/server.ts';
import { stateOf, withoutBackups } from './action-suite.ts';
import { refusals, type Scene, type Stage, type StartServer, stage as stageOn } from './harness.ts';
import { ALL_SCENES } from './scenes.ts';

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['409', { is: 'status', status: 409, reason: 'Conflict' }],
  ['429', { is: 'status', status: 429, reason: 'TooManyRequests' }],
  ['500', { is: 'status', status: 500, reason: 'InternalError' }],
  ['500 once it was done', { is: 'status', status: 500, reason: 'InternalError', applied: true }],
  ['cut', { is: 'cut', applied: false }],
  ['cut once it was done', { is: 'cut', applied: true }],
];

/** The scene, with a fault at its n-th write. */
function withFault(scene: Scene, at: number, fault: Fault): Scene {
  let count = 0;
  return {
    ...scene,
    server: {
      ...scene.server,
      fault: ({ dryRun }) => {
        if (dryRun) return undefined;
        count += 1;
        return count === at ? fault : undefined;
      },
    },
  };
}

const BUCKET_FAULTS: readonly (readonly [string, BucketFault])[] = [
  ['503', { status: 503, applied: false }],
  ['500 once it was done', { status: 500, applied: true }],
  ['403', { status: 403, applied: false }],
  ['cut', { applied: false }],
  ['cut once it was done', { applied: true }],
];

async function endsWell(here: Stage, start: unknown, goal: unknown, name: string): Promise<void> {
  const planned = await here.plan();
  let report = await here.apply(planned);
  if (here.journal.lines.at(-1)?.is !== 'outcome') report = await here.resume();
  if (report.outcome === 'fixed') {
    expect(withoutBackups(stateOf(here)), name).toEqual(goal);
    return;
  }
  if (report.applied.length === 0) {
    expect(report.outcome, name).toBe('refused');
    expect(stateOf(here), name).toEqual(start);
    return;
  }
  expect(report.outcome, name).toBe('failed');
  if (planned.undo.steps.length === 0) return;
  expect(await here.undo(), `undo after ${name}`).toMatchObject({ outcome: 'fixed' });
  expect(stateOf(here), `undo after ${name}`).toEqual(start);
}

/**
 * What goes wrong with the writes of every action, on whatever server. `replaces`: the server can put another object in
 * the place of one while it is asked to change it.
 */
export function describeFaults(start: StartServer, replaces: boolean): void {
  const stage = (scene: Scene) => stageOn(scene, start);
  describe.each(Object.entries(ALL_SCENES))('%s', (_, scene) => {
    test('ends well whatever happens to any of its writes', async () => {
      const whole = await stage(scene);
      const start = stateOf(whole);
      await whole.apply(await whole.plan());
      const goal = withoutBackups(stateOf(whole));
      for (let at = 1; at <= whole.server.writes.length; at += 1) {
        for (const [name, fault] of FAULTS) {
          await endsWell(
            await stage(withFault(scene, at, fault)),
            start,
            goal,
            `a ${name} at ${whole.server.writes[at - 1]}`,
          );
        }
      }
    });

    test.skipIf(!scene.buckets)('ends well whatever the object store answers', async () => {
      const whole = await stage(scene);
      const start = stateOf(whole);
      await whole.apply(await whole.plan());
      const goal = withoutBackups(stateOf(whole));
      expect(whole.bucketWrites.length).toBeGreaterThan(0);
      for (let at = 1; at <= whole.bucketWrites.length; at += 1) {
        for (const [name, fault] of BUCKET_FAULTS) {
          const here = await stage({ ...scene, bucketFault: write => (write === at ? fault : undefined) });
          await endsWell(here, start, goal, `a ${name} at ${whole.bucketWrites[at - 1]}`);
        }
      }
    });

    test.skipIf(!replaces)('leaves alone what was made again under the same name, whenever that happens', async () => {
      const whole = await stage(scene);
      await whole.apply(await whole.plan());
      const changed = whole.server.writes.filter(
        write => !/^POST|\/leases\//.test(write) || write.endsWith('/eviction'),
      );
      for (const write of new Set(changed)) {
        let replaced: unknown;
        let server: MutableServer | undefined;
        const replace = ({ method, path, dryRun }: Call) => {
          if (dryRun || replaced || `${method} ${path}` !== write) return undefined;
          const live = server!.at(path);
          // What somebody else makes does not carry the mark of a plan.
          replaced = live && server!.put({ ...live, metadata: { ...live.metadata, annotations: {}, uid: 'another' } });
          return undefined;
        };
        const here = await stage({ ...scene, server: { ...scene.server, fault: replace } });
        server = here.server;
        const report = await here.apply(await here.plan());
        expect(server.at(write.split(' ')[1]!), write).toEqual(replaced);
        // What was to be deleted is gone; what was to be changed is another object now.
        if (!/^DELETE|eviction$/.test(write)) expect(['refused', 'failed'], write).toContain(report.outcome);
      }
    });

    test('changes nothing where a webhook refuses what it had let pass as a dry run', async () => {
      const admission = ({ dryRun, path }: Call) => (dryRun || path.includes('/leases') ? undefined : 'not on Fridays');
      const here = await stage({ ...scene, server: { ...scene.server, admission } });
      const start = stateOf(here);
      const planned = await here.plan();
      expect(refusals(planned)).toEqual([]);
      const report = await here.apply(planned);
      if (here.hasBuckets) return;
      expect(report).toMatchObject({
        outcome: 'refused',
        applied: [],
        detail: expect.stringContaining('not on Fridays'),
      });
      expect(stateOf(here)).toEqual(start);
    });
  });
}
