import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { type Flag, flagValue } from '../components/command-line.ts';
import { fatalError } from '../components/fatal-errors.ts';
import { prometheusSize, wholeSeconds } from '../components/operator.ts';
import { replicasOf } from '../components/replicas.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { objectKey, REF, ref } from '../objects.ts';
import { CONTAINER_STATUS, type ContainerStatus } from '../pod-containers.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    container: 'str',
    containerKey: 'str',
    workload: REF,
    node: 'str',
    nodeKey: 'str',
    podAge: 'int',
    podReady: 'bool',
    image: 'str',
    version: 'str',
    desired: 'int',
    ...CONTAINER_STATUS,
    memoryRequest: 'int',
    /** 0 where there is none: the node's memory is the limit. */
    memoryLimit: 'int',
    /** Seconds that the startup probe allows; 0 without one. */
    startupBudget: 'int',
    dataDir: 'str',
    dataVolumeKind: 'str',
    claim: REF,
    /** Bytes; 0 where the data lie on no claim. */
    claimCapacity: 'int',
    args: [{ flag: 'str', value: 'str' }],
    /** Seconds that its arguments keep data for; 0 where only the size limits it. */
    retention: 'int',
    /** Bytes that its arguments keep; 0 without a limit. */
    retentionSize: 'int',
    /** Seconds of the smallest and largest block, by its arguments; 0 for the largest where they leave it open. */
    minBlock: 'int',
    maxBlock: 'int',
    /** What the last run said in its end (`opening storage failed: …`), where the kubelet kept it. */
    fatal: 'str',
    /** block, wal, head-chunks, locked, permission, read-only, disk-full, config, other; '' where nothing was kept. */
    fatalKind: 'str',
    /** A sidecar beside it has an object storage configuration. */
    uploading: 'bool',
    sidecar: 'str',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = derived({
  id: 'prometheus.replicas',
  about: 'One row per pod of a Prometheus: the container itself, its limits, and where its data lie.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [replicas, components, containers, claims, resources] = await Promise.all([
      replicasOf(context, ['prometheus']),
      context.get(componentsCollector),
      context.get(containersCollector),
      listOrGap(context.get(claimsCollector)),
      listOrGap(context.get(prometheusesCollector)),
    ]);
    const containerByKey = new Map(known(containers).map(row => [row.containerKey, row]));
    return replicas.map(replica => {
      const gap = gapOf(replica);
      if (gap) return gapElement(gap);
      const container = containerByKey.get(replica.containerKey)!;
      const resource = known(resources).find(
        row => objectKey('Prometheus', row.namespace, row.name) === replica.subject.key,
      );
      const onClaim = replica.dataVolume.kind === 'claim';
      const claim = ref('PersistentVolumeClaim', replica.pod.namespace, onClaim ? replica.dataVolume.name : '');
      const claimRow = known(claims).find(row => row.key === claim.key);
      const sidecar = known(components).find(row => row.component === 'sidecar' && row.pod.key === replica.pod.key);
      const row: Row = {
        ...statusOf(container),
        prometheus: replica.subject,
        pod: replica.pod,
        container: replica.container,
        containerKey: replica.containerKey,
        workload: replica.workload,
        node: replica.node,
        podAge: replica.podAge,
        podReady: replica.podReady,
        image: replica.image,
        nodeKey: objectKey('Node', '', replica.node),
        version: replica.version,
        get desired() {
          return replica.replicas;
        },
        memoryRequest: container.requests.memory,
        memoryLimit: container.limits.memory,
        startupBudget: resource?.startupBudget ?? container.probes.startup.budget,
        dataDir: replica.dataDir,
        dataVolumeKind: replica.dataVolume.kind,
        claim,
        claimCapacity: claimRow?.capacity ?? 0,
        args: replica.args,
        ...storageOf(replica.args),
        ...fatalError(container.last.message),
        uploading: sidecar !== undefined && sidecar.objstore.source !== 'none',
        sidecar: sidecar?.container ?? '',
      };
      const unread = gapsIn(claims)[0];
      return unread && onClaim && !claimRow ? makeUnknown(row, ['claimCapacity'], unread) : row;
    });
  },
});

/** Prometheus' own default where neither time nor size is limited. */
const DEFAULT_RETENTION = '15d';

function storageOf(args: readonly Flag[]) {
  const size = prometheusSize(flagValue(args, '--storage.tsdb.retention.size'));
  const time = flagValue(args, '--storage.tsdb.retention.time', flagValue(args, '--storage.tsdb.retention'));
  return {
    retention: wholeSeconds(time === '' || time === '0s' ? (size > 0 ? '' : DEFAULT_RETENTION) : time),
    retentionSize: size,
    minBlock: wholeSeconds(flagValue(args, '--storage.tsdb.min-block-duration', '2h')),
    maxBlock: wholeSeconds(flagValue(args, '--storage.tsdb.max-block-duration')),
  };
}

function statusOf(container: ContainerStatus): ContainerStatus {
  const names = Object.keys(CONTAINER_STATUS) as (keyof ContainerStatus)[];
  return Object.fromEntries(names.map(name => [name, container[name]])) as unknown as ContainerStatus;
}
