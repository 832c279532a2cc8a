import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, isReady, type Part, replicasOf } from '../components/replicas.ts';
import { age, flag, number, REF, text } from '../objects.ts';

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    container: 'str',
    answers: 'bool',
    /** `/-/ready` answers 200: the write-ahead log is replayed. */
    ready: 'bool',
    healthy: 'bool',
    started: 'time',
    startedAge: 'int',
    /** The last reload was taken. */
    configOk: 'bool',
    configTime: 'time',
    configAge: 'int',
    /** Corruptions of the write-ahead log since the process started. */
    corruptions: 'int',
    goroutines: 'int',
    /** As Prometheus says it: `1d or 10GiB`. */
    retention: 'str',
    serverTime: 'time',
    replay: { running: 'bool', current: 'int', last: 'int' },
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.runtime',
  about: 'Whether each Prometheus is ready, since when, and whether its configuration was taken.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const parts: readonly Part<Row>[] = [
      {
        fields: ['answers', 'ready'],
        ofStopped: { answers: false, ready: false },
        read: async asker => ({ answers: true, ready: (await asker.answer('/-/ready')).status === 200 }),
      },
      {
        fields: ['healthy'],
        ofStopped: { healthy: false },
        // What is ready is healthy: it is asked only of the others.
        read: async asker => ({
          healthy: (await isReady(asker)) || (await asker.answer('/-/healthy')).status === 200,
        }),
      },
      {
        fields: [
          'started',
          'startedAge',
          'configOk',
          'configTime',
          'configAge',
          'corruptions',
          'goroutines',
          'retention',
          'serverTime',
        ],
        async read(asker) {
          const data = await asker.api('/api/v1/status/runtimeinfo');
          const started = text(data.startTime);
          const configTime = text(data.lastConfigTime);
          return {
            started,
            startedAge: age(context, started),
            configOk: flag(data.reloadConfigSuccess),
            configTime,
            configAge: age(context, configTime),
            corruptions: number(data.corruptionCount),
            goroutines: number(data.goroutineCount),
            retention: text(data.storageRetention),
            serverTime: text(data.serverTime),
          };
        },
      },
      {
        fields: ['replay'],
        async read(asker) {
          if (await isReady(asker)) return { replay: { running: false, current: 0, last: 0 } };
          const data = await asker.api('/api/v1/status/walreplay');
          const [current, last] = [number(data.current), number(data.max)];
          return { replay: { running: current < last, current, last } };
        },
      },
    ];
    return askEach<Row>(
      context,
      { id: 'prometheus.runtime', core: true },
      await replicasOf(context, ['prometheus']),
      replica => ({
        prometheus: replica.subject,
        pod: replica.pod,
        container: replica.container,
        running: replica.running,
      }),
      parts,
    );
  },
});
