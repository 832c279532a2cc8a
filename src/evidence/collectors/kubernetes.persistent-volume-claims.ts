import type { ShapeOf } from '../../model/shape.ts';
import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { LABEL_SELECTOR, labelSelector } from '../label-selectors.ts';
import { list, objectKey, REF, ref, text } from '../objects.ts';
import { bytes } from '../quantities.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const PROVISIONER = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner'];

const listed = listOf({
  id: 'kubernetes.persistent-volume-claims',
  about: 'Claims, and the pods that use them.',
  core: true,
  group: '',
  resource: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  fields: {
    phase: 'str',
    class: 'str',
    /** False where the field is absent, which asks for the default class; '' written out asks for none. */
    classSet: 'bool',
    volume: 'str',
    bindCompleted: 'bool',
    requested: 'int',
    capacity: 'int',
    accessModes: ['str'],
    mode: 'str',
    /** Which volumes it takes; most take any. */
    selector: LABEL_SELECTOR,
    conditions: CONDITIONS,
    resizeWanted: 'bool',
    allocated: 'int',
    /** '' with resizers that do not write it. */
    resizeStatus: 'str',
    /** kube-controller-manager has handed it to a provisioner. */
    delegated: 'bool',
    selectedNode: 'str',
    finalizers: ['str'],
    /** Pods that name it and have not finished. */
    usedBy: [REF],
    workloads: [REF],
    /** One of them is not being deleted. */
    wanted: 'bool',
  },
  row({ metadata, spec, status }, context) {
    const requested = bytes(spec?.resources?.requests?.storage);
    const capacity = bytes(status?.capacity?.storage);
    const phase = text(status?.phase);
    const annotations = metadata.annotations ?? {};
    return {
      phase,
      class: text(spec?.storageClassName),
      classSet: spec?.storageClassName !== undefined && spec.storageClassName !== null,
      volume: text(spec?.volumeName),
      bindCompleted: annotations['pv.kubernetes.io/bind-completed'] === 'yes',
      requested,
      capacity,
      accessModes: list(spec?.accessModes).map(text),
      mode: text(spec?.volumeMode) || 'Filesystem',
      selector: labelSelector(spec?.selector),
      conditions: conditionsOf(status?.conditions, context),
      resizeWanted: phase === 'Bound' && requested > capacity,
      allocated: bytes(status?.allocatedResources?.storage),
      resizeStatus: text(status?.allocatedResourceStatuses?.storage),
      delegated: PROVISIONER.some(name => name in annotations),
      selectedNode: text(annotations['volume.kubernetes.io/selected-node']),
      finalizers: list(metadata.finalizers).map(text),
      usedBy: [],
      workloads: [],
      wanted: false,
    };
  },
});

type Claim = ShapeOf<typeof listed.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];

export const collector = {
  ...listed,
  needs: [...listed.needs, ...podsCollector.needs],
  async collect(context: Parameters<typeof listed.collect>[0]): Promise<readonly Claim[]> {
    const [claims, pods] = await Promise.all([listed.collect(context), listOrGap(context.get(podsCollector))]);
    const users = usersByClaim(known(pods));
    const gaps = pods.filter(pod => gapOf(pod) !== undefined);
    return claims.map(claim => (gapOf(claim) ? claim : withUsers(claim, users.get(claim.key) ?? [], gaps)));
  },
};

function usersByClaim(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const users = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    for (const volume of pod.volumes) {
      if (volume.kind !== 'claim') continue;
      const key = objectKey('PersistentVolumeClaim', pod.namespace, volume.source);
      users.set(key, [...(users.get(key) ?? []), pod]);
    }
  }
  return users;
}

/** Pods that could not be read may use the claim too: then only "it is wanted" can be known, never the contrary. */
function withUsers(claim: Claim, users: readonly Pod[], gaps: readonly Pod[]): Claim {
  const wanted = users.some(pod => !pod.deleting);
  const workloads = new Map(users.map(pod => [pod.workload.key, pod.workload]));
  const row: Claim = {
    ...claim,
    usedBy: [...users.map(pod => ref('Pod', pod.namespace, pod.name, pod.uid)), ...(gaps as readonly never[])],
    workloads: [...workloads.values(), ...(gaps as readonly never[])],
    wanted,
  };
  const gap = gapsIn(gaps)[0];
  return gap && !wanted ? withUnknownFields<Claim>(row, gap, ['wanted']) : row;
}
