import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { timeOf } from '../components/block-times.ts';
import { type Exposition, parseExposition, sumOf, valuesOf } from '../components/exposition.ts';
import { quantile } from '../components/histograms.ts';
import { THANOS_COMPONENTS } from '../components/identify.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { withUnknownFields } from '../gaps.ts';
import { age, REF } from '../objects.ts';
import { merged } from '../partial-rows.ts';

/** A field, the family that it is read from, and labels that its series carry. The value is the sum over the series. */
const NUMBERS = {
  sidecarPrometheusUp: ['thanos_sidecar_prometheus_up'],
  uploads: ['thanos_shipper_uploads_total'],
  uploadFailures: ['thanos_shipper_upload_failures_total'],
  dirSyncs: ['thanos_shipper_dir_syncs_total'],
  corruptedBlocks: ['thanos_shipper_corrupted_blocks_total'],
  blocksLoaded: ['thanos_bucket_store_blocks_loaded'],
  blockLoadFailures: ['thanos_bucket_store_block_load_failures_total'],
  metaSyncFailures: ['thanos_blocks_meta_sync_failures_total'],
  halted: ['thanos_compact_halted'],
  iterations: ['thanos_compact_iterations_total'],
  retries: ['thanos_compact_retries_total'],
  groupCompactionFailures: ['thanos_compact_group_compactions_failures_total'],
  todoCompactions: ['thanos_compact_todo_compactions'],
  todoDownsample: ['thanos_compact_todo_downsample_blocks'],
  todoDeletions: ['thanos_compact_todo_deletion_blocks'],
  dnsFailures: ['thanos_query_endpoints_dns_failures_total'],
  storeGateInFlight: ['thanos_bucket_store_series_gate_queries_in_flight'],
  storeGateMax: ['thanos_bucket_store_series_gate_queries_max'],
  queryGateInFlight: ['thanos_query_concurrent_gate_queries_in_flight'],
  queryGateMax: ['thanos_query_concurrent_gate_queries_max'],
  alertsDropped: ['thanos_alert_sender_alerts_dropped_total'],
  ruleLoadOk: ['thanos_rule_config_last_reload_successful'],
  loadedRules: ['thanos_rule_loaded_rules'],
  evaluationFailures: ['prometheus_rule_evaluation_failures_total'],
  receiveConfigOk: ['thanos_receive_config_last_reload_successful'],
  residentMemory: ['process_resident_memory_bytes'],
  cpuSeconds: ['process_cpu_seconds_total'],
} as const satisfies Readonly<Record<string, readonly [string]>>;

type NumberField = keyof typeof NUMBERS;
const NUMBER_FIELDS = Object.keys(NUMBERS) as NumberField[];
const NUMBER_SHAPE = Object.fromEntries(NUMBER_FIELDS.map(field => [field, 'float'])) as {
  readonly [Field in NumberField]: 'float';
};

const HISTOGRAMS = [
  'http_request_duration_seconds',
  'thanos_store_api_query_duration_seconds',
  'thanos_query_range_requested_timespan_duration_seconds',
  'thanos_bucket_store_series_gate_duration_seconds',
  'thanos_objstore_bucket_operation_duration_seconds',
] as const;

const GATE = 'thanos_bucket_store_series_gate_duration_seconds';

const LABELLED = { labels: 'map', value: 'float' } as const;

