import type { Action, PlanInput } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { attemptSince } from '../history.ts';
import { everywhere } from '../looked-at.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { nameOf, targetOfKey } from '../targets.ts';

export const action: Action = {
  id: 'thanos.restart-halted-compactor',
  title: 'restart the Compactor',
  risk: 'restart',
  parameters: { workload: 'needed' },
  access: RESTART_ACCESS,
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const mine = async () =>
      (await rowsOf(input.evidence, 'thanos.compactors')).find(row => row.workload.key === nameOf(target));
    const row = await mine();
    const halt = row && `it had halted on ${[row.haltClass, ...(row.haltLabels ?? [])].filter(Boolean).join(' of ')}`;
    // A Compactor that has halted serves nobody: there is nothing to interrupt.
    const draft = await restartDraft(
      { ...input, wishes: { ...input.wishes, downtime: true } },
      [target],
      {
        what: `${input.finding.rule} is healthy, and it gets through two iterations`,
        seconds: 1800,
        signals: [{ is: 'compactor-goes-on', workload: nameOf(target), iterations: 2 }],
      },
      [
        await guard('cause-was-repaired', 'what it halted on is repaired', async () => {
          const row = await mine();
          if (!row) return 'on what it halted is not known';
          const classes = String(row.haltClass).split(',').filter(Boolean);
          if (classes.length === 0) return 'on what it halted is not known';
          for (const one of classes) {
            const still = await notRepaired(one, row, input);
            if (still) return still;
          }
          return true;
        }),
        await guard('not-restarted-for-this-before', 'it was not restarted for the same within a day', () => {
          const place = { action: action.id, cluster: input.finding.cluster, object: nameOf(target) };
          const before = attemptSince(input.history, place, Date.parse(input.api.now()) - 24 * 3_600_000);
          return before && halt !== undefined && before.begin.plan.notes.includes(halt)
            ? `it was restarted at ${before.begin.time}, and ${halt} again: it is not mended`
            : true;
        }),
        await guard('one-compactor-for-the-bucket', 'no other Compactor works on the bucket', async () => {
          const rows = await rowsOf(input.fleet, 'thanos.compactors');
          const row = await mine();
          const others = rows.filter(other => other.bucketKey === row?.bucketKey && other.running);
          return others.length > 1 ? `${others.length} Compactors work on it` : everywhere(input.lookedAt);
        }),
      ],
    );
    return { ...draft, notes: halt ? [halt] : [] };
  },
};

/** Why what a Compactor halted on is not mended; '' where it is. */
async function notRepaired(kind: string, row: RawObject, { evidence }: PlanInput): Promise<string> {
  const groups = (await rowsOf(evidence, 'bucket.groups')).filter(group => group.bucketKey === row.bucketKey);
  if (groups.length === 0) return 'what the bucket holds is not known';
  if (kind === 'overlap' || kind === 'result-overlaps') {
    const overlapping = groups.find(group => group.overlaps.length > 0);
    return overlapping ? `blocks of ${overlapping.labelText} overlap` : '';
  }
  if (kind === 'disk-full') {
    const claims = (await rowsOf(evidence, 'storage.claim-usage')).filter(usage =>
      row.claimKeys.includes(usage.claim.key),
    );
    const needed = 2 * Math.max(...groups.map(group => group.bytes));
    const small = claims.find(usage => !usage.measured || usage.available < needed);
    if (claims.length === 0) return 'how full its disk is, is not known';
    return small ? `claim ${small.claim.name} has less than twice the largest group left` : '';
  }
  if (kind === 'block-damaged' || kind === 'out-of-order') {
    const buckets = (await rowsOf(evidence, 'bucket.blocks')).filter(bucket => bucket.bucketKey === row.bucketKey);
    if (buckets.length === 0 || buckets.some(bucket => !bucket.listed)) return 'the blocks of the bucket are not known';
    const blocks: readonly RawObject[] = buckets.flatMap(bucket => bucket.blocks);
    const bad = blocks.find(
      block => row.haltBlocks.includes(block.id) && !block.marks.noCompact && !block.marks.deletion,
    );
    return bad ? `block ${bad.id} is there and not marked` : '';
  }
  return `whether ${kind} is mended cannot be seen from here`;
}
