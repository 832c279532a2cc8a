import { expect, test } from 'vitest';
import type { LookedAt } from '../../src/model/remediation.ts';
import { refusals, stage } from './harness.ts';
import { SCENES } from './scenes.ts';

const LEFT_OUT: Partial<LookedAt> = { clusters: ['hub'], leftOut: ['edge-1', 'edge-2'] };
const ALONE: Partial<LookedAt> = { clusters: ['hub'], told: false };
const NARROWED: Partial<LookedAt> = { namespaces: ['monitoring'] };

const COSTS_DATA: readonly (readonly [action: string, guard: string])[] = [
  ['prometheus.set-external-labels', 'name-is-free'],
  ['thanos.restart-halted-compactor', 'one-compactor-for-the-bucket'],
  ['bucket.mark-no-compact', 'compactor-idle-or-halted'],
  ['bucket.mark-duplicate-for-deletion', 'compactor-halted-or-stopped'],
];

test.each(COSTS_DATA)('%s is refused where clusters were left out, and they are named', async (id, guard) => {
  const { plan } = await stage(SCENES[id]!);
  const refused = async (lookedAt: Partial<LookedAt>) => (await refusals(await plan({ lookedAt }))).join();
  expect(await refused(LEFT_OUT)).toBe(
    `${guard} failed: not looked at: cluster edge-1, edge-2 of the fleet file; leave --context and --namespace out`,
  );
  expect(await refused(ALONE)).toBe(
    `${guard} failed: not looked at: clusters other than hub; name all clusters that share it with --context, or in a fleet file, which may also name one alone`,
  );
  expect(await refused(NARROWED)).toMatch(/not looked at: namespaces other than monitoring; leave/);
  expect(await refused({ clusters: ['hub', 'edge-1'], told: false })).toBe('');
});

test.each(['cilium.extend-address-pool', 'cilium.announce-load-balancer-addresses'])(
  '%s says what it was not compared with',
  async id => {
    const { plan } = await stage(SCENES[id]!);
    const texts = async (lookedAt: Partial<LookedAt>) => {
      const shown = await plan({ lookedAt });
      expect(refusals(shown)).toEqual([]);
      return shown.guards.map(({ what }) => what).join('\n');
    };
    expect(await texts(LEFT_OUT)).toMatch(/ \(not compared: cluster edge-1, edge-2 of the fleet file\)$/m);
    expect(await texts(ALONE)).toMatch(/ \(not compared: clusters other than hub\)$/m);
    expect(await texts({})).not.toMatch(/not compared/);
  },
);
