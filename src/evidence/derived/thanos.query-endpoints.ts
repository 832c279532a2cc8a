import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { type StoreEntry, collector as storesCollector } from '../collectors/thanos.query-stores.ts';
import { endpointFiles, type QueryTarget, queryTargets } from '../components/query-targets.ts';
import { gapElement, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF } from '../objects.ts';
import { type Address, collector as addressesCollector } from './fleet.addresses.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  query: REF,
  /** Of the container that was given the address: query or rule */
  of: 'str',
  flag: 'str',
  /** As written. */
  endpoint: 'str',
  /** host:port without the lookup prefix; of an SRV record without a port the record name. */
  name: 'str',
  /** `Endpoint name` */
  key: 'str',
  /** `Endpoint host`: the name that has to be looked up. */
  hostKey: 'str',
  /** `Address host:port` */
  addressKey: 'str',
  scheme: 'str',
  host: 'str',
  port: 'int',
  portName: 'str',
  /** '' or why it cannot be resolved as it is written. */
  fault: 'str',
  strict: 'bool',
  tls: 'bool',
  deprecatedFlag: 'bool',
  service: REF,
  serviceExists: 'bool',
  headless: 'bool',
  portNamed: 'bool',
  /** The Service has that port. */
  portExists: 'bool',
  clusterIp: 'str',
  pods: ['str'],
  readyPods: ['str'],
  addresses: ['str'],
  /** No name, ClusterIP or pod address of the Query's own cluster. */
  outside: 'bool',
  /** Whose load balancer, node port or Service it is; '' if nobody's. */
  cluster: 'str',
  /** The same: rules of fleet scope read `cluster` as the cluster of the Query. */
  ownerCluster: 'str',
  /** Somebody has its host, if perhaps not its port. */
  hostKnown: 'bool',
  portIsHttp: 'bool',
  targetPort: 'int',
  component: 'str',
  /** The Query's own entries for it. */
  listed: [
    {
      address: 'str',
      type: 'str',
      error: 'str',
      errorKind: 'str',
      lastCheckAge: 'int',
      healthy: 'bool',
      labelTexts: ['str'],
    },
  ],
  /** up, down, settling (too young to tell) or none (no Query runs) */
  state: 'str',
  /** Resolved addresses that do not answer, or the name where it resolves to nothing. */
  failing: ['str'],
  /** Of the first that fails: its error and kind; `unlisted` where it never answered. '' while up. */
  error: 'str',
  errorKind: 'str',
  /** RFC 3339 of the last check of the failing entry. */
  failedCheck: 'time',
  /** Labels that it had when it was last heard. */
  labelTexts: ['str'],
  /** Clusters whose addresses are not known, where this address is none of the others'. */
  unreadClusters: ['str'],
  /** Services of other clusters that wait for an address and are likely meant: keys with their cluster. */
  candidates: ['str'],
  /** Keys with their cluster of all that has to work for it. */
  objects: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.query-endpoints',
  about:
    'Each address that a Query or ruler was given: what it resolves to, who serves it, and whether the Query has it.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [targets, stores, addresses, components] = await Promise.all([
      queryTargets(context),
      listOrGap(context.get(storesCollector)),
      listOrGap(context.get(addressesCollector)),
      context.get(componentsCollector),
    ]);
    const unread = await unreadClusters(context);
    const rows = targets.map(target => rowOf(target, { stores, addresses, unread, cluster: context.cluster, targets }));
    return [...rows, ...fromFiles(known(components).filter(one => one.component === 'query'))];
  },
});

/** Clusters of which not even the Services are known. */
async function unreadClusters(context: Context): Promise<readonly string[]> {
  const names = await Promise.all(
    context.clusters.map(async cluster => {
      try {
        await cluster.get(servicesCollector);
        return '';
      } catch (error) {
        if (error instanceof GapSignal) return cluster.cluster;
        throw error;
      }
    }),
  );
  return names.filter(name => name !== '');
}

/** Endpoints that stand in a file are not known from here: there may be more than the flags say. */
function fromFiles(queries: Parameters<typeof endpointFiles>[0][]): readonly Row[] {
  const files = [...new Set(queries.flatMap(endpointFiles))];
  return files.map(file =>
    gapElement({
      evidence: 'thanos.query-endpoints',
      reason: 'not-asked',
      detail: `a Query takes endpoints from ${file}, whose content is not read`,
      path: '',
      notLookedAt: true,
    }),
  );
}

interface Surroundings {
  readonly stores: readonly ShapeOf<typeof storesCollector.shape>[number][];
  readonly addresses: readonly Address[];
  readonly unread: readonly string[];
  readonly cluster: string;
  readonly targets: readonly QueryTarget[];
}

