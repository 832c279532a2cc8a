import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askerOf, replicasOf } from '../components/replicas.ts';
import { known } from '../gaps.ts';
import { list, number, REF, strings, text } from '../objects.ts';

const SHAPE = {
  answered: 'bool',
  by: REF,
  warnings: ['str'],
  series: [{ labels: 'map', value: 'float', at: 'time' }],
} as const;

export const collector = fetched({
  id: 'prometheus.query',
  about: 'An instant query, asked of one Prometheus (`namespace/name`; any if empty). Live only: no bundle holds it.',
  params: ['expr', 'prometheus'],
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const { expr = '', prometheus = '' } = context.params;
    const replicas = known(await replicasOf(context, ['prometheus'])).filter(
      row => row.running && (prometheus === '' || `${row.subject.namespace}/${row.subject.name}` === prometheus),
    );
    const replica = replicas.find(row => row.ready) ?? replicas[0];
    if (!replica) throw new GapSignal({ reason: 'unreachable', detail: 'there is no running Prometheus to ask' });
    const data = await askerOf(context, replica).api(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    return {
      answered: true,
      by: replica.subject,
      warnings: [],
      series: list(data.result).map(series => {
        const [at, value] = list(series?.value);
        return {
          labels: strings(series?.metric),
          value: Number(text(value)),
          at: new Date(number(at) * 1000).toISOString(),
        };
      }),
    };
  },
});
