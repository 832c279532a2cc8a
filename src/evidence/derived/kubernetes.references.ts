import type { Gap } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as configMapsCollector } from '../collectors/kubernetes.config-maps.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { gapOf, gapsIn, groupedBy, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { type Complaint, complaintsOf, isStuckCreating } from '../missing-objects.ts';
import { NOBODY, objectKey, REF, ref } from '../objects.ts';
import type { ContainerSpec } from '../pod-containers.ts';

const USE = {
  /** Nobody where only a workload's template names it. */
  pod: REF,
  container: 'str',
  workload: REF,
  /** env, envFrom, volume or imagePull */
  how: 'str',
} as const;

const ROW = {
  /** `Kind namespace/name` of what is named; it need not exist. */
  objectKey: 'str',
  /** Secret, ConfigMap or PersistentVolumeClaim */
  kind: 'str',
  namespace: 'str',
  name: 'str',
  /** '' for the whole object */
  key: 'str',
  optional: 'bool',
  usedBy: [USE],
  workloads: [REF],
  /** present, absent or unknown; of the key, where one is named. Secrets are never listed. */
  existence: 'str',
  /** object or key; '' where nothing is known to be missing */
  missing: 'str',
  /** The kubelet's own message, or what was listed. */
  proof: 'str',
  /** Containers that do not run because it is missing. */
  blocked: [USE],
  /** Seconds that the first of them has waited; -1 for none. */
  blockedFor: 'int',
  since: 'time',
  /** Keys of the ConfigMap, where it exists. */
  keys: ['str'],
  /** Other namespaces with a ConfigMap of that name. */
  elsewhere: ['str'],
} as const;

type Reference = ShapeOf<typeof ROW>;
type Use = ShapeOf<typeof USE>;
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type ConfigMap = ShapeOf<typeof configMapsCollector.shape>[number];
type Volume = Pod['volumes'][number];

interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
  readonly use: Use;
}

const KINDS: Readonly<Record<string, string>> = {
  secret: 'Secret',
  configMap: 'ConfigMap',
  claim: 'PersistentVolumeClaim',
};

export const collector = derived({
  id: 'kubernetes.references',
  about: 'Who uses which Secret, ConfigMap and claim, and whether it exists as far as that can be known.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [pods, configMaps, claims, events, ...workloads] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(configMapsCollector)),
      listOrGap(context.get(claimsCollector)),
      listOrGap(context.get(eventsCollector)),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
      listOrGap(context.get(daemonSetsCollector)),
    ]);
    const [deployments = [], statefulSets = [], daemonSets = []] = workloads as readonly (readonly Template[])[];
    const current = known(pods).filter(pod => !pod.history && !pod.deleting);
    const named = [
      ...current.flatMap(pod => namedBy(pod, ref('Pod', pod.namespace, pod.name, pod.uid), pod.workload)),
      ...templatesOf('Deployment', deployments),
      ...templatesOf('StatefulSet', statefulSets),
      ...templatesOf('DaemonSet', daemonSets),
    ];
    const eventsOf = groupedBy(known(events), event => event.object.uid);
    const complaints = groupedBy(
      current.flatMap(pod => complaintsOf(pod, eventsOf.get(pod.uid) ?? [])),
      one => objectKey(one.kind, one.namespace, one.name),
    );
    const listing: Listing = {
      configMaps: groupedBy(known(configMaps), one => one.name),
      namespaces: new Set(known(configMaps).map(one => one.namespace)),
      claims: new Set(known(claims).map(claim => objectKey('PersistentVolumeClaim', claim.namespace, claim.name))),
      unlistedClaims: gapsIn(claims)[0],
      unlistedConfigMaps: gapsIn(configMaps)[0],
      unlistedEvents: gapsIn(events)[0],
    };
    const stuck = new Map(current.filter(pod => isStuckCreating(pod)).map(pod => [pod.uid, pod]));
    const rows = grouped(named).map(group => rowOf(group, complaints, listing, stuck));
    const unread = pods.filter(pod => gapOf(pod) !== undefined) as never[];
    return [...rows, ...unread];
  },
});

interface Template {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly template: {
    readonly containers: readonly ContainerSpec[];
    readonly volumes: readonly Volume[];
    readonly imagePullSecrets: readonly string[];
  };
}

function templatesOf(kind: string, rows: readonly Template[]): readonly Named[] {
  return known(rows).flatMap(row =>
    namedBy({ namespace: row.namespace, ...row.template }, NOBODY, ref(kind, row.namespace, row.name, row.uid)),
  );
}

interface Naming {
  readonly namespace: string;
  readonly containers: readonly ContainerSpec[];
  readonly volumes: readonly Volume[];
  readonly imagePullSecrets: readonly string[];
}

