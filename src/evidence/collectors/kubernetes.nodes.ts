import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { age, flag, list, number, text } from '../objects.ts';
import { bytes, millicores } from '../quantities.ts';

const RESOURCES = { cpu: 'int', memory: 'int', storage: 'int', pods: 'int' } as const;

function resources(raw: RawObject) {
  return {
    cpu: millicores(raw?.cpu),
    memory: bytes(raw?.memory),
    storage: bytes(raw?.['ephemeral-storage']),
    pods: bytes(raw?.pods),
  };
}

export const collector = listOf({
  id: 'kubernetes.nodes',
  about: 'Nodes with their conditions and taints.',
  core: true,
  group: '',
  resource: 'nodes',
  kind: 'Node',
  fields: {
    /** True, False or Unknown */
    ready: 'str',
    readySince: 'time',
    readyAge: 'int',
    readyMessage: 'str',
    conditions: [{ type: 'str', status: 'str', reason: 'str', message: 'str', since: 'time', age: 'int' }],
    taints: [{ key: 'str', value: 'str', effect: 'str', addedAge: 'int' }],
    unschedulable: 'bool',
    addresses: ['str'],
    allocatable: RESOURCES,
    capacity: RESOURCES,
    kubelet: 'str',
    /** Of the kubelet's version 1.N; 0 where it says none. */
    kubeletMinor: 'int',
    runtime: 'str',
    kernel: 'str',
    /** Size of the images that the node lists, 50 at most. */
    imageBytes: 'int',
  },
  row(object, context) {
    const { spec, status } = object;
    const conditions = list(status?.conditions).map(condition => ({
      type: text(condition.type),
      status: text(condition.status),
      reason: text(condition.reason),
      message: text(condition.message),
      since: text(condition.lastTransitionTime),
      age: age(context, text(condition.lastTransitionTime)),
    }));
    const ready = conditions.find(condition => condition.type === 'Ready');
    return {
      ready: ready?.status ?? '',
      readySince: ready?.since ?? '',
      readyAge: ready?.age ?? -1,
      readyMessage: ready?.message ?? '',
      conditions,
      taints: list(spec?.taints).map(taint => ({
        key: text(taint.key),
        value: text(taint.value),
        effect: text(taint.effect),
        addedAge: age(context, text(taint.timeAdded)),
      })),
      unschedulable: flag(spec?.unschedulable),
      addresses: list(status?.addresses).map(address => text(address.address)),
      allocatable: resources(status?.allocatable),
      capacity: resources(status?.capacity),
      kubelet: text(status?.nodeInfo?.kubeletVersion),
      kubeletMinor: Number(/^v?1\.([0-9]+)/.exec(text(status?.nodeInfo?.kubeletVersion))?.[1] ?? 0),
      runtime: text(status?.nodeInfo?.containerRuntimeVersion),
      kernel: text(status?.nodeInfo?.kernelVersion),
      imageBytes: list(status?.images).reduce((sum, image) => sum + number(image?.sizeBytes), 0),
    };
  },
});
