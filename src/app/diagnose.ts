import { type DiagnosisResult, diagnose } from '../checks/diagnose.ts';
import { subjectKey } from '../checks/object-keys.ts';
import type { Suppression } from '../checks/silence.ts';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Expectations } from '../evidence/collector.ts';
import { gapsIn, known } from '../evidence/gaps.ts';
import type { CompiledSignatures } from '../evidence/logs/signatures.ts';
import { type FleetEvidence, openEvidence } from '../evidence/store.ts';
import { timelineOf } from '../evidence/timeline.ts';
import type { EvidenceStore } from '../model/evidence.ts';
import type { Finding, Unknown } from '../model/finding.ts';
import { type Gap, GapSignal } from '../model/gap.ts';
import type { ClusterReport, Report } from '../model/report.ts';
import type { Rule } from '../model/rule.ts';
import type { ServerAnswer, Source } from '../model/source.ts';
import { ACTIONS } from '../remediations/catalogue.ts';
import { clusterToChange } from '../remediations/fleet-target.ts';

export interface DiagnoseOptions {
  readonly rules: readonly Rule[];
  readonly signatures: CompiledSignatures;
  readonly expectations: Expectations;
  readonly suppressions?: readonly Suppression[];
  /** What the fleet file changed of the rules, for the report. */
  readonly tuned?: Report['tuned'];
  /** Name of the fleet, for the report's title; '' for none. */
  readonly fleet: string;
  /** Reads under way at once in one cluster. */
  readonly concurrency: number;
  readonly version: string;
  /** The command line, for the report. */
  readonly command: string;
  readonly onProgress?: (event: Progress) => void;
}

export type Progress =
  | { readonly is: 'reading' | 'read'; readonly cluster: string; readonly evidence: string; readonly requests: number }
  | { readonly is: 'unreachable'; readonly cluster: string; readonly detail: string }
  | { readonly is: 'done'; readonly cluster: string; readonly requests: number };

export const NO_EXPECTATIONS: Expectations = {
  stated: false,
  clusters: [],
  clusterLabel: '',
  queryStores: 0,
  retention: { raw: 0, fiveMinutes: 0, oneHour: 0 },
  localRetention: 0,
  ignoredTargets: [],
};

interface Preflight {
  readonly source: Source;
  readonly server?: ServerAnswer;
  readonly gap?: Gap;
}

/** Diagnoses the clusters behind the sources, and makes the report. Nothing is written anywhere. */
export async function diagnoseFleet(sources: readonly Source[], options: DiagnoseOptions): Promise<Report> {
  const started = process.hrtime.bigint();
  const sorted = [...sources].sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
  const preflights = await Promise.all(sorted.map(source => preflight(source, options)));
  const unreachable = new Map(preflights.flatMap(({ source, gap }) => (gap ? [[source.cluster, gap] as const] : [])));
  const tell = (is: 'reading' | 'read', cluster: string, id: string) => {
    const requests = sorted.find(source => source.cluster === cluster)?.usage().requests ?? 0;
    options.onProgress?.({ is, cluster, evidence: id, requests });
  };
  const evidence = openEvidence(sorted, unreachable, {
    collectors: COLLECTORS,
    expectations: options.expectations,
    signatures: options.signatures,
    concurrency: options.concurrency,
    onCollect: (cluster, id) => tell('reading', cluster, id),
    onCollected: (cluster, id) => tell('read', cluster, id),
  });
  const judged = await diagnose({
    rules: options.rules,
    clusters: evidence.clusters.filter(store => !unreachable.has(store.cluster)),
    fleet: evidence.fleet,
    turnedAway: evidence.clusters.filter(store => unreachable.get(store.cluster)?.reason === 'unauthenticated'),
    unreachable,
    suppressions: options.suppressions ?? [],
  });
  const result = withEmptyScopes(judged, evidence);
  for (const source of sorted) {
    if (!unreachable.has(source.cluster))
      options.onProgress?.({ is: 'done', cluster: source.cluster, requests: source.usage().requests });
  }
  const clusters = await Promise.all(preflights.map(entry => clusterReport(entry, evidence)));
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return {
    ...body(result, clusters, options),
    suppressed: suppressed(result, expiredAt(options.suppressions ?? [], evidence.fleet.takenAt)),
    timeline: await timelineOf(evidence, result.findings),
    ...tail(sorted, seconds, options),
  };
}

/**
 * Where only some namespaces were looked at, and none of them holds a pod, nothing of the stack was seen: that is no
 * health.
 */
function withEmptyScopes(result: DiagnosisResult, { clusters }: FleetEvidence): DiagnosisResult {
  const empty = clusters.flatMap((store): readonly Unknown[] => {
    const { cluster } = store;
    const pods = store.peek('kubernetes.pods', {});
    const rows = pods?.known ? (pods.value as readonly unknown[]) : [];
    const [narrow] = gapsIn(rows).filter(({ reason }) => reason === 'not-asked');
    if (!narrow || known(rows).length > 0) return [];
    const detail = `no pod where it was looked: ${narrow.detail}`;
    return [{ rule: '', cluster, gaps: [{ ...narrow, reason: 'not-found', detail, path: '', notLookedAt: false }] }];
  });
  if (empty.length === 0) return result;
  const verdict = result.verdict === 'healthy' ? 'unknown' : result.verdict;
  return { ...result, verdict, unknowns: [...result.unknowns, ...empty] };
}

