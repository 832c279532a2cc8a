import type { Action, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { bucketOf, compactorRests, MARKED_BY, writesAllowed } from '../bucket.ts';
import { SECONDS } from '../changes.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { undoStepsOf } from '../undo.ts';

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const action: Action = {
  id: 'bucket.mark-no-compact',
  title: 'keep the block out of compaction',
  risk: 'change',
  parameters: { bucket: 'needed', compactor: 'needed', block: 'needed' },
  access: [{ verbs: ['get'], group: '', resource: 'secrets' }],
  async plan(input) {
    const block = input.parameters.block ?? '';
    if (!ULID.test(block)) throw new Refusal('block-named-by-the-error', `"${block}" is not one block`);
    const writable = await bucketOf(input);
    const { bucket, store } = writable;
    const mine: RawObject | undefined = bucket.blocks.find((entry: RawObject) => entry.id === block);
    const details = JSON.stringify(`${MARKED_BY} ${input.finding.rule}`);
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
        await compactorRests(input, writable, 'compactor-idle-or-halted'),
      ],
      riskText: 'the block stays as it is, and is not joined with others',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: { what: 'takes the mark away', steps: undoStepsOf(steps) },
      notes: ['a Compactor that halted on it has to be restarted: thanos-doctor fix compactor-halted'],
    };
  },
};
