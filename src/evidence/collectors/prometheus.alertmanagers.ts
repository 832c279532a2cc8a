import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { list, REF, text } from '../objects.ts';

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    /** URLs that it sends alerts to. */
    active: ['str'],
    /** URLs that relabelling left out. */
    dropped: ['str'],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.alertmanagers',
  about: 'The Alertmanagers that each Prometheus has found.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const urls = (raw: unknown) => list(raw).map((one: RawObject) => text(one?.url));
    const part: Part<Row> = {
      fields: ['active', 'dropped'],
      async read(asker) {
        const data = await asker.api('/api/v1/alertmanagers');
        return { active: urls(data.activeAlertmanagers), dropped: urls(data.droppedAlertmanagers) };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.alertmanagers', core: false },
      await replicasOf(context, ['prometheus']),
      replica => ({ prometheus: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});
