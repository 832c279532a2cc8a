import type { ShapeOf } from '../../model/shape.ts';
import type { LogAnswer } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { replicasOf } from '../components/replicas.ts';
import { gapElement, gapOf, gapped } from '../gaps.ts';
import { linesWith } from '../logs/lines-with.ts';
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
        return { pod: replica.pod, workload: replica.workload, ...(await summaryOf(answer, context.takenAt)) };
      }),
    );
  },
});

const LINE = 'msg="Request Completed"';

/** Of a log with millions of requests, how often each duration occurred and the five slowest are kept. */
async function summaryOf(answer: LogAnswer, takenAt: number): Promise<Omit<Row, 'pod' | 'workload'>> {
  const durations = new Map<number, number>();
  let slowest: Request[] = [];
  let requests = 0;
  let timedOut = 0;
  for await (const line of answer.is === 'none' ? [] : linesWith(answer.chunks, [LINE])) {
    const request = requestOf(line, takenAt);
    if (!request) continue;
    requests += 1;
    if (request.status === 504) timedOut += 1;
    durations.set(request.seconds, (durations.get(request.seconds) ?? 0) + 1);
    // The later one of two that took as long comes first.
    const place = slowest.findIndex(other => other.seconds <= request.seconds);
    slowest.splice(place < 0 ? slowest.length : place, 0, request);
    slowest = slowest.slice(0, 5);
  }
  return { requests, slow: percentile(durations, Math.ceil(0.99 * requests)), slowest, timedOut };
}

/** The duration at this place, counted from 1, of all in their order; 0 where there is none. */
function percentile(durations: ReadonlyMap<number, number>, place: number): number {
  let passed = 0;
  for (const seconds of [...durations.keys()].sort((first, second) => first - second)) {
    passed += durations.get(seconds)!;
    if (passed >= place) return seconds;
  }
  return 0;
}

function requestOf(line: string, takenAt: number): Request | undefined {
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
