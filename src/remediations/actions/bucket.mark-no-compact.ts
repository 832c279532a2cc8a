import type { Action, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { bucketOf, writesAllowed } from '../bucket.ts';
import { SECONDS } from '../changes.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { undoStepsOf } from '../undo.ts';

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const action: Action = {
  id: 'bucket.mark-no-compact',
  title: 'keep the block out of compaction',
  risk: 'change',
  parameters: { bucket: 'needed', block: 'needed' },
  access: [{ verbs: ['get'], group: '', resource: 'secrets' }],
  async plan(input) {
    const block = input.parameters.block ?? '';
    if (!ULID.test(block)) throw new Refusal('block-named-by-the-error', `"${block}" is not one block`);
    const { bucket, store } = await bucketOf(input);
    const mine: RawObject | undefined = bucket.blocks.find((entry: RawObject) => entry.id === block);
    const details = JSON.stringify(`thanos-doctor ${input.finding.rule}`);
    const body = `{"id":"${block}","version":1,"details":${details},"no_compact_time":${SECONDS},"reason":"manual"}`;
    const steps: readonly Step[] = [
      {
        do: 'put-mark',
        title: `mark block ${block} of ${bucket.bucket} with no-compact`,
        target: store.secret,
        store,
        key: `${block}/no-compact-mark.json`,
        body,
      },
    ];
    return {
      steps,
      guards: [
        await writesAllowed(input),
        await guard('block-named-by-the-error', 'the block is there, whole', () =>
          mine ? mine.state === 'complete' || `the block is ${mine.state}` : 'the bucket does not have it',
        ),
        await guard(
          'no-mark-yet',
          'it has no mark',
          () => !mine || (!mine.marks.noCompact && !mine.marks.deletion) || 'it is marked',
        ),
        await guard('compactor-idle-or-halted', 'no Compactor works on it now', async () => {
          const compactors = (await rowsOf(input.fleet, 'thanos.compactors')).filter(
            row => row.bucketKey === bucket.bucketKey,
          );
          const busy = compactors.find(row => row.running && !row.halted);
          return busy ? `${busy.workload.name} has not halted` : true;
        }),
      ],
      riskText: 'the block stays as it is, and is not joined with others',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: { what: 'takes the mark away', steps: undoStepsOf(steps) },
      notes: ['a Compactor that halted on it has to be restarted: thanos-doctor fix compactor-halted'],
    };
  },
};
