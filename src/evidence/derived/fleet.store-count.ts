import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as expectationsCollector } from '../collectors/fleet.expectations.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as queryStoresCollector } from '../collectors/thanos.query-stores.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF } from '../objects.ts';
import { inCluster } from './fleet.addresses.ts';
import { collector as clustersCollector } from './fleet.clusters.ts';
import { collector as fleetEndpointsCollector } from './fleet.endpoints.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const ROW = {
  hub: 'str',
  query: REF,
  /** Endpoints that the Query lists without an error. */
  have: 'int',
  /** What it should list: as the fleet file states, else by what it was given and what the clusters are meant to run. */
  want: 'int',
  stated: 'bool',
  missing: ['str'],
  /** Keys with their cluster of all that is behind what is missing. */
  objects: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds: a pod that is younger may still be on its way. */
const ROLLOUT = 300;

export const collector = derived({
  id: 'fleet.store-count',
  about: 'How many endpoints the Query of each hub lists, and how many it should.',
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [clusters, expectations, fleet] = await Promise.all([
      context.get(clustersCollector),
      context.get(expectationsCollector),
      listOrGap(context.get(fleetEndpointsCollector)),
    ]);
    const rows: Row[] = [];
    for (const hub of known(clusters).filter(cluster => cluster.role === 'hub' && cluster.reachable)) {
      const own = context.clusters.find(candidate => candidate.cluster === hub.name)!;
      rows.push(...(await countsOf(own, expectations.queryStores, fleet)));
    }
    return rows;
  },
});

type FleetEndpoints = readonly ShapeOf<typeof fleetEndpointsCollector.shape>[number][];

async function countsOf(hub: Context, stated: number, fleet: FleetEndpoints): Promise<readonly Row[]> {
  const [stores, endpoints, workloads, pods] = await Promise.all([
    listOrGap(hub.get(queryStoresCollector)),
    listOrGap(hub.get(endpointsCollector)),
    listOrGap(hub.get(workloadsCollector)),
    listOrGap(hub.get(podsCollector)),
  ]);
  const around = { endpoints, workloads: known(workloads), pods: known(pods), fleet };
  const queries = new Map(known(stores).map(row => [row.query.key, row.query]));
  const gaps = gapsIn([...stores]).map(gap => gapElement(gap) as Row);
  const rows = [...queries.values()].flatMap(query => {
    const replicas = known(stores).filter(row => row.query.key === query.key && row.settled);
    return replicas.length === 0 ? [] : [rowOf(hub.cluster, query, replicas, stated, around)];
  });
  return [...rows, ...gaps];
}

interface Around {
  readonly endpoints: readonly ShapeOf<typeof endpointsCollector.shape>[number][];
  readonly workloads: readonly ThanosWorkload[];
  readonly pods: readonly ShapeOf<typeof podsCollector.shape>[number][];
  readonly fleet: FleetEndpoints;
}

function rowOf(
  hub: string,
  query: Row['query'],
  replicas: readonly ShapeOf<typeof queryStoresCollector.shape>[number][],
  stated: number,
  around: Around,
): Row {
  const base = { hub, query: inCluster(query, hub), stated: stated > 0 };
  try {
    const have = Math.min(
      ...replicas.map(
        replica => new Set(replica.stores.filter(store => store.healthy).map(store => store.address)).size,
      ),
    );
    const short: string[] = [];
    const objects: string[] = [];
    let lacking = 0;
    let unknown: Gap | undefined;
    for (const endpoint of around.endpoints) {
      const gap = gapOf(endpoint);
      if (gap) {
        unknown ??= gap;
        continue;
      }
      if (endpoint.query.key !== query.key || endpoint.of !== 'query') continue;
      const lacks = lackOf(endpoint, hub, around);
      if (lacks === 0) continue;
      lacking += lacks;
      short.push(lacks > 1 ? `${lacks} of ${endpoint.name}` : endpoint.name);
      objects.push(endpoint.key, endpoint.hostKey, endpoint.addressKey, ...endpoint.objects);
    }
    for (const edge of known(around.fleet)) {
      if (edge.hub !== hub || edge.cluster === hub || edge.query.key !== `${query.key} @${hub}`) continue;
      if (edge.seen || edge.configured || edge.exposedAt.length + edge.pendingServices.length === 0) continue;
      lacking += 1;
      short.push(`${edge.cluster}, which it was not given`);
      objects.push(...edge.objects);
    }
    const want = stated > 0 ? stated : have + lacking;
    // A cluster that could not be read, or a file of endpoints, may have more to give: what is there can still be short.
    const gap = unknown ?? gapsIn(around.fleet)[0];
    if (gap && stated === 0 && lacking === 0) throw new GapSignal(gap);
    return {
      ...base,
      have,
      want,
      missing: short,
      objects: [...new Set([`${query.key} @${hub}`, ...objects])].filter(key => key !== ''),
    };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return withUnknownFields<Row>(base, error.gap, ['have', 'want', 'missing', 'objects']);
  }
}

/** How many entries an endpoint should give and does not: each pod of a headless Service, one for anything else. */
function lackOf(endpoint: Around['endpoints'][number], hub: string, { workloads, pods }: Around): number {
  if (endpoint.outside || !endpoint.headless) return endpoint.state === 'down' ? 1 : 0;
  const healthy = endpoint.listed.filter(one => one.healthy).length;
  const behind = workloads.filter(workload => endpoint.objects.includes(`${workload.workload.key} @${hub}`));
  const wanted = behind.reduce((sum, workload) => sum + workload.wanted, 0);
  // A pod within its grace period is about to be replaced, one that is young has not been found yet.
  const leaves = (pod: (typeof pods)[number]) => pod.deleting && pod.deletingAge === 0;
  const young = pods.filter(pod =>
    leaves(pod)
      ? behind.some(workload => workload.workload.key === pod.workload.key)
      : behind.some(workload => workload.pods.includes(pod.key)) &&
        (pod.ready ? pod.readyAge < ROLLOUT : pod.age < ROLLOUT),
  ).length;
  return Math.max(0, wanted - Math.max(healthy, 0) - Math.min(young, Math.max(0, wanted - healthy)));
}
