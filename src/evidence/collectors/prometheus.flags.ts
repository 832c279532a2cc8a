import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { prometheusSize } from '../components/operator.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { REF, strings } from '../objects.ts';
import { seconds } from '../quantities.ts';

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    /** Seconds. */
    minBlock: 'int',
    maxBlock: 'int',
    /** Seconds; 0 where the flag does not limit it. */
    retention: 'int',
    /** Bytes; 0 where the flag does not limit it. */
    retentionSize: 'int',
    adminApi: 'bool',
    lifecycle: 'bool',
    walCompression: 'bool',
    all: 'map',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.flags',
  about: 'The flags that each Prometheus runs with, defaults included.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['minBlock', 'maxBlock', 'retention', 'retentionSize', 'adminApi', 'lifecycle', 'walCompression', 'all'],
      async read(asker) {
        const all = strings(await asker.api('/api/v1/status/flags'));
        const duration = (flag: string) => Math.round(seconds(all[flag] ?? ''));
        return {
          minBlock: duration('storage.tsdb.min-block-duration'),
          maxBlock: duration('storage.tsdb.max-block-duration'),
          retention: duration('storage.tsdb.retention.time'),
          retentionSize: prometheusSize(all['storage.tsdb.retention.size'] ?? ''),
          adminApi: all['web.enable-admin-api'] === 'true',
          lifecycle: all['web.enable-lifecycle'] === 'true',
          walCompression: all['storage.tsdb.wal-compression'] === 'true',
          all,
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.flags', core: false },
      await replicasOf(context, ['prometheus']),
      replica => ({ prometheus: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});
