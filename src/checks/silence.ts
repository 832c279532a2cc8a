import type { Finding, Severity } from '../model/finding.ts';
import { subjectKey } from './object-keys.ts';

/** What a fleet file says of a problem that is known and accepted for a while. */
export interface Suppression {
  readonly rule: string;
  /** Name of a cluster, `fleet`, or '' for all. */
  readonly cluster: string;
  /** `Kind namespace/name`, where `*` stands for any text; '' for all. */
  readonly subject: string;
  readonly reason: string;
  /** As it is written: a day, which counts whole, or a moment. */
  readonly until: string;
  /** Milliseconds since the epoch: from then on it no longer works. */
  readonly endsAt: number;
  /** `file:line:column`. */
  readonly place: string;
}

export interface Silenced {
  readonly finding: Finding;
  readonly by: Suppression;
  /** Id of the suppressed finding that explains this one; '' where it is suppressed itself. */
  readonly through: string;
}

type Edges = ReadonlyMap<string, readonly Finding[]>;
export type SuppressionOf = (finding: Finding) => Suppression | undefined;

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** Which suppression, of those that still work at that moment, a finding falls under. */
export function suppressionsAt(suppressions: readonly Suppression[], now: number): SuppressionOf {
  const working = suppressions
    .filter(({ endsAt }) => now < endsAt)
    .map(suppression => ({ suppression, fits: subjectTest(suppression.subject) }));
  return finding =>
    working.find(
      ({ suppression: { rule, cluster }, fits }) =>
        rule === finding.rule && (cluster === '' || cluster === finding.cluster) && fits(subjectKey(finding.subject)),
    )?.suppression;
}

/** Without a regular expression: a subject of many `*` must not take for ever. */
function subjectTest(written: string): (key: string) => boolean {
  if (written === '') return () => true;
  const [first = '', ...rest] = written.split('*');
  const last = rest.pop();
  if (last === undefined) return key => key === first;
  return key => {
    if (!key.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = key.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return key.length - last.length >= at && key.endsWith(last);
  };
}

/**
 * Takes suppressed findings out. What a suppressed finding alone explains goes with it, unless it is more severe: then it
 * stays, as a root of its own. What has another cause above a suppressed one stays under that.
 */
export function silence(
  findings: readonly Finding[],
  edges: Edges,
  suppressionOf: SuppressionOf,
): { readonly kept: readonly Finding[]; readonly edges: Edges; readonly silenced: readonly Silenced[] } {
  type Reason = { readonly by: Suppression; readonly origin: Finding };
  const reasons = new Map<string, Reason | undefined>();
  const openCauses = new Map<string, readonly Finding[]>();
  const settle = (finding: Finding): Reason | undefined => {
    if (reasons.has(finding.id)) return reasons.get(finding.id);
    const causes = edges.get(finding.id)!;
    const settled = causes.map(settle);
    const open = new Set(causes.flatMap((cause, at) => (settled[at] ? openCauses.get(cause.id)! : [cause])));
    openCauses.set(finding.id, [...open]);
    const by = suppressionOf(finding);
    const heaviest = settled
      .filter(reason => reason !== undefined)
      .sort((a, b) => RANK[a.origin.severity] - RANK[b.origin.severity])[0];
    const goesWith = open.size === 0 && heaviest && RANK[finding.severity] >= RANK[heaviest.origin.severity];
    const reason = by ? { by, origin: finding } : goesWith ? heaviest : undefined;
    reasons.set(finding.id, reason);
    return reason;
  };
  for (const finding of findings) settle(finding);
  return {
    kept: findings.filter(({ id }) => !reasons.get(id)),
    edges: openCauses,
    silenced: findings.flatMap(finding => {
      const reason = reasons.get(finding.id);
      if (!reason) return [];
      return [{ finding, by: reason.by, through: reason.origin === finding ? '' : reason.origin.id }];
    }),
  };
}
