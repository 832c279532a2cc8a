import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/checks/diagnose.ts';
import type { EvidenceStore } from '../../src/model/evidence.ts';
import type { Gap } from '../../src/model/gap.ts';
import { box, loadOne, storeOf } from './rule-texts.ts';

const GAP: Gap = {
  evidence: 'kubernetes.server',
  reason: 'unauthenticated',
  detail: 'no',
  path: '/version',
  notLookedAt: false,
};

/** The store as that of a cluster or of the fleet: its evidence is of that scope. */
function scoped(store: EvidenceStore, scope: 'cluster' | 'fleet'): EvidenceStore {
  const describeAs = (id: string) => {
    const description = store.describe(id);
    return description && { ...description, scope };
  };
  return {
    ...store,
    cluster: store.cluster,
    takenAt: store.takenAt,
    describe: describeAs,
    peek: store.peek,
    collect: store.collect,
  };
}

describe('a cluster that turns the tool away', () => {
  const full = storeOf({ 'box.list': [box({ full: true })] });
  const run = (turnedAway: EvidenceStore) =>
    diagnose({
      rules: [loadOne()],
      clusters: [],
      fleet: storeOf({}),
      turnedAway: [turnedAway],
      unreachable: new Map([[turnedAway.cluster, GAP]]),
    });

  test('is judged by rules that read evidence of the fleet alone', async () => {
    const { findings, unknowns } = await run(scoped(full, 'fleet'));
    expect(findings.map(finding => finding.rule)).toEqual(['box-full']);
    expect(unknowns.map(unknown => unknown.gaps[0].reason)).toEqual(['unauthenticated']);
  });

  test('is one line, and no unknown for every rule that would have read from it', async () => {
    const { findings, unknowns } = await run(scoped(full, 'cluster'));
    expect([findings.length, unknowns.length]).toEqual([0, 1]);
  });
});
