import type { Gap, GapReason } from '../model/gap.ts';
import type { ClusterReport, Report } from '../model/report.ts';

/** Gaps of one kind: what could not be read, why, and how to allow it. */
export interface GapGroup {
  /** `[]` where it is not of one cluster. */
  readonly clusters: readonly string[];
  /** `logs in monitoring`, `everything`, `deployments.apps`. */
  readonly what: string;
  readonly reason: GapReason;
  /** `forbidden`, `no answer (no route to host)`. */
  readonly why: string;
  /** What to do so that it can be read; '' where nothing is known. */
  readonly way: string;
  /** How many checks could not be made for want of it. */
  readonly checks: number;
  readonly rules: readonly string[];
  /** Request paths, in the order in which they occurred. */
  readonly paths: readonly string[];
}

/** Which manifest of `deploy/rbac` allows what. The first that matches the resource is named. */
const MANIFESTS: readonly (readonly [RegExp, string])[] = [
  [/^secrets$/, 'deploy/rbac/reader-object-store-secret.yaml'],
  [/^nodes\/proxy$/, 'deploy/rbac/reader-node-statistics.yaml'],
  [/^pods\/portforward$/, 'deploy/rbac/reader-port-forward.yaml'],
  [/./, 'deploy/rbac/reader.yaml'],
];

const WORDS: Readonly<Record<GapReason, string>> = {
  forbidden: 'forbidden',
  unauthenticated: 'the credentials were not accepted',
  unreachable: 'no answer',
  'timed-out': 'no answer in time',
  tls: 'no TLS connection',
  'not-found': 'not found',
  'not-installed': 'not installed',
  'server-error': 'the server failed',
  malformed: 'the answer was not understood',
  truncated: 'the answer was cut off',
  'rule-error': 'a mistake of the rule, not of the cluster',
  'not-in-bundle': 'the bundle does not hold it',
  'not-exposed': 'the program does not tell it',
  'not-asked': 'not asked for',
};

/** What was tried and failed, most checks first. A cluster that was not reached is one group, whatever it lacks. */
export function couldNotCheck(report: Report): readonly GapGroup[] {
  const away = report.clusters.filter(cluster => !cluster.reachable);
  const groups = new Map<string, Collecting>();
  for (const cluster of away) {
    groups.set(`cluster ${cluster.name}`, {
      ...collecting('everything', reasonOf(cluster, report), '', wayToReach(cluster)),
      why: cluster.problem || 'no answer',
      clusters: new Set([cluster.name]),
    });
  }
  for (const { rule, cluster, gaps } of report.unknowns) {
    const touched = new Set<Collecting>();
    for (const gap of gaps) {
      const group = awayGroup(groups, away, cluster, gap) ?? groupFor(groups, cluster, gap);
      if (gap.path !== '') group.paths.add(gap.path);
      touched.add(group);
    }
    for (const group of touched) {
      group.checks += 1;
      if (rule !== '') group.rules.add(rule);
    }
  }
  return [...groups.values()].map(finished).sort(byWeight);
}

/**
 * What nobody asked for, or what a bundle does not hold: equal ones of several clusters joined. A cluster that was not
 * reached, and what checks lacked as well, are said already.
 */
export function notLookedAt(report: Report, said: readonly GapGroup[] = []): readonly GapGroup[] {
  const groups = new Map<string, Collecting>();
  const away = report.clusters.filter(({ reachable }) => !reachable);
  for (const { cluster, gap, rules } of report.notLookedAt) {
    if (awayOf(away, cluster, gap)) continue;
    const group = groupFor(groups, cluster, gap);
    if (gap.path !== '') group.paths.add(gap.path);
    for (const rule of rules) group.rules.add(rule);
  }
  const isSaid = ({ what, why, clusters }: GapGroup) =>
    said.some(
      other => other.what === what && other.why === why && clusters.every(name => other.clusters.includes(name)),
    );
  return [...groups.values()]
    .map(finished)
    .filter(group => !isSaid(group))
    .sort(byWeight);
}

