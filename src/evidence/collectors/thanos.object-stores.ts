import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { StoreAnswer, StoreReference } from '../../model/source.ts';
import type { Context } from '../collector.ts';
import { fetched } from '../collector.ts';
import { NO_SECRET, readStoreConfig, type StoreConfig } from '../components/store-config.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { gapElement, gapsIn, known, listOrGap, orGap, withUnknownFields } from '../gaps.ts';
import { age, NOBODY, REF, ref } from '../objects.ts';
import { collector as servicesCollector } from './kubernetes.services.ts';
import { collector as prometheusesCollector } from './prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from './prometheus-operator.thanos-rulers.ts';

const USER = {
  pod: REF,
  container: 'str',
  containerKey: 'str',
  component: 'str',
  workload: REF,
  subject: REF,
  running: 'bool',
  runningAge: 'int',
} as const;

const CREDENTIAL = { set: 'bool', fingerprint: 'str', edgeSpace: 'bool' } as const;

export const OBJECT_STORE = {
  /** `namespace/name/key` */
  id: 'str',
  /** The object that holds the configuration: a Secret, a ConfigMap, or the workload whose arguments it stands in. */
  secret: REF,
  key: 'str',
  /** Secret, ConfigMap or inline */
  kind: 'str',
  usedBy: [USER],
  /** Workloads and resources whose template names it, running or not. */
  namedBy: [REF],
  container: 'str',
  type: 'str',
  bucket: 'str',
  endpoint: 'str',
  host: 'str',
  /** 0 where none is written. */
  port: 'int',
  effectivePort: 'int',
  /** `host:port` with the effective port, lower case. */
  address: 'str',
  /** `bucket@host:port` */
  place: 'str',
  /** `Bucket bucket@host:port`, `Endpoint host:port`: '' where the configuration names none. */
  bucketKey: 'str',
  endpointKey: 'str',
  insecure: 'bool',
  region: 'str',
  prefix: 'str',
  credentials: { access: CREDENTIAL, secret: CREDENTIAL, complete: 'bool' },
  awsSdkAuth: 'bool',
  signatureV2: 'bool',
  caFile: 'str',
  skipVerify: 'bool',
  /** Name by which the certificate is checked instead of the endpoint's; '' for none. */
  serverName: 'str',
  /** Names of all keys of the object. */
  keys: ['str'],
  changedAt: 'time',
  changedAge: 'int',
  resourceVersion: 'str',
  /** False where the object was confirmed not to be there. */
  exists: 'bool',
  /** False where the object exists without this key. */
  keyExists: 'bool',
  /** '' or what is wrong with it, in words. */
  parseError: 'str',
  /** '' · not-found · no-such-key · yaml · manifest-pasted · type-missing · type-unknown · unknown-field · endpoint-form · bucket-empty · credentials-half · auth-exclusive · value */
  parseErrorId: 'str',
  unknownFields: ['str'],
  /** Was read, and Thanos would take it. Touching it is a gap where it could not be read. */
  usable: 'bool',
  readable: 'bool',
  /** The Service of this cluster that the host names. */
  insideCluster: REF,
  /** Ids of other configurations of this cluster with the same bucket, endpoint and prefix. */
  sameAs: ['str'],
  /** Of each user, whether it started after the configuration was last changed. */
  restartedSince: [{ pod: REF, containerKey: 'str', restarted: 'bool' }],
} as const;

export type ObjectStore = ShapeOf<typeof OBJECT_STORE>;

/** Fields that come from the configuration itself: not known where it may not be read. */
const FROM_CONFIGURATION = [
  'type',
  'bucket',
  'endpoint',
  'host',
  'port',
  'effectivePort',
  'address',
  'place',
  'bucketKey',
  'endpointKey',
  'insecure',
  'region',
  'prefix',
  'credentials',
  'awsSdkAuth',
  'signatureV2',
  'caFile',
  'skipVerify',
  'serverName',
  'keys',
  'changedAt',
  'changedAge',
  'resourceVersion',
  'exists',
  'keyExists',
  'parseError',
  'parseErrorId',
  'unknownFields',
  'usable',
  'insideCluster',
  'sameAs',
  'restartedSince',
] as const satisfies readonly (keyof ObjectStore)[];

