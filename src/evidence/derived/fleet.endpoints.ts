import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as queryStoresCollector } from '../collectors/thanos.query-stores.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { NOBODY, REF } from '../objects.ts';
import { type Address, collector as addressesCollector, inCluster, isAt } from './fleet.addresses.ts';
import { collector as clustersCollector } from './fleet.clusters.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';
import { collector as endpointsCollector, hasJustGone } from './thanos.query-endpoints.ts';

const ROW = {
  /** The cluster that should be seen, and the hub that should see it. */
  cluster: 'str',
  clusterKey: 'str',
  hub: 'str',
  query: REF,
  /** The Query has a container that runs. */
  queryRunning: 'bool',
  queryRunningAge: 'int',
  /** The first Prometheus of the cluster; its key carries the cluster. */
  component: REF,
  /** Addresses of the cluster that lead to its sidecars. */
  exposedAt: ['str'],
  /** Only an Ingress leads there, which speaks TLS to a Query. */
  onlyByIngress: 'bool',
  /** Services in front of its sidecars that wait for an address. */
  pendingServices: ['str'],
  /** Of the hub's endpoints, those that lead there or are likely meant for it. */
  endpoints: ['str'],
  endpoint: 'str',
  /** The hub was given an address of it. */
  configured: 'bool',
  /** A given address has the host of one of its addresses, with another port. */
  otherPort: ['str'],
  /** The one address that leads nowhere is likely this cluster's old one. */
  likelyMoved: 'bool',
  /** The hub lists an entry of it, well or not. */
  listed: 'bool',
  /** An entry without error has its labels, or leads to it. */
  seen: 'bool',
  error: 'str',
  errorKind: 'str',
  /** none, no-query, not-exposed, no-address, no-backend, not-configured, and the kinds of errors of an endpoint */
  firstBrokenHop: 'str',
  expectedCount: 'int',
  seenCount: 'int',
  labelTexts: ['str'],
  /** Keys with their cluster of all that has to work for it. */
  objects: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'fleet.endpoints',
  about:
    "For each hub and each cluster with sidecars: whether the hub's Query sees it, and the first hop that does not work.",
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [clusters, producers, addresses] = await Promise.all([
      context.get(clustersCollector),
      context.get(producersCollector),
      context.get(addressesCollector),
    ]);
    const hubs = known(clusters).filter(cluster => cluster.role === 'hub' && cluster.reachable);
    const rows: Row[] = [];
    for (const { name } of hubs) {
      const hub = context.clusters.find(candidate => candidate.cluster === name)!;
      const { views, gaps } = await viewsOf(hub);
      for (const gap of gaps) rows.push(gapElement({ ...gap, detail: `${name}: ${gap.detail}` }));
      for (const view of views) {
        for (const target of context.clusters) rows.push(...(await rowOf(view, target, producers, addresses)));
      }
    }
    return rows;
  },
});

/** A Query of a hub with what it was given and what it lists. */
interface View {
  readonly hub: Context;
  readonly query: Ref;
  readonly replicas: readonly Component[];
  readonly endpoints: readonly ShapeOf<typeof endpointsCollector.shape>[number][];
  readonly stores: readonly ShapeOf<typeof queryStoresCollector.shape>[number][];
}

/** The Queries that were given something; and why it is not known of others what they were given. */
async function viewsOf(hub: Context): Promise<{ readonly views: readonly View[]; readonly gaps: readonly Gap[] }> {
  const [components, endpoints, stores] = await Promise.all([
    hub.get(componentsCollector),
    listOrGap(hub.get(endpointsCollector)),
    listOrGap(hub.get(queryStoresCollector)),
  ]);
  const queries = new Map<string, View>();
  const gaps: Gap[] = [];
  for (const component of known(components)) {
    if (component.component !== 'query') continue;
    const { key } = component.subject;
    const replicas = [...(queries.get(key)?.replicas ?? []), component];
    const own = endpoints.filter(endpoint => gapOf(endpoint) || endpoint.query.key === key);
    if (known(own).length === 0) {
      gaps.push(...gapsIn(own));
      continue;
    }
    const seen = stores.filter(store => gapOf(store) || store.query.key === key);
    queries.set(key, { hub, query: component.subject, replicas, endpoints: own, stores: seen });
  }
  if (queries.size === 0) gaps.push(...gapsIn(components));
  return { views: [...queries.values()], gaps };
}

