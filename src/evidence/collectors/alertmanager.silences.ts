import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { age, flag, list, REF, text } from '../objects.ts';

const SHAPE = [
  {
    alertmanager: REF,
    pod: REF,
    silences: [
      {
        id: 'str',
        matchers: ['str'],
        createdBy: 'str',
        startsAge: 'int',
        /** Seconds until it ends; 0 where it has ended. */
        endsIn: 'int',
        /** active, pending or expired */
        state: 'str',
        matchesEverything: 'bool',
      },
    ],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

function matcherOf(raw: RawObject): string {
  const operator = `${flag(raw?.isEqual, true) ? '=' : '!'}${flag(raw?.isRegex) ? '~' : flag(raw?.isEqual, true) ? '' : '='}`;
  return `${text(raw?.name)}${operator}"${text(raw?.value)}"`;
}

/** True of a matcher that no alert escapes. */
function matchesAll(raw: RawObject): boolean {
  if (!flag(raw?.isEqual, true)) return !flag(raw?.isRegex) && text(raw?.value) === '';
  return flag(raw?.isRegex) && /^\.[*+]$/.test(text(raw?.value));
}

export const collector = fetched({
  id: 'alertmanager.silences',
  about: 'The silences that each Alertmanager knows.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['silences'],
      async read(asker) {
        const silences = list(await asker.json('/api/v2/silences')).map(silence => {
          const matchers = list(silence?.matchers);
          const ends = Date.parse(text(silence?.endsAt));
          return {
            id: text(silence?.id),
            matchers: matchers.map(matcherOf),
            createdBy: text(silence?.createdBy),
            startsAge: age(context, text(silence?.startsAt)),
            endsIn: Number.isNaN(ends) ? 0 : Math.max(0, Math.round((ends - context.takenAt) / 1000)),
            state: text(silence?.status?.state),
            matchesEverything: matchers.length > 0 && matchers.every(matchesAll),
          };
        });
        return { silences };
      },
    };
    return askEach<Row>(
      context,
      { id: 'alertmanager.silences', core: false },
      await replicasOf(context, ['alertmanager']),
      replica => ({ alertmanager: replica.subject, pod: replica.pod }),
      [part],
    );
  },
});
