import type { Action, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { bucketOf, MARKED_BY, writesAllowed } from '../bucket.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard, passed } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { undoStepsOf } from '../undo.ts';

const AT_ONCE = 10;

interface Mark {
  readonly file: string;
  readonly isOn: (block: RawObject) => boolean;
  readonly body: (block: RawObject) => string;
}

/** The marks that are taken away, with what they said: so they can be set again. */
const MARKS: Readonly<Record<string, Mark>> = {
  'no-compact': {
    file: 'no-compact-mark.json',
    isOn: ({ marks }) => marks.noCompact && !marks.deletion,
    body: ({ id, marks }) =>
      `{"id":"${id}","version":1,"details":${JSON.stringify(marks.details)},"no_compact_time":${secondsOf(marks.noCompactAt)},"reason":${JSON.stringify(marks.noCompactReason)}}`,
  },
  deletion: {
    file: 'deletion-mark.json',
    isOn: ({ marks }) => marks.deletion,
    body: ({ id, marks }) =>
      `{"id":"${id}","version":1,"details":${JSON.stringify(marks.details)},"deletion_time":${secondsOf(marks.deletionAt)}}`,
  },
};

export const action: Action = {
  id: 'bucket.unmark',
  title: 'take own marks away',
  risk: 'change',
  parameters: { bucket: 'needed', compactor: 'needed', mark: 'needed' },
  access: [{ verbs: ['get'], group: '', resource: 'secrets' }],
  async plan(input) {
    const mark = MARKS[input.parameters.mark ?? ''];
    if (!mark) throw new Refusal('mark-known', `"${input.parameters.mark}" is no mark that is taken away`);
    const { bucket, store } = await bucketOf(input);
    const marked = (bucket.blocks as readonly RawObject[]).filter(mark.isOn);
    const own = marked.filter(({ marks }) => String(marks.details).startsWith(`${MARKED_BY} `)).slice(0, AT_ONCE);
    if (own.length === 0)
      throw new Refusal(
        'own-mark',
        `none of the ${marked.length} marks was set by ${MARKED_BY}: who set them, their details say`,
      );
    const steps = own.map(
      (block): Step => ({
        do: 'delete-mark',
        title: `take ${mark.file} of block ${block.id} away`,
        target: store.secret,
        store,
        key: `${block.id}/${mark.file}`,
        body: mark.body(block),
      }),
    );
    return {
      steps,
      guards: [
        await writesAllowed(input),
        passed('own-mark', `each was set by ${MARKED_BY}`),
        await guard('block-still-complete', 'each block is whole', () => {
          const broken = own.find(block => block.state !== 'complete' || block.missing.length > 0);
          return broken ? `block ${broken.id} is not whole` : true;
        }),
        await guard('within-the-delay', 'none is being deleted', async () => {
          const deleted = own.filter(({ marks }) => marks.deletion);
          if (deleted.length === 0) return true;
          const upkeep = (await rowsOf(input.fleet, 'bucket.upkeep')).find(
            row => row.bucketKey === bucket.bucketKey && row.prefix === bucket.prefix,
          );
          if (!upkeep) return 'after how long the Compactor deletes is not known';
          const late = deleted.find(({ marks }) => marks.deletionAge < 0 || marks.deletionAge >= upkeep.deleteDelay);
          return late ? `block ${late.id} may be deleted at any moment` : true;
        }),
      ],
      riskText: 'the blocks are joined with others again, and the Compactor may halt on them as before',
      // Marks of others stay, and may be too many all the same.
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60, inPart: marked.length > own.length },
      undo: { what: 'sets the marks again', steps: undoStepsOf(steps) },
      notes: [
        ...(marked.length > own.length
          ? [`${marked.length - own.length} other marks stay: they are of others, or too many for one plan`]
          : []),
      ],
    };
  },
};

function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000) || 0;
}
