import { GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { labelText, timeOf } from '../components/block-times.ts';
import { failureKind } from '../components/endpoint-errors.ts';
import { type QueryTarget, queryTargets } from '../components/query-targets.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { type Address, collector as addressesCollector, inCluster, isAt } from '../derived/fleet.addresses.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { age, list, malformed, NOBODY, number, REF, ref, strings, text } from '../objects.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const ENTRY = {
  address: 'str',
  /** sidecar, store, rule, receive, query, … */
  type: 'str',
  /** '' where the last check was well. */
  error: 'str',
  errorKind: 'str',
  lastCheck: 'time',
  lastCheckAge: 'int',
  /** No error, and checked about as lately as the others of the same answer. */
  healthy: 'bool',
  labelSets: ['map'],
  /** The label sets as text, without the sets that Thanos adds for old clients. */
  labelTexts: ['str'],
  minTime: 'time',
  /** '' for "until now". */
  maxTime: 'time',
  maxAge: 'int',
  /** A store without a single block. */
  empty: 'bool',
  pod: REF,
  /** Of the pod or the load balancer behind the address; '' if nobody's. */
  cluster: 'str',
} as const;

const ROW = {
  query: REF,
  pod: REF,
  container: 'str',
  containerKey: 'str',
  runningAge: 'int',
  settled: 'bool',
  count: 'int',
  healthyCount: 'int',
  stores: [ENTRY],
  /** Endpoints that were given, should be known by now, and are not listed. */
  missing: ['str'],
  duplicates: [{ labels: 'map', labelText: 'str', addresses: ['str'] }],
} as const;

export type StoreEntry = ShapeOf<typeof ENTRY>;
type Row = ShapeOf<typeof ROW>;

/** Seconds by which an entry's check may be older than the newest of the same answer: a dead endpoint makes a round longer. */
const STALE = 30;

export const collector = fetched({
  id: 'thanos.query-stores',
  about: 'What each Query sees: the endpoints that it lists, with their labels and errors.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [replicas, pods, addresses] = await Promise.all([
      replicasOf(context, ['query']),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(addressesCollector)),
    ]);
    const byIp = new Map(known(pods).map(pod => [pod.podIp, ref('Pod', pod.namespace, pod.name, pod.uid)]));
    const behind = { cluster: context.cluster, byIp, addresses };
    const targets = await targetsOrGap(context);
    const parts = (query: Ref): readonly Part<Row>[] => [
      {
        fields: ['count', 'healthyCount', 'stores', 'missing', 'duplicates'],
        async read(asker) {
          const data = await asker.api('/api/v1/stores');
          const stores = entriesOf(context, data, behind);
          return {
            count: stores.length,
            healthyCount: stores.filter(store => store.healthy).length,
            stores,
            missing: missingFrom(stores, query, targets),
            duplicates: duplicatesIn(stores),
          };
        },
      },
    ];
    const rows = await Promise.all(
      replicas
        .filter(replica => gapOf(replica) !== undefined || replica.running)
        .map(replica =>
          askEach<Row>(
            context,
            { id: 'thanos.query-stores', core: true },
            [replica],
            () => ({
              query: replica.subject,
              pod: replica.pod,
              container: replica.container,
              containerKey: replica.containerKey,
              runningAge: replica.runningAge,
              settled: replica.settled,
            }),
            parts(gapOf(replica) ? NOBODY : replica.subject),
          ),
        ),
    );
    return rows.flat();
  },
});

async function targetsOrGap(context: Parameters<typeof queryTargets>[0]): Promise<readonly QueryTarget[]> {
  try {
    return await queryTargets(context);
  } catch (error) {
    if (error instanceof GapSignal) return [gapElement(error.gap)];
    throw error;
  }
}

interface Behind {
  readonly cluster: string;
  readonly byIp: ReadonlyMap<string, Ref>;
  readonly addresses: readonly Address[];
}

function entriesOf(context: { readonly takenAt: number }, data: RawObject, behind: Behind): readonly StoreEntry[] {
  if (typeof data !== 'object' || Array.isArray(data)) throw malformed('the answer is no map of types');
  const raw = Object.entries(data).flatMap(([type, entries]) => list(entries).map(entry => ({ type, entry })));
  const checks = raw.map(({ entry }) => Date.parse(text(entry?.lastCheck))).filter(time => !Number.isNaN(time));
  const newest = Math.max(0, ...checks);
  return raw.map(({ type, entry }) => entryOf(context, type, entry, newest, behind));
}

