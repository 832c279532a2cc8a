import { GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as configCollector } from '../collectors/prometheus.config.ts';
import { collector as flagsCollector } from '../collectors/prometheus.flags.ts';
import { collector as metricsCollector } from '../collectors/prometheus.metrics.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { type ObjectStore, collector as objectStoresCollector } from '../collectors/thanos.object-stores.ts';
import { collector as queryStoresCollector, type StoreEntry } from '../collectors/thanos.query-stores.ts';
import { labelText } from '../components/block-times.ts';
import { flagValue, flagValues } from '../components/command-line.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { age, REF } from '../objects.ts';
import { merged, part } from '../partial-rows.ts';
import { seconds } from '../quantities.ts';
import { inCluster } from './fleet.addresses.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  cluster: 'str',
  /** The Prometheus or ThanosRuler resource, else the workload; its key carries the cluster. */
  owner: REF,
  pod: REF,
  containerKey: 'str',
  /** sidecar, rule or receive */
  kind: 'str',
  running: 'bool',
  labels: 'map',
  /** `{a="1",b="2"}`: sorted by name, without spaces. */
  labelText: 'str',
  /** `ExternalLabels {a="1",b="2"}` */
  labelsKey: 'str',
  /** config, query, arguments or resource: where the labels were read. */
  labelsFrom: 'str',
  withoutReplica: 'map',
  replicaLabel: 'str',
  replica: 'str',
  uploads: 'bool',
  /** `bucket@host:port`; '' without an object store. */
  place: 'str',
  storeId: 'str',
  since: 'time',
  sinceAge: 'int',
  /** Of the oldest sample that it still has; -1 where it has none. */
  oldestSampleAge: 'int',
  /** Seconds. */
  blockDuration: 'int',
  /** Addresses under which a Query lists these labels without an error. */
  queriedBy: ['str'],
  /** Other owners with the same labels. */
  sharesLabelsWith: [{ cluster: 'str', owner: REF, pod: REF }],
} as const;

export type Producer = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'fleet.producers',
  about: 'Every producer of blocks that the fleet has now, with the external labels it writes under.',
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Producer[]> {
    const entries: (StoreEntry & { readonly of: string })[] = [];
    for (const cluster of context.clusters) {
      for (const query of known(await listOrGap(cluster.get(queryStoresCollector)))) {
        try {
          for (const store of query.stores) entries.push({ ...flat(store), of: cluster.cluster });
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
        }
      }
    }
    const rows: Producer[] = [];
    for (const cluster of context.clusters) {
      try {
        rows.push(...(await producersOf(cluster, entries)));
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        rows.push(gapElement({ ...error.gap, detail: `${cluster.cluster}: ${error.gap.detail}` }));
      }
    }
    return rows.map(row => withSharers(row, rows));
  },
});

/** A copy whose cluster, if it is not known, is ''. */
function flat(store: StoreEntry): StoreEntry {
  let cluster = '';
  try {
    cluster = store.cluster;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
  }
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(store), cluster: { value: cluster, enumerable: true } },
  ) as StoreEntry;
}

const KINDS: ReadonlySet<string> = new Set(['sidecar', 'rule', 'receive']);

type Entry = StoreEntry & { readonly of: string };

async function producersOf(context: Context, entries: readonly Entry[]): Promise<readonly Producer[]> {
  const components = await context.get(componentsCollector);
  const [configs, flags, metrics, resources, stores] = await Promise.all([
    listOrGap(context.get(configCollector)),
    listOrGap(context.get(flagsCollector)),
    listOrGap(context.get(metricsCollector)),
    listOrGap(context.get(prometheusesCollector)),
    listOrGap(context.get(objectStoresCollector)),
  ]);
  const around: Around = {
    context,
    configs,
    flags,
    metrics,
    resources,
    stores,
    entries,
    components: known(components),
  };
  const rows = known(components)
    .filter(one => KINDS.has(one.component) && one.pod.name !== '' && !one.podDeleting)
    .map(component => rowOf(component, around));
  const gaps = gapsIn(components).map(gap => gapElement({ ...gap, detail: `${context.cluster}: ${gap.detail}` }));
  return [...rows, ...(gaps as readonly Producer[])];
}