/** Groups that differ in nothing but details as one, for where there is no room to tell them apart. */
export function withoutDetails(groups: readonly GapGroup[]): readonly GapGroup[] {
  const alike = new Map<string, GapGroup>();
  for (const group of groups) {
    const key = `${group.what} ${group.reason}`;
    const same = alike.get(key);
    alike.set(
      key,
      same === undefined
        ? group
        : {
            ...same,
            clusters: [...new Set([...same.clusters, ...group.clusters])].sort(),
            why: same.why === group.why ? same.why : WORDS[group.reason],
            checks: same.checks + group.checks,
          },
    );
  }
  return [...alike.values()];
}

/** What a gap keeps from being read, in words: from its path, else from the server's words, else the evidence's id. */
export function whatIsMissing(gap: Gap): string {
  const place = placeOf(gap);
  return place === undefined ? gap.evidence || 'a condition' : place.what;
}

interface Collecting {
  readonly clusters: Set<string>;
  readonly what: string;
  readonly reason: GapReason;
  readonly why: string;
  readonly way: string;
  readonly rules: Set<string>;
  readonly paths: Set<string>;
  checks: number;
}

interface Place {
  readonly what: string;
  /** As RBAC names it; '' where RBAC does not decide. */
  readonly resource: string;
}

function collecting(what: string, reason: GapReason, detail: string, way: string): Collecting {
  const why = detail === '' ? WORDS[reason] : `${WORDS[reason]} (${detail})`;
  return { clusters: new Set(), what, reason, why, way, rules: new Set(), paths: new Set(), checks: 0 };
}

function awayGroup(
  groups: ReadonlyMap<string, Collecting>,
  away: readonly ClusterReport[],
  cluster: string,
  gap: Gap,
): Collecting | undefined {
  const of = awayOf(away, cluster, gap);
  return of && groups.get(`cluster ${of.name}`);
}

function awayOf(away: readonly ClusterReport[], cluster: string, gap: Gap): ClusterReport | undefined {
  return away.find(({ name, problem }) => name === cluster || (problem !== '' && gap.detail.includes(problem)));
}

/** What the run itself kept from being read: one group, whatever it would have been. */
const BY_THE_RUN: readonly { readonly words: RegExp; readonly what: string; readonly way: string }[] = [
  { words: /the run was stopped/, what: 'what was still to be read', way: 'run it again' },
  {
    words: /the run's time was over/,
    what: 'what was still to be read',
    way: 'run again with a longer --timeout',
  },
  { words: /only namespaces? .+ looked at/, what: 'other namespaces', way: '' },
];

function groupOfRun(groups: Map<string, Collecting>, cluster: string, gap: Gap): Collecting | undefined {
  if (gap.reason !== 'timed-out' && gap.reason !== 'not-asked') return undefined;
  const found = BY_THE_RUN.find(({ words }) => words.test(gap.detail));
  const why = found?.words.exec(gap.detail)?.[0];
  if (!found || why === undefined) return undefined;
  const group = groups.get(why) ?? { ...collecting(found.what, gap.reason, '', found.way), why };
  if (cluster !== '') group.clusters.add(cluster);
  groups.set(why, group);
  return group;
}

function groupFor(groups: Map<string, Collecting>, cluster: string, gap: Gap): Collecting {
  const ofRun = groupOfRun(groups, cluster, gap);
  if (ofRun) return ofRun;
  const what = whatIsMissing(gap);
  const detail = detailOf(gap, what);
  const key = JSON.stringify([what, gap.reason, detail]);
  const group = groups.get(key) ?? collecting(what, gap.reason, detail, wayToAllow(gap));
  if (cluster !== '') group.clusters.add(cluster);
  groups.set(key, group);
  return group;
}

/** Whose words add nothing: a refusal is said by the resource and its namespace. */
function detailOf(gap: Gap, what: string): string {
  if (gap.reason === 'forbidden' && placeOf(gap) !== undefined) return '';
  const detail = gap.detail.trim();
  return detail === what || detail === WORDS[gap.reason] ? '' : detail;
}

