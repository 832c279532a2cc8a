import { describe, expect, test } from 'vitest';
import {
  Killed,
  refusals,
  type Scene,
  type Stage,
  type StartServer,
  stage as stageOn,
  stateOfCluster,
} from './harness.ts';
import { ALL_SCENES } from './scenes.ts';

const KINDS = [
  'Secret',
  'ConfigMap',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Node',
  'PersistentVolumeClaim',
  'Prometheus',
  'ServiceMonitor',
  'PodMonitor',
  'PrometheusRule',
  'Service',
  'StorageClass',
  'Volume',
  'Setting',
  'Ingress',
  'NetworkPolicy',
  'CiliumLoadBalancerIPPool',
  'CiliumL2AnnouncementPolicy',
];

/** The cluster's objects, and those of its buckets. The port of a store is another in each run: its Secret is left out. */
export const stateOf = (from: Stage) => [
  ...(stateOfCluster(from.server, from.hasBuckets ? KINDS.slice(1) : KINDS) as readonly { name: string }[]),
  ...from.bucketObjects().map(name => ({ name })),
];

/** The copies that are kept for an undo have another name in each run. */
export const withoutBackups = (state: unknown) =>
  (state as readonly { name: string; kind?: string }[]).filter(
    ({ name, kind }) => kind !== 'Secret' || !name.startsWith('thanos-doctor-'),
  );

/** What every action has to hold, on whatever server. */
export function describeActions(start: StartServer): void {
  const stage = (scene: Scene) => stageOn(scene, start);
  describe.each(Object.entries(ALL_SCENES))('%s', (_, scene) => {
    test('plans without writing, fixes, and is undone where it says so', async () => {
      const here = await stage(scene);
      const { server, plan, apply, undo, journal } = here;
      const before = stateOf(here);
      const planned = await plan();
      expect(refusals(planned)).toEqual([]);
      expect(server.writes).toEqual([]);
      expect((await plan()).digest).toBe(planned.digest);
      const report = await apply(planned);
      expect(report).toMatchObject({ outcome: 'fixed' });
      expect(report.applied.length).toBeGreaterThan(0);
      expect(JSON.stringify(journal.lines)).not.toContain('canary');
      expect(JSON.stringify(planned)).not.toContain('canary');
      expect(server.find('Lease', leaseNamespace(planned), 'thanos-doctor')?.spec.holderIdentity).toBe('');
      if (planned.undo.steps.length === 0) return;
      expect(withoutBackups(stateOf(here))).not.toEqual(before);
      expect(await undo()).toMatchObject({ outcome: 'fixed' });
      expect(stateOf(here)).toEqual(before);
    });

    test('is refused where a verb is not allowed, the rights cannot be asked for, or a webhook refuses', async () => {
      const denied = await stage({
        ...scene,
        server: { ...scene.server, denied: verb => verb !== 'get' && verb !== 'list' },
      });
      expect(refusals(await denied.plan()).join()).toMatch(/may-write failed: you may not/);
      expect(denied.server.writes).toEqual([]);
      if (denied.server.dryRuns.length === 0) return;
      const webhook = await stage({ ...scene, server: { ...scene.server, admission: () => 'not on Fridays' } });
      expect(refusals(await webhook.plan()).join()).toMatch(/dry-run-accepted failed: .*not on Fridays/);
    });

    test('says when the symptom stays, and is undone then', async () => {
      const here = await stage({ ...scene, healed: () => false });
      const { plan, apply, undo } = here;
      const before = stateOf(here);
      const planned = await plan();
      expect(await apply(planned)).toMatchObject({ outcome: 'unverified' });
      if (planned.undo.steps.length === 0) return;
      expect(await undo()).toMatchObject({ outcome: 'fixed' });
      expect(stateOf(here)).toEqual(before);
    });

    test.each(['before', 'after'] as const)('survives a kill %s any call: it is resumed, or undone', async when => {
      const whole = await stage(scene);
      await whole.apply(await whole.plan());
      const goal = withoutBackups(stateOf(whole));
      for (let call = 1; ; call += 1) {
        const killed = await stage(scene);
        const start = stateOf(killed);
        const planned = await killed.plan();
        killed.killAt(call, when);
        const ended = await killed.apply(planned).catch(error => {
          if (error instanceof Killed) return undefined;
          throw error;
        });
        if (ended) break;
        killed.revive();
        if (killed.journal.lines.length === 0) {
          expect(stateOf(killed)).toEqual(start);
          continue;
        }
        if (call % 2 === 0 && planned.undo.steps.length > 0) {
          expect(await killed.undo(), `undo after a kill ${when} call ${call}`).toMatchObject({ outcome: 'fixed' });
          expect(stateOf(killed)).toEqual(start);
          continue;
        }
        expect(await killed.resume(), `resume after a kill ${when} call ${call}`).toMatchObject({ outcome: 'fixed' });
        expect(withoutBackups(stateOf(killed))).toEqual(goal);
      }
    });
  });
}

function leaseNamespace(plan: { steps: readonly { target: { namespace: string } }[] }): string {
  return plan.steps[0]!.target.namespace || 'kube-system';
}
