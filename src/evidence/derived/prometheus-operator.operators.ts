import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { INSTANCE, instancesOf } from '../components/instances.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';

const SHAPE = [
  {
    ...INSTANCE,
    /** Prometheus, Alertmanager and ThanosRuler resources of the cluster, which it brings to their declared state. */
    resources: [REF],
    /** Those of which the newest generation was not looked at. */
    unobserved: [REF],
  },
] as const;

export const collector = derived({
  id: 'prometheus-operator.operators',
  about: 'The Prometheus Operator, found by what it runs, and the resources that it looks after.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [operators, prometheuses, alertmanagers, rulers] = await Promise.all([
      instancesOf(context, 'operator', []),
      context.get(prometheusesCollector),
      listOrGap(context.get(alertmanagersCollector)),
      listOrGap(context.get(rulersCollector)),
    ]);
    const rows = [
      ...known(prometheuses).map(row => ({ kind: 'Prometheus', row })),
      ...known(alertmanagers).map(row => ({ kind: 'Alertmanager', row })),
      ...known(rulers).map(row => ({ kind: 'ThanosRuler', row })),
    ];
    const refOf = ({ kind, row }: (typeof rows)[number]) => ref(kind, row.namespace, row.name, row.uid);
    const resources = rows.map(refOf);
    const unobserved = rows.filter(({ row }) => row.observedGeneration < row.generation).map(refOf);
    return operators.map(operator => (gapOf(operator) ? (operator as never) : { ...operator, resources, unobserved }));
  },
});
