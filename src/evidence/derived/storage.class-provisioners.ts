import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as driversCollector } from '../collectors/kubernetes.csi-drivers.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as leasesCollector } from '../collectors/kubernetes.leases.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as classesCollector } from '../collectors/kubernetes.storage-classes.ts';
import { findKnown, gapOf, known, listOrGap, mapKnown } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF, ref } from '../objects.ts';

const ROW = {
  class: REF,
  provisioner: 'str',
  /** CSI drivers that the cluster knows. */
  drivers: ['str'],
  /** A driver, a lease, a pod or an event shows that there is such a provisioner. */
  present: 'bool',
  /** Claims of the class that wait. */
  waiting: [REF],
  /** Seconds that the first of them has waited; -1 for none. */
  waitingFor: 'int',
  since: 'time',
  pods: [REF],
  workloads: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'storage.class-provisioners',
  about: 'Storage classes for which claims wait, and whether anything shows that their provisioner is installed.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const classes = await context.get(classesCollector);
    const claims = await listOrGap(context.get(claimsCollector));
    const pending = known(claims).filter(claim => claim.phase === 'Pending' && !claim.deleting && claim.volume === '');
    const named = classes.filter(one => gapOf(one) || pending.some(claim => claim.class === one.name));
    const unread = claims.filter(claim => gapOf(claim)) as never[];
    if (named.length === 0) return unread;
    const [drivers, leases, pods, events] = await Promise.all([
      listOrGap(context.get(driversCollector)),
      listOrGap(context.get(leasesCollector)),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(eventsCollector)),
    ]);
    const rows = mapKnown(named, one => {
      const waiting = pending.filter(claim => claim.class === one.name);
      const oldest = [...waiting].sort((first, second) => second.age - first.age)[0]!;
      const provisioner = one.provisioner;
      return lazily<Row>(
        {
          class: ref('StorageClass', '', one.name, one.uid),
          provisioner,
          waiting: waiting.map(claim => ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid)),
          waitingFor: oldest.age,
          since: oldest.created,
          pods: waiting.flatMap(claim => known(claim.usedBy)),
          workloads: distinct(waiting.flatMap(claim => known(claim.workloads))),
        },
        {
          drivers: () => drivers.map(driver => driver.name),
          // Only a CSI driver has an object of its name. Others show by what they hold, say or were told.
          present: () =>
            one.provisionerKnown ||
            findKnown(leases, lease => words(lease.name) === words(provisioner)) !== undefined ||
            findKnown(pods, pod => isTold(pod, provisioner)) !== undefined ||
            findKnown(
              events,
              event => event.reporter === provisioner || event.reporter.startsWith(`${provisioner}_`),
            ) !== undefined,
        },
      );
    });
    return [...rows, ...unread];
  },
});

interface Told {
  readonly containers: readonly {
    readonly command: readonly string[];
    readonly args: readonly string[];
    readonly provisioner: string;
  }[];
}

function isTold({ containers }: Told, provisioner: string): boolean {
  return containers.some(
    one =>
      one.provisioner === provisioner ||
      [...one.command, ...one.args].some(word => word === provisioner || word.split('=').at(-1) === provisioner),
  );
}

/** Leases are named after a provisioner with everything replaced that a name may not hold. */
function words(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
}

function distinct(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.map(one => [one.key, one])).values()];
}
