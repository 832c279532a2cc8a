import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as volumesCollector } from '../collectors/kubernetes.persistent-volumes.ts';
import { collector as classesCollector } from '../collectors/kubernetes.storage-classes.ts';
import { findKnown, gapOf, known, listOrGap, mapKnown } from '../gaps.ts';
import { unmet } from '../label-selectors.ts';
import { lazily } from '../lazily.ts';
import { NOBODY, REF, ref } from '../objects.ts';

const VOLUME = {
  name: 'str',
  phase: 'str',
  reclaim: 'str',
  capacity: 'int',
  class: 'str',
  accessModes: ['str'],
  mode: 'str',
  /** Who holds it. */
  claim: REF,
} as const;

/** What keeps a volume from a claim; `why` is '' where it fits. */
const MISFIT = { why: 'str', asked: 'str', has: 'str' } as const;

const ROW = {
  claim: REF,
  created: 'time',
  /** Seconds. */
  age: 'int',
  pods: [REF],
  workloads: [REF],
  wanted: 'bool',
  class: 'str',
  requested: 'int',
  accessModes: ['str'],
  mode: 'str',
  /** The volume that it names; '' where it takes any that fits. */
  named: 'str',
  /** missing, taken, too-small, class, access-mode, volume-mode, labels or not-available: of the volume it names, else of the nearest one; '' where one fits. */
  misfit: MISFIT,
  /** That volume; its name is '' where there is none. */
  volume: VOLUME,
  /** Its class makes no volumes, or it asks for no class at all. */
  unprovided: 'bool',
  /** It is bound only once a pod wants it. */
  waitsForConsumer: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
type Misfit = ShapeOf<typeof MISFIT>;
type Claim = ShapeOf<typeof claimsCollector.shape>[number];
type Volume = ShapeOf<typeof volumesCollector.shape>[number];

const FITS: Misfit = { why: '', asked: '', has: '' };
const NO_VOLUME: Row['volume'] = {
  name: '',
  phase: '',
  reclaim: '',
  capacity: 0,
  class: '',
  accessModes: [],
  mode: '',
  claim: NOBODY,
};

export const collector = derived({
  id: 'storage.static-claims',
  about: 'Claims that wait for a volume made by hand: the one that they name, or any that fits; and why none does.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const claims = await context.get(claimsCollector);
    const pending = claims.filter(claim => gapOf(claim) || (claim.phase === 'Pending' && !claim.deleting));
    if (pending.length === 0) return [];
    const [volumes, classes] = await Promise.all([
      listOrGap(context.get(volumesCollector)),
      listOrGap(context.get(classesCollector)),
    ]);
    return mapKnown(pending, claim => {
      const classOf = () => findKnown(classes, one => one.name === claim.class);
      const row = {
        claim: ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid),
        created: claim.created,
        age: claim.age,
        pods: claim.usedBy,
        workloads: claim.workloads,
        class: claim.class,
        requested: claim.requested,
        accessModes: claim.accessModes,
        mode: claim.mode,
        named: claim.volume,
      };
      return lazily<Row>(row, {
        wanted: () => claim.wanted,
        misfit: () => judged(claim).misfit,
        volume: () => volumeRow(judged(claim).volume),
        unprovided: () =>
          claim.classSet && (claim.class === '' || classOf()?.provisioner === 'kubernetes.io/no-provisioner'),
        waitsForConsumer: () => claim.class !== '' && classOf()?.binding === 'WaitForFirstConsumer',
      });
    });

    function judged(claim: Claim): { readonly misfit: Misfit; readonly volume: Volume | undefined } {
      if (claim.volume !== '') {
        const named = findKnown(volumes, one => one.name === claim.volume);
        const missing = { why: 'missing', asked: claim.volume, has: '' };
        return { misfit: named ? misfitOf(claim, named) : missing, volume: named };
      }
      const fitting = known(volumes).find(one => misfitsOf(claim, one).length === 0);
      if (fitting) return { misfit: FITS, volume: fitting };
      findKnown(volumes, () => false);
      const [nearest] = [...volumes].sort(
        (first, second) => misfitsOf(claim, first).length - misfitsOf(claim, second).length,
      );
      if (!nearest) return { misfit: { why: 'missing', asked: 'any volume', has: '' }, volume: undefined };
      return { misfit: misfitsOf(claim, nearest)[0]!, volume: nearest };
    }
  },
});

/** Of a volume that a claim names: whether it is available or Released by another claim of that name is not what decides. */
function misfitOf(claim: Claim, volume: Volume): Misfit {
  return misfitsOf(claim, volume).find(one => one.why !== 'not-available' && one.why !== 'labels') ?? FITS;
}

/** All that differs, what binding looks at first first. */
function misfitsOf(claim: Claim, volume: Volume): readonly Misfit[] {
  const holder = volume.claim;
  const isTaken =
    holder.name !== '' &&
    (holder.namespace !== claim.namespace ||
      holder.name !== claim.name ||
      (holder.uid !== '' && holder.uid !== claim.uid));
  const lacking = claim.accessModes.filter(mode => !volume.accessModes.includes(mode));
  const labels = unmet(claim.selector, volume.labels);
  const differences: readonly (Misfit | false)[] = [
    isTaken && { why: 'taken', asked: 'a free volume', has: `held by ${holder.key}` },
    volume.capacity < claim.requested && {
      why: 'too-small',
      asked: `${claim.requested} bytes`,
      has: `${volume.capacity} bytes`,
    },
    volume.class !== claim.class && { why: 'class', asked: quoted(claim.class), has: quoted(volume.class) },
    lacking.length > 0 && {
      why: 'access-mode',
      asked: claim.accessModes.join(', '),
      has: volume.accessModes.join(', '),
    },
    volume.mode !== claim.mode && { why: 'volume-mode', asked: claim.mode, has: volume.mode },
    labels.length > 0 && { why: 'labels', asked: labels.join('; '), has: '' },
    !isTaken && volume.phase !== 'Available' && { why: 'not-available', asked: 'Available', has: volume.phase },
  ];
  return differences.filter(one => one !== false);
}

function quoted(name: string): string {
  return `"${name}"`;
}

function volumeRow(volume: Volume | undefined): Row['volume'] {
  if (!volume) return NO_VOLUME;
  const { name, phase, reclaim, capacity, accessModes, mode, claim } = volume;
  return { name, phase, reclaim, capacity, class: volume.class, accessModes, mode, claim };
}
