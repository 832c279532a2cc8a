import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { parseExposition, sumOf } from '../components/exposition.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { REF } from '../objects.ts';

/** Families that say something of Prometheus itself. Those of single rule groups and pools are left out for size. */
const FAMILIES = [
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'prometheus_ready',
  'prometheus_build_info',
  'prometheus_config_last_reload_*',
  'prometheus_tsdb_*',
  'prometheus_notifications_*',
  'prometheus_target_scrapes_*',
  'prometheus_target_scrape_pools_*',
  'prometheus_target_sync_failed_total',
  'prometheus_sd_*',
  'prometheus_engine_queries*',
  'prometheus_remote_storage_samples_*',
  'prometheus_remote_storage_highest_timestamp_in_seconds',
  'prometheus_remote_storage_queue_highest_sent_timestamp_seconds',
  'prometheus_rule_group_iterations_missed_total',
  'prometheus_rule_evaluation_failures_total',
];

/** A number that is -1 where the family is absent: absent is not 0. */
const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    values: [{ name: 'str', labels: 'map', value: 'float' }],
    walCorruptions: 'float',
    compactionsFailed: 'float',
    configOk: 'float',
    notificationsDropped: 'float',
    notificationErrors: 'float',
    outOfOrder: 'float',
    blocksLoaded: 'float',
    oldestSample: 'time',
    headSeries: 'float',
    queries: 'float',
    queriesMax: 'float',
    residentMemory: 'float',
    /** Any of the families was there. */
    present: 'bool',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.metrics',
  about: "Prometheus' own numbers; -1 stands for a family that is absent.",
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: [
        'values',
        'walCorruptions',
        'compactionsFailed',
        'configOk',
        'notificationsDropped',
        'notificationErrors',
        'outOfOrder',
        'blocksLoaded',
        'oldestSample',
        'headSeries',
        'queries',
        'queriesMax',
        'residentMemory',
        'present',
      ],
      async read(asker) {
        const exposition = parseExposition(await asker.text('/metrics'), FAMILIES);
        const value = (name: string) => sumOf(exposition, name) ?? -1;
        const oldest = value('prometheus_tsdb_lowest_timestamp_seconds');
        return {
          values: exposition.samples,
          walCorruptions: value('prometheus_tsdb_wal_corruptions_total'),
          compactionsFailed: value('prometheus_tsdb_compactions_failed_total'),
          configOk: value('prometheus_config_last_reload_successful'),
          notificationsDropped: value('prometheus_notifications_dropped_total'),
          notificationErrors: value('prometheus_notifications_errors_total'),
          outOfOrder: value('prometheus_tsdb_out_of_order_samples_total'),
          blocksLoaded: value('prometheus_tsdb_blocks_loaded'),
          oldestSample: oldest > 0 && oldest < 8.64e12 ? new Date(oldest * 1000).toISOString() : '',
          headSeries: value('prometheus_tsdb_head_series'),
          queries: value('prometheus_engine_queries'),
          queriesMax: value('prometheus_engine_queries_concurrent_max'),
          residentMemory: value('process_resident_memory_bytes'),
          present: exposition.samples.length > 0,
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.metrics', core: false },
      await replicasOf(context, ['prometheus']),
      replica => ({ prometheus: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});
