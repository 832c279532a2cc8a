import type { Finding } from '../model/finding.ts';

/** The cluster of findings about several clusters. */
const FLEET = 'fleet';
/** How a key names an object of one cluster of the fleet: `StatefulSet ns/name @cluster`. */
const OF_CLUSTER = / @([^\s,@]+)$/;

/**
 * The cluster in which a finding is mended: its own; of the fleet's, the one that the first parameter with a cluster
 * names. '' where that names none, or several.
 */
export function clusterToChange({ cluster, fix }: Finding): string {
  if (cluster !== FLEET) return cluster;
  for (const value of Object.values(fix.action?.with ?? {})) {
    const named = value.split(',').map(key => OF_CLUSTER.exec(key.trim())?.[1] ?? '');
    if (named.every(name => name === '')) continue;
    return new Set(named).size === 1 ? named[0]! : '';
  }
  return '';
}

/** The finding as its cluster sees it: keys of its own objects name no cluster. */
export function seenFrom(cluster: string, finding: Finding): Finding {
  const { action } = finding.fix;
  if (finding.cluster !== FLEET || !action) return finding;
  const own = (value: string) =>
    value
      .split(',')
      .map(key => (OF_CLUSTER.exec(key)?.[1] === cluster ? key.replace(OF_CLUSTER, '') : key))
      .join(',');
  const parameters = Object.fromEntries(Object.entries(action.with).map(([name, value]) => [name, own(value)]));
  return { ...finding, cluster, fix: { ...finding.fix, action: { ...action, with: parameters } } };
}
