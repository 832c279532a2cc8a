import type { EvidenceItem, FactValue, Finding, Severity, Subject, Suspect } from '../model/finding.ts';
import type { Report } from '../model/report.ts';
import { oneLine } from './clean.ts';
import { couldNotCheck, type GapGroup, notLookedAt } from './could-not-check.ts';
import { sameClusters } from './same-clusters.ts';

/** One thing that a rule found a problem with, in one cluster or in several. */
export interface Place {
  readonly clusters: readonly string[];
  readonly subject: Subject;
  /** The earliest; '' where none is known. */
  readonly since: string;
}

/** Findings of one rule that a root explains, nearest to it first. */
export interface Symptoms {
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  readonly findings: readonly Finding[];
  readonly places: readonly Place[];
}

/** Root findings of one rule, and all that they explain. */
export interface Root {
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  readonly findings: readonly Finding[];
  readonly places: readonly Place[];
  readonly messages: readonly string[];
  /** What all of the findings have in common; of a single one, everything. */
  readonly facts: readonly (readonly [string, FactValue])[];
  /** Quoted lines, each once. */
  readonly logs: readonly EvidenceItem[];
  /** Where the other facts came from. */
  readonly sources: readonly EvidenceItem[];
  readonly explains: readonly Symptoms[];
  readonly atRisk: readonly string[];
  /** Of the first place; '' where nothing is known. */
  readonly byHand: string;
  readonly automatic: string;
  /** What to type for the automatic fix, on the clusters of this run; '' where there is none. */
  readonly fixCommand: string;
  readonly suspects: readonly Suspect[];
}

/** A report as a person reads it: by cause, equal things once. */
export interface Arranged {
  readonly roots: readonly Root[];
  /** Findings of severity `info`, by rule. */
  readonly worthKnowing: readonly Symptoms[];
  readonly couldNotCheck: readonly GapGroup[];
  readonly notLookedAt: readonly GapGroup[];
  /** Problems that some root explains, each counted once. */
  readonly explained: number;
  /** Names of clusters with a problem; `fleet` is none. */
  readonly clustersInTrouble: readonly string[];
}

export function arrange(report: Report): Arranged {
  const problems = report.findings.filter(finding => finding.severity !== 'info');
  const effects = effectsOf(problems);
  const heads = rootFindings(report, problems, effects);
  const suspects = grouped(report.suspects, suspect => suspect.finding);
  const rootIds = new Set(heads.map(({ id }) => id));
  const roots = [...grouped(heads, ({ rule }) => rule).values()].map(findings =>
    rootOf(report, findings, effects, rootIds, suspects),
  );
  const unchecked = couldNotCheck(report);
  return {
    roots,
    worthKnowing: bySymptom(report.findings.filter(finding => finding.severity === 'info')),
    couldNotCheck: unchecked,
    notLookedAt: notLookedAt(report, unchecked),
    explained: problems.length - heads.length,
    clustersInTrouble: [...new Set(problems.map(({ cluster }) => cluster))].filter(name => name !== 'fleet').sort(),
  };
}

/** `Kind namespace/name`, `Kind name` for a thing without namespace. */
export function subjectText({ kind, namespace, name }: Subject): string {
  return oneLine(`${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`);
}

/** Where findings are, equal subjects of several clusters joined. */
function placesOf(findings: readonly Finding[]): readonly Place[] {
  return [...grouped(findings, ({ subject }) => subjectText(subject)).values()].map(same => ({
    clusters: [...new Set(same.map(({ cluster }) => cluster))],
    subject: same[0].subject,
    since: earliest(same.map(({ since }) => since)),
  }));
}

type Filled<Element> = readonly [Element, ...Element[]];

/** Finding id → the findings that it explains. */
function effectsOf(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const effects = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const cause of finding.causedBy) {
      const list = effects.get(cause);
      if (list) list.push(finding);
      else effects.set(cause, [finding]);
    }
  }
  return effects;
}

/** The roots in their order, then every problem that no root leads to: none may be lost because nothing explains it. */
function rootFindings(
  report: Report,
  problems: readonly Finding[],
  effects: ReadonlyMap<string, readonly Finding[]>,
): readonly Finding[] {
  const byId = new Map(problems.map(finding => [finding.id, finding]));
  const named = [...new Set(report.roots)].map(id => byId.get(id)).filter(finding => finding !== undefined);
  const covered = new Set([...named, ...below(named, effects)]);
  const others = problems.filter(finding => !covered.has(finding));
  return [...named, ...others];
}

