import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { INSTANCE, instancesOf } from '../components/instances.ts';
import { listOrGap, mapKnown } from '../gaps.ts';
import { ref } from '../objects.ts';

const SHAPE = [INSTANCE] as const;

export const collector = derived({
  id: 'prometheus.instances',
  about: 'Each Prometheus: a resource of the operator, or a workload that runs one, with the state of its pods.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const resources = await listOrGap(context.get(prometheusesCollector));
    const asked = mapKnown(resources, row => ({
      object: ref('Prometheus', row.namespace, row.name, row.uid),
      replicas: row.replicas,
      shards: row.shards,
      paused: row.paused,
      age: row.age,
      statefulSets: row.statefulSets,
    }));
    return instancesOf(context, 'prometheus', asked);
  },
});
