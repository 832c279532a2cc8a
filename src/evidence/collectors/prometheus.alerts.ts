import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { age, list, REF, strings, text } from '../objects.ts';

const SHAPE = [
  {
    evaluator: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    /** prometheus or rule */
    component: 'str',
    alerts: [
      {
        name: 'str',
        /** pending or firing */
        state: 'str',
        labels: 'map',
        activeSince: 'time',
        activeAge: 'int',
        value: 'str',
      },
    ],
    /** An alert of the name Watchdog fires, as it should. */
    watchdog: 'bool',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.alerts',
  about: 'The alerts that fire or wait in each Prometheus and Thanos Ruler now.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['alerts', 'watchdog'],
      async read(asker) {
        const alerts = list((await asker.api('/api/v1/alerts')).alerts).map(alert => {
          const labels = strings(alert?.labels);
          const activeSince = text(alert?.activeAt);
          return {
            name: labels.alertname ?? '',
            state: text(alert?.state),
            labels,
            activeSince,
            activeAge: age(context, activeSince),
            value: text(alert?.value),
          };
        });
        return { alerts, watchdog: alerts.some(alert => alert.name === 'Watchdog' && alert.state === 'firing') };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.alerts', core: false },
      await replicasOf(context, ['prometheus', 'rule']),
      replica => ({
        evaluator: replica.subject,
        pod: replica.pod,
        running: replica.running,
        component: replica.component,
      }),
      [part],
    );
  },
});
