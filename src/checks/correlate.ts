import type { Finding, Suspect, Unknown } from '../model/finding.ts';
import type { CauseLink, Rule } from '../model/rule.ts';
import type { Compiled } from './cel.ts';
import { compiledExpression } from './load-rules.ts';
import { isOfKind } from './object-keys.ts';
import { type Silenced, type SuppressionOf, silence } from './silence.ts';

export interface Diagnosis {
  /** Sorted by id, with `root` and `causedBy` filled in. */
  readonly findings: readonly Finding[];
  /** Ids of root findings, most important first. */
  readonly roots: readonly string[];
  readonly suspects: readonly Suspect[];
  readonly silenced: readonly Silenced[];
}

/**
 * Where findings explain each other in a ring that nothing outside explains, the most basic one is the root: the order
 * of `ranks`, lowest first.
 */
const RANKS: readonly (readonly string[])[] = [
  ['Node', 'Host'],
  [],
  [
    'Secret',
    'ConfigMap',
    'PersistentVolumeClaim',
    'PersistentVolume',
    'Volume',
    'VolumeAttachment',
    'StorageClass',
    'NetworkPolicy',
    'Service',
    'CiliumLoadBalancerIPPool',
  ],
  ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod'],
  ['Prometheus', 'Alertmanager', 'ThanosRuler', 'ServiceMonitor', 'PodMonitor', 'PrometheusRule'],
  ['Endpoint', 'Bucket', 'Producer', 'ExternalLabels', 'Address'],
  ['Cluster', 'Fleet'],
];
const SYSTEM_NAMESPACES = new Set(['kube-system', 'longhorn-system']);

/**
 * Draws edges between findings, cuts rings, takes out what is suppressed, names roots, and lists causes that could not be
 * checked.
 */
