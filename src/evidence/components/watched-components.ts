import type { Selector } from './promql.ts';

const BY_METRIC: readonly (readonly [RegExp, string])[] = [
  [/^thanos_compact_/, 'compact'],
  [/^thanos_bucket_store_/, 'store'],
  [/^thanos_(?:query|store_nodes)_/, 'query'],
  [/^thanos_(?:sidecar|shipper)_/, 'sidecar'],
  [/^thanos_(?:rule|alert)_/, 'rule'],
  [/^thanos_receive_/, 'receive'],
  [/^prometheus_operator_/, 'operator'],
  [/^prometheus_/, 'prometheus'],
  [/^alertmanager_/, 'alertmanager'],
];

const BY_JOB: readonly (readonly [RegExp, string])[] = [
  [/sidecar/, 'sidecar'],
  [/query-frontend/, 'query-frontend'],
  [/quer(?:y|ier)/, 'query'],
  [/thanos-?store|store-?gateway/, 'store'],
  [/compact/, 'compact'],
  [/thanos-?rule/, 'rule'],
  [/receive/, 'receive'],
  [/alertmanager/, 'alertmanager'],
  [/(?:^|[-/.*|(])prometheus(?:$|[.*|)])/, 'prometheus'],
];

/** Which component of the stack a selector is about: by its metric, for `up` by the job that it names; '' for others. */
export function watchedComponent(selector: Selector): string {
  const { metric, matchers } = selector;
  if (metric !== 'up') return BY_METRIC.find(([pattern]) => pattern.test(metric))?.[1] ?? '';
  const job = matchers.find(matcher => matcher.label === 'job')?.value ?? '';
  return BY_JOB.find(([pattern]) => pattern.test(job))?.[1] ?? '';
}

/** States that an alert may watch, and the metrics by which it does. */
export const WATCHES: readonly { readonly id: string; readonly metrics: RegExp; readonly job?: RegExp }[] = [
  {
    id: 'uploads',
    metrics:
      /^thanos_(?:objstore_bucket_last_successful_upload_time|shipper_uploads_total|shipper_upload_failures_total|shipper_dir_syncs_total|objstore_bucket_operation_failures_total)$/,
  },
  { id: 'compactor', metrics: /^thanos_compact_(?:halted|iterations_total|retries_total)$/ },
  { id: 'query', metrics: /^up$/, job: /quer(?:y|ier)/ },
  { id: 'store endpoints', metrics: /^thanos_store_nodes_grpc_connections$/ },
  { id: 'claims', metrics: /^kubelet_volume_stats_available_bytes$/ },
];
