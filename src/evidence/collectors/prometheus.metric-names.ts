import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, onePerResource, type Part, replicasOf } from '../components/replicas.ts';
import { list, REF, text } from '../objects.ts';

const SHAPE = [{ evaluator: REF, pod: REF, running: 'bool', names: ['str'], complete: 'bool' }] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.metric-names',
  about: 'Names of all metrics that each Prometheus has. Live only: no bundle holds them.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['names', 'complete'],
      read: async asker => ({
        names: list(await asker.api('/api/v1/label/__name__/values')).map(text),
        complete: true,
      }),
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.metric-names', core: false },
      onePerResource(await replicasOf(context, ['prometheus'])),
      replica => ({ evaluator: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});
