import { matchesWhole } from './ports.ts';
import type { Matcher, Selector } from './promql.ts';

/** What of the fleet decides whether some metrics can ever say anything; undefined where it is not known. */
export interface Fleet {
  /** Versions of all sidecars; undefined where one is not known. */
  readonly sidecarVersions: readonly string[] | undefined;
  /** No Query is given its endpoints by the flags that went before `--endpoint`. */
  readonly onlyEndpointFlags: boolean | undefined;
}

export interface DeadSelector {
  readonly id: string;
  readonly why: string;
  readonly instead: string;
}

interface Entry extends DeadSelector {
  readonly names: readonly string[];
  readonly when?: (selector: Selector, fleet: Fleet) => boolean;
}

/** Series that no version of the software ever had, though rules in circulation ask for them. */
const ENTRIES: readonly Entry[] = [
  {
    id: 'shipper-last-upload',
    names: ['thanos_shipper_last_successful_upload_time'],
    why: 'no version of Thanos has this metric',
    instead: 'thanos_objstore_bucket_last_successful_upload_time with `> 0`',
  },
  {
    id: 'compact-iterations-result',
    names: ['thanos_compact_iterations_total'],
    when: selector => selector.matchers.some(matcher => matcher.label === 'result' && !satisfies('', matcher)),
    why: 'this counter has no label `result`, and counts successes only',
    instead: 'thanos_compact_halted == 1',
  },
  {
    id: 'query-store-dns',
    names: [
      'thanos_query_store_apis_dns_failures_total',
      'thanos_query_store_apis_dns_lookups_total',
      'thanos_query_store_apis_dns_provider_results',
    ],
    when: (_selector, fleet) => fleet.onlyEndpointFlags === true,
    why: 'the Query is given its endpoints by --endpoint, which counts under another name',
    instead: 'thanos_query_endpoints_dns_failures_total, …_lookups_total, …_provider_results',
  },
  {
    id: 'shipper-dir-sync-failures',
    names: ['thanos_shipper_dir_sync_failures_total'],
    when: (_selector, { sidecarVersions }) =>
      sidecarVersions !== undefined && sidecarVersions.length > 0 && sidecarVersions.every(isBefore039),
    why: 'sidecars before v0.39 register this counter and never increment it',
    instead: 'rate(thanos_shipper_dir_syncs_total[10m]) == 0',
  },
  {
    id: 'config-reload-success',
    names: ['alertmanager_config_last_reload_success', 'prometheus_config_last_reload_success'],
    why: 'the metric ends in `_successful`',
    instead: '…_config_last_reload_successful == 0',
  },
];

/** Why a selector never gives anything; undefined for one that may. */
export function deadSelector(selector: Selector, fleet: Fleet): DeadSelector | undefined {
  return ENTRIES.find(entry => entry.names.includes(selector.metric) && (entry.when?.(selector, fleet) ?? true));
}

/** Whether a label's value satisfies a matcher. */
export function satisfies(value: string, matcher: Matcher): boolean {
  switch (matcher.op) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
      return matchesWhole(matcher.value, value);
    default:
      return !matchesWhole(matcher.value, value);
  }
}

function isBefore039(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 0 && minor < 39;
}
