import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as volumesCollector } from '../collectors/kubernetes.persistent-volumes.ts';
import { collector as classesCollector } from '../collectors/kubernetes.storage-classes.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { gapOf, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { nearestName } from '../nearest-name.ts';
import { REF, ref } from '../objects.ts';

const ROW = {
  /** The name that no storage class has. */
  class: 'str',
  existing: ['str'],
  nearest: 'str',
  claims: [REF],
  /** Prometheus, Alertmanager and ThanosRuler resources that the operator refuses because of it. */
  resources: [REF],
  pods: [REF],
  workloads: [REF],
  since: 'time',
  /** Seconds since the first of the claims was made; -1 where only resources name it. */
  age: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;
type Claim = ShapeOf<typeof claimsCollector.shape>[number];
type Volume = ShapeOf<typeof volumesCollector.shape>[number];

interface Use {
  readonly class: string;
  readonly claim?: Claim;
  readonly resource?: Ref;
}

export const collector = derived({
  id: 'storage.missing-classes',
  about: 'Names of storage classes that waiting claims or monitoring resources ask for, and that do not exist.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [claims, classes, volumes, ...resources] = await Promise.all([
      listOrGap(context.get(claimsCollector)),
      context.get(classesCollector),
      listOrGap(context.get(volumesCollector)),
      listOrGap(context.get(prometheusesCollector)),
      listOrGap(context.get(alertmanagersCollector)),
      listOrGap(context.get(rulersCollector)),
    ]);
    const names = new Set(known(classes).map(one => one.name));
    const isMissing = (name: string) => name !== '' && !names.has(name);
    const waiting = known(claims).filter(
      claim => claim.phase === 'Pending' && !claim.deleting && claim.volume === '' && isMissing(claim.class),
    );
    const uses: readonly Use[] = [
      ...waiting
        .filter(claim => !known(volumes).some(volume => fits(volume, claim)))
        .map(claim => ({ class: claim.class, claim })),
      ...(resources as readonly (readonly Resource[])[])
        .flatMap(list => known(list).flatMap(refusedFor))
        .filter(use => isMissing(use.class)),
    ];
    const rows = [...new Set(uses.map(use => use.class))].sort().map(name =>
      rowOf(
        name,
        uses.filter(use => use.class === name),
      ),
    );
    // What could not be listed might ask for a class, have it, or fit a claim: "there is no other" is not known then.
    const unread = [claims, classes, ...(waiting.length > 0 ? [volumes] : [])].flatMap(list =>
      list.filter(row => gapOf(row) !== undefined),
    );
    return gapsIn(classes).length > 0 ? (unread as never[]) : [...rows, ...(unread as never[])];

    function rowOf(name: string, own: readonly Use[]): Row {
      const claiming = own.flatMap(use => (use.claim ? [use.claim] : []));
      const oldest = [...claiming].sort((first, second) => second.age - first.age)[0];
      return {
        class: name,
        existing: [...names].sort(),
        nearest: nearestName(name, [...names]),
        claims: claiming.map(claim => ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid)),
        resources: own.flatMap(use => (use.resource ? [use.resource] : [])),
        pods: claiming.flatMap(claim => known(claim.usedBy)),
        workloads: distinct(claiming.flatMap(claim => known(claim.workloads))),
        since: oldest?.created ?? '',
        age: oldest?.age ?? -1,
      };
    }
  },
});

interface Resource {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly reconciled: string;
  readonly reconciledMessage: string;
}

function refusedFor(resource: Resource): readonly Use[] {
  const message = orGap(() => (resource.reconciled === 'False' ? resource.reconciledMessage : ''));
  const name = typeof message === 'string' ? /storage class "([^"]+)" does not exist/.exec(message)?.[1] : undefined;
  if (!name) return [];
  const kind = resource.key.split(' ')[0]!;
  return [{ class: name, resource: ref(kind, resource.namespace, resource.name, resource.uid) }];
}

/** A volume made by hand binds by the name of its class; there need not be a class of that name. */
function fits(volume: Volume, claim: Claim): boolean {
  return (
    volume.phase === 'Available' &&
    volume.class === claim.class &&
    volume.capacity >= claim.requested &&
    claim.accessModes.every(mode => volume.accessModes.includes(mode)) &&
    (volume.claim.name === '' || (volume.claim.namespace === claim.namespace && volume.claim.name === claim.name))
  );
}

function distinct(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.map(one => [one.key, one])).values()];
}
