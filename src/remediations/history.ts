import type { AuditEntry, AuditLine, Plan, Step } from '../model/remediation.ts';

type Begin = Extract<AuditEntry, { is: 'begin' }> & { readonly time: string };
type Result = Extract<AuditEntry, { is: 'result' }> & { readonly time: string };
type Ended = Extract<AuditEntry, { is: 'outcome' }> & { readonly time: string };

/** One attempt, as the audit log tells it. */
export interface Attempt {
  readonly begin: Begin;
  readonly results: readonly Result[];
  /** Steps that were begun and whose result is not known. */
  readonly openIntents: readonly number[];
  readonly outcome: Ended | undefined;
}

/** All attempts, oldest first. */
export function attemptsIn(lines: readonly AuditLine[]): readonly Attempt[] {
  const begins = new Map<string, Begin>();
  for (const line of lines) if (line.is === 'begin') begins.set(line.id, line);
  return [...begins.values()].map(begin => {
    const own = lines.filter(line => line.id === begin.id);
    const results = own.filter(line => line.is === 'result');
    const intents = own.filter(line => line.is === 'intent').map(line => line.step);
    return {
      begin,
      results,
      openIntents: intents.filter(step => !results.some(result => result.step === step)),
      outcome: own.findLast(line => line.is === 'outcome'),
    };
  });
}

/** Attempts that were neither ended nor taken back. */
export function openAttempts(lines: readonly AuditLine[]): readonly Attempt[] {
  return notTakenBack(attemptsIn(lines)).filter(({ outcome }) => !outcome);
}

/**
 * Attempts that can be gone on with: the open ones, and those that failed after their first change, some of which have
 * no way back. What an undo has begun to take back is not gone on with: the undo is.
 */
export function resumableAttempts(lines: readonly AuditLine[]): readonly Attempt[] {
  const attempts = attemptsIn(lines);
  const halfUndone = new Set(
    attempts.filter(attempt => appliedIn(attempt).length > 0).map(({ begin }) => begin.undoes),
  );
  return notTakenBack(attempts).filter(
    attempt =>
      !halfUndone.has(attempt.begin.id) &&
      (!attempt.outcome || (attempt.outcome.outcome.is === 'failed' && appliedIn(attempt).length > 0)),
  );
}

function notTakenBack(attempts: readonly Attempt[]): readonly Attempt[] {
  const undone = new Set(
    attempts.filter(({ outcome }) => outcome?.outcome.is === 'fixed').map(({ begin }) => begin.undoes),
  );
  return attempts.filter(({ begin }) => !undone.has(begin.id));
}

/** Titles of the steps that an attempt has applied. */
export function appliedIn(attempt: Attempt): readonly string[] {
  return attempt.results.filter(result => result.how !== 'held already').map(result => result.title);
}

/** How often this object of this cluster was changed since a moment (milliseconds). */
export function changesSince(lines: readonly AuditLine[], cluster: string, object: string, since: number): number {
  const ids = new Set(
    lines.filter(line => line.is === 'begin' && line.plan.cluster === cluster).map(line => (line as Begin).id),
  );
  return lines.filter(
    line =>
      line.is === 'result' &&
      line.how === 'applied' &&
      line.object === object &&
      ids.has(line.id) &&
      Date.parse(line.time) >= since,
  ).length;
}

/** The newest attempt since a moment (milliseconds) by which an action changed an object and that was not taken back. */
export function attemptSince(
  lines: readonly AuditLine[],
  { action, cluster, object }: { readonly action: string; readonly cluster: string; readonly object: string },
  since: number,
): Attempt | undefined {
  const attempts = attemptsIn(lines);
  return attempts.findLast(
    ({ begin, results }) =>
      begin.mode === 'fix' &&
      begin.plan.action === action &&
      begin.plan.cluster === cluster &&
      Date.parse(begin.time) >= since &&
      results.some(result => result.object === object && result.how !== 'held already') &&
      !attempts.some(other => other.begin.undoes === begin.id && other.outcome?.outcome.is === 'fixed'),
  );
}

/** The newest attempt at this finding that did not mend it and was not taken back, since a moment (milliseconds). */
export function failedSince(lines: readonly AuditLine[], finding: string, since: number): Attempt | undefined {
  const attempts = attemptsIn(lines);
  return attempts.findLast(
    ({ begin, outcome }) =>
      begin.mode === 'fix' &&
      begin.plan.finding === finding &&
      (outcome?.outcome.is === 'unverified' || outcome?.outcome.is === 'failed') &&
      Date.parse(outcome.time) >= since &&
      !attempts.some(other => other.begin.undoes === begin.id && other.outcome?.outcome.is === 'fixed'),
  );
}

/** The steps of a plan that write, with their places in it. */
export function writesOf(plan: Plan): readonly Step[] {
  return plan.steps.filter(step => step.do !== 'wait');
}
