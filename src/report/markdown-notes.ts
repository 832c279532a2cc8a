import type { ClusterReport, Report, TimelineEntry } from '../model/report.ts';
import type { Arranged } from './arrange.ts';
import { oneLine } from './clean.ts';
import { shortLines } from './commands.ts';
import type { GapGroup } from './could-not-check.ts';
import { cell, cellCode, code, fence, prose } from './escape.ts';
import { folded, type Sheet } from './markdown-sheet.ts';
import { table } from './markdown-table.ts';
import { clusterText } from './page.ts';
import { counted } from './summary.ts';
import { withShownTimes } from './times.ts';

type Versions = readonly (readonly string[])[];

/** What was tried and failed, with the way to allow it. From the longest version to the shortest. */
export function couldNotCheckLines({ couldNotCheck: groups }: Arranged, sheet: Sheet): Versions {
  if (groups.length === 0) return [[]];
  const lines = (count: number) => [
    '',
    '## What could not be checked',
    '',
    ...table(['cluster', 'what', 'why', 'checks', 'how to allow it'], groups.slice(0, count).map(gapRow)),
    ...more(groups.length - count),
  ];
  return sheet.all ? [lines(Infinity)] : [lines(25), lines(8)];
}

const TIMELINE = 60;

/** What happened, oldest first; equal lines that follow each other once. */
export function timelineLines({ timeline }: Report, sheet: Sheet): Versions {
  if (timeline.length === 0) return [[]];
  const entries = joinedEntries(timeline);
  const lines = (count: number) => {
    const rows = middleLeftOut(entries, count).map(entry => entryRow(entry, sheet));
    const whole = table([`time (${sheet.clock.zone})`, 'cluster', 'object', 'what', 'source'], rows);
    return [
      '',
      '## Timeline',
      ...(rows.length > 20 ? folded(`${counted(entries.length, 'entry', 'entries')}`, whole) : ['', ...whole]),
    ];
  };
  return sheet.all ? [lines(Infinity)] : [lines(TIMELINE), lines(15)];
}

/** Clusters, versions, access and counts, what nobody asked for, what is silenced, and how to repeat the run. */
export function lookedAtLines(report: Report, arranged: Arranged, sheet: Sheet): Versions {
  const lines = (count: number) => [
    '',
    '## What was looked at',
    '',
    countsText(report),
    '',
    ...table(
      ['cluster', 'role', 'API server', 'Kubernetes', 'Prometheus', 'Thanos', 'read by'],
      report.clusters.slice(0, count * 2).map(clusterRow),
    ),
    ...more(report.clusters.length - count * 2),
    ...deniedLines(report.clusters, count),
    ...notLookedAtLines(arranged.notLookedAt, count),
    ...suppressedLines(report, count),
    ...tunedLines(report, count),
    '',
    'To repeat it:',
    '',
    ...fence(shortLines(oneLine(report.run.command)), 'sh'),
  ];
  return sheet.all ? [lines(Infinity)] : [lines(25), lines(8)];
}

function gapRow({ clusters, what, why, checks, way }: GapGroup): readonly string[] {
  return [
    cell(clusterText(clusters, 4) || 'fleet', 60),
    cell(what, 80),
    cell(why, 120),
    checks > 0 ? String(checks) : '',
    /^(?:kubectl |deploy\/)/.test(way) ? cellCode(way, 90) : cell(way, 90),
  ];
}

type Repeated = TimelineEntry & { readonly times: number };

function joinedEntries(timeline: readonly TimelineEntry[]): readonly Repeated[] {
  const joined: Repeated[] = [];
  for (const entry of timeline) {
    const last = joined.at(-1);
    const isSame =
      last !== undefined && last.cluster === entry.cluster && last.object === entry.object && last.what === entry.what;
    if (isSame) joined[joined.length - 1] = { ...last, times: last.times + 1 };
    else joined.push({ ...entry, times: 1 });
  }
  return joined;
}

/** The begin and the end of what happened; the number of entries between them stands in their place. */
function middleLeftOut(entries: readonly Repeated[], count: number): readonly (Repeated | number)[] {
  if (entries.length <= count) return entries;
  const half = Math.floor(count / 2);
  return [...entries.slice(0, half), entries.length - 2 * half, ...entries.slice(-half)];
}

