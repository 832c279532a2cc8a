import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { timeOf } from '../components/block-times.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { age, list, malformed, number, REF, strings, text } from '../objects.ts';

const ROW = {
  /** The workload. */
  component: REF,
  pod: REF,
  container: 'str',
  containerKey: 'str',
  /** `loaded`: what a Store Gateway serves. `global`: what a Compactor sees in the bucket. */
  view: 'str',
  count: 'int',
  blocks: [
    {
      id: 'str',
      minTime: 'time',
      maxTime: 'time',
      maxAge: 'int',
      labels: 'map',
      /** Seconds: 0 raw, 300, 3600. */
      resolution: 'int',
      level: 'int',
      sources: ['str'],
    },
  ],
  refreshed: 'time',
  /** -1 before the first look. */
  refreshedAge: 'int',
  /** The last look at the bucket failed: its words, or `failed` where the answer has none. */
  error: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

const EVIDENCE = { id: 'thanos.loaded-blocks', core: false };

export const collector = fetched({
  id: 'thanos.loaded-blocks',
  about: 'The blocks that Store Gateways have loaded, and those that the Compactor sees.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const parts = (view: string): readonly Part<Row>[] => [
      {
        fields: ['count', 'blocks', 'refreshed', 'refreshedAge', 'error'],
        async read(asker) {
          const data = await asker.api(`/api/v1/blocks?view=${view}`);
          if (typeof data !== 'object' || !('blocks' in data)) throw malformed('the answer names no blocks');
          const refreshed = text(data.refreshedAt);
          const never = refreshed === '' || refreshed.startsWith('0001-');
          const blocks = list(data.blocks).map(block => blockOf(context, block));
          return {
            count: blocks.length,
            blocks,
            refreshed: never ? '' : refreshed,
            refreshedAge: never ? -1 : age(context, refreshed),
            error: errorOf(data.err),
          };
        },
      },
    ];
    const [stores, compactors] = await Promise.all([replicasOf(context, ['store']), replicasOf(context, ['compact'])]);
    const base = (view: string) => (replica: (typeof stores)[number]) => ({
      component: replica.subject,
      pod: replica.pod,
      container: replica.container,
      containerKey: replica.containerKey,
      view,
    });
    const answers = await Promise.all([
      askEach<Row>(context, EVIDENCE, stores, base('loaded'), parts('loaded')),
      askEach<Row>(context, EVIDENCE, compactors, base('global'), parts('global')),
    ]);
    return answers.flat();
  },
});

function blockOf(context: { readonly takenAt: number }, block: RawObject): Row['blocks'][number] {
  const maxTime = timeOf(number(block?.maxTime));
  return {
    id: text(block?.ulid),
    minTime: timeOf(number(block?.minTime)),
    maxTime,
    maxAge: age(context, maxTime),
    labels: strings(block?.thanos?.labels),
    resolution: Math.round(number(block?.thanos?.downsample?.resolution) / 1000),
    level: number(block?.compaction?.level),
    sources: list(block?.compaction?.sources).map(text),
  };
}

/** `null` where all is well; an error that Go could not write out is `{}`. */
function errorOf(error: unknown): string {
  if (error === null || error === undefined || error === '') return '';
  return typeof error === 'string' ? error : 'failed';
}
