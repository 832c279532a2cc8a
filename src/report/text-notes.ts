import type { Report } from '../model/report.ts';
import type { Arranged, Symptoms } from './arrange.ts';
import { oneLine } from './clean.ts';
import { type GapGroup, withoutDetails } from './could-not-check.ts';
import { beside, clusterText, firstOf, fitted, noted, type Page, shown, unbroken } from './page.ts';
import { notAskedFor } from './same-clusters.ts';
import { counted } from './summary.ts';
import { findingRows, placesText } from './text-root.ts';
import { displayWidth, wrap } from './wrap.ts';

/** What stands below the root causes: what is not known, what is worth knowing, what is silenced. */
export function noteLines(report: Report, arranged: Arranged, page: Page, gaps: number): readonly string[] {
  const hasProblems = report.verdict === 'problems';
  const unlooked = page.all ? arranged.notLookedAt : withoutDetails(arranged.notLookedAt);
  return [
    ...gapLines('Could not check', arranged.couldNotCheck, hasProblems ? gaps : Math.max(gaps, 20), 2, report, page),
    ...gapLines('Not looked at', unlooked, hasProblems ? 1 : Math.max(gaps, 12), 1, report, page),
    ...worthKnowingLines(arranged.worthKnowing, hasProblems ? 3 : 5, page),
    ...fleetFileLines(report, page),
  ];
}

/** What to type to see more. */
export function moreLines(report: Report, arranged: Arranged, page: Page): readonly string[] {
  const [root] = arranged.roots;
  const hasMore = report.findings.length + report.unknowns.length + report.notLookedAt.length > 0;
  if (!hasMore) return [];
  const more = notAskedFor(report, page.all).join(', or ');
  const explain = root === undefined ? '' : `thanos-doctor explain ${root.rule}`;
  const again = more === '' ? '' : `diagnose again with ${more}`;
  const line = [explain, again].filter(part => part !== '').join('    ');
  if (line === '') return [];
  if (displayWidth(line) + 6 <= page.width) return beside('More:', 6, [line]);
  return beside('More:', 6, [...(explain === '' ? [] : [explain]), ...wrap(again, page.width - 6)]);
}

/** Everything that happened, oldest first. */
export function timelineLines({ timeline }: Report, page: Page): readonly string[] {
  if (timeline.length === 0) return [];
  const times = timeline.map(({ time, cluster }) => page.clock.second(time, page.now(cluster)));
  const column = times.reduce((widest, time) => Math.max(widest, time.length), 0) + 2;
  const rows = timeline.flatMap(({ cluster, object, what }, at) => {
    const parts = [cluster, unbroken(oneLine(object)), oneLine(what)].filter(part => part !== '');
    return beside(times[at] ?? '', column, wrap(parts.join(` ${page.symbols.dot} `), page.width - 2 - column));
  });
  return ['', 'Timeline', ...rows.map(row => `  ${row}`)];
}

/** Groups of gaps; with a single row for each there is no room for the way to allow it. */
function gapLines(
  label: string,
  groups: readonly GapGroup[],
  room: number,
  rows: number,
  report: Report,
  page: Page,
): readonly string[] {
  const [taken, left] = page.all ? [groups, 0] : firstOf(groups, room);
  const names = taken.map(({ clusters }) => whichClusters(clusters, report));
  const column = Math.min(24, Math.max(-2, ...names.map(displayWidth))) + 2;
  const columns = page.width - page.note - column;
  const lines = taken.flatMap((group, at) => beside(names[at] ?? '', column, gapRows(group, columns, rows, page)));
  return noted(label, left > 0 ? [...lines, `and ${left} more (--all)`] : lines, page);
}