async function preflight(source: Source, options: DiagnoseOptions): Promise<Preflight> {
  try {
    return { source, server: await source.server() };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    // Whatever kept the API server from answering: for everything else of this cluster it comes to the same.
    const reason = error.gap.reason === 'timed-out' ? 'unreachable' : error.gap.reason;
    const gap = { ...error.gap, reason, evidence: 'kubernetes.server', notLookedAt: false } as const;
    options.onProgress?.({ is: 'unreachable', cluster: source.cluster, detail: gap.detail });
    return { source, gap };
  }
}

function body(result: DiagnosisResult, clusters: readonly ClusterReport[], options: DiagnoseOptions) {
  return {
    schemaVersion: 1 as const,
    verdict: result.verdict,
    takenAt:
      clusters
        .filter((cluster, _index, all) => cluster.reachable || all.every(other => !other.reachable))
        .map(cluster => cluster.takenAt)
        .sort()
        .at(-1) ?? '',
    fleet: options.fleet,
    clusters,
    findings: result.findings.map(offered),
    roots: result.roots,
    unknowns: result.unknowns,
    notLookedAt: result.notLookedAt,
    suspects: result.suspects,
    ...(options.tuned && options.tuned.length > 0 ? { tuned: options.tuned } : {}),
    counts: result.counts,
  };
}

/** Those of the suppressions that no longer worked at that moment, in milliseconds since the epoch. */
export function expiredAt(suppressions: readonly Suppression[], moment: number): readonly Suppression[] {
  return suppressions.filter(({ endsAt }) => endsAt <= moment);
}

function suppressed(result: DiagnosisResult, expired: readonly Suppression[]): Report['suppressed'] {
  return [
    ...result.silenced.map(({ finding, by: { reason, until }, through }) => ({
      finding: finding.id,
      rule: finding.rule,
      cluster: finding.cluster,
      subject: subjectKey(finding.subject),
      severity: finding.severity,
      message: finding.message,
      reason,
      until,
      expired: false,
      through,
    })),
    ...expired.map(({ rule, cluster, subject, reason, until }) => ({
      finding: '',
      rule,
      cluster,
      subject,
      severity: 'info' as const,
      message: '',
      reason,
      until,
      expired: true,
      through: '',
    })),
  ];
}

/** Only what this version can do is offered. */
function offered(finding: Finding): Finding {
  const { byHand, automatic, action } = finding.fix;
  const isKnown = action && ACTIONS.has(action.id) && clusterToChange(finding) !== '';
  if (automatic === '' || isKnown) return finding;
  return { ...finding, fix: { byHand, automatic: '' } };
}

function tail(sources: readonly Source[], seconds: number, options: DiagnoseOptions): Pick<Report, 'run'> {
  const usages = sources.map(source => ({ name: source.cluster, ...source.usage() }));
  return {
    run: {
      version: options.version,
      command: options.command,
      seconds,
      requests: usages.reduce((sum, usage) => sum + usage.requests, 0),
      bytes: usages.reduce((sum, usage) => sum + usage.bytes, 0),
      partial: false,
      clusters: usages.map(usage => ({ ...usage, seconds })),
    },
  };
}

async function clusterReport({ source, server, gap }: Preflight, evidence: FleetEvidence): Promise<ClusterReport> {
  const store = evidence.clusters.find(entry => entry.cluster === source.cluster)!;
  return {
    name: source.cluster,
    role: await roleOf(source, evidence),
    reachable: !gap,
    problem: gap?.detail ?? '',
    context: server?.context ?? source.context ?? '',
    apiServer: server?.host ?? '',
    takenAt: source.takenAt(),
    versions: { kubernetes: server?.version ?? '', ...(await componentVersions(store)) },
    deniedAccess: deniedAccess(source),
    ways: [],
  };
}

async function roleOf(source: Source, evidence: FleetEvidence): Promise<'hub' | 'edge' | ''> {
  if (!evidence.fleet.describe('fleet.clusters')) return source.roleHint;
  const clusters = await evidence.fleet.collect('fleet.clusters', {});
  if (!clusters.known) return source.roleHint;
  const rows = clusters.value as readonly { readonly name: string; readonly role: 'hub' | 'edge' | '' }[];
  return rows.find(row => row.name === source.cluster)?.role ?? source.roleHint;
}

/** Versions of what runs there, as image tags state them. */
async function componentVersions(
  store: EvidenceStore,
): Promise<{ prometheus: readonly string[]; thanos: readonly string[] }> {
  const components = await store.collect('thanos.components', {});
  if (!components.known) return { prometheus: [], thanos: [] };
  const prometheus = new Set<string>();
  const thanos = new Set<string>();
  for (const row of components.value as readonly { component: string; thanos: boolean; version: string }[]) {
    try {
      if (!row.version) continue;
      if (row.component === 'prometheus') prometheus.add(row.version);
      else if (row.thanos) thanos.add(row.version);
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
    }
  }
  return { prometheus: [...prometheus].sort(), thanos: [...thanos].sort() };
}

/** What the server refused, one line each: `get pods/log in monitoring`. */
function deniedAccess(source: Source): readonly string[] {
  const denied = source
    .failures()
    .filter(failure => failure.status === 403)
    .map(failure => {
      const [, verb, resource] = /cannot (\w+) resource "([^"]+)"/.exec(failure.message) ?? [];
      const namespace = /in the namespace "([^"]+)"/.exec(failure.message)?.[1];
      return verb ? `${verb} ${resource}${namespace ? ` in ${namespace}` : ''}` : failure.path;
    });
  return [...new Set(denied)].sort();
}
