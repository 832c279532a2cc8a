import type { ShapeOf } from '../../model/shape.ts';
import type { LogAnswer } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { replicasOf } from '../components/replicas.ts';
import { gapElement, gapOf, gapped } from '../gaps.ts';
import { withoutApiTime } from '../logs/log-line.ts';
import { REF } from '../objects.ts';

const SHAPE = [
  {
    pod: REF,
    workload: REF,
    /** Requests to datasources in the last half hour, as far as Grafana logs them. */
    requests: 'int',
    /** Seconds: the 99th percentile (nearest rank) of these. */
    slow: 'float',
    slowest: [{ path: 'str', status: 'int', seconds: 'float' }],
    /** Those that were answered with 504. */
    timedOut: 'int',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Request = Row['slowest'][number];

/** Seconds that are looked back. */
const WINDOW = 1800;
const DATASOURCE = /\bpath=(\/api\/(?:ds\/query|datasources\/)\S*)/;

export const collector = fetched({
  id: 'grafana.requests',
  about: 'How long requests of dashboards to datasources take, by the lines `Request Completed` of the log of Grafana.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/log' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const replicas = await replicasOf(context, ['grafana']);
    return Promise.all(
      replicas.map(async (replica): Promise<Row> => {
        const missing = gapOf(replica);
        if (missing) return gapElement(missing);
        const { namespace, name } = replica.pod;
        const answer = await gapped(
          context.source.logs({ namespace, pod: name, container: replica.container, previous: false }),
        );
        const gap = gapOf(answer);
        if (gap) return gapElement({ ...gap, evidence: 'grafana.requests' });
        const requests = await requestsOf(answer, context.takenAt);
        return { pod: replica.pod, workload: replica.workload, ...summary(requests) };
      }),
    );
  },
});

async function requestsOf(answer: LogAnswer, takenAt: number): Promise<readonly Request[]> {
  if (answer.is === 'none') return [];
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.chunks) pieces.push(piece);
  return Buffer.concat(pieces)
    .toString('utf8')
    .split('\n')
    .map(line => requestOf(line, takenAt))
    .filter(request => request !== undefined);
}

function requestOf(line: string, takenAt: number): Request | undefined {
  if (!line.includes('msg="Request Completed"')) return undefined;
  const { text, time } = withoutApiTime(line);
  const path = DATASOURCE.exec(text)?.[1];
  const milliseconds = /\btime_ms=(\d+)/.exec(text)?.[1];
  if (path === undefined || milliseconds === undefined) return undefined;
  if (time !== '' && takenAt - Date.parse(time) > WINDOW * 1000) return undefined;
  return {
    path: path.split('?')[0]!,
    status: Number(/\bstatus=(\d+)/.exec(text)?.[1] ?? 0),
    seconds: Number(milliseconds) / 1000,
  };
}

function summary(requests: readonly Request[]): Omit<Row, 'pod' | 'workload'> {
  const sorted = [...requests].sort((first, second) => first.seconds - second.seconds);
  return {
    requests: sorted.length,
    slow: sorted[Math.ceil(0.99 * sorted.length) - 1]?.seconds ?? 0,
    slowest: sorted.slice(-5).reverse(),
    timedOut: sorted.filter(request => request.status === 504).length,
  };
}
