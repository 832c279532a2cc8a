import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { age, list, number, REF, text } from '../objects.ts';

const COUNTS = [{ name: 'str', count: 'int' }] as const;

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    series: 'int',
    chunks: 'int',
    headMin: 'time',
    headMax: 'time',
    headMaxAge: 'int',
    /** Largest first, as Prometheus lists them. */
    topMetrics: COUNTS,
    topLabels: COUNTS,
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

/** A time in milliseconds, as text; '' for the extreme values of an empty head. */
function time(raw: unknown): string {
  const milliseconds = number(raw);
  return milliseconds > 0 && milliseconds < 8.64e15 ? new Date(milliseconds).toISOString() : '';
}

function counts(raw: unknown) {
  return list(raw).map(entry => ({ name: text(entry?.name), count: number(entry?.value) }));
}

export const collector = fetched({
  id: 'prometheus.tsdb',
  about: 'How many series the head of each Prometheus holds, and of which metrics and labels.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['series', 'chunks', 'headMin', 'headMax', 'headMaxAge', 'topMetrics', 'topLabels'],
      async read(asker) {
        const data = await asker.api('/api/v1/status/tsdb');
        const headMax = time(data.headStats?.maxTime);
        return {
          series: number(data.headStats?.numSeries),
          chunks: number(data.headStats?.chunkCount),
          headMin: time(data.headStats?.minTime),
          headMax,
          headMaxAge: age(context, headMax),
          topMetrics: counts(data.seriesCountByMetricName),
          topLabels: counts(data.labelValueCountByLabelName),
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.tsdb', core: false },
      await replicasOf(context, ['prometheus']),
      replica => ({ prometheus: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});
