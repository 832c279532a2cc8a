import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { type NodeStatistics, collector as nodeStatisticsCollector } from '../collectors/kubernetes.node-statistics.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as longhornNodesCollector } from '../collectors/longhorn.nodes.ts';
import { collector as orphansCollector } from '../collectors/longhorn.orphans.ts';
import { collector as replicasCollector } from '../collectors/longhorn.replicas.ts';
import { collector as volumesCollector } from '../collectors/longhorn.volumes.ts';
import { gapOf, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { FILESYSTEM, filesystem } from '../node-statistics.ts';
import { list, number, objectKey, REF, ref, text } from '../objects.ts';

const ROW = {
  node: 'str',
  key: 'str',
  /** The kubelet says so, by condition or taint. */
  pressure: 'bool',
  nodefs: FILESYSTEM,
  imagefs: FILESYSTEM,
  sameFilesystem: 'bool',
  /** Longhorn keeps replicas on the node's own filesystem. */
  longhornOnIt: 'bool',
  longhorn: {
    bytes: 'int',
    /** Of the filesystem, 0 to 100. */
    percent: 'float',
    snapshotBytes: 'int',
    volumes: [{ key: 'str', claim: 'str', bytes: 'int', snapshotBytes: 'int' }],
    orphans: 'int',
  },
  images: { bytes: 'int', percent: 'float', nothingToFree: 'bool', event: 'str' },
  /** Logs, writable layers and emptyDirs. */
  pods: [{ pod: REF, workload: REF, bytes: 'int', percent: 'float' }],
  measured: 'bool',
} as const;

type Usage = ShapeOf<typeof ROW>;
type Node = ShapeOf<typeof nodesCollector.shape>[number];

const MEASURED = ['nodefs', 'imagefs', 'sameFilesystem', 'longhornOnIt', 'longhorn', 'images', 'pods'] as const;
/** How far two sizes of one filesystem may lie apart, as its users count them. */
const SAME_SIZE = 0.05;
/** Seconds in which the kubelet's failure to free images says something of now. */
const RECENT = 3600;

export const collector = derived({
  id: 'storage.node-disk-usage',
  about: "How full the nodes' own filesystems are, and who fills them.",
  needs: [{ verbs: ['get'], group: '', resource: 'nodes/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Usage[]> {
    const [nodes, statistics] = await Promise.all([context.get(nodesCollector), context.get(nodeStatisticsCollector)]);
    const [pods, volumes, replicas, longhornNodes, orphans, events] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(volumesCollector)),
      listOrGap(context.get(replicasCollector)),
      listOrGap(context.get(longhornNodesCollector)),
      listOrGap(context.get(orphansCollector)),
      listOrGap(context.get(eventsCollector)),
    ]);
    const byName = new Map(statistics.map(one => [one.node, one]));
    const workloads = new Map(known(pods).map(pod => [pod.key, pod.workload]));
    // Nodes on which nothing of the stack runs are not asked, and are nobody's concern here.
    return nodes.flatMap(node => {
      if (gapOf(node)) return [node as never];
      const asked = byName.get(node.name);
      return asked ? [rowOf(node, asked)] : [];
    });

    function rowOf(node: Node, { summary, gap }: NodeStatistics): Usage {
      const pressure =
        node.conditions.some(one => one.type === 'DiskPressure' && one.status === 'True') ||
        node.taints.some(taint => taint.key === 'node.kubernetes.io/disk-pressure');
      const row = { node: node.name, key: node.key, pressure, measured: summary !== null };
      if (summary === null) return withUnknownFields<Usage>(row, gap!, MEASURED);
      const nodefs = filesystem(summary.node?.fs);
      const imagefs = filesystem(summary.node?.runtime?.imageFs ?? summary.node?.fs);
      const sameFilesystem = nodefs.capacity === imagefs.capacity;
      const disks = known(longhornNodes).find(one => one.name === node.name)?.disks ?? [];
      return {
        ...row,
        nodefs,
        imagefs,
        sameFilesystem,
        longhornOnIt: disks.some(disk => Math.abs(disk.maximum - nodefs.capacity) <= SAME_SIZE * nodefs.capacity),
        longhorn: longhornOn(node.name, nodefs.capacity),
        images: imagesOn(node, sameFilesystem ? 0 : imagefs.used, imagefs.capacity),
        pods: podsOf(summary, nodefs.capacity),
      };
    }

    function longhornOn(node: string, capacity: number): Usage['longhorn'] {
      const there = new Set(
        known(replicas)
          .filter(replica => replica.node === node)
          .map(replica => replica.volume),
      );
      const rows = known(volumes)
        .filter(volume => there.has(volume.name))
        .map(volume => ({
          key: volume.key,
          claim: volume.claim.key,
          bytes: volume.actualSize,
          snapshotBytes: Math.max(0, volume.actualSize - volume.size),
        }))
        .sort((first, second) => second.bytes - first.bytes);
      const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
      return {
        bytes,
        percent: share(bytes, capacity),
        snapshotBytes: rows.reduce((sum, row) => sum + row.snapshotBytes, 0),
        volumes: rows,
        orphans: known(orphans).filter(orphan => orphan.node === node).length,
      };
    }

    /** On one filesystem with everything else, the images' own part is what the node counts of them (50 at most). */
    function imagesOn(node: Node, used: number, capacity: number): Usage['images'] {
      const event = known(events).find(
        one =>
          one.object.kind === 'Node' &&
          one.object.name === node.name &&
          (one.reason === 'FreeDiskSpaceFailed' || one.reason === 'ImageGCFailed') &&
          one.lastAge <= RECENT,
      );
      const bytes = used || node.imageBytes;
      return {
        bytes,
        percent: share(bytes, capacity),
        nothingToFree: event?.message.includes('only found 0 bytes eligible to free') ?? false,
        event: event?.message ?? '',
      };
    }

    function podsOf(summary: unknown, capacity: number): Usage['pods'] {
      return list((summary as { pods?: unknown }).pods)
        .map(one => {
          const namespace = text(one?.podRef?.namespace);
          const name = text(one?.podRef?.name);
          const pod = ref('Pod', namespace, name, text(one?.podRef?.uid));
          const bytes = number(one?.['ephemeral-storage']?.usedBytes);
          const workload = workloads.get(objectKey('Pod', namespace, name)) ?? pod;
          return { pod, workload, bytes, percent: share(bytes, capacity) };
        })
        .sort((first, second) => second.bytes - first.bytes)
        .slice(0, 20);
    }
  },
});

/** Percent, to one decimal; 0 of nothing. */
function share(part: number, whole: number): number {
  return whole > 0 ? Math.round((1000 * part) / whole) / 10 : 0;
}
