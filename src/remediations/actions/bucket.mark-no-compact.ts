import type { Action, Draft, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { bucketOf, compactorRests, MARKED_BY, writesAllowed } from '../bucket.ts';
import { SECONDS } from '../changes.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

/** Minor version of Thanos whose Compactor leaves marked blocks out. */
const HONOURED_SINCE = 22;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const action: Action = {
  id: 'bucket.mark-no-compact',
  title: 'keep the block out of compaction',
  risk: 'change',
  parameters: { bucket: 'needed', compactor: 'needed', block: 'needed' },
  access: [{ verbs: ['get'], group: '', resource: 'secrets' }, ...RESTART_ACCESS],
  async plan(input) {
    const block = input.parameters.block ?? '';
    if (!ULID.test(block)) throw new Refusal('block-named-by-the-error', `"${block}" is not one block`);
    const writable = await bucketOf(input);
    const { bucket, store } = writable;
    const mine: RawObject | undefined = bucket.blocks.find((entry: RawObject) => entry.id === block);
    const details = JSON.stringify(`${MARKED_BY} ${input.finding.rule}`);
    const body = `{"id":"${block}","version":1,"details":${details},"no_compact_time":${SECONDS},"reason":"manual"}`;
    const compactor = targetOfKey(input.parameters.compactor);
    const mark: readonly Step[] = [
      {
        do: 'put-mark',
        title: `mark block ${block} of ${bucket.bucket} with no-compact`,
        target: store.secret,
        store,
        key: `${block}/no-compact-mark.json`,
        body,
      },
    ];
    const halted = (await rowsOf(input.evidence, 'thanos.compactors')).find(
      row => row.workload.key === nameOf(compactor) && row.halted && row.haltBlocks.includes(block),
    );
    const verify: Draft['verify'] = halted
      ? {
          what: `${input.finding.rule} is healthy, and the Compactor goes on`,
          seconds: 1800,
          signals: [{ is: 'compactor-goes-on', workload: nameOf(compactor), iterations: 1 }],
        }
      : { what: `${input.finding.rule} is healthy`, seconds: 60 };
    // A Compactor that has halted serves nobody: there is nothing to interrupt.
    const restart = halted
      ? await restartDraft({ ...input, wishes: { ...input.wishes, downtime: true } }, [compactor], verify)
      : undefined;
    return {
      steps: [...mark, ...(restart?.steps ?? [])],
      guards: [
        ...(restart?.guards ?? []),
        await guard('marks-are-honoured', 'its Compactor knows such marks', async () => {
          const workloads = await rowsOf(input.evidence, 'thanos.workloads');
          const version = workloads.find(row => row.workload.key === nameOf(compactor))?.version ?? '';
          const [major = 0, minor = 0] = version.split('.').map(Number);
          if (version === '') return `which version ${nameOf(compactor)} is of cannot be told`;
          return major > 0 || minor >= HONOURED_SINCE || `version ${version} passes over them`;
        }),
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
      verify,
      undo: { what: 'takes the mark away', steps: undoStepsOf(mark) },
    };
  },
};
