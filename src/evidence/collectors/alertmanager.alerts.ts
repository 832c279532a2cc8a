import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, onePerResource, type Part, replicasOf } from '../components/replicas.ts';
import { age, list, REF, strings, text } from '../objects.ts';

const SHAPE = [
  {
    alertmanager: REF,
    pod: REF,
    alerts: [
      {
        name: 'str',
        labels: 'map',
        /** active, suppressed or unprocessed */
        state: 'str',
        startsAge: 'int',
        receivers: ['str'],
        silencedBy: 'int',
        inhibitedBy: 'int',
      },
    ],
    /** It has an alert of the name Watchdog, silenced or not. */
    watchdog: 'bool',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'alertmanager.alerts',
  about: 'The alerts that each Alertmanager has now, told by one of its replicas: they tell each other.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['alerts', 'watchdog'],
      async read(asker) {
        const alerts = list(await asker.json('/api/v2/alerts')).map(alert => {
          const labels = strings(alert?.labels);
          return {
            name: labels.alertname ?? '',
            labels,
            state: text(alert?.status?.state),
            startsAge: age(context, text(alert?.startsAt)),
            receivers: list(alert?.receivers).map(receiver => text(receiver?.name)),
            silencedBy: list(alert?.status?.silencedBy).length,
            inhibitedBy: list(alert?.status?.inhibitedBy).length,
          };
        });
        return { alerts, watchdog: alerts.some(alert => alert.name === 'Watchdog') };
      },
    };
    return askEach<Row>(
      context,
      { id: 'alertmanager.alerts', core: false },
      onePerResource(await replicasOf(context, ['alertmanager'])),
      replica => ({ alertmanager: replica.subject, pod: replica.pod }),
      [part],
    );
  },
});
