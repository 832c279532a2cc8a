import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { type ObjectStore, collector as objectStoresCollector } from '../collectors/thanos.object-stores.ts';
import { gapElement, gapsIn, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { inCluster } from './fleet.addresses.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const USER = {
  cluster: 'str',
  component: 'str',
  subject: REF,
  workload: REF,
  /** Key of the object that holds the configuration, with its cluster. */
  secretKey: 'str',
  containerKeys: ['str'],
  pods: ['str'],
  /** When the workload was made; '' where it is not known. */
  created: 'time',
  running: 'int',
  ready: 'int',
  wanted: 'int',
  runningAge: 'int',
  /** --selector.relabel-config or the file of it, as given. */
  selector: 'str',
  prefix: 'str',
} as const;

const ROW = {
  /** `bucket@host:port` */
  place: 'str',
  bucketKey: 'str',
  endpointKey: 'str',
  prefix: 'str',
  /** Sidecars, rulers and receives. */
  writers: [USER],
  stores: [USER],
  compactors: [USER],
  clusters: ['str'],
  objects: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type User = Row['writers'][number];

export const collector = derived({
  id: 'fleet.buckets',
  about: 'Each bucket and prefix that the fleet is configured with, and who writes, reads and compacts it.',
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const places = new Map<string, { store: ObjectStore; users: User[] }>();
    const gaps: Gap[] = [];
    for (const cluster of context.clusters) await addCluster(cluster, places, gaps);
    const rows = [...places.values()].map(({ store, users }): Row => {
      const of = (...components: readonly string[]) => users.filter(user => components.includes(user.component));
      return {
        place: store.place,
        bucketKey: store.bucketKey,
        endpointKey: store.endpointKey,
        prefix: store.prefix,
        writers: of('sidecar', 'rule', 'receive'),
        stores: of('store'),
        compactors: of('compact'),
        clusters: [...new Set(users.map(user => user.cluster))],
        objects: [
          ...new Set(
            users.flatMap(user => [user.secretKey, user.subject.key, user.workload.key, ...user.containerKeys]),
          ),
        ],
      };
    });
    return [...rows, ...gaps.map(gap => gapElement(gap) as Row)];
  },
});

async function addCluster(
  cluster: Context,
  places: Map<string, { store: ObjectStore; users: User[] }>,
  gaps: Gap[],
): Promise<void> {
  const [workloads, stores] = await Promise.all([
    listOrGap(cluster.get(workloadsCollector)),
    listOrGap(cluster.get(objectStoresCollector)),
  ]);
  const here = (gap: Gap): Gap => ({ ...gap, detail: `${cluster.cluster}: ${gap.detail}` });
  gaps.push(...gapsIn([...workloads, ...stores]).map(here));
  for (const workload of known(workloads)) {
    if (workload.objstore.id === '') continue;
    const store = known(stores).find(candidate => candidate.id === workload.objstore.id);
    if (!store) continue;
    try {
      // A configuration that is not there, or that Thanos would refuse, says nothing about the bucket that is meant.
      if (!store.usable || store.place === '') {
        gaps.push(here({ ...UNUSABLE, detail: `${store.id} names no bucket: ${store.parseError}` }));
        continue;
      }
      const key = `${store.place}/${store.prefix}`;
      const entry = places.get(key) ?? { store, users: [] };
      places.set(key, entry);
      entry.users.push(userOf(cluster.cluster, workload, store));
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gaps.push(here(error.gap));
    }
  }
}

const UNUSABLE: Gap = {
  evidence: 'thanos.object-stores',
  reason: 'not-found',
  detail: '',
  path: '',
  notLookedAt: true,
};

function userOf(cluster: string, workload: ThanosWorkload, store: ObjectStore): User {
  const at = (key: string) => `${key} @${cluster}`;
  return {
    cluster,
    component: workload.component,
    subject: inCluster(workload.subject, cluster),
    workload: inCluster(workload.workload, cluster),
    secretKey: at(store.secret.key),
    containerKeys: workload.containerKeys.map(at),
    pods: workload.pods.map(at),
    get created() {
      return workload.created;
    },
    running: workload.running,
    ready: workload.ready,
    get wanted() {
      return workload.wanted;
    },
    runningAge: workload.runningAge,
    selector: workload.args
      .filter(({ flag }) => flag.startsWith('--selector.relabel-config'))
      .map(({ value }) => value)
      .join(' '),
    prefix: store.prefix,
  };
}
