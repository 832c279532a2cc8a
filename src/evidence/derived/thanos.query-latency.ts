import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { type Buckets, countBelow, quantile } from '../components/histograms.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { merged, part } from '../partial-rows.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const ROW = {
  query: REF,
  pod: REF,
  containerKey: 'str',
  /** Seconds since it started. */
  age: 'int',
  /** Queries (instant and range) since the start, and how long they took, in seconds. */
  count: 'float',
  p50: 'float',
  p90: 'float',
  p99: 'float',
  /** Range queries, and the share that spans more than seven days. */
  rangeCount: 'float',
  longShare: 'float',
  /** Selects, and the share that touches more than 100000 series. */
  selectCount: 'float',
  heavyShare: 'float',
  /** Keys of its endpoints, and of the workloads of its own cluster behind them. */
  endpointKeys: ['str'],
  storeKeys: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type Metrics = ShapeOf<typeof metricsCollector.shape>[number];
type Histogram = Metrics['histograms'][number];

const WEEK = 7 * 86_400;
const MANY_SERIES = 100_000;

export const collector = derived({
  id: 'thanos.query-latency',
  about: 'How long queries took since each Query started, how far they reach back, and how many series they select.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [metrics, endpoints] = await Promise.all([
      context.get(metricsCollector),
      listOrGap(context.get(endpointsCollector)),
    ]);
    return metrics
      .filter(row => gapOf(row) || row.component === 'query')
      .map(row => (gapOf(row) ? (row as never) : rowOf(row, known(endpoints))));
  },
});

function rowOf(metrics: Metrics, endpoints: readonly ShapeOf<typeof endpointsCollector.shape>[number][]): Row {
  const own = endpoints.filter(endpoint => endpoint.query.key === metrics.subject.key);
  const base = {
    query: metrics.subject,
    pod: metrics.pod,
    containerKey: metrics.containerKey,
    endpointKeys: own.map(endpoint => endpoint.key),
    storeKeys: [...new Set(own.flatMap(endpoint => endpoint.objects).filter(key => key.startsWith('StatefulSet ')))],
  };
  return merged<Row>(
    base,
    part(['age'], () => ({ age: metrics.startedAge })),
    part(['count', 'p50', 'p90', 'p99'], () => {
      const joined = joinedOf(
        metrics.histograms.filter(
          one => one.name === 'http_request_duration_seconds' && /^query(?:_range)?$/.test(one.labels.handler ?? ''),
        ),
      );
      return {
        count: joined.count,
        p50: quantile(joined, 0.5),
        p90: quantile(joined, 0.9),
        p99: quantile(joined, 0.99),
      };
    }),
    part(['rangeCount', 'longShare'], () => {
      const joined = joinedOf(
        metrics.histograms.filter(one => one.name === 'thanos_query_range_requested_timespan_duration_seconds'),
      );
      return {
        rangeCount: joined.count,
        longShare: joined.count === 0 ? 0 : 1 - countBelow(joined, WEEK) / joined.count,
      };
    }),
    part(['selectCount', 'heavyShare'], () => {
      const selects = metrics.histograms.filter(one => one.name === 'thanos_store_api_query_duration_seconds');
      const all = selects.reduce((sum, one) => sum + one.count, 0);
      const heavy = selects
        .filter(one => limit(one.labels.series_le) >= MANY_SERIES)
        .reduce((sum, one) => sum + one.count, 0);
      return { selectCount: all, heavyShare: all === 0 ? 0 : heavy / all };
    }),
  );
}

function limit(text: string | undefined): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text ?? 0);
}

/** Histograms of several label sets as one. Where there are counts without buckets, nothing can be said of shares. */
function joinedOf(histograms: readonly Histogram[]): Buckets {
  const count = histograms.reduce((sum, one) => sum + one.count, 0);
  const sums = new Map<number, number>();
  for (const { buckets } of histograms) for (const { le, value } of buckets) sums.set(le, (sums.get(le) ?? 0) + value);
  if (count > 0 && sums.size === 0) {
    throw new GapSignal({
      reason: 'not-in-bundle',
      detail: 'the buckets of the histogram were not kept',
      notLookedAt: true,
    });
  }
  return {
    count,
    buckets: [...sums].sort(([first], [second]) => first - second).map(([le, value]) => ({ le, value })),
  };
}