function entryOf(
  context: { readonly takenAt: number },
  type: string,
  raw: RawObject,
  newest: number,
  behind: Behind,
): StoreEntry {
  const address = text(raw?.name).toLowerCase();
  const error = errorOf(raw?.lastError);
  const lastCheck = text(raw?.lastCheck);
  const labelSets = list(raw?.labelSets).map(strings);
  const maxTime = timeOf(number(raw?.maxTime));
  const host = address.replace(/:[0-9]+$/, '');
  const pod = behind.byIp.get(host) ?? NOBODY;
  const row: StoreEntry = {
    address,
    type,
    error,
    errorKind: failureKind(error),
    lastCheck,
    lastCheckAge: age(context, lastCheck),
    healthy: error === '' && newest - Date.parse(lastCheck) <= STALE * 1000,
    labelSets,
    labelTexts: labelSets.filter(isProducers).map(labelText),
    minTime: timeOf(number(raw?.minTime)),
    maxTime,
    maxAge: age(context, maxTime),
    empty: number(raw?.minTime) > 8.64e15,
    pod: pod.name ? pod : podElsewhere(address, behind),
    cluster: '',
  };
  return Object.defineProperty(row, 'cluster', {
    enumerable: true,
    ...clusterOf(address, pod, behind),
  });
}

function servedBy(address: string, behind: Behind): Address | undefined {
  return known(behind.addresses).find(row => isAt(row, address));
}

function podElsewhere(address: string, behind: Behind): Ref {
  const served = servedBy(address, behind);
  const pod = served?.readyPods[0];
  return served && pod ? inCluster(pod, served.cluster) : NOBODY;
}

/** "Nobody's" is only known where the addresses of every cluster are. */
function clusterOf(address: string, pod: Ref, behind: Behind): PropertyDescriptor {
  if (pod.name) return { value: behind.cluster };
  const found = servedBy(address, behind);
  if (found) return { value: found.cluster };
  if (/^[^:]*\.svc(\.|:|$)/.test(address) || !/^[0-9[]/.test(address)) return { value: behind.cluster };
  const gap = gapsIn(behind.addresses)[0];
  if (!gap) return { value: '' };
  return {
    get() {
      throw new GapSignal(gap);
    },
  };
}

function isProducers(labels: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(labels);
  return names.length > 0 && !names.every(name => name.startsWith('@thanos_'));
}

/** `null`, a string, or an error that Go could not write out. */
function errorOf(error: unknown): string {
  if (error === null || error === undefined || error === '') return '';
  return typeof error === 'string' ? error : 'failed, without words';
}

function missingFrom(stores: readonly StoreEntry[], query: Ref, targets: readonly QueryTarget[]): readonly string[] {
  const listed = new Set(stores.map(store => store.address));
  return targets.flatMap(target => {
    if (gapOf(target)) return [target as never];
    if (target.query.key !== query.key) return [];
    const due = orGap(() => target.due.filter(address => !listed.has(address)));
    return gapOf(due) ? [due as never] : due.length > 0 || target.addresses.length === 0 ? [target.name] : [];
  });
}

/** Label sets that two healthy producers share; stores, queries and receivers repeat those of others by design. */
function duplicatesIn(stores: readonly StoreEntry[]): Row['duplicates'] {
  const by = new Map<string, { labels: Readonly<Record<string, string>>; addresses: string[] }>();
  for (const store of stores) {
    if (!store.healthy || (store.type !== 'sidecar' && store.type !== 'rule')) continue;
    for (const labels of store.labelSets.filter(isProducers)) {
      const key = labelText(labels);
      const entry = by.get(key) ?? { labels, addresses: [] };
      by.set(key, entry);
      if (!entry.addresses.includes(store.address)) entry.addresses.push(store.address);
    }
  }
  return [...by]
    .filter(([, { addresses }]) => addresses.length > 1)
    .map(([key, { labels, addresses }]) => ({ labels, labelText: key, addresses: addresses.sort() }));
}
