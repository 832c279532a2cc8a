import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { type ObjectStore, collector as objectStoresCollector } from '../collectors/thanos.object-stores.ts';
import { timeOf } from '../components/block-times.ts';
import { flagValue } from '../components/command-line.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { attempt } from '../partial-rows.ts';
import { seconds } from '../quantities.ts';
import { collector as workloadsCollector } from './kubernetes.workloads.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  subject: REF,
  workload: REF,
  writeTo: REF,
  namespace: 'str',
  /** When the workload was made; '' where it is not known. */
  created: 'time',
  component: 'str',
  container: 'str',
  version: 'str',
  image: 'str',
  args: [{ flag: 'str', value: 'str' }],
  /** Pods that it is meant to have. */
  wanted: 'int',
  pods: ['str'],
  containerKeys: ['str'],
  /** Containers that run now, and those that are in a crash loop. */
  running: 'int',
  looping: 'int',
  ready: 'int',
  /** Seconds for which none of its pods has been ready; 0 while one is. */
  downFor: 'int',
  /** Seconds for which none of its containers has run outside a crash loop; 0 while one does. */
  idleFor: 'int',
  downSince: 'time',
  /** The longest run of a container of now; -1 if none runs. */
  runningAge: 'int',
  settled: 'bool',
  /** Of each container that does not run: `pod: reason`. */
  states: ['str'],
  lastExitCodes: ['int'],
  restarts: 'int',
  writers: ['str'],
  dataDir: 'str',
  dataVolume: { kind: 'str', name: 'str', volume: 'str', readOnly: 'bool' },
  /** Keys of the claims at its data directory. */
  claimKeys: ['str'],
  objstore: { source: 'str', kind: 'str', namespace: 'str', secret: 'str', key: 'str', path: 'str', id: 'str' },
  /** Bucket and endpoint by key, and `bucket@host:port`; gaps where the configuration could not be read. */
  bucketKey: 'str',
  endpointKey: 'str',
  place: 'str',
  /** All of it, for links: subject, workload, pods, containers, and the Secret of its configuration. */
  objects: ['str'],
  limits: { cpu: 'int', memory: 'int' },
  /** Retentions of a compactor and other durations, in seconds; 0 for "for ever" and where it does not apply. */
  retentionRaw: 'int',
  retentionFiveMinutes: 'int',
  retentionOneHour: 'int',
  waitInterval: 'int',
  syncBlockDuration: 'int',
  deleteDelay: 'int',
  /** Bytes that the caches of a Store Gateway may take; 0 for an index cache elsewhere. */
  indexCache: 'int',
  chunkPool: 'int',
  /** CronJob or Job: it is meant to end. */
  ends: 'bool',
} as const;

export type ThanosWorkload = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.workloads',
  about: 'One row for each workload of Thanos and each of its components: its pods, settings and object store.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly ThanosWorkload[]> {
    const [components, pods, workloads, stores] = await Promise.all([
      context.get(componentsCollector),
      context.get(podsCollector),
      listOrGap(context.get(workloadsCollector)),
      listOrGap(context.get(objectStoresCollector)),
    ]);
    const byPod = new Map(known(pods).map(pod => [pod.key, pod]));
    const wanted = new Map(known(workloads).map(row => [row.workload.key, row]));
    const groups = new Map<string, Component[]>();
    for (const component of known(components)) {
      if (!component.thanos || component.component === 'tools') continue;
      const key = `${component.workload.key} ${component.container}`;
      groups.set(key, [...(groups.get(key) ?? []), component]);
    }
    const rows = [...groups.values()].map(group => rowOf(group, { byPod, wanted, stores, takenAt: context.takenAt }));
    return [...rows, ...gapsIn(components).map(gap => gapElement(gap) as ThanosWorkload)];
  },
});

interface Readiness {
  readonly ready: boolean;
  readonly readyAge: number;
  readonly age: number;
  readonly deletingAge: number;
}

interface Around {
  readonly takenAt: number;
  readonly byPod: ReadonlyMap<string, Readiness>;
  readonly wanted: ReadonlyMap<string, ShapeOf<typeof workloadsCollector.shape>[number]>;
  readonly stores: readonly ObjectStore[];
}