const ROW = {
  pod: REF,
  container: 'str',
  containerKey: 'str',
  component: 'str',
  subject: REF,
  /** Of the program itself; '' where it does not say. */
  version: 'str',
  ...NUMBER_SHAPE,
  /** Of the last upload of this process; '' before the first. */
  lastUpload: 'time',
  /** -1 before the first. */
  lastUploadAge: 'int',
  objstoreFailures: [{ operation: 'str', value: 'float' }],
  objstoreOperations: [{ operation: 'str', value: 'float' }],
  /** State → number of blocks: `loaded`, `failed`, `time-excluded`, … */
  metaSynced: 'any',
  storeConnections: [{ ...LABELLED, type: 'str' }],
  dnsResults: [{ addr: 'str', value: 'float' }],
  requests: [{ handler: 'str', code: 'str', value: 'float' }],
  histograms: [
    { name: 'str', labels: 'map', count: 'float', sum: 'float', buckets: [{ le: 'float', value: 'float' }] },
  ],
  /** Requests for series of a Store Gateway, and how long one in a hundred waits for a slot, in seconds. */
  storeGateRequests: 'float',
  storeGateWait: 'float',
  started: 'time',
  /** -1 where the process does not say when it started. */
  startedAge: 'int',
  /** Mean CPU use since the start, in cores; 0 where it is not told. */
  meanCpu: 'float',
  other: [{ name: 'str', ...LABELLED }],
  families: ['str'],
  present: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;

const WANTED = [
  ...Object.values(NUMBERS).map(([name]) => name),
  ...HISTOGRAMS.map(name => `${name}*`),
  'thanos_objstore_bucket_last_successful_upload_time',
  'thanos_objstore_bucket_operation_failures_total',
  'thanos_objstore_bucket_operations_total',
  'thanos_blocks_meta_synced',
  'thanos_store_nodes_grpc_connections',
  'thanos_query_endpoints_dns_provider_results',
  'http_requests_total',
  'thanos_build_info',
  'process_start_time_seconds',
  'thanos_rule_*',
  'thanos_receive_*',
];

export const collector = fetched({
  id: 'thanos.metrics',
  about: "Thanos' own numbers, read once; a family that is not exposed is not known, which is not 0.",
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const parts: readonly Part<Row>[] = [
      {
        fields: Object.keys(ROW).filter(field => !IDENTITY.has(field)) as (keyof Row & string)[],
        read: async (asker, { component }) =>
          read(context, parseExposition(await asker.text('/metrics'), WANTED), component),
      },
    ];
    return askEach<Row>(
      context,
      { id: 'thanos.metrics', core: false },
      await replicasOf(
        context,
        [...THANOS_COMPONENTS].filter(component => component !== 'tools'),
      ),
      replica => ({
        pod: replica.pod,
        container: replica.container,
        containerKey: replica.containerKey,
        component: replica.component,
        subject: replica.subject,
      }),
      parts,
    );
  },
});

const IDENTITY: ReadonlySet<string> = new Set(['pod', 'container', 'containerKey', 'component', 'subject']);

function read(context: { readonly takenAt: number }, exposition: Exposition, component: string): Partial<Row> {
  const uploaded = Math.max(0, ...valuesOf(exposition, 'thanos_objstore_bucket_last_successful_upload_time'));
  const lastUpload = timeOf(uploaded * 1000);
  const started = timeOf((sumOf(exposition, 'process_start_time_seconds') ?? 0) * 1000);
  const startedAge = age(context, started);
  const cpu = sumOf(exposition, 'process_cpu_seconds_total') ?? 0;
  const row: Partial<Row> = {
    ...Object.fromEntries(NUMBER_FIELDS.map(field => [field, sumOf(exposition, NUMBERS[field][0]) ?? 0])),
    version: samplesOf(exposition, 'thanos_build_info')[0]?.labels.version ?? '',
    lastUpload,
    lastUploadAge: age(context, lastUpload),
    objstoreFailures: operations(exposition, 'thanos_objstore_bucket_operation_failures_total'),
    objstoreOperations: operations(exposition, 'thanos_objstore_bucket_operations_total'),
    metaSynced: Object.fromEntries(
      samplesOf(exposition, 'thanos_blocks_meta_synced').map(({ labels, value }) => [labels.state ?? '', value]),
    ),
    storeConnections: samplesOf(exposition, 'thanos_store_nodes_grpc_connections').map(({ labels, value }) => ({
      labels,
      value,
      type: labels.store_type ?? '',
    })),
    dnsResults: samplesOf(exposition, 'thanos_query_endpoints_dns_provider_results').map(({ labels, value }) => ({
      addr: labels.addr ?? '',
      value,
    })),
    requests: samplesOf(exposition, 'http_requests_total').map(({ labels, value }) => ({
      handler: labels.handler ?? '',
      code: labels.code ?? '',
      value,
    })),
    histograms: HISTOGRAMS.flatMap(name => histogramsOf(exposition, name)),
    ...gateOf(exposition),
    started,
    startedAge,
    meanCpu: startedAge > 0 ? cpu / startedAge : 0,
    other: exposition.samples
      .filter(({ name }) => name.startsWith('thanos_rule_') || name.startsWith('thanos_receive_'))
      .map(({ name, labels, value }) => ({ name, labels, value })),
    families: exposition.families,
    present: exposition.samples.length > 0,
  };
  return withAbsentUnknown(row, exposition, component);
}