interface Named {
  readonly reference: StoreReference;
  readonly users: Component[];
  readonly namedBy: Ref[];
}

export const collector = fetched({
  id: 'thanos.object-stores',
  about:
    'Every object storage configuration that a component uses, once per Secret and key, credentials as fingerprints.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'secrets' }],
  shape: [OBJECT_STORE],
  async collect(context) {
    const [components, prometheuses, rulers, services] = await Promise.all([
      context.get(componentsCollector),
      listOrGap(context.get(prometheusesCollector)),
      listOrGap(context.get(rulersCollector)),
      listOrGap(context.get(servicesCollector)),
    ]);
    const named = new Map<string, Named>();
    for (const component of known(components)) addComponent(named, component);
    for (const prometheus of known(prometheuses)) {
      addResource(
        named,
        ref('Prometheus', prometheus.namespace, prometheus.name, prometheus.uid),
        prometheus.thanos.objstore,
      );
    }
    for (const ruler of known(rulers)) {
      addResource(named, ref('ThanosRuler', ruler.namespace, ruler.name, ruler.uid), ruler.objstore);
    }
    const rows = await Promise.all(
      [...named.values()]
        .sort((first, second) => (first.reference.id < second.reference.id ? -1 : 1))
        .map(entry => rowOf(context, entry, services)),
    );
    const joined = rows.map(row => withSameAs(row, rows));
    return [
      ...joined,
      ...gapsIn([...components, ...prometheuses, ...rulers]).map(gap => gapElement(gap) as ObjectStore),
    ];
  },
});

function addComponent(named: Map<string, Named>, component: Component): void {
  const { objstore } = component;
  if (!component.thanos || objstore.source === 'none') return;
  const inline = objstore.source === 'inline';
  if (!inline && objstore.secret === '') return;
  const name = inline ? component.pod.name || component.workload.name : objstore.secret;
  const key = inline ? component.container : objstore.key;
  const entry = entryOf(named, {
    id: `${component.namespace}/${name}/${key}`,
    kind: inline ? 'inline' : objstore.kind === 'ConfigMap' ? 'ConfigMap' : 'Secret',
    namespace: component.namespace,
    name,
    key,
  });
  if (component.containerKey) entry.users.push(component);
  addName(entry, component.workload);
  addName(entry, component.writeTo);
}

function addResource(
  named: Map<string, Named>,
  resource: Ref,
  objstore: { readonly secret: string; readonly key: string },
): void {
  if (!objstore.secret || !objstore.key) return;
  const { namespace } = resource;
  const id = `${namespace}/${objstore.secret}/${objstore.key}`;
  addName(entryOf(named, { id, kind: 'Secret', namespace, name: objstore.secret, key: objstore.key }), resource);
}

function entryOf(named: Map<string, Named>, reference: StoreReference): Named {
  let entry = named.get(reference.id);
  if (!entry) {
    entry = { reference, users: [], namedBy: [] };
    named.set(reference.id, entry);
  }
  return entry;
}

function addName(entry: Named, by: Ref): void {
  if (by.name && !entry.namedBy.some(other => other.key === by.key)) entry.namedBy.push(by);
}

type Services = readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];

async function rowOf(context: Context, entry: Named, services: Services): Promise<ObjectStore> {
  const { reference, users, namedBy } = entry;
  const holder =
    reference.kind === 'inline'
      ? (users[0]?.workload ?? namedBy[0] ?? NOBODY)
      : ref(reference.kind, reference.namespace, reference.name);
  const base = {
    id: reference.id,
    secret: holder,
    key: reference.key,
    kind: reference.kind,
    usedBy: users.map(user => ({
      pod: user.pod,
      container: user.container,
      containerKey: user.containerKey,
      component: user.component,
      workload: user.workload,
      subject: user.subject,
      running: user.running,
      runningAge: user.runningAge,
    })),
    namedBy,
    container: users[0]?.container ?? '',
    readable: true,
  };
  try {
    const answer = await context.source.objectStore(reference);
    const read = fromAnswer(context, answer, users, services);
    return Object.defineProperties(base, Object.getOwnPropertyDescriptors(read)) as unknown as ObjectStore;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const gap: Gap = { ...error.gap, evidence: collector.id };
    return withUnknownFields<ObjectStore>({ ...base, readable: false }, gap, FROM_CONFIGURATION);
  }
}

