import type { Report } from '../model/report.ts';
import type { Arranged } from './arrange.ts';

/** `1 check`, `3 checks`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function joined(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What the run found, in one or a few sentences; the first one is the answer. */
export function headline(report: Report, arranged: Arranged): string {
  return [first(report, arranged), ...others(report)].join(' ');
}

function first(report: Report, arranged: Arranged): string {
  if (report.verdict === 'healthy') {
    const { checks, subjects } = report.counts;
    const size = `${counted(report.clusters.length, 'cluster')}, ${counted(checks, 'check')} on ${counted(subjects, 'thing')}`;
    const silent = silenced(report);
    const except = silent === 0 ? '' : `, but for ${counted(silent, 'suppressed finding')}`;
    return `Healthy, as far as looked${except}: ${size}, ${report.run.seconds.toFixed(1)} s.`;
  }
  // Without any answer nothing was looked for: there is no saying that no problem was found.
  const { clusters } = report;
  if (report.verdict === 'unknown' && clusters.length > 0 && clusters.every(({ reachable }) => !reachable)) {
    const who =
      clusters.length === 1 ? `cluster ${clusters[0]?.name} could not` : `none of ${clusters.length} clusters could`;
    return `Nothing could be checked: ${who} be read.`;
  }
  if (report.verdict === 'unknown')
    return `No problem found, but ${obstacles(report) || 'not everything could be checked'}.`;
  const places = arranged.roots.reduce((sum, root) => sum + root.places.length, 0);
  const several = places > arranged.roots.length ? ` (${counted(places, 'place')})` : '';
  const causes = `${counted(arranged.roots.length, 'root cause')}${several}`;
  const verb = arranged.roots.length === 1 ? 'explains' : 'explain';
  const effects = arranged.explained === 0 ? '' : ` ${verb} ${counted(arranged.explained, 'other problem')}`;
  return `${causes}${effects}${whereText(report, arranged)}.`;
}

/** What a run with problems could not see, and what a run that was stopped did not. */
function others(report: Report): readonly string[] {
  const sentences: string[] = [];
  const away = report.clusters.filter(({ reachable }) => !reachable).length;
  if (report.verdict === 'problems' && away > 0) sentences.push(`${counted(away, 'cluster')} could not be read.`);
  if (report.run.partial)
    sentences.push('The run was stopped before everything was read: what is missing is not known to be healthy.');
  const silent = silenced(report);
  if (silent > 0 && report.verdict !== 'healthy')
    sentences.push(`${counted(silent, 'further finding is', 'further findings are')} suppressed by the fleet file.`);
  return sentences;
}

function silenced({ suppressed }: Report): number {
  return suppressed.filter(({ expired }) => !expired).length;
}

function obstacles(report: Report): string {
  const away = report.clusters.filter(({ reachable }) => !reachable).length;
  const { unknown, checks } = report.counts;
  const parts: string[] = [];
  if (away > 0) parts.push(`${away} of ${counted(report.clusters.length, 'cluster')} could not be read`);
  if (unknown > 0) parts.push(`${unknown} of ${counted(checks, 'check')} could not be made`);
  return parts.join(', and ');
}

function whereText(report: Report, { clustersInTrouble }: Arranged): string {
  const [only] = clustersInTrouble;
  if (only === undefined) return ' across the fleet';
  if (report.clusters.length < 2) return ` in ${only}`;
  if (clustersInTrouble.length === report.clusters.length) {
    return report.clusters.length === 2 ? ' in both clusters' : ` in all ${report.clusters.length} clusters`;
  }
  return ` in ${clustersInTrouble.length} of ${report.clusters.length} clusters`;
}
