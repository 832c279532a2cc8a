import type { EvidenceStore } from '../model/evidence.ts';
import type { Finding, Unknown, Verdict } from '../model/finding.ts';
import type { Gap } from '../model/gap.ts';
import type { Rule } from '../model/rule.ts';
import type { Compiled } from './cel.ts';
import { correlate, type Diagnosis } from './correlate.ts';
import { evaluateRule } from './evaluate.ts';
import { subjectKey } from './object-keys.ts';
import { type Suppression, suppressionsAt } from './silence.ts';

export interface DiagnosisInput {
  readonly rules: readonly Rule[];
  /** The clusters that answered. */
  readonly clusters: readonly EvidenceStore[];
  readonly fleet: EvidenceStore;
  /** Of those that did not let anything be read, the ones that answered: rules may tell why, by evidence of the fleet. */
  readonly turnedAway?: readonly EvidenceStore[];
  /** Clusters that did not, each with its gap: one unknown each, instead of one for every rule. */
  readonly unreachable: ReadonlyMap<string, Gap>;
  readonly suppressions?: readonly Suppression[];
}

export interface DiagnosisResult extends Diagnosis {
  readonly verdict: 'problems' | 'healthy' | 'unknown';
  /** What could not be read; sorted. */
  readonly unknowns: readonly Unknown[];
  readonly notLookedAt: readonly { readonly cluster: string; readonly gap: Gap; readonly rules: readonly string[] }[];
  readonly counts: {
    readonly rules: number;
    readonly checks: number;
    readonly subjects: number;
    readonly unknown: number;
  };
}

/** Judges all rules over all clusters, and arranges what was found by cause. */
export async function diagnose(input: DiagnosisInput): Promise<DiagnosisResult> {
  const compiled = new Map<string, Compiled>();
  const perCluster = input.rules.filter(rule => rule.scope === 'cluster');
  const perFleet = input.rules.filter(rule => rule.scope === 'fleet');
  const runs = [
    ...input.clusters.flatMap(store => perCluster.map(rule => ({ rule, store }))),
    ...(input.turnedAway ?? []).flatMap(store =>
      perCluster.filter(rule => readsFleetOnly(rule, store)).map(rule => ({ rule, store })),
    ),
    ...perFleet.map(rule => ({ rule, store: input.fleet })),
  ];
  const found: Finding[] = [];
  const open: Unknown[] = [...unreachableUnknowns(input.unreachable)];
  const subjects = new Set<string>();
  let checks = 0;
  await Promise.all(
    runs.map(async ({ rule, store }) => {
      // What is healthy is counted and dropped at once: there may be a million of it.
      for (const verdict of await evaluateRule(rule, { store, compiled })) {
        checks += 1;
        const subject = subjectOf(verdict);
        if (subject) subjects.add(subject);
        if (verdict.is === 'problem') found.push(verdict.finding);
        if (verdict.is === 'unknown') open.push(verdict.unknown);
      }
    }),
  );
  open.sort(byPlace);
  const unread = open.filter(isUnread);
  const rules = new Map(input.rules.map(rule => [rule.id, rule]));
  const suppressionOf = suppressionsAt(input.suppressions ?? [], input.fleet.takenAt);
  const diagnosis = correlate(found, open, rules, compiled, suppressionOf);
  return {
    ...diagnosis,
    verdict: verdictOf(diagnosis.findings, unread),
    unknowns: unread,
    notLookedAt: notLookedAt(open),
    counts: {
      rules: input.rules.length,
      checks,
      subjects: subjects.size,
      unknown: open.length,
    },
  };
}

function verdictOf(findings: readonly Finding[], unread: readonly Unknown[]): 'problems' | 'healthy' | 'unknown' {
  if (findings.some(finding => finding.severity !== 'info')) return 'problems';
  return unread.length > 0 ? 'unknown' : 'healthy';
}

/** Whether something was tried and failed; the rest was not asked for. */
function isUnread(unknown: Unknown): boolean {
  return unknown.gaps.some(gap => !gap.notLookedAt);
}

function readsFleetOnly(rule: Rule, store: EvidenceStore): boolean {
  return Object.values(rule.evidence).every(use => store.describe(use.from)?.scope === 'fleet');
}

function unreachableUnknowns(unreachable: ReadonlyMap<string, Gap>): readonly Unknown[] {
  return [...unreachable].map(([cluster, gap]) => ({
    rule: '',
    cluster,
    subject: { kind: 'Cluster', namespace: '', name: cluster },
    gaps: [gap],
  }));
}

function subjectOf(verdict: Verdict): string {
  if (verdict.is === 'problem') return `${verdict.finding.cluster} ${subjectKey(verdict.finding.subject)}`;
  if (verdict.is === 'healthy') return verdict.subject.name && `${verdict.cluster} ${subjectKey(verdict.subject)}`;
  const { subject, cluster } = verdict.unknown;
  return subject ? `${cluster} ${subjectKey(subject)}` : '';
}

function byPlace(a: Unknown, b: Unknown): number {
  const key = (unknown: Unknown) =>
    `${unknown.cluster} ${unknown.rule} ${unknown.subject ? subjectKey(unknown.subject) : ''} ${unknown.gaps[0].detail}`;
  const [left, right] = [key(a), key(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What nobody asked for, or a bundle does not hold: each once, with the rules that would have read it. */
function notLookedAt(unknowns: readonly Unknown[]): DiagnosisResult['notLookedAt'] {
  const places = new Map<string, { cluster: string; gap: Gap; rules: Set<string> }>();
  for (const unknown of unknowns) {
    for (const gap of unknown.gaps) {
      if (!gap.notLookedAt) continue;
      const key = `${unknown.cluster} ${gap.evidence} ${gap.reason} ${gap.detail}`;
      const place = places.get(key) ?? { cluster: unknown.cluster, gap, rules: new Set() };
      if (unknown.rule) place.rules.add(unknown.rule);
      places.set(key, place);
    }
  }
  return [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { cluster, gap, rules }]) => ({ cluster, gap, rules: [...rules].sort() }));
}
