import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import {
  ARGUMENTS,
  argumentsOf,
  prometheusSize,
  RESOURCES,
  resourcesOf,
  SELECTION,
  STATUS,
  STORAGE,
  selectionOf,
  statusOf,
  storageOf,
  wholeSeconds,
} from '../components/operator.ts';
import { flag, list, number, REF, ref, strings, text } from '../objects.ts';

/** The label that the operator adds, and whether the resource keeps it from doing so with an empty name. */
function labelName(stated: unknown, fallback: string) {
  const cleared = stated === '';
  return { name: cleared ? '' : text(stated) || fallback, cleared };
}

function thanosOf(thanos: RawObject) {
  const stated = thanos !== undefined && thanos !== null;
  return {
    set: stated,
    image: text(thanos?.image) || text(thanos?.baseImage),
    version: text(thanos?.version),
    objstore: {
      secret: text(thanos?.objectStorageConfig?.name),
      key: text(thanos?.objectStorageConfig?.key),
      file: text(thanos?.objectStorageConfigFile),
    },
    blockDuration: stated ? text(thanos?.blockSize) || '2h' : '',
    readyTimeout: text(thanos?.readyTimeout),
    args: argumentsOf(thanos?.additionalArgs),
    resources: resourcesOf(thanos?.resources),
    tls: thanos?.grpcServerTlsConfig !== undefined && thanos?.grpcServerTlsConfig !== null,
  };
}

/** The operator makes no configuration for a resource without a single selector. */
function unmanaged(spec: RawObject): readonly string[] {
  const selectors = ['serviceMonitor', 'podMonitor', 'probe', 'scrapeConfig'];
  const none = selectors.every(prefix => !spec?.[`${prefix}Selector`] && !spec?.[`${prefix}NamespaceSelector`]);
  return none && !spec?.additionalScrapeConfigs ? ['configuration'] : [];
}

export const collector = listOf({
  id: 'prometheus-operator.prometheuses',
  about: 'Prometheus resources, and what the operator says of them.',
  core: true,
  group: 'monitoring.coreos.com',
  resource: 'prometheuses',
  kind: 'Prometheus',
  fields: {
    installed: 'bool',
    replicas: 'int',
    shards: 'int',
    version: 'str',
    image: 'str',
    paused: 'bool',
    retention: 'str',
    retentionSeconds: 'int',
    retentionSize: 'int',
    scrapeInterval: 'int',
    /** As stated, without those that the operator adds. */
    externalLabels: 'map',
    replicaLabel: 'str',
    prometheusLabel: 'str',
    replicaLabelCleared: 'bool',
    prometheusLabelCleared: 'bool',
    disableCompaction: 'bool',
    adminApi: 'bool',
    /** Seconds that the startup probe allows. */
    startupBudget: 'int',
    portName: 'str',
    resources: RESOURCES,
    storage: STORAGE,
    thanos: {
      set: 'bool',
      image: 'str',
      version: 'str',
      objstore: { secret: 'str', key: 'str', file: 'str' },
      blockDuration: 'str',
      readyTimeout: 'str',
      args: ARGUMENTS,
      resources: RESOURCES,
      tls: 'bool',
    },
    selectors: {
      serviceMonitor: SELECTION,
      podMonitor: SELECTION,
      probe: SELECTION,
      scrapeConfig: SELECTION,
      rule: SELECTION,
    },
    ...STATUS,
    /** Services by which it is told to find Alertmanagers. */
    alertmanagers: [REF],
    /** The StatefulSets that the operator makes for it, one a shard; whether they exist, kubernetes.stateful-sets says. */
    statefulSets: [REF],
    /** What the operator leaves alone: `configuration`. */
    unmanaged: ['str'],
  },
  row(object) {
    const spec = object.spec;
    const namespace = text(object.metadata?.namespace);
    const name = text(object.metadata?.name);
    const replica = labelName(spec?.replicaExternalLabelName, 'prometheus_replica');
    const prometheus = labelName(spec?.prometheusExternalLabelName, 'prometheus');
    const shards = number(spec?.shards, 1);
    return {
      installed: true,
      replicas: number(spec?.replicas, 1),
      shards,
      version: text(spec?.version),
      image: text(spec?.image),
      paused: flag(spec?.paused),
      // The operator's default where neither time nor size is stated.
      retention: text(spec?.retention) || (spec?.retentionSize ? '' : '24h'),
      retentionSeconds: wholeSeconds(text(spec?.retention) || (spec?.retentionSize ? '' : '24h')),
      retentionSize: prometheusSize(text(spec?.retentionSize)),
      scrapeInterval: wholeSeconds(text(spec?.scrapeInterval) || '30s'),
      externalLabels: strings(spec?.externalLabels),
      replicaLabel: replica.name,
      prometheusLabel: prometheus.name,
      replicaLabelCleared: replica.cleared,
      prometheusLabelCleared: prometheus.cleared,
      disableCompaction: flag(spec?.disableCompaction),
      adminApi: flag(spec?.enableAdminAPI),
      startupBudget: number(spec?.maximumStartupDurationSeconds, 0) || 900,
      portName: text(spec?.portName) || 'web',
      resources: resourcesOf(spec?.resources),
      storage: storageOf(spec?.storage),
      thanos: thanosOf(spec?.thanos),
      selectors: {
        serviceMonitor: selectionOf(spec, 'serviceMonitor'),
        podMonitor: selectionOf(spec, 'podMonitor'),
        probe: selectionOf(spec, 'probe'),
        scrapeConfig: selectionOf(spec, 'scrapeConfig'),
        rule: selectionOf(spec, 'rule'),
      },
      ...statusOf(object),
      alertmanagers: list(spec?.alerting?.alertmanagers).map(one =>
        ref('Service', text(one?.namespace) || namespace, text(one?.name)),
      ),
      statefulSets: Array.from({ length: Math.max(shards, 1) }, (_, shard) =>
        ref('StatefulSet', namespace, shard === 0 ? `prometheus-${name}` : `prometheus-${name}-shard-${shard}`),
      ),
      unmanaged: unmanaged(spec),
    };
  },
});