interface Around {
  readonly context: Context;
  readonly configs: readonly ShapeOf<typeof configCollector.shape>[number][];
  readonly flags: readonly ShapeOf<typeof flagsCollector.shape>[number][];
  readonly metrics: readonly ShapeOf<typeof metricsCollector.shape>[number][];
  readonly resources: readonly ShapeOf<typeof prometheusesCollector.shape>[number][];
  readonly stores: readonly ObjectStore[];
  readonly entries: readonly Entry[];
  readonly components: readonly Component[];
}

function rowOf(component: Component, around: Around): Producer {
  const { context } = around;
  const entry = entryOf(component, around);
  const resource = known(around.resources).find(
    candidate => `Prometheus ${candidate.namespace}/${candidate.name}` === component.subject.key,
  );
  const row = {
    cluster: context.cluster,
    owner: inCluster(component.subject, context.cluster),
    pod: inCluster(component.pod, context.cluster),
    containerKey: `${component.containerKey} @${context.cluster}`,
    kind: component.component,
    running: component.running,
    uploads: component.objstore.source !== 'none',
    storeId: component.objstore.id,
    since: component.runningSince,
    sinceAge: component.runningAge,
    sharesLabelsWith: [],
  };
  const replicaLabelOf = () => {
    const [gap] = gapsIn(around.resources);
    if (!resource && gap && component.component === 'sidecar') throw new GapSignal(gap);
    return resource?.replicaLabel ?? '';
  };
  return merged<Producer>(
    row,
    part(['replicaLabel'], () => ({ replicaLabel: replicaLabelOf() })),
    part(['place'], () => ({ place: placeOf(component, around.stores) })),
    part(['blockDuration'], () => ({ blockDuration: blockDurationOf(component, around.flags) })),
    part(['oldestSampleAge'], () => ({ oldestSampleAge: oldestOf(component, around.metrics, entry, context) })),
    part(['withoutReplica', 'replica'], () => {
      const { [replicaLabelOf()]: replica = '', ...withoutReplica } = labelsOf(
        component,
        around,
        entry,
        resource,
      ).labels;
      return { withoutReplica, replica };
    }),
    part(['labels', 'labelText', 'labelsKey', 'labelsFrom', 'queriedBy'], () => {
      const { labels, from } = labelsOf(component, around, entry, resource);
      const text = labelText(labels);
      return {
        labels,
        labelText: text,
        labelsKey: `ExternalLabels ${text}`,
        labelsFrom: from,
        queriedBy: around.entries
          .filter(candidate => candidate.healthy && KINDS.has(candidate.type) && candidate.labelTexts.includes(text))
          .map(candidate => candidate.address),
      };
    }),
  );
}

/** The pod's own entry in the list of a Query: its labels as the Query heard them from it. */
function entryOf(component: Component, { context, entries }: Around): Entry | undefined {
  const own = entries.find(
    entry =>
      KINDS.has(entry.type) &&
      entry.error === '' &&
      entry.pod.name === component.pod.name &&
      entry.pod.namespace === component.pod.namespace &&
      entry.cluster === context.cluster,
  );
  if (own || component.component === 'sidecar') return own;
  // A ruler is often asked by the name of its Service, which is no pod's address: its labels tell whose entry it is.
  const stated = statedLabels(component);
  return stated && entries.find(entry => entry.error === '' && entry.labelTexts.includes(labelText(stated)));
}

type Resource = Around['resources'][number] | undefined;
type Labels = Readonly<Record<string, string>>;

