import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { ask, bodyOf } from '../components/ask.ts';
import { parseExposition, sumOf } from '../components/exposition.ts';
import { collector as componentsCollector } from '../derived/thanos.components.ts';
import { known, withUnknownFields } from '../gaps.ts';
import { malformed, REF } from '../objects.ts';

const ROW = {
  pod: REF,
  workload: REF,
  containerKey: 'str',
  /** Bytes that objects may take, and those of them that are free. */
  capacity: 'int',
  free: 'int',
  /** Of 100. */
  freePercent: 'float',
  drivesOffline: 'int',
  nodesOffline: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

const CAPACITY = 'minio_cluster_capacity_usable_total_bytes';
const FREE = 'minio_cluster_capacity_usable_free_bytes';
const DRIVES = 'minio_cluster_drive_offline_total';
const NODES = 'minio_cluster_nodes_offline_total';

export const collector = fetched({
  id: 'minio.metrics',
  about: "MinIO's own numbers, where it runs in a cluster of the fleet and shows them without a token. An extra.",
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const servers = known(await context.get(componentsCollector)).filter(
      component => component.component === 'minio' && component.running,
    );
    return Promise.all(
      servers.map(async ({ pod, workload, containerKey, namespace, httpPort }) => {
        const base = { pod, workload, containerKey };
        try {
          const answer = await ask(context.source, { namespace, pod: pod.name, port: httpPort }, PATH);
          return { ...base, ...numbersOf(bodyOf(answer)) };
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
          // By default a token is wanted, which nobody has given.
          const gap: Gap = { ...error.gap, evidence: 'minio.metrics', notLookedAt: true };
          return withUnknownFields<Row>(base, gap, NUMBERS);
        }
      }),
    );
  },
});

const PATH = '/minio/v2/metrics/cluster';
const NUMBERS = ['capacity', 'free', 'freePercent', 'drivesOffline', 'nodesOffline'] as const;

function numbersOf(text: string): Pick<Row, (typeof NUMBERS)[number]> {
  const exposition = parseExposition(text, [CAPACITY, FREE, DRIVES, NODES]);
  const capacity = sumOf(exposition, CAPACITY) ?? 0;
  const free = sumOf(exposition, FREE);
  if (capacity <= 0 || free === undefined) throw malformed('MinIO does not say how much room it has');
  return {
    capacity: Math.round(capacity),
    free: Math.round(free),
    freePercent: Math.round((free / capacity) * 10_000) / 100,
    drivesOffline: sumOf(exposition, DRIVES) ?? 0,
    nodesOffline: sumOf(exposition, NODES) ?? 0,
  };
}
