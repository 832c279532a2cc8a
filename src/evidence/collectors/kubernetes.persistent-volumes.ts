import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { list, NOBODY, REF, ref, text } from '../objects.ts';
import { bytes } from '../quantities.ts';

const TERM = { key: 'str', operator: 'str', values: ['str'] } as const;

function terms(affinity: RawObject): readonly ShapeOf<typeof TERM>[] {
  return list(affinity?.required?.nodeSelectorTerms).flatMap(term =>
    list(term?.matchExpressions).map(expression => ({
      key: text(expression?.key),
      operator: text(expression?.operator),
      values: list(expression?.values).map(text),
    })),
  );
}

export const collector = listOf({
  id: 'kubernetes.persistent-volumes',
  about: 'Volumes, the claim that each is bound to, and its driver.',
  core: true,
  group: '',
  resource: 'persistentvolumes',
  kind: 'PersistentVolume',
  fields: {
    phase: 'str',
    capacity: 'int',
    class: 'str',
    accessModes: ['str'],
    mode: 'str',
    claim: REF,
    reclaim: 'str',
    /** '' where the volume is not provided by a CSI driver. */
    driver: 'str',
    handle: 'str',
    nodeAffinity: [TERM],
    /** What Longhorn says of replicas that it cannot place. */
    schedulingError: 'str',
    reason: 'str',
  },
  row({ metadata, spec, status }) {
    const claim = spec?.claimRef;
    return {
      phase: text(status?.phase),
      capacity: bytes(spec?.capacity?.storage),
      class: text(spec?.storageClassName),
      accessModes: list(spec?.accessModes).map(text),
      mode: text(spec?.volumeMode) || 'Filesystem',
      claim: claim ? ref('PersistentVolumeClaim', text(claim.namespace), text(claim.name), text(claim.uid)) : NOBODY,
      reclaim: text(spec?.persistentVolumeReclaimPolicy),
      driver: text(spec?.csi?.driver),
      handle: text(spec?.csi?.volumeHandle),
      nodeAffinity: terms(spec?.nodeAffinity),
      schedulingError: text(metadata.annotations?.['longhorn.io/volume-scheduling-error']),
      reason: text(status?.reason),
    };
  },
});