async function rowOf(
  view: View,
  target: Context,
  producers: readonly Producer[],
  addresses: readonly Address[],
): Promise<readonly Row[]> {
  const components = await listOrGap(target.get(componentsCollector));
  const [blind] = gapsIn(components);
  const sidecars = known(components).filter(component => component.component === 'sidecar');
  if (sidecars.length === 0)
    return blind ? [gapElement({ ...blind, detail: `${target.cluster}: ${blind.detail}` })] : [];
  const own = known(addresses).filter(row => row.cluster === target.cluster && row.grpc && leadsTo(row, sidecars));
  // The node ports that a load balancer brings along are nobody's way in.
  const exposed = own.filter(row => row.address !== '' && row.kind !== 'balancer-node-port');
  const direct = exposed.filter(row => row.kind !== 'ingress');
  const pending = own.filter(row => row.kind === 'pending');
  const isOwn = view.hub.cluster === target.cluster;
  const unread = gapOfCluster(addresses, target.cluster);
  const given = known(view.endpoints).filter(
    endpoint => endpoint.of === 'query' && concerns(endpoint, target.cluster, sidecars, own),
  );
  const hosts = new Set(exposed.map(row => row.host));
  const ports = new Set(exposed.map(row => row.address));
  const otherPort = known(view.endpoints).filter(endpoint => hosts.has(endpoint.host) && !ports.has(endpoint.name));
  const running = view.replicas.filter(replica => replica.running);
  const base = {
    cluster: target.cluster,
    clusterKey: `Cluster ${target.cluster}`,
    hub: view.hub.cluster,
    query: inCluster(view.query, view.hub.cluster),
    queryRunning: running.length > 0,
    queryRunningAge: Math.max(-1, ...running.map(replica => replica.runningAge)),
    component: inCluster(sidecars[0]?.subject ?? NOBODY, target.cluster),
    exposedAt: [...new Set((direct.length > 0 ? direct : exposed).map(row => row.address))],
    onlyByIngress: direct.length === 0 && exposed.length > 0,
    pendingServices: [...new Set(pending.map(row => `${row.service.key} @${target.cluster}`))],
    endpoints: given.map(endpoint => endpoint.name),
    endpoint: given[0]?.name ?? '',
    configured: given.length > 0,
    otherPort: otherPort.map(endpoint => endpoint.name),
    expectedCount: sidecars.length,
    objects: objectsOf(view, target.cluster, isOwn, given, otherPort, own, sidecars),
  };
  const orphans = known(view.endpoints).filter(isOrphan);
  const likelyMoved = given.length === 0 && orphans.length === 1 && !isOwn;
  // A name that no Service has was meant for something of the hub itself; nobody can say for what.
  const nameless = isOwn ? known(view.endpoints).filter(endpoint => !endpoint.outside && !endpoint.serviceExists) : [];
  const lost = [...(likelyMoved ? orphans : []), ...nameless].flatMap(one => [one.key, one.addressKey, one.hostKey]);
  const other = { likelyMoved, objects: [...new Set([...base.objects, ...lost])].filter(key => key !== '') };
  // A name of an outside DNS, or a file of endpoints, may lead here: then "was not given" is not known.
  const unresolved = view.endpoints
    .map(endpoint => gapOf(endpoint) ?? gapOf(endpoint.addresses[0]))
    .find(one => one !== undefined);
  const found = { ...base, ...other };
  const notGiven = given.length === 0 ? (unread ?? unresolved) : undefined;
  // A Service or an Ingress that could not be read may be the way in.
  const notExposed = exposed.length === 0 && pending.length === 0 ? unread : undefined;
  const gap = notExposed ?? notGiven;
  const complete = gap
    ? withUnknownFields<typeof found>(found, gap, [
        ...(notGiven ? (['configured', 'likelyMoved'] as const) : []),
        ...(notExposed ? (['exposedAt', 'onlyByIngress', 'pendingServices'] as const) : []),
      ])
    : found;
  return [withSight(complete, view, target.cluster, producers, own, isOwn, unread)];
}