/** Families besides those of single numbers, and what is read from them. */
const FURTHER: readonly (readonly [family: string, fields: readonly (keyof Row & string)[]])[] = [
  ['thanos_objstore_bucket_last_successful_upload_time', ['lastUpload', 'lastUploadAge']],
  ['process_start_time_seconds', ['started', 'startedAge', 'meanCpu']],
  ['process_cpu_seconds_total', ['meanCpu']],
  [`${GATE}_bucket`, ['storeGateRequests', 'storeGateWait']],
];

/** Touching a number that the process does not expose is a gap: "0" would be a claim. */
function withAbsentUnknown(row: Partial<Row>, exposition: Exposition, component: string): Partial<Row> {
  const families = new Set(exposition.families);
  const all = [...NUMBER_FIELDS.map(field => [NUMBERS[field][0], [field]] as const), ...FURTHER];
  const absent = all
    .filter(([family]) => !families.has(family))
    .map(([family, fields]) => {
      const detail = `${component} does not expose ${family}`;
      const gap: Gap = { evidence: 'thanos.metrics', reason: 'not-exposed', detail, path: '', notLookedAt: true };
      return withUnknownFields<Partial<Row>>({}, gap, fields);
    });
  return absent.length === 0 ? row : merged<Partial<Row>>(row, ...absent);
}

function gateOf(exposition: Exposition) {
  const [histogram] = histogramsOf(exposition, GATE);
  return {
    storeGateRequests: histogram?.count ?? 0,
    storeGateWait: histogram ? quantile(histogram, 0.99) : 0,
  };
}

function samplesOf(exposition: Exposition, name: string) {
  return exposition.samples.filter(sample => sample.name === name);
}

function operations(exposition: Exposition, name: string) {
  return samplesOf(exposition, name).map(({ labels, value }) => ({ operation: labels.operation ?? '', value }));
}

/** One histogram a set of labels, its buckets in order. Without buckets (a recording may lack them) only count and sum. */
function histogramsOf(exposition: Exposition, name: string): Row['histograms'] {
  const found = new Map<
    string,
    { labels: Record<string, string>; count: number; sum: number; buckets: Map<number, number> }
  >();
  for (const sample of exposition.samples) {
    if (!sample.name.startsWith(name)) continue;
    const suffix = sample.name.slice(name.length);
    if (suffix !== '_bucket' && suffix !== '_count' && suffix !== '_sum') continue;
    const { le, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    const entry = found.get(key) ?? { labels, count: 0, sum: 0, buckets: new Map() };
    found.set(key, entry);
    if (suffix === '_count') entry.count = sample.value;
    else if (suffix === '_sum') entry.sum = sample.value;
    else entry.buckets.set(le === '+Inf' ? Number.MAX_VALUE : Number(le), sample.value);
  }
  return [...found.values()].map(({ labels, count, sum, buckets }) => ({
    name,
    labels,
    count,
    sum,
    buckets: [...buckets].sort(([first], [second]) => first - second).map(([le, value]) => ({ le, value })),
  }));
}