export function correlate(
  found: readonly Finding[],
  unknowns: readonly Unknown[],
  rules: ReadonlyMap<string, Rule>,
  compiled: Map<string, Compiled>,
  suppressionOf: SuppressionOf = () => undefined,
): Diagnosis {
  const all = [...found].sort((a, b) => compareText(a.id, b.id));
  const byRule = new Map<string, Finding[]>();
  for (const finding of all) {
    const group = byRule.get(finding.rule);
    if (group) group.push(finding);
    else byRule.set(finding.rule, [finding]);
  }
  const drawn = new Map<string, Finding[]>();
  for (const finding of all) drawn.set(finding.id, causesOf(finding, rules.get(finding.rule), byRule, compiled));
  cutRings(all, drawn);
  const { kept: findings, edges, silenced } = silence(all, drawn, suppressionOf);

  const causedBy = (finding: Finding) => edges.get(finding.id)!.map(cause => cause.id);
  const arranged = findings.map(finding => {
    const causes = causedBy(finding);
    return { ...finding, causedBy: causes, root: causes.length === 0 && finding.severity !== 'info' };
  });
  const explained = countExplained(arranged);
  const roots = arranged
    .filter(finding => finding.root)
    .sort(
      (a, b) =>
        severityRank(a) - severityRank(b) ||
        explained.get(b.id)! - explained.get(a.id)! ||
        compareText(a.since || '~', b.since || '~') ||
        compareText(a.id, b.id),
    )
    .map(finding => finding.id);
  return { findings: arranged, roots, suspects: suspectsOf(arranged, unknowns, rules), silenced };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function severityRank(finding: Finding): number {
  return { critical: 0, warning: 1, info: 2 }[finding.severity];
}

/** Findings that explain this one, in the order in which its rule names their rules. */
function causesOf(
  finding: Finding,
  rule: Rule | undefined,
  byRule: ReadonlyMap<string, readonly Finding[]>,
  compiled: Map<string, Compiled>,
): Finding[] {
  const causes: Finding[] = [];
  for (const link of rule?.causedBy ?? []) {
    for (const candidate of byRule.get(link.rule) ?? []) {
      if (candidate.id === finding.id || causes.includes(candidate)) continue;
      // Something worth knowing explains nothing that is wrong.
      if (candidate.severity === 'info' && finding.severity !== 'info') continue;
      if (holds(link, finding, candidate, compiled)) causes.push(candidate);
    }
  }
  return causes;
}

function holds(link: CauseLink, finding: Finding, cause: Finding, compiled: Map<string, Compiled>): boolean {
  const shared = finding.involves.some(key => isOfKind(key, link.shares) && cause.involves.includes(key));
  if (!shared || !link.when) return shared;
  try {
    return compiledExpression(link.when, compiled).evaluate({ finding, cause }) === true;
  } catch {
    // A link that cannot be shown is none; the cause then stands beside the finding instead of above it.
    return false;
  }
}

/**
 * Makes the edges acyclic. In a ring, what a cause outside explains is a symptom, and so is all of the ring that it
 * explains; a ring without such a cause is opened at its most basic finding.
 */
function cutRings(findings: readonly Finding[], edges: Map<string, Finding[]>): void {
  for (const ring of rings(findings, edges)) {
    const inside = new Set(ring.map(finding => finding.id));
    const explainedOutside = ring.filter(finding => edges.get(finding.id)!.some(cause => !inside.has(cause.id)));
    const starts = explainedOutside.length > 0 ? explainedOutside : [[...ring].sort(byBasics)[0]!];
    const depth = new Map(starts.map(finding => [finding.id, 0]));
    for (let queue = [...starts]; queue.length > 0; ) {
      const next: Finding[] = [];
      for (const cause of queue) {
        for (const symptom of ring) {
          if (depth.has(symptom.id) || !edges.get(symptom.id)!.includes(cause)) continue;
          depth.set(symptom.id, depth.get(cause.id)! + 1);
          next.push(symptom);
        }
      }
      queue = next;
    }
    for (const finding of ring) {
      const own = depth.get(finding.id)!;
      edges.set(
        finding.id,
        edges.get(finding.id)!.filter(cause => !inside.has(cause.id) || depth.get(cause.id)! < own),
      );
    }
  }
}

function byBasics(a: Finding, b: Finding): number {
  return rank(a) - rank(b) || compareText(a.id, b.id);
}

function rank(finding: Finding): number {
  const { kind, namespace } = finding.subject;
  const index = RANKS.findIndex(kinds => kinds.includes(kind));
  if (index > 1 && SYSTEM_NAMESPACES.has(namespace)) return 1;
  return index === -1 ? RANKS.length : index;
}

/** Strongly connected components with more than one finding (Tarjan's, without recursion). */
function rings(findings: readonly Finding[], edges: ReadonlyMap<string, readonly Finding[]>): readonly Finding[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: Finding[] = [];
  const found: Finding[][] = [];
  for (const start of findings) {
    if (index.has(start.id)) continue;
    const work: { finding: Finding; next: number }[] = [{ finding: start, next: 0 }];
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const { id } = frame.finding;
      if (frame.next === 0) {
        index.set(id, index.size);
        low.set(id, index.get(id)!);
        stack.push(frame.finding);
        onStack.add(id);
      }
      const cause = edges.get(id)![frame.next];
      frame.next += 1;
      if (cause) {
        if (!index.has(cause.id)) work.push({ finding: cause, next: 0 });
        else if (onStack.has(cause.id)) low.set(id, Math.min(low.get(id)!, index.get(cause.id)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.finding.id;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(id)!));
      if (low.get(id) !== index.get(id)) continue;
      const component: Finding[] = [];
      for (let member = stack.pop()!; ; member = stack.pop()!) {
        onStack.delete(member.id);
        component.push(member);
        if (member.id === id) break;
      }
      if (component.length > 1) found.push(component);
    }
  }
  return found;
}

/** How many findings each one explains, in one step or several. */
function countExplained(findings: readonly Finding[]): ReadonlyMap<string, number> {
  const explains = new Map<string, string[]>(findings.map(finding => [finding.id, []]));
  for (const finding of findings) for (const cause of finding.causedBy) explains.get(cause)!.push(finding.id);
  const counts = new Map<string, number>();
  for (const finding of findings) {
    const reached = new Set<string>();
    for (let queue = [finding.id]; queue.length > 0; ) {
      queue = queue.flatMap(id => explains.get(id)!).filter(id => !reached.has(id));
      for (const id of queue) reached.add(id);
    }
    counts.set(finding.id, reached.size);
  }
  return counts;
}

/** For each root, the rules that might explain it and could not be checked in its cluster. */
function suspectsOf(
  findings: readonly Finding[],
  unknowns: readonly Unknown[],
  rules: ReadonlyMap<string, Rule>,
): readonly Suspect[] {
  const suspects: Suspect[] = [];
  for (const finding of findings) {
    if (!finding.root) continue;
    for (const rule of new Set((rules.get(finding.rule)?.causedBy ?? []).map(link => link.rule))) {
      const open = unknowns.filter(
        unknown =>
          unknown.rule === rule &&
          (unknown.cluster === finding.cluster || unknown.cluster === 'fleet' || finding.cluster === 'fleet'),
      );
      if (open.length === 0) continue;
      suspects.push({ finding: finding.id, rule, cluster: open[0]!.cluster, gaps: open[0]!.gaps });
    }
  }
  return suspects;
}
