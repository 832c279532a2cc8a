import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as persistentVolumesCollector } from '../collectors/kubernetes.persistent-volumes.ts';
import { collector as enginesCollector } from '../collectors/longhorn.engines.ts';
import { collector as nodesCollector } from '../collectors/longhorn.nodes.ts';
import { collector as replicasCollector } from '../collectors/longhorn.replicas.ts';
import { collector as settingsCollector } from '../collectors/longhorn.settings.ts';
import { collector as volumesCollector } from '../collectors/longhorn.volumes.ts';
import { findKnown, gapsIn, known, listOrGap, mapKnown, orGap, withUnknownFields } from '../gaps.ts';
import { NOBODY, REF } from '../objects.ts';
import { collector as chainsCollector } from './storage.chains.ts';

const REPLICA = {
  name: 'str',
  node: 'str',
  /** Key of Longhorn's node. */
  nodeKey: 'str',
  /** Key of the Kubernetes node. */
  hostKey: 'str',
  disk: 'str',
  state: 'str',
  failed: 'time',
  healthy: 'time',
} as const;

const ROW = {
  namespace: 'str',
  name: 'str',
  key: 'str',
  state: 'str',
  robustness: 'str',
  /** It belongs to a PersistentVolume that is there. */
  claimed: 'bool',
  claim: REF,
  persistentVolumeKey: 'str',
  pods: [REF],
  workloads: [REF],
  /** A pod that names its claim has not started. */
  waiting: 'bool',
  wantedReplicas: 'int',
  healthyReplicas: 'int',
  replicas: [REPLICA],
  failedReplicas: [REPLICA],
  /** The replica that was healthy last: the one to salvage. */
  newestReplica: 'str',
  since: 'time',
  degradedFor: 'int',
  rebuilding: 'bool',
  salvaged: 'bool',
  /** Longhorn's nodes, and those that may be given a replica now. */
  nodes: 'int',
  usableNodes: 'int',
  /** Replicas of one volume may share a node. */
  softAntiAffinity: 'bool',
  scheduled: 'bool',
  schedulingMessage: 'str',
  schedulingTerms: ['str'],
  size: 'int',
  actualSize: 'int',
  tooManySnapshots: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
type Replica = ShapeOf<typeof replicasCollector.shape>[number];
type Node = ShapeOf<typeof nodesCollector.shape>[number];

/** Seconds in which Longhorn's own salvage is given time to work. */
const SALVAGE = 120;

export const collector = derived({
  id: 'longhorn.volume-health',
  about: 'Each Longhorn volume with its replicas, where these could be, and who uses it.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const volumes = await context.get(volumesCollector);
    if (volumes.length === 0) return [];
    const [replicas, engines, nodes, settings, chains, persistentVolumes, events] = await Promise.all([
      listOrGap(context.get(replicasCollector)),
      listOrGap(context.get(enginesCollector)),
      listOrGap(context.get(nodesCollector)),
      listOrGap(context.get(settingsCollector)),
      listOrGap(context.get(chainsCollector)),
      listOrGap(context.get(persistentVolumesCollector)),
      listOrGap(context.get(eventsCollector)),
    ]);
    return mapKnown(volumes, volume => {
      const own = known(replicas).filter(one => one.volume === volume.name);
      const failed = own.filter(one => one.failed !== '');
      const chain = known(chains).find(one => orGap(() => one.handle === volume.name) === true);
      const claimed =
        volume.persistentVolume !== '' &&
        findKnown(persistentVolumes, one => one.name === volume.persistentVolume) !== undefined;
      const row: Row = {
        namespace: volume.namespace,
        name: volume.name,
        key: volume.key,
        state: volume.state,
        robustness: volume.robustness,
        claimed,
        claim: chain?.claim ?? (volume.claim.name ? volume.claim : NOBODY),
        persistentVolumeKey: volume.persistentVolume ? `PersistentVolume ${volume.persistentVolume}` : '',
        pods: chain?.pods ?? [],
        workloads: chain?.workloads ?? [],
        waiting: (chain?.waitingPods.length ?? 0) > 0,
        wantedReplicas: volume.replicas,
        healthyReplicas: own.filter(isHealthy).length,
        replicas: own.map(replicaRow),
        failedReplicas: failed.map(replicaRow),
        newestReplica: [...own].sort((first, second) => (first.healthy < second.healthy ? 1 : -1))[0]?.name ?? '',
        since:
          volume.robustness === 'degraded'
            ? volume.lastDegraded
            : (failed
                .map(one => one.failed)
                .sort()
                .at(-1) ?? ''),
        degradedFor: volume.lastDegradedAge,
        rebuilding: known(engines).some(
          one =>
            one.volume === volume.name && (one.rebuilding.length > 0 || Object.values(one.replicaModes).includes('WO')),
        ),
        salvaged: known(events).some(
          one => one.reason === 'AutoSalvaged' && one.object.name === volume.name && one.lastAge <= SALVAGE,
        ),
        nodes: known(nodes).length,
        usableNodes: known(nodes).filter(isUsable).length,
        softAntiAffinity: isSoft(volume.softAntiAffinity, known(settings)),
        scheduled: volume.scheduled,
        schedulingMessage: volume.schedulingMessage,
        schedulingTerms: volume.schedulingTerms,
        size: volume.size,
        actualSize: volume.actualSize,
        tooManySnapshots: volume.tooManySnapshots,
      };
      return withGaps(row);
    });

    /** What hangs on a list that could not be read is not known; the volume's own state is. */
    function withGaps(row: Row): Row {
      const unknown = [
        ...(gapsIn(replicas)[0] ? (['replicas', 'failedReplicas', 'healthyReplicas', 'newestReplica'] as const) : []),
        ...(gapsIn(engines)[0] ? (['rebuilding'] as const) : []),
        ...(gapsIn(nodes)[0] ? (['nodes', 'usableNodes'] as const) : []),
        ...(gapsIn(settings)[0] ? (['softAntiAffinity'] as const) : []),
        ...(gapsIn(chains)[0] && row.claim.name === '' ? (['pods', 'workloads', 'waiting'] as const) : []),
      ];
      if (unknown.length === 0) return row;
      const gap = gapsIn([...replicas, ...engines, ...nodes, ...settings, ...chains])[0]!;
      const rest = Object.fromEntries(
        Object.entries(row).filter(([field]) => !(unknown as readonly string[]).includes(field)),
      );
      return withUnknownFields<Row>(rest as Partial<Row>, gap, unknown);
    }
  },
});

function isHealthy(replica: Replica): boolean {
  return replica.failed === '' && replica.healthyEver;
}

function replicaRow(one: Replica) {
  return {
    name: one.name,
    node: one.node,
    nodeKey: one.node ? `Node ${one.namespace}/${one.node}` : '',
    hostKey: one.node ? `Node ${one.node}` : '',
    disk: one.diskPath,
    state: one.state,
    failed: one.failed,
    healthy: one.healthy,
  };
}

function isUsable(node: Node): boolean {
  return (
    node.ready &&
    node.schedulable &&
    node.allowScheduling &&
    node.disks.some(disk => disk.ready && disk.schedulable && disk.allowScheduling)
  );
}

function isSoft(own: string, settings: readonly { readonly name: string; readonly value: string }[]): boolean {
  if (own === 'enabled') return true;
  if (own === 'disabled') return false;
  return settings.find(one => one.name === 'replica-soft-anti-affinity')?.value === 'true';
}
