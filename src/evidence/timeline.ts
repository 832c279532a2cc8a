import type { EvidenceStore } from '../model/evidence.ts';
import type { Finding } from '../model/finding.ts';
import { GapSignal } from '../model/gap.ts';
import type { TimelineEntry } from '../model/report.ts';
import type { FleetEvidence } from './store.ts';

/** Entries of one report, newest kept. */
const LONGEST = 200;
/** Seconds before the evidence was taken: what is older belongs to another story. */
const REACH = 24 * 3600;

/**
 * What happened around the findings, in order: events, restarts and condition changes of the objects that they
 * involve, and when each finding's log lines were last seen.
 */
export async function timelineOf(
  evidence: FleetEvidence,
  findings: readonly Finding[],
): Promise<readonly TimelineEntry[]> {
  const entries: TimelineEntry[] = [];
  for (const store of evidence.clusters) {
    const involved = new Set(
      findings.flatMap(finding => finding.involves).map(key => key.replace(` @${store.cluster}`, '')),
    );
    if (involved.size === 0) break;
    entries.push(...(await eventsOf(store, involved)), ...(await changesOf(store, involved)));
  }
  entries.push(...findings.flatMap(logsOf));
  const seen = new Map(entries.map(entry => [`${entry.time} ${entry.cluster} ${entry.object} ${entry.what}`, entry]));
  const newest = Math.max(0, ...evidence.clusters.map(store => store.takenAt));
  return [...seen]
    .filter(([, entry]) => newest - Date.parse(entry.time) <= REACH * 1000)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, entry]) => entry)
    .slice(-LONGEST);
}

async function rowsOf(store: EvidenceStore, id: string): Promise<readonly Readonly<Record<string, never>>[]> {
  if (!store.describe(id)) return [];
  const evidence = await store.collect(id, {});
  return evidence.known ? (evidence.value as readonly Readonly<Record<string, never>>[]) : [];
}

interface EventRow {
  readonly object: { readonly key: string };
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly last: string;
}

async function eventsOf(store: EvidenceStore, involved: ReadonlySet<string>): Promise<readonly TimelineEntry[]> {
  const rows = (await rowsOf(store, 'kubernetes.events')) as unknown as readonly EventRow[];
  return rows.flatMap(row =>
    unlessGap(() => {
      if (!involved.has(row.object.key) || !row.last) return [];
      const times = row.count > 1 ? ` (×${row.count})` : '';
      return [entry(row.last, store.cluster, row.object.key, `${row.reason}: ${row.message}${times}`, 'event')];
    }),
  );
}

interface PodRow {
  readonly key: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly since: string;
  }[];
}

interface ContainerRow {
  readonly pod: { readonly key: string };
  readonly container: string;
  readonly last: { readonly exitCode: number; readonly reason: string; readonly finished: string };
}

async function changesOf(store: EvidenceStore, involved: ReadonlySet<string>): Promise<readonly TimelineEntry[]> {
  const entries: TimelineEntry[] = [];
  for (const id of ['kubernetes.pods', 'kubernetes.nodes']) {
    for (const row of (await rowsOf(store, id)) as unknown as readonly PodRow[]) {
      const changes = unlessGap(() =>
        involved.has(row.key)
          ? row.conditions
              .filter(
                ({ type, since }) =>
                  since !== '' && ['Ready', 'PodScheduled', 'DiskPressure', 'MemoryPressure'].includes(type),
              )
              .map(({ type, status, reason, since }) =>
                entry(
                  since,
                  store.cluster,
                  row.key,
                  `${type} is ${status}${reason ? ` (${reason})` : ''}`,
                  'condition',
                ),
              )
          : [],
      );
      entries.push(...changes);
    }
  }
  for (const row of (await rowsOf(store, 'kubernetes.containers')) as unknown as readonly ContainerRow[]) {
    const ends = unlessGap(() => {
      if (!involved.has(row.pod.key) || !row.last.finished) return [];
      const what = `${row.container} ended: ${row.last.reason} (exit code ${row.last.exitCode})`;
      return [entry(row.last.finished, store.cluster, row.pod.key, what, 'restart')];
    });
    entries.push(...ends);
  }
  return entries;
}

function logsOf(finding: Finding): readonly TimelineEntry[] {
  return finding.evidence
    .filter(item => item.line !== '' && item.time !== '')
    .map(item =>
      entry(
        item.time,
        finding.cluster,
        `Pod ${item.from.split('/').slice(1, 3).join('/')}`,
        item.line.slice(0, 300),
        'log',
      ),
    );
}

function entry(time: string, cluster: string, object: string, what: string, source: string): TimelineEntry {
  return { time: new Date(time).toISOString(), cluster, object, what, source };
}

function unlessGap(rows: () => readonly TimelineEntry[]): readonly TimelineEntry[] {
  try {
    return rows();
  } catch (error) {
    if (error instanceof GapSignal) return [];
    throw error;
  }
}