function namedBy(
  { namespace, containers, volumes, imagePullSecrets }: Naming,
  pod: Ref,
  workload: Ref,
): readonly Named[] {
  const row = (kind: string, name: string, key: string, optional: boolean, container: string, how: string): Named => ({
    kind,
    namespace,
    name,
    key,
    optional,
    use: { pod, container, workload, how },
  });
  const ofContainers = containers.flatMap(({ container, env, envFrom, mounts }) => [
    ...env.flatMap(({ fromSecret, fromConfigMap, key, optional }) => [
      ...(fromSecret ? [row('Secret', fromSecret, key, optional, container, 'env')] : []),
      ...(fromConfigMap ? [row('ConfigMap', fromConfigMap, key, optional, container, 'env')] : []),
    ]),
    ...envFrom.flatMap(({ fromSecret, fromConfigMap, optional }) => [
      ...(fromSecret ? [row('Secret', fromSecret, '', optional, container, 'envFrom')] : []),
      ...(fromConfigMap ? [row('ConfigMap', fromConfigMap, '', optional, container, 'envFrom')] : []),
    ]),
    ...mounts.flatMap(mount =>
      volumes.filter(volume => volume.name === mount.volume).flatMap(volume => ofVolume(volume, container)),
    ),
  ]);
  const mounted = new Set(containers.flatMap(({ mounts }) => mounts.map(mount => mount.volume)));
  const unmounted = volumes.filter(volume => !mounted.has(volume.name)).flatMap(volume => ofVolume(volume, ''));
  const pulls = imagePullSecrets.map(name => row('Secret', name, '', true, '', 'imagePull'));
  return [...ofContainers, ...unmounted, ...pulls].filter(({ name }) => name !== '');

  function ofVolume({ kind, source, optional, keys }: Volume, container: string): readonly Named[] {
    const found = KINDS[kind];
    if (!found) return [];
    return (keys.length > 0 ? keys : ['']).map(key => row(found, source, key, optional, container, 'volume'));
  }
}

function grouped(named: readonly Named[]): readonly (readonly Named[])[] {
  const keyOf = (one: Named) => `${objectKey(one.kind, one.namespace, one.name)} ${one.key} ${one.optional}`;
  return [...groupedBy(named, keyOf)].sort(([first], [second]) => (first < second ? -1 : 1)).map(([, group]) => group);
}

interface Listing {
  /** By name. */
  readonly configMaps: ReadonlyMap<string, readonly ConfigMap[]>;
  /** Those that have a ConfigMap. */
  readonly namespaces: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly unlistedClaims: Gap | undefined;
  readonly unlistedConfigMaps: Gap | undefined;
  readonly unlistedEvents: Gap | undefined;
}

function rowOf(
  group: readonly Named[],
  complaints: ReadonlyMap<string, readonly Complaint[]>,
  listing: Listing,
  stuck: ReadonlyMap<string, Pod>,
): Reference {
  const { kind, namespace, name, key, optional } = group[0]!;
  const usedBy = group.map(one => one.use);
  const ofObject = complaints.get(objectKey(kind, namespace, name)) ?? [];
  const about = ofObject.filter(one => one.key === '' || one.key === key);
  const sameName = kind === 'ConfigMap' ? (listing.configMaps.get(name) ?? []) : [];
  const here = sameName.find(one => one.namespace === namespace);
  const listed = existenceIn(listing, kind, namespace, name, key, here?.keys);
  const waiting = usedBy.filter(use => stuck.has(use.pod.uid) && use.how === 'volume');
  const byKubelet = about.length > 0 && !optional;
  const byList = !byKubelet && !optional && listed !== '' && listed !== 'present' && waiting.length > 0;
  const blocked = byKubelet
    ? usedBy.filter(use =>
        about.some(one => one.pod === use.pod.uid && (one.container === '' || one.container === use.container)),
      )
    : byList
      ? waiting
      : [];
  const first = about.reduce<Complaint | undefined>(
    (longest, one) => (longest && longest.age >= one.age ? longest : one),
    undefined,
  );
  const stuckFor = byList ? Math.max(...waiting.map(use => stuck.get(use.pod.uid)!.age)) : -1;
  const row: Reference = {
    objectKey: objectKey(kind, namespace, name),
    kind,
    namespace,
    name,
    key,
    optional,
    usedBy,
    workloads: [...new Map(usedBy.map(use => [use.workload.key, use.workload])).values()],
    existence: byKubelet ? 'absent' : listed === '' ? 'unknown' : listed === 'present' ? 'present' : 'absent',
    missing: byKubelet ? (first!.key === '' ? 'object' : 'key') : listed === 'present' ? '' : listed,
    proof: byKubelet ? first!.message : byList ? 'the list of the namespace does not have it' : '',
    blocked,
    blockedFor: byKubelet ? first!.age : stuckFor,
    since: byKubelet ? first!.since : byList ? stuck.get(waiting[0]!.pod.uid)!.created : '',
    keys: here?.keys ?? [],
    elsewhere: sameName.filter(one => one.namespace !== namespace).map(one => one.namespace),
  };
  const unclear = !byKubelet && !byList && !optional && waiting.length > 0 && (listed === '' || listed === 'present');
  if (!unclear || !listing.unlistedEvents || listed === 'present') return row;
  return unknownOf(row, listing.unlistedEvents);
}

/** A pod hangs, and the events that would say whether for this object are not known. */
function unknownOf(row: Reference, gap: Gap): Reference {
  const { existence: _, missing: __, blocked: ___, blockedFor: ____, ...rest } = row;
  return withUnknownFields<Reference>(rest, gap, ['existence', 'missing', 'blocked', 'blockedFor']);
}

/** present, object or key (what is missing), or '' where the list does not tell. */
function existenceIn(
  listing: Listing,
  kind: string,
  namespace: string,
  name: string,
  key: string,
  keys: readonly string[] | undefined,
): string {
  if (kind === 'PersistentVolumeClaim') {
    if (listing.claims.has(objectKey(kind, namespace, name))) return 'present';
    return listing.unlistedClaims ? '' : 'object';
  }
  if (kind !== 'ConfigMap') return '';
  if (keys) return key === '' || keys.includes(key) ? 'present' : 'key';
  // Every namespace has at least the API server's own ConfigMap: one without any was not listed.
  const wasListed = listing.namespaces.has(namespace);
  return wasListed && !listing.unlistedConfigMaps ? 'object' : '';
}