function rowOf(group: readonly Component[], around: Around): ThanosWorkload {
  const first = group.find(component => component.running) ?? group[0]!;
  const living = group.filter(component => component.pod.name !== '' && !component.podDeleting);
  const workload = around.wanted.get(first.workload.key);
  const pods = living.map(component => around.byPod.get(component.pod.key)).filter(pod => pod !== undefined);
  const running = living.filter(component => component.running);
  const steady = running.filter(component => !component.crashLooping);
  const leaving = group.map(component => around.byPod.get(component.pod.key)).filter(pod => pod !== undefined);
  const since = leaving.length > 0 ? goneFor(leaving) : (workload?.newestAge ?? workload?.age ?? -1);
  // The Ready condition says since when a pod has not been ready; without pods the youngest change of the workload does.
  const downFor = pods.some(pod => pod.ready)
    ? 0
    : pods.length > 0
      ? Math.min(...pods.map(pod => unreadyFor(pod)))
      : since;
  const idle = living.map(component =>
    component.lastExit.finishedAge >= 0 && !component.crashLooping ? component.lastExit.finishedAge : component.podAge,
  );
  const wanted = attempt(() => workload?.wanted ?? first.replicas);
  const { args } = first;
  const duration = (flag: string, absent: string) => attemptSeconds(flagValue(args, flag, absent));
  const kind = first.workload.kind;
  const base = {
    subject: first.subject,
    workload: first.workload,
    writeTo: first.writeTo,
    namespace: first.namespace,
    created: workload?.created ?? '',
    component: first.component,
    container: first.container,
    version: first.version,
    image: first.image,
    args,
    wanted: wanted.value ?? 0,
    pods: living.map(component => component.pod.key),
    containerKeys: living.map(component => component.containerKey),
    running: running.length,
    looping: living.filter(component => component.crashLooping).length,
    ready: pods.filter(pod => pod.ready).length,
    downFor,
    idleFor: steady.length > 0 ? 0 : living.length > 0 ? Math.min(...idle) : since,
    downSince: downFor > 0 ? timeOf(around.takenAt - downFor * 1000) : '',
    runningAge: Math.max(-1, ...steady.map(component => component.runningAge)),
    settled: steady.some(component => component.settled),
    states: living
      .filter(component => !component.running)
      .map(component => `${component.pod.name}: ${component.reason || component.state || 'not started'}`),
    lastExitCodes: living.map(component => component.lastExit.exitCode).filter(code => code >= 0),
    restarts: living.reduce((sum, component) => sum + component.restarts, 0),
    writers: (workload?.lastWriters ?? []).map(writer => writer.manager),
    dataDir: first.dataDir,
    dataVolume: first.dataVolume,
    claimKeys: [
      ...new Set(
        group
          .filter(component => component.dataVolume.kind === 'claim' && component.dataVolume.name !== '')
          .map(component => `PersistentVolumeClaim ${component.namespace}/${component.dataVolume.name}`),
      ),
    ],
    objstore: first.objstore,
    objects: objectsOf(group),
    limits: first.limits,
    retentionRaw: duration('--retention.resolution-raw', '0d'),
    retentionFiveMinutes: duration('--retention.resolution-5m', '0d'),
    retentionOneHour: duration('--retention.resolution-1h', '0d'),
    waitInterval: duration('--wait-interval', '5m'),
    syncBlockDuration: duration('--sync-block-duration', '15m'),
    deleteDelay: duration('--delete-delay', '48h'),
    indexCache: /MEMCACHED|REDIS/i.test(flagValue(args, '--index-cache.config'))
      ? 0
      : sizeOf(flagValue(args, '--index-cache-size', '250MB')),
    chunkPool: sizeOf(flagValue(args, '--chunk-pool-size', '2GB')),
    ends: kind === 'Job' || kind === 'CronJob',
  };
  if (wanted.gap) makeUnknown(base, ['wanted', 'created', 'writers'], wanted.gap);
  return Object.defineProperties(base, placeFields(first, around.stores)) as unknown as ThanosWorkload;
}

/** Of pods that are about to go: one that is ready has its grace period to end in, and another comes after it. */
function goneFor(pods: readonly Readiness[]): number {
  return Math.min(...pods.map(pod => (pod.ready ? Math.max(0, pod.deletingAge) : unreadyFor(pod))));
}

function unreadyFor(pod: Readiness): number {
  return pod.readyAge >= 0 ? pod.readyAge : Math.max(0, pod.age);
}

/** Bytes as Thanos' flags have them: `MB` and `MiB` are the same. */
function sizeOf(value: string): number {
  const match = /^([0-9.]+)\s*([KMGTP]?)i?B$/i.exec(value.trim());
  if (!match) return 0;
  return Math.round(Number(match[1]) * 1024 ** ' KMGTP'.indexOf((match[2] || ' ').toUpperCase()));
}

/** A flag that cannot be read as a duration keeps the component from starting: other rules say so. */
function attemptSeconds(value: string): number {
  try {
    return seconds(value);
  } catch (error) {
    if (error instanceof GapSignal) return 0;
    throw error;
  }
}

function objectsOf(group: readonly Component[]): readonly string[] {
  const keys = group.flatMap(component => [
    component.subject.key,
    component.workload.key,
    component.writeTo.key,
    component.pod.key,
    component.containerKey,
    component.objstore.secret ? `${component.objstore.kind} ${component.namespace}/${component.objstore.secret}` : '',
  ]);
  return [...new Set(keys.filter(key => key !== ''))];
}

function placeFields(component: Component, stores: readonly ObjectStore[]): PropertyDescriptorMap {
  const pick = (field: 'bucketKey' | 'endpointKey' | 'place') => ({
    enumerable: true,
    get(): string {
      if (component.objstore.id === '') return '';
      const store = stores.find(candidate => !gapOf(candidate) && candidate.id === component.objstore.id);
      const gap = gapsIn(stores)[0];
      if (!store && gap) throw new GapSignal(gap);
      return store?.[field] ?? '';
    },
  });
  return { bucketKey: pick('bucketKey'), endpointKey: pick('endpointKey'), place: pick('place') };
}
