import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as setsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { findKnown, gapsIn, known, listOrGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF, ref } from '../objects.ts';

const ROW = {
  claim: REF,
  set: REF,
  /** The resource of the operator that the StatefulSet belongs to, else the StatefulSet: where its template is written. */
  writeTo: REF,
  /** Its pod is one of those that the StatefulSet wants: not left over from more replicas. */
  inUse: 'bool',
  templateSize: 'int',
  claimSize: 'int',
  capacity: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;
type Claim = ShapeOf<typeof claimsCollector.shape>[number];
type StatefulSet = ShapeOf<typeof setsCollector.shape>[number];

interface Resource {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly storage: { readonly template: boolean; readonly size: number };
}

export const collector = derived({
  id: 'storage.template-claims',
  about: 'Claims that StatefulSets made from a template, and the size that the template asks for now.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const sets = await context.get(setsCollector);
    const [claims, ...lists] = await Promise.all([
      listOrGap(context.get(claimsCollector)),
      listOrGap(context.get(prometheusesCollector)),
      listOrGap(context.get(alertmanagersCollector)),
      listOrGap(context.get(rulersCollector)),
    ]);
    const resources: readonly Resource[] = lists.flat();
    const rows = known(sets).flatMap(set =>
      set.claimTemplates.flatMap(template =>
        known(claims)
          .map(claim => ({ claim, ordinal: ordinalOf(claim, template.name, set) }))
          .filter(({ ordinal }) => ordinal >= 0)
          .map(({ claim, ordinal }) => rowOf(claim, set, ordinal, template.size)),
      ),
    );
    return [...rows, ...([...sets, ...claims].filter(row => gapsIn([row]).length > 0) as never[])];

    function rowOf(claim: Claim, set: StatefulSet, ordinal: number, size: number): Row {
      const isOwned = ['Prometheus', 'Alertmanager', 'ThanosRuler'].includes(set.owner.kind);
      const owner = () => (isOwned ? findKnown(resources, one => one.key === set.owner.key) : undefined);
      const own = ref('StatefulSet', set.namespace, set.name, set.uid);
      return lazily<Row>(
        {
          claim: ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid),
          set: own,
          writeTo: isOwned ? set.owner : own,
          inUse: ordinal >= set.firstOrdinal && ordinal < set.firstOrdinal + set.replicas,
          claimSize: claim.requested,
          capacity: claim.capacity,
        },
        { templateSize: () => (owner()?.storage.template ? owner()!.storage.size : size) },
      );
    }
  },
});

/** The ordinal in `<template>-<set>-<ordinal>`; -1 for a claim of another name. */
function ordinalOf(claim: { readonly namespace: string; readonly name: string }, template: string, set: Named): number {
  const prefix = `${template}-${set.name}-`;
  const rest = claim.name.slice(prefix.length);
  const isIts = claim.namespace === set.namespace && claim.name.startsWith(prefix) && /^[0-9]+$/.test(rest);
  return isIts ? Number(rest) : -1;
}

type Named = Pick<Ref, 'namespace' | 'name'>;