/** All that findings explain, nearest first, without themselves. */
function below(roots: readonly Finding[], effects: ReadonlyMap<string, readonly Finding[]>): readonly Finding[] {
  const seen = new Set(roots);
  const queue = [...roots];
  for (let at = 0; at < queue.length; at += 1) {
    for (const effect of effects.get(queue[at]?.id ?? '') ?? []) {
      if (seen.has(effect)) continue;
      seen.add(effect);
      queue.push(effect);
    }
  }
  return queue.slice(roots.length);
}

function rootOf(
  report: Report,
  findings: Filled<Finding>,
  effects: ReadonlyMap<string, readonly Finding[]>,
  rootIds: ReadonlySet<string>,
  suspects: ReadonlyMap<string, readonly Suspect[]>,
): Root {
  const [first] = findings;
  const fixable = findings.filter(({ fix }) => fix.automatic !== '');
  const evidence = distinct(
    findings.flatMap(finding => finding.evidence),
    item => JSON.stringify([item.line, item.from, item.pod, item.container]),
  );
  return {
    rule: first.rule,
    title: first.title,
    severity: worst(findings),
    findings,
    places: placesOf(findings),
    messages: distinct(
      findings.map(({ message }) => message).filter(message => message !== ''),
      message => message,
    ),
    facts: sharedFacts(findings),
    logs: evidence.filter(({ line }) => line !== ''),
    sources: evidence.filter(({ line }) => line === ''),
    explains: bySymptom(below(findings, effects).filter(({ id }) => !rootIds.has(id))),
    atRisk: distinct(
      findings.map(({ atRisk }) => atRisk).filter(risk => risk !== ''),
      risk => risk,
    ),
    byHand: findings.find(({ fix }) => fix.byHand !== '')?.fix.byHand ?? '',
    automatic: fixable[0]?.fix.automatic ?? '',
    fixCommand: fixable.length === 0 ? '' : `thanos-doctor fix ${first.rule}${sameClusters(report, fixable)}`,
    suspects: distinct(
      findings.flatMap(({ id }) => suspects.get(id) ?? []),
      ({ rule, cluster }) => `${rule} ${cluster}`,
    ),
  };
}

function bySymptom(findings: readonly Finding[]): readonly Symptoms[] {
  return [...grouped(findings, ({ rule }) => rule).values()].map(same => ({
    rule: same[0].rule,
    title: same[0].title,
    severity: worst(same),
    findings: same,
    places: placesOf(same),
  }));
}

function sharedFacts([first, ...others]: Filled<Finding>): readonly (readonly [string, FactValue])[] {
  return Object.entries(first.facts).filter(([label, value]) => {
    const text = JSON.stringify(value);
    return others.every(({ facts }) => Object.hasOwn(facts, label) && JSON.stringify(facts[label]) === text);
  });
}

const WEIGHT: Readonly<Record<Severity, number>> = { critical: 2, warning: 1, info: 0 };

function worst(findings: readonly Finding[]): Severity {
  return findings.reduce<Severity>(
    (found, { severity }) => (WEIGHT[severity] > WEIGHT[found] ? severity : found),
    'info',
  );
}

/** Times are compared as moments: their texts differ in their fractions. */
function earliest(times: readonly string[]): string {
  return times.reduce((found, time) => {
    if (Number.isNaN(Date.parse(time))) return found;
    return found === '' || Date.parse(time) < Date.parse(found) ? time : found;
  }, '');
}

function grouped<Element>(
  elements: readonly Element[],
  key: (element: Element) => string,
): Map<string, Filled<Element>> {
  const groups = new Map<string, [Element, ...Element[]]>();
  for (const element of elements) {
    const group = groups.get(key(element));
    if (group) group.push(element);
    else groups.set(key(element), [element]);
  }
  return groups;
}

function distinct<Element>(elements: readonly Element[], key: (element: Element) => string): readonly Element[] {
  return [...grouped(elements, key).values()].map(([first]) => first);
}