const LOG = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/[^/]+\/log/;
const PROXY = /^\/api\/v1\/(?:namespaces\/([^/]+)\/)?(pods|services|nodes)\/[^/]+\/proxy/;
const CORE = /^\/api\/v1\/(?:namespaces\/([^/?]+)\/)?([a-z]+)/;
const GROUP = /^\/apis\/([^/]+)\/[^/]+\/(?:namespaces\/([^/?]+)\/)?([a-z]+)/;
const REFUSAL = /cannot \w+ resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;
const BUCKET = /^s3:\/\/([^/?]+)(?:\?(\w+))?/;

function placeOf({ path, detail }: Gap): Place | undefined {
  const bucket = BUCKET.exec(path);
  if (bucket) return { what: `${bucket[2] ? `${bucket[2]} of ` : ''}bucket ${bucket[1]}`, resource: '' };
  const log = LOG.exec(path);
  if (log) return { what: `logs in ${log[1]}`, resource: 'pods/log' };
  const proxy = PROXY.exec(path);
  if (proxy) return { what: `HTTP of ${proxy[2]}${inNamespace(proxy[1])}`, resource: `${proxy[2]}/proxy` };
  const refusal = REFUSAL.exec(detail);
  if (refusal) return placeOfResource(refusal[1] ?? '', refusal[2] ?? '', refusal[3]);
  const group = GROUP.exec(path);
  if (group) return placeOfResource(group[3] ?? '', group[1] ?? '', group[2]);
  const core = CORE.exec(path);
  if (core) return placeOfResource(core[2] ?? '', '', core[1]);
  if (/^\/(?:version|readyz|livez|api|apis)\b/.test(path)) return { what: `${path} of the API server`, resource: '' };
  return undefined;
}

function placeOfResource(resource: string, group: string, namespace: string | undefined): Place {
  if (resource === 'pods/log') return { what: `logs${inNamespace(namespace)}`, resource };
  if (resource.endsWith('/proxy'))
    return { what: `HTTP of ${resource.slice(0, -6)}${inNamespace(namespace)}`, resource };
  const full = group === '' ? resource : `${resource}.${group}`;
  return { what: `${full}${inNamespace(namespace)}`, resource: full };
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? '' : ` in ${namespace}`;
}

function wayToAllow(gap: Gap): string {
  const bucket = BUCKET.exec(gap.path)?.[1];
  switch (gap.reason) {
    case 'forbidden': {
      if (bucket) return `allow s3:ListBucket and s3:GetObject on ${bucket}`;
      const resource = placeOf(gap)?.resource || 'any';
      return MANIFESTS.find(([pattern]) => pattern.test(resource))?.[1] ?? '';
    }
    case 'unauthenticated':
      return bucket ? 'check the keys of the object store' : 'log in again';
    case 'timed-out':
      return 'run again with a longer --timeout';
    case 'tls':
      // What speaks no TLS at all has no certificate.
      return /EPROTO|wrong version/i.test(gap.detail) ? '' : 'give the CA that signed the certificate';
    case 'not-in-bundle':
      return 'collect a new bundle, or run against the cluster';
    case 'rule-error':
      return 'report it with the rule and these words';
    default:
      return '';
  }
}

function wayToReach({ context }: ClusterReport): string {
  return context === '' ? '' : `kubectl --context ${context} get --raw /readyz`;
}

/** The reason that the gaps of a cluster give; a cluster without gaps was at least not reached. */
function reasonOf({ name }: ClusterReport, report: Report): GapReason {
  return report.unknowns.find(unknown => unknown.cluster === name)?.gaps[0].reason ?? 'unreachable';
}

function finished(group: Collecting): GapGroup {
  return { ...group, clusters: [...group.clusters].sort(), rules: [...group.rules].sort(), paths: [...group.paths] };
}

/** Whole clusters first, then what the most checks lack; then by name, so that two runs agree. */
function byWeight(a: GapGroup, b: GapGroup): number {
  return (
    Number(b.what === 'everything') - Number(a.what === 'everything') ||
    b.checks - a.checks ||
    b.rules.length - a.rules.length ||
    compare(a.clusters.join(), b.clusters.join()) ||
    compare(`${a.what} ${a.why}`, `${b.what} ${b.why}`)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
