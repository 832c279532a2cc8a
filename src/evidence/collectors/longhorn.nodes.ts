import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { CONDITIONS, type Condition, conditionsOf } from '../conditions.ts';
import { flag, list, number, text } from '../objects.ts';

/** Names of the packages in `Missing packages: [open-iscsi nfs-common]`. */
function packagesIn(message: string): readonly string[] {
  const inside = /\[([^\]]*)\]/.exec(message)?.[1] ?? '';
  return inside.split(/[\s,]+/).filter(name => name !== '');
}

function conditionOf(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find(condition => condition.type === type);
}

export const collector = listOf({
  id: 'longhorn.nodes',
  about: "Nodes as Longhorn sees them, with their disks. Its key is Longhorn's node, not that of Kubernetes.",
  core: true,
  group: 'longhorn.io',
  resource: 'nodes',
  kind: 'Node',
  fields: {
    /** False also where the condition is Unknown. */
    ready: 'bool',
    readyReason: 'str',
    readyMessage: 'str',
    readySince: 'time',
    readyAge: 'int',
    mountPropagation: 'bool',
    missingPackages: ['str'],
    missingPackagesMessage: 'str',
    missingPackagesSince: 'time',
    schedulable: 'bool',
    schedulableReason: 'str',
    allowScheduling: 'bool',
    conditions: CONDITIONS,
    tags: ['str'],
    disks: [
      {
        name: 'str',
        uuid: 'str',
        path: 'str',
        ready: 'bool',
        readyReason: 'str',
        readyMessage: 'str',
        readySince: 'time',
        schedulable: 'bool',
        schedulableReason: 'str',
        message: 'str',
        maximum: 'int',
        available: 'int',
        reserved: 'int',
        scheduled: 'int',
        allowScheduling: 'bool',
        tags: ['str'],
        replicas: ['str'],
      },
    ],
  },
  row({ spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const ready = conditionOf(conditions, 'Ready');
    const packages = conditionOf(conditions, 'RequiredPackages');
    const schedulable = conditionOf(conditions, 'Schedulable');
    const missing = packages?.status === 'False' ? packages : undefined;
    return {
      ready: ready?.status === 'True',
      readyReason: ready?.reason ?? '',
      readyMessage: ready?.message ?? '',
      readySince: ready?.since ?? '',
      readyAge: ready?.age ?? -1,
      mountPropagation: conditionOf(conditions, 'MountPropagation')?.status !== 'False',
      missingPackages: packagesIn(missing?.message ?? ''),
      missingPackagesMessage: missing?.message ?? '',
      missingPackagesSince: missing?.since ?? '',
      schedulable: schedulable?.status === 'True',
      schedulableReason: schedulable?.reason ?? '',
      allowScheduling: flag(spec?.allowScheduling, true),
      conditions,
      tags: list(spec?.tags).map(text),
      disks: diskNames(spec, status).map(name => disk(name, spec?.disks?.[name], status?.diskStatus?.[name], context)),
    };
  },
});

function diskNames(spec: RawObject, status: RawObject): readonly string[] {
  return [...new Set([...Object.keys(spec?.disks ?? {}), ...Object.keys(status?.diskStatus ?? {})])].sort();
}

function disk(name: string, spec: RawObject, status: RawObject, now: { readonly takenAt: number }) {
  const conditions = conditionsOf(status?.conditions, now);
  const ready = conditionOf(conditions, 'Ready');
  const schedulable = conditionOf(conditions, 'Schedulable');
  return {
    name,
    uuid: text(status?.diskUUID),
    path: text(spec?.path) || text(status?.diskPath),
    ready: ready?.status === 'True',
    readyReason: ready?.reason ?? '',
    readyMessage: ready?.message ?? '',
    readySince: ready?.since ?? '',
    schedulable: schedulable?.status === 'True',
    schedulableReason: schedulable?.reason ?? '',
    message: schedulable?.message ?? '',
    maximum: number(status?.storageMaximum),
    available: number(status?.storageAvailable),
    reserved: number(spec?.storageReserved),
    scheduled: number(status?.storageScheduled),
    allowScheduling: flag(spec?.allowScheduling),
    tags: list(spec?.tags).map(text),
    replicas: Object.keys(status?.scheduledReplica ?? {}).sort(),
  };
}
