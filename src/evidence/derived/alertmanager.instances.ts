import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { INSTANCE, instancesOf } from '../components/instances.ts';
import { listOrGap, mapKnown } from '../gaps.ts';
import { ref } from '../objects.ts';

const SHAPE = [INSTANCE] as const;

export const collector = derived({
  id: 'alertmanager.instances',
  about: 'Each Alertmanager: a resource of the operator, or a workload that runs one, with the state of its pods.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const resources = await listOrGap(context.get(alertmanagersCollector));
    const asked = mapKnown(resources, row => ({
      object: ref('Alertmanager', row.namespace, row.name, row.uid),
      replicas: row.replicas,
      shards: 1,
      paused: row.paused,
      age: row.age,
      statefulSets: [row.statefulSet],
    }));
    return instancesOf(context, 'alertmanager', asked);
  },
});