/** An address outside that no cluster has, and that does not answer. */
function isOrphan(endpoint: View['endpoints'][number]): boolean {
  try {
    return endpoint.of === 'query' && endpoint.outside && endpoint.ownerCluster === '' && endpoint.state === 'down';
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

/** Why not all rows of a cluster are known: where they were gathered, its name was put before the words. */
function gapOfCluster(rows: readonly object[], cluster: string): Gap | undefined {
  return gapsIn(rows).find(({ detail }) => detail.startsWith(`${cluster}: `));
}

function leadsTo(row: Address, sidecars: readonly Component[]): boolean {
  return row.subjects.some(subject => sidecars.some(sidecar => sidecar.subject.key === subject.key));
}

type Endpoint = View['endpoints'][number];

/** The endpoint leads to the cluster's sidecars, or is likely meant for them. */
function concerns(
  endpoint: Endpoint,
  cluster: string,
  sidecars: readonly Component[],
  own: readonly Address[],
): boolean {
  if (own.some(row => isAt(row, endpoint.name))) return true;
  return sidecars.some(sidecar => endpoint.objects.includes(`${sidecar.subject.key} @${cluster}`));
}

function objectsOf(
  view: View,
  cluster: string,
  isOwn: boolean,
  given: readonly Endpoint[],
  otherPort: readonly Endpoint[],
  own: readonly Address[],
  sidecars: readonly Component[],
): readonly string[] {
  const keys = [
    `Cluster ${cluster}`,
    `${view.query.key} @${view.hub.cluster}`,
    ...[...given, ...otherPort].flatMap(endpoint => [
      endpoint.key,
      endpoint.addressKey,
      endpoint.hostKey,
      ...endpoint.objects,
    ]),
    ...own.flatMap(row => [row.key, ...row.objects]),
    ...sidecars.flatMap(sidecar =>
      [sidecar.subject, sidecar.workload, sidecar.pod].map(one => one.key && `${one.key} @${cluster}`),
    ),
  ];
  const foreign = (key: string) => key.startsWith('Cluster ') && key !== `Cluster ${cluster}` && !isOwn;
  return [...new Set(keys.filter(key => key !== '' && !foreign(key)))];
}

type Sight = 'listed' | 'seen' | 'error' | 'errorKind' | 'firstBrokenHop' | 'seenCount' | 'labelTexts';
const SIGHT = [
  'listed',
  'seen',
  'error',
  'errorKind',
  'firstBrokenHop',
  'seenCount',
  'labelTexts',
] as const satisfies readonly Sight[];

function withSight(
  base: Omit<Row, Sight>,
  view: View,
  cluster: string,
  producers: readonly Producer[],
  own: readonly Address[],
  isOwn: boolean,
  unread: Gap | undefined,
): Row {
  try {
    const sight = sightOf(base, view, cluster, producers, own, isOwn, unread);
    return Object.defineProperties(sight, Object.getOwnPropertyDescriptors(base)) as Row;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const unknown = withUnknownFields<Pick<Row, Sight>>({}, error.gap, SIGHT);
    return Object.defineProperties(unknown, Object.getOwnPropertyDescriptors(base)) as Row;
  }
}

function sightOf(
  base: Omit<Row, Sight>,
  view: View,
  cluster: string,
  producers: readonly Producer[],
  own: readonly Address[],
  isOwn: boolean,
  unread: Gap | undefined,
): Pick<Row, Sight> {
  const texts = new Set(textsOf(cluster, producers));
  const gap = gapsIn(view.stores)[0];
  if (!base.queryRunning) {
    return {
      listed: false,
      seen: false,
      error: '',
      errorKind: '',
      firstBrokenHop: 'no-query',
      seenCount: 0,
      labelTexts: [...texts],
    };
  }
  const answers = known(view.stores).filter(row => row.settled);
  if (gap || answers.length === 0) {
    throw new GapSignal(
      gap ?? { reason: 'not-found', detail: `the Query of ${view.hub.cluster} has just started`, notLookedAt: true },
    );
  }
  // Each replica of the Query has to see it; one that does not is enough for a hole in the answers.
  const sights = answers.map(({ stores }) => {
    const producing = stores.filter(store => PRODUCING.has(store.type));
    const mine = producing.filter(
      store =>
        own.some(row => isAt(row, store.address)) ||
        store.labelTexts.some(label => texts.has(label)) ||
        (isOwn && store.pod.name !== '' && !store.pod.key.includes(' @')),
    );
    return { mine, healthy: mine.filter(store => store.healthy || hasJustGone(store)) };
  });
  const worst = sights.reduce((first, second) => (second.healthy.length < first.healthy.length ? second : first));
  const seen = worst.healthy.length > 0;
  // An entry is known for the cluster's by its address or its labels.
  const hidden = unread ?? gapOfCluster(producers, cluster);
  if (!seen && !isOwn && hidden) throw new GapSignal(hidden);
  const failing = worst.mine.find(store => !store.healthy);
  const error = seen ? '' : (failing?.error ?? '');
  const errorKind = seen ? '' : (failing?.errorKind ?? '');
  return {
    listed: worst.mine.length > 0,
    seen,
    error,
    errorKind,
    firstBrokenHop: seen ? 'none' : hopOf(base, own, errorKind, isOwn),
    seenCount: worst.healthy.length,
    labelTexts: [...texts],
  };
}

const PRODUCING: ReadonlySet<string> = new Set(['sidecar', 'receive', 'query']);

/** Labels that only this cluster's producers write under. */
function textsOf(cluster: string, producers: readonly Producer[]): readonly string[] {
  const texts: string[] = [];
  for (const producer of known(producers)) {
    if (producer.cluster !== cluster || producer.kind === 'rule') continue;
    if (producer.sharesLabelsWith.every(other => other.cluster === cluster)) texts.push(producer.labelText);
  }
  return texts;
}

function hopOf(base: Omit<Row, Sight>, own: readonly Address[], errorKind: string, isOwn: boolean): string {
  if (isOwn) return errorKind || 'not-configured';
  if (base.exposedAt.length === 0) return base.pendingServices.length > 0 ? 'no-address' : 'not-exposed';
  if (base.endpoints.length === 0) return base.otherPort.length > 0 ? 'wrong-port' : 'not-configured';
  if (own.every(row => row.readyPods.length === 0)) return 'no-backend';
  return errorKind || 'unlisted';
}
