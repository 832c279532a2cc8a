import type { Action, PlanInput, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { bucketOf, compactorRests, MARKED_BY, writesAllowed } from '../bucket.ts';
import { canonical, SECONDS } from '../changes.ts';
import { guard, passed } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { undoStepsOf } from '../undo.ts';

const AT_ONCE = 10;

/** A block that holds what another one holds, and the one that stays. */
interface Duplicate {
  readonly block: RawObject;
  readonly kept: RawObject;
}

export const action: Action = {
  id: 'bucket.mark-duplicate-for-deletion',
  title: 'have the Compactor delete what is there twice',
  risk: 'data-loss',
  parameters: { bucket: 'needed', compactor: 'needed' },
  access: [{ verbs: ['get'], group: '', resource: 'secrets' }],
  async plan(input) {
    const writable = await bucketOf(input);
    const { bucket, store } = writable;
    const duplicates = duplicatesIn(bucket.blocks).slice(0, AT_ONCE);
    const [first] = duplicates;
    if (!first)
      throw new Refusal('identical-sources-and-stats', 'no two blocks are of the same sources with the same numbers');
    const details = JSON.stringify(`${MARKED_BY} ${input.finding.rule}`);
    const steps = duplicates.map(
      ({ block: { id }, kept }): Step => ({
        do: 'put-mark',
        title: `mark block ${id} for deletion; ${kept.id} holds the same`,
        target: store.secret,
        store,
        key: `${id}/deletion-mark.json`,
        body: `{"id":"${id}","version":1,"details":${details},"deletion_time":${SECONDS}}`,
      }),
    );
    return {
      steps,
      guards: [
        await writesAllowed(input),
        passed('identical-sources-and-stats', 'each has a twin that stays'),
        await guard('other-one-complete-and-unmarked', 'the ones that stay are whole', () => {
          const broken = duplicates.find(({ kept }) => !kept.live || kept.truncated.length > 0);
          return broken ? `block ${broken.kept.id} is not whole, or marked` : true;
        }),
        await guard('copy-verified', 'you have a copy of each', () => copyVerified(input, duplicates)),
        await compactorRests(input, writable, 'compactor-halted-or-stopped'),
      ],
      riskText: 'the Compactor deletes the marked blocks once its delay is over, by default after 48 h',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: {
        what: 'takes the marks away; only until the Compactor has deleted the blocks',
        steps: undoStepsOf(steps),
      },
      typed: duplicates.length === 1 ? first.block.id : bucket.bucket,
      notes: ['a Compactor that halted on them has to be restarted: thanos-doctor fix compactor-halted'],
    };
  },
};

/** Of blocks with the same sources and numbers, all but the oldest. */
function duplicatesIn(blocks: readonly RawObject[]): readonly Duplicate[] {
  const kept = new Map<string, RawObject>();
  const found: Duplicate[] = [];
  const byMaking = [...blocks].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const block of byMaking) {
    if (block.state !== 'complete' || block.marks.deletion || block.sources.length === 0 || block.samples === 0)
      continue;
    const { minTime, maxTime, samples, series, labelText, resolution } = block;
    const sources = [...block.sources].sort();
    const content = canonical({ sources, minTime, maxTime, samples, series, labelText, resolution });
    const first = kept.get(content);
    if (first) found.push({ block, kept: first });
    else kept.set(content, block);
  }
  return found;
}

async function copyVerified({ copyOf, wishes }: PlanInput, duplicates: readonly Duplicate[]): Promise<true | string> {
  if (wishes.copy === '') return 'copy the blocks to this machine first (mc mirror), and name the folder with --copy';
  for (const { block } of duplicates) {
    const copy = await copyOf(block.id);
    if (!copy) return `${wishes.copy} has no block ${block.id}`;
    if (copy.files !== block.files || copy.bytes !== block.size)
      return `the copy of ${block.id} has ${copy.files} files of ${copy.bytes} bytes, the bucket ${block.files} of ${block.size}`;
  }
  return true;
}
