import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { INSTANCE, instancesOf } from '../components/instances.ts';

const SHAPE = [INSTANCE] as const;

export const collector = derived({
  id: 'grafana.instances',
  about: 'Each Grafana: the workload that runs it, with the state of its pods.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    return instancesOf(context, 'grafana', []);
  },
});