function entryRow(entry: Repeated | number, sheet: Sheet): readonly string[] {
  if (typeof entry === 'number') return ['', '', '', `${counted(entry, 'entry', 'entries')} more, in the JSON`, ''];
  const now = sheet.now(entry.cluster);
  const often = entry.times > 1 ? ` (${entry.times} times)` : '';
  return [
    sheet.clock.second(entry.time, now),
    cell(entry.cluster, 40),
    cellCode(entry.object, 100),
    `${cell(withShownTimes(entry.what, sheet.clock, now), 160)}${often}`,
    cell(entry.source, 20),
  ];
}

function countsText({ counts, run }: Report): string {
  const size = `${counted(counts.checks, 'check')} of ${counted(counts.rules, 'rule')} on ${counted(counts.subjects, 'thing')}`;
  const cost = `${counted(run.requests, 'request')} and ${(run.bytes / 1_000_000).toFixed(1)} MB in ${run.seconds.toFixed(1)} s`;
  const whole = run.partial ? ' The run was stopped before everything was read.' : '';
  return `${size}, ${counted(counts.unknown, 'check')} could not be made; ${cost}, by thanos-doctor ${prose(run.version, 40)}.${whole}`;
}

function clusterRow(cluster: ClusterReport): readonly string[] {
  const { name, role, apiServer, versions, ways, reachable, problem } = cluster;
  return [
    cell(name, 40),
    role,
    cellCode(apiServer, 60),
    cell(versions.kubernetes, 30),
    cell(versions.prometheus.join(', '), 40),
    cell(versions.thanos.join(', '), 40),
    cell(reachable ? ways.join(', ') : `not read: ${problem}`, 120),
  ];
}

function deniedLines(clusters: readonly ClusterReport[], count: number): readonly string[] {
  const denied = clusters.flatMap(({ name, deniedAccess }) =>
    deniedAccess.map(access => `- ${code(access, 150)} in ${code(name, 60)}`),
  );
  return denied.length === 0 ? [] : ['', 'Access that was denied:', '', ...limited(denied, count)];
}

function notLookedAtLines(groups: readonly GapGroup[], count: number): readonly string[] {
  if (groups.length === 0) return [];
  const lines = groups.map(({ clusters, what, why, rules }) => {
    const where = clusterText(clusters, 4) || 'fleet';
    const size = rules.length > 0 ? ` (${counted(rules.length, 'rule')})` : '';
    return `- ${prose(`${where}: ${what}: ${why}`, 250)}${size}`;
  });
  return ['', 'Not looked at:', '', ...limited(lines, count)];
}

function suppressedLines({ suppressed }: Report, count: number): readonly string[] {
  if (suppressed.length === 0) return [];
  const lines = suppressed.map(({ rule, cluster, subject, severity, message, reason, until, expired, through }) => {
    const place = [subject, cluster].filter(part => part !== '').join(', ');
    const what = `${code(rule, 60)}${place === '' ? '' : ` ${prose(place, 100)}`}`;
    if (expired) return `- ${what} (**expired** ${prose(until, 30)}, no longer applied): ${prose(reason, 100)}`;
    const why = through === '' ? prose(reason, 80) : `explained by ${code(through, 80)} alone`;
    return `- ${severity} ${what} (until ${prose(until, 30)}; ${why}): ${prose(message, 80)}`;
  });
  return ['', 'Suppressed by the fleet file:', '', ...limited(lines, count)];
}

function tunedLines({ tuned = [] }: Report, count: number): readonly string[] {
  if (tuned.length === 0) return [];
  const lines = tuned.map(
    ({ rule, what, from, to }) =>
      `- ${code(rule, 80)}: ${prose(what, 60)} ${prose(to, 40)} (the rule says ${prose(from, 40)})`,
  );
  return ['', 'Set otherwise by the fleet file:', '', ...limited(lines, count)];
}

function limited(lines: readonly string[], count: number): readonly string[] {
  return lines.length <= count ? lines : [...lines.slice(0, count), `- and ${lines.length - count} more, in the JSON`];
}

function more(left: number): readonly string[] {
  return left > 0 ? ['', `and ${left} more, in the JSON.`] : [];
}