function fromAnswer(context: Context, answer: StoreAnswer, users: readonly Component[], services: Services) {
  const { reference, error } = answer;
  const exists = !/not[- ]?found$/i.test(error) || /no-such-key/.test(error);
  const keyExists = exists && error !== 'no-such-key' && !/no such key|has no key/i.test(error);
  const config = readStoreConfig(answer.config ?? {});
  const fault = error === '' ? config.fault : exists ? (keyExists ? 'yaml' : 'no-such-key') : 'not-found';
  const usable = error === '' && fault === '';
  const address = config.host ? `${config.host}:${config.effectivePort}` : '';
  const place = address && config.bucket ? `${config.bucket}@${address}` : '';
  const row = {
    ...fieldsOf(config),
    address,
    place,
    bucketKey: place ? `Bucket ${place}` : '',
    endpointKey: address ? `Endpoint ${address}` : '',
    keys: answer.keys,
    changedAt: answer.changedAt,
    changedAge: age(context, answer.changedAt),
    resourceVersion: answer.resourceVersion,
    exists,
    keyExists,
    parseError: error === '' ? config.faultText : wordsOf(error, fault, reference),
    parseErrorId: fault,
    usable,
    sameAs: [],
    insideCluster: orGap(() => serviceNamed(config.host, reference.namespace, services)),
    restartedSince: users.map(user => ({
      pod: user.pod,
      containerKey: user.containerKey,
      restarted: !user.running || Date.parse(user.runningSince) > Date.parse(answer.changedAt) + CHANGED_AFTER,
    })),
  };
  if (answer.changedAt !== '' || !exists) return row;
  // A bundle that was made before this was kept: not known, which is not "never changed".
  const gap: Gap = {
    evidence: collector.id,
    reason: 'not-in-bundle',
    detail: `the bundle does not say when ${reference.kind} ${reference.namespace}/${reference.name} was last changed`,
    path: answer.path,
    notLookedAt: true,
  };
  return withUnknownFields(row, gap, ['keys', 'changedAt', 'changedAge', 'resourceVersion', 'restartedSince']);
}

/** Milliseconds by which a start has to be later than the change: the two clocks are not the same. */
const CHANGED_AFTER = -5000;

function fieldsOf(config: StoreConfig) {
  const { access, secret } = config;
  return {
    type: config.type,
    bucket: config.bucket,
    endpoint: config.endpoint,
    host: config.host,
    port: config.port,
    effectivePort: config.effectivePort,
    insecure: config.insecure,
    region: config.region,
    prefix: config.prefix,
    credentials: { access: access ?? NO_SECRET, secret: secret ?? NO_SECRET, complete: access.set && secret.set },
    awsSdkAuth: config.awsSdkAuth,
    signatureV2: config.signatureV2,
    caFile: config.caFile,
    skipVerify: config.skipVerify,
    serverName: config.serverName,
    unknownFields: config.unknownFields,
  };
}

function wordsOf(error: string, fault: string, reference: StoreReference): string {
  if (fault === 'not-found') return `${reference.kind} ${reference.namespace}/${reference.name} does not exist`;
  if (fault === 'no-such-key') {
    return `${reference.kind} ${reference.namespace}/${reference.name} has no key ${reference.key}`;
  }
  return error.replace(/^invalid: /, '');
}

/** The Service that a host name means inside the cluster: `s.ns.svc…`, `s.ns`, or `s` in the same namespace. */
function serviceNamed(host: string, namespace: string, services: Services): Ref {
  const match = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\..+)?)?)?\.?$/.exec(host);
  if (!match) return NOBODY;
  const [, name, space = namespace] = match;
  const found = services.find(service => service.namespace === space && service.name === name);
  return found ? ref('Service', found.namespace, found.name, found.uid) : NOBODY;
}

function withSameAs(row: ObjectStore, rows: readonly ObjectStore[]): ObjectStore {
  if (!row.readable || !row.exists || row.place === '') return row;
  const sameAs = rows
    .filter(other => other.readable && other.exists && other.id !== row.id)
    .filter(other => other.place === row.place && other.prefix === row.prefix)
    .map(other => other.id);
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(row), sameAs: { value: sameAs, enumerable: true } },
  ) as ObjectStore;
}