function whichClusters(clusters: readonly string[], report: Report): string {
  // What concerns all of them together is said of `fleet`, which is none of them.
  const real = clusters.filter(name => report.clusters.some(cluster => cluster.name === name));
  if (real.length === 0 && report.clusters.length > 1) return 'fleet';
  const isAll = real.length > 1 && real.length === report.clusters.length;
  return isAll ? 'all clusters' : clusterText(real, 3);
}

function gapRows({ what, why, way, checks }: GapGroup, columns: number, rows: number, page: Page): readonly string[] {
  const size = checks > 0 && what !== 'everything' ? `, ${counted(checks, 'check')}` : '';
  const lines = fitted(`${what}: ${why}${size}`, columns, page.all ? Infinity : rows, page);
  if (way === '' || (rows === 1 && !page.all)) return lines;
  const arrow = `${page.symbols.arrow} ${way}`;
  const arrowLines = way.startsWith('kubectl ') ? [arrow] : wrap(arrow, columns);
  const last = lines.at(-1) ?? '';
  const fits = displayWidth(last) + 3 + displayWidth(arrow) <= columns;
  return fits ? [...lines.slice(0, -1), `${last}   ${arrow}`] : [...lines, ...arrowLines];
}

function worthKnowingLines(groups: readonly Symptoms[], most: number, page: Page): readonly string[] {
  const [taken, left] = page.all ? [groups, 0] : firstOf(groups, most);
  const room = page.width - page.note;
  const lines = taken.flatMap(({ rule, title, findings, places }) => {
    if (page.all) {
      const rows = findings.flatMap(finding => findingRows(finding, room - 2, page));
      return [...wrap(`${oneLine(title)} (${rule})`, room), ...rows.map(row => `  ${row}`)];
    }
    const [only] = findings;
    const isSingle = findings.length === 1 && only !== undefined && only.message !== '';
    return fitted(
      `${oneLine(title)}: ${isSingle ? shown(only.message, only.cluster, page) : placesText(places)}`,
      room,
      2,
      page,
    );
  });
  return noted('Worth knowing', left > 0 ? [...lines, `and ${left} more (--all)`] : lines, page);
}

/** What the fleet file silences, what it does not silence any more, and what it judges otherwise than the rules do. */
function fleetFileLines({ suppressed, tuned = [] }: Report, page: Page): readonly string[] {
  const silent = suppressed
    .filter(({ expired, through }) => !expired && through === '')
    .map(entry => {
      const effects = suppressed.filter(({ through }) => through === entry.finding).length;
      const more = effects === 0 ? '' : `, with ${counted(effects, 'finding')} that it alone explains`;
      return `${entry.severity} ${entry.rule}, ${placeOf(entry)}${more}, until ${entry.until}: ${entry.reason}`;
    });
  const expired = suppressed
    .filter(entry => entry.expired)
    .map(entry => {
      const place = placeOf(entry);
      const what = place === '' ? entry.rule : `${entry.rule} (${place})`;
      return `the suppression of ${what} ended with ${entry.until}: ${entry.reason}`;
    });
  const changes = tuned.map(({ rule, what, from, to }) => `${rule}: ${what} ${from}, here ${to}`);
  return [
    ...listLines('Suppressed', silent, page),
    ...listLines('Expired', expired, page),
    ...(page.all
      ? listLines('Tuned', changes, page)
      : noted(
          'Tuned',
          changes.length > 0 ? [`${counted(changes.length, 'setting')} by the fleet file (--all)`] : [],
          page,
        )),
  ];
}

function placeOf({ subject, cluster }: Report['suppressed'][number]): string {
  return [unbroken(subject), cluster].filter(part => part !== '').join(', ');
}

function listLines(label: string, lines: readonly string[], page: Page): readonly string[] {
  const [taken, left] = page.all ? [lines, 0] : firstOf(lines, 2);
  const rows = taken.flatMap(line => fitted(oneLine(line), page.width - page.note, page.all ? Infinity : 2, page));
  return noted(label, left > 0 ? [...rows, `and ${left} more (--all)`] : rows, page);
}