function rowOf(target: QueryTarget, around: Surroundings): Row {
  const { served, inside } = target;
  const outside = !inside;
  const nobody = outside && served.length === 0;
  const unreadClusters = nobody ? around.unread : [];
  const candidates = nobody ? candidatesFor(target, around) : [];
  const clusters = [
    ...new Set([...served.map(row => row.cluster), ...candidates.map(row => row.cluster), ...unreadClusters]),
  ];
  const address = target.port ? `${target.host}:${target.port}` : '';
  const row: Omit<Row, State | 'cluster' | 'ownerCluster'> = {
    query: target.query,
    of: target.of,
    flag: target.flag,
    endpoint: target.given,
    name: target.name,
    key: `Endpoint ${target.name}`,
    hostKey: `Endpoint ${target.host}`,
    addressKey: address ? `Address ${address}` : '',
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    portName: target.portName,
    fault: target.fault,
    strict: target.strict,
    tls: target.tls,
    deprecatedFlag: target.deprecatedFlag,
    service: target.service,
    serviceExists: target.serviceExists,
    headless: target.headless,
    portNamed: target.portNamed,
    portExists: target.portExists,
    clusterIp: target.clusterIp,
    pods: target.backends.map(backend => backend.pod.key),
    readyPods: target.backends.filter(backend => backend.ready).map(backend => backend.pod.key),
    addresses: target.addresses,
    outside,
    hostKnown: inside || known(around.addresses).some(one => one.host === target.host),
    portIsHttp: target.portIsHttp,
    targetPort: target.targetPort,
    component: target.component,
    unreadClusters,
    candidates: candidates.flatMap(candidate => candidate.objects),
    objects: [
      ...target.objects,
      ...candidates.flatMap(candidate => candidate.objects),
      ...clusters.map(cluster => `Cluster ${cluster}`),
    ],
  };
  const gap = gapsIn(around.addresses)[0];
  const cluster = inside ? around.cluster : (served[0]?.cluster ?? '');
  const withCluster =
    nobody && gap
      ? withUnknownFields<typeof row & { cluster: string; ownerCluster: string }>(row, gap, ['cluster', 'ownerCluster'])
      : { ...row, cluster, ownerCluster: cluster };
  return Object.defineProperties(withCluster, Object.getOwnPropertyDescriptors(stateOf(target, around.stores))) as Row;
}

/** Services for sidecars, in other clusters, that wait for an address, where nobody has the one that was given. */
function candidatesFor(target: QueryTarget, { addresses, cluster, targets }: Surroundings): readonly Address[] {
  const pending = known(addresses).filter(row => row.kind === 'pending' && row.grpc && row.cluster !== cluster);
  const asked = pending.filter(row => row.requested.includes(target.host));
  if (asked.length > 0) return asked;
  // One that asks for an address which the Query was given elsewhere is meant there.
  const free = pending.filter(row => !row.requested.some(host => targets.some(other => other.host === host)));
  // A cluster that another address already leads to has not lost this one.
  const reached = new Set(targets.flatMap(other => other.served.map(row => row.cluster)));
  return free.filter(row => !reached.has(row.cluster));
}

type State = 'listed' | 'state' | 'failing' | 'error' | 'errorKind' | 'failedCheck' | 'labelTexts';
const STATE = [
  'listed',
  'state',
  'failing',
  'error',
  'errorKind',
  'failedCheck',
  'labelTexts',
] as const satisfies readonly State[];

/** Seconds for which an address may refuse while the pod behind it is replaced. */
const REPLACED_WITHIN = 30;

/** A moment ago it answered, and now it refuses, as while the pod behind it is replaced. A failing entry keeps the time at which it answered last. */
export function hasJustGone(entry: StoreEntry | undefined): boolean {
  if (!entry || !['refused', 'closed'].includes(entry.errorKind)) return false;
  return entry.lastCheckAge >= 0 && entry.lastCheckAge < REPLACED_WITHIN;
}

const NO_STATE = { listed: [], failing: [], error: '', errorKind: '', failedCheck: '', labelTexts: [] };

/** What the Query's replicas say of it: one that has lost it is enough. */
function stateOf(target: QueryTarget, stores: Surroundings['stores']): Pick<Row, State> {
  if (target.of !== 'query') return { ...NO_STATE, state: 'none' };
  const gaps: Gap[] = [...gapsIn(stores)];
  const states: Pick<Row, State>[] = [];
  for (const replica of known(stores)) {
    if (replica.query.key !== target.query.key) continue;
    try {
      states.push(replica.settled ? inReplica(target, replica.stores) : { ...NO_STATE, state: 'settling' });
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gaps.push(error.gap);
    }
  }
  const down = states.find(state => state.state === 'down');
  if (down) return down;
  if (gaps[0]) return withUnknownFields<Pick<Row, State>>({}, gaps[0], STATE);
  return states.find(state => state.state === 'up') ?? states[0] ?? { ...NO_STATE, state: 'none' };
}

function inReplica(target: QueryTarget, stores: readonly StoreEntry[]): Pick<Row, State> {
  const byAddress = new Map(stores.map(store => [store.address, store]));
  const listed = target.addresses.flatMap(address => byAddress.get(address) ?? []);
  const lost = target.due.filter(address => !byAddress.get(address)?.healthy);
  const nothing = target.addresses.length === 0;
  const young = target.rolling || (lost.length > 0 && lost.every(address => hasJustGone(byAddress.get(address))));
  const settling = young || (!nothing && target.due.length === 0 && listed.every(store => !store.healthy));
  const failing = young ? [] : nothing ? [target.name] : lost;
  const first = failing.map(address => byAddress.get(address)).find(entry => entry !== undefined);
  const down = failing.length > 0;
  return {
    listed: listed.map(({ address, type, error, errorKind, lastCheckAge, healthy, labelTexts }) => ({
      address,
      type,
      error,
      errorKind,
      lastCheckAge,
      healthy,
      labelTexts,
    })),
    state: down ? 'down' : settling ? 'settling' : 'up',
    failing,
    error: down ? (first?.error ?? '') : '',
    errorKind: !down ? '' : first?.error ? first.errorKind : first ? 'silent' : 'unlisted',
    failedCheck: down ? (first?.lastCheck ?? '') : '',
    labelTexts: [...new Set(listed.flatMap(store => store.labelTexts))],
  };
}
