/** An alert on a way in which Thanos loses data. */
export interface ThanosAlert {
  readonly alert: string;
  /** What it watches, as `prometheus.alert-expressions` names it; '' where its metrics tell. */
  readonly watches: string;
  /** Without these it would never say anything. */
  readonly metrics: readonly string[];
  /** The component whose job stands in the expression as `JOB`; '' for none. */
  readonly component: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'critical' | 'warning' | 'none';
  readonly summary: string;
}

const alert = (
  name: string,
  watches: string,
  metrics: readonly string[],
  expr: string,
  lasts: string,
  severity: ThanosAlert['severity'],
  summary: string,
  component = '',
): ThanosAlert => ({ alert: name, watches, metrics, expr, for: lasts, severity, summary, component });

// After a restart the time of the last upload is 0 until the first one, hence the `> 0`. A target's own metrics are joined
// by job and instance: which labels name its container depends on who scrapes it.
/** Expression of an alert on a sidecar that uploads nothing, though it should every two hours. */
export const NO_UPLOAD =
  '(time() - (thanos_objstore_bucket_last_successful_upload_time > 0) > 3 * 3600) and on (job, instance) thanos_sidecar_prometheus_up';
/** Expression of an alert on a sidecar that does not even look whether there is a block. */
export const SYNC_STALLED = 'rate(thanos_shipper_dir_syncs_total[10m]) == 0';
/** Expression of an alert on a Compactor that stopped on an error. */
export const HALTED = 'thanos_compact_halted == 1';

/** Alerts with expressions that can fire, in the words of current versions of Thanos. */
export const THANOS_ALERTS: readonly ThanosAlert[] = [
  alert(
    'ThanosSidecarNoUpload',
    'uploads',
    ['thanos_objstore_bucket_last_successful_upload_time', 'thanos_sidecar_prometheus_up'],
    NO_UPLOAD,
    '30m',
    'critical',
    'A sidecar has uploaded nothing for three hours: what its Prometheus deletes now is lost.',
  ),
  alert(
    'ThanosSidecarSyncStalled',
    'uploads',
    ['thanos_shipper_dir_syncs_total'],
    SYNC_STALLED,
    '15m',
    'critical',
    'A sidecar does not get through its blocks any more.',
  ),
  alert(
    'ThanosCompactHalted',
    'compactor',
    ['thanos_compact_halted'],
    HALTED,
    '5m',
    'critical',
    'A Compactor has halted: it compacts and deletes nothing until it is restarted.',
  ),
  alert(
    'ThanosCompactNotRunning',
    'compactor',
    ['thanos_compact_halted'],
    'absent(thanos_compact_halted)',
    '30m',
    'warning',
    'No Compactor is seen.',
  ),
  alert(
    'ThanosQueryEndpointsMissing',
    'store endpoints',
    ['thanos_store_nodes_grpc_connections'],
    // The series of an endpoint that is lost vanishes; it does not become 0.
    'sum by (job, instance) (thanos_store_nodes_grpc_connections) < max_over_time(sum by (job, instance) (thanos_store_nodes_grpc_connections)[1d:5m])',
    '15m',
    'critical',
    'A Query has fewer endpoints than it had within the last day: answers lack their data.',
  ),
  alert('ThanosQueryDown', 'query', ['up'], 'absent(up{job="JOB"} == 1)', '5m', 'critical', 'No Query is up.', 'query'),
  alert(
    'ThanosStoreNoBlocks',
    '',
    ['thanos_bucket_store_blocks_loaded'],
    'thanos_bucket_store_blocks_loaded == 0',
    '15m',
    'critical',
    'A Store Gateway has loaded no block: answers end where the local data of the Prometheus servers begins.',
  ),
  alert(
    'ThanosRuleDroppingAlerts',
    '',
    ['thanos_alert_queue_alerts_dropped_total'],
    'rate(thanos_alert_queue_alerts_dropped_total[5m]) > 0',
    '5m',
    'critical',
    'A Ruler drops alerts: nobody is told of them.',
  ),
  alert(
    'PersistentVolumeFillingUp',
    'claims',
    ['kubelet_volume_stats_available_bytes', 'kubelet_volume_stats_capacity_bytes', 'kubelet_volume_stats_used_bytes'],
    'kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.15 and kubelet_volume_stats_used_bytes > 0',
    '15m',
    'warning',
    'A volume has less than 15 % left.',
  ),
  alert(
    'TargetDown',
    'targets',
    ['up'],
    '100 * count by (job, namespace, service) (up == 0) / count by (job, namespace, service) (up) > 10',
    '10m',
    'warning',
    'More than a tenth of the targets of a job are down.',
  ),
  alert('Watchdog', 'always', [], 'vector(1)', '0s', 'none', 'Always fires: where it does not arrive, no alert does.'),
];