function labelsOf(
  component: Component,
  around: Around,
  entry: Entry | undefined,
  resource: Resource,
): { labels: Labels; from: string } {
  if (component.component !== 'sidecar') {
    const stated = statedLabels(component);
    if (stated) return { labels: stated, from: 'arguments' };
    if (entry?.labelSets[0]) return { labels: entry.labelSets[0], from: 'query' };
    throw new GapSignal({
      reason: 'not-in-bundle',
      detail: `the labels of ${component.container} in pod ${component.pod.namespace}/${component.pod.name} depend on its environment`,
      notLookedAt: true,
    });
  }
  const config = known(around.configs).find(candidate => candidate.pod.key === component.pod.key);
  try {
    if (config) return { labels: config.externalLabels, from: 'config' };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    // Prometheus itself cannot be asked: what its Query heard, or what its resource states, is the next best.
    if (entry?.labelSets[0]) return { labels: entry.labelSets[0], from: 'query' };
    if (resource) return { labels: resourceLabels(resource, component), from: 'resource' };
    throw error;
  }
  if (entry?.labelSets[0]) return { labels: entry.labelSets[0], from: 'query' };
  if (resource) return { labels: resourceLabels(resource, component), from: 'resource' };
  throw new GapSignal(
    gapsIn(around.configs)[0] ?? {
      reason: 'unreachable',
      detail: `the external labels of pod ${component.pod.namespace}/${component.pod.name} could not be read`,
    },
  );
}

/** Labels as the operator writes them into the configuration. */
function resourceLabels(resource: NonNullable<Resource>, component: Component): Labels {
  return {
    ...(resource.prometheusLabel ? { [resource.prometheusLabel]: `${resource.namespace}/${resource.name}` } : {}),
    ...(resource.replicaLabel ? { [resource.replicaLabel]: component.pod.name } : {}),
    ...resource.externalLabels,
  };
}

/** `--label=name="value"` with the pod's name and namespace filled in; undefined where something else is asked for. */
function statedLabels(component: Component): Labels | undefined {
  const labels: Record<string, string> = {};
  for (const value of flagValues(component.args, '--label')) {
    const [, name, quoted] = /^([^=]+)="?(.*?)"?$/.exec(value) ?? [];
    if (name === undefined || quoted === undefined) continue;
    const filled = quoted
      .replace(/\$\((?:POD_NAME|NAME|HOSTNAME)\)/g, component.pod.name)
      .replace(/\$\((?:POD_NAMESPACE|NAMESPACE)\)/g, component.pod.namespace);
    if (filled.includes('$(')) return undefined;
    labels[name] = filled;
  }
  return labels;
}

function placeOf(component: Component, stores: readonly ObjectStore[]): string {
  if (component.objstore.source === 'none') return '';
  const store = known(stores).find(candidate =>
    candidate.usedBy.some(user => user.containerKey === component.containerKey),
  );
  const gap = gapsIn(stores)[0];
  if (!store && gap) throw new GapSignal(gap);
  return store?.place ?? '';
}

function blockDurationOf(component: Component, flags: Around['flags']): number {
  if (component.component !== 'sidecar') return seconds(flagValue(component.args, '--tsdb.block-duration', '2h'));
  const found = known(flags).find(candidate => candidate.pod.key === component.pod.key);
  return found?.minBlock || 7200;
}

/** Sidecars tell how far back their Prometheus reaches, and so does Prometheus itself. */
function oldestOf(
  component: Component,
  metrics: Around['metrics'],
  entry: Entry | undefined,
  context: Context,
): number {
  if (component.component === 'sidecar') {
    const own = known(metrics).find(candidate => candidate.pod.key === component.pod.key);
    try {
      if (own?.oldestSample) return age(context, own.oldestSample);
    } catch (error) {
      if (!(error instanceof GapSignal) || !entry?.minTime) throw error;
    }
  }
  if (entry?.minTime) return age(context, entry.minTime);
  throw new GapSignal({
    reason: 'unreachable',
    detail: `how far back ${component.container} of pod ${component.pod.namespace}/${component.pod.name} reaches could not be read`,
    notLookedAt: !component.running,
  });
}

function withSharers(row: Producer, rows: readonly Producer[]): Producer {
  if (gapOf(row)) return row;
  const compute = () => {
    const own = row.labelText;
    const sharers: { cluster: string; owner: Ref; pod: Ref }[] = [];
    for (const other of rows) {
      if (gapOf(other)) continue;
      try {
        const same =
          other.labelText === own && other.owner.key !== row.owner.key && Object.keys(other.labels).length > 0;
        if (same) sharers.push({ cluster: other.cluster, owner: other.owner, pod: other.pod });
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
      }
    }
    return { sharesLabelsWith: sharers };
  };
  return merged<Producer>(row, part(['sharesLabelsWith'], compute));
}
