import { HALTED, NO_UPLOAD, SYNC_STALLED } from './thanos-alerts.ts';

/** What stands in place of an expression that says nothing; `metrics` are those that it needs. */
export interface Replacement {
  readonly expr: string;
  readonly metrics: readonly string[];
  /** The evaluator prints it as it stands here, apart from spaces. */
  readonly asWritten: boolean;
}

/** Metrics that were never so called, or are not any more, and what they are called. */
const RENAMED: Readonly<Record<string, string>> = {
  alertmanager_config_last_reload_success: 'alertmanager_config_last_reload_successful',
  prometheus_config_last_reload_success: 'prometheus_config_last_reload_successful',
  thanos_query_store_apis_dns_failures_total: 'thanos_query_endpoints_dns_failures_total',
  thanos_query_store_apis_dns_lookups_total: 'thanos_query_endpoints_dns_lookups_total',
  thanos_query_store_apis_dns_provider_results: 'thanos_query_endpoints_dns_provider_results',
};

/** The better expression for one of those in circulation that never fire or fall silent; undefined for any other. */
export function replacementOf(expr: string): Replacement | undefined {
  const text = expr.replace(/\s+/g, '');
  if (/^\(?time\(\)-thanos_shipper_last_successful_upload_time\)?>=?[0-9*]+$/.test(text)) {
    return as(NO_UPLOAD, 'thanos_objstore_bucket_last_successful_upload_time', 'thanos_sidecar_prometheus_up');
  }
  if (/^(?:rate|increase)\(thanos_compact_iterations_total\{result=~?"[^"]+"\}\[[0-9a-z]+\]\)>0$/.test(text)) {
    return as(HALTED, 'thanos_compact_halted');
  }
  if (/^(?:rate|increase)\(thanos_shipper_dir_sync_failures_total\[[0-9a-z]+\]\)>0$/.test(text)) {
    return as(SYNC_STALLED, 'thanos_shipper_dir_syncs_total');
  }
  const up = /^(up\{job="[^"\\]+"\})(?:==0|<1)$/.exec(text);
  // The old half goes on to name each target that is down; the new one speaks where none is left to be named.
  if (up) return as(`${up[1]} == 0 or absent(${up[1]})`, 'up');
  const renamed = expr.replace(/[a-zA-Z_:][a-zA-Z0-9_:]*/g, word => RENAMED[word] ?? word);
  if (renamed === expr) return undefined;
  const metrics = Object.values(RENAMED).filter(metric => new RegExp(`\\b${metric}\\b`).test(renamed));
  return { expr: renamed, metrics, asWritten: false };
}

function as(expr: string, ...metrics: readonly string[]): Replacement {
  return { expr, metrics, asWritten: true };
}
