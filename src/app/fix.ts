import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Finding } from '../model/finding.ts';
import { GapSignal } from '../model/gap.ts';
import type {
  Action,
  AuditLine,
  FixReport,
  Journal,
  LookedAt,
  Outcome,
  Plan,
  Wishes,
  Writer,
} from '../model/remediation.ts';
import type { Rule } from '../model/rule.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { ACTIONS } from '../remediations/catalogue.ts';
import { applyPlan, type Execution, goOn, type Verified } from '../remediations/execute.ts';
import { clusterToChange, seenFrom } from '../remediations/fleet-target.ts';
import { refusing } from '../remediations/guards.ts';
import { type Attempt, attemptsIn, resumableAttempts } from '../remediations/history.ts';
import { planOf } from '../remediations/plan.ts';
import { lookForSignals, type SignalMemory } from '../remediations/signals.ts';
import { undoPlanOf } from '../remediations/undo.ts';
import { copyReader } from './fix-copy.ts';
import { type DiagnosisSetting, diagnoseAfresh, type FreshDiagnosis } from './fix-diagnosis.ts';
import { logSaver } from './fix-logs.ts';

/** Milliseconds after which guards are evaluated again before the first step. */
const STALE = 600_000;

export type Answer = 'yes' | 'no' | 'skip all' | 'quit';

/** How a plan is confirmed. `refused` says why nobody could be asked, and how to do it right. */
export type Confirmation = { readonly is: Answer } | { readonly is: 'refused'; readonly why: string };

export interface FixSetting extends DiagnosisSetting {
  /** Sources that have read nothing yet. They are closed after use. */
  open(): Promise<readonly Source[]>;
  openWriter(cluster: string): Promise<Writer>;
  readonly journal: Journal;
  readonly wishes: Wishes;
  /** Names of the clusters of the fleet file; undefined without one. */
  readonly fleetClusters: readonly string[] | undefined;
  /** The only namespaces that are read; none for all. */
  readonly namespaces: readonly string[];
  readonly reason: string;
  /** Plans that are applied in one run at most. */
  readonly maxChanges: number;
  readonly stateFolder: string;
  /** Asks the person who was shown the plan. */
  confirm(plan: Plan, at: { readonly number: number; readonly of: number }): Promise<Confirmation>;
  readonly onProgress?: (text: string) => void;
  /** Stops it: what was begun can be gone on with. */
  readonly signal?: AbortSignal;
  /** Milliseconds between two looks; for tests. */
  readonly lookEvery?: number;
}

/** Advice is no root of anything, and is followed where it is asked for by name. */
function isMendable(finding: Finding): boolean {
  return finding.root || (finding.severity === 'info' && finding.causedBy.length === 0);
}

/** Roots that an action of this version can mend, most important first. */
export function fixableRoots(findings: readonly Finding[], wanted: string): readonly Finding[] {
  return findings.filter(
    finding =>
      (wanted === '' ? finding.root : isMendable(finding)) &&
      clusterToChange(finding) !== '' &&
      ACTIONS.has(finding.fix.action?.id ?? '') &&
      (wanted === '' || finding.id === wanted || finding.rule === wanted),
  );
}

/** Everything that may be wrong with what was asked for, said before anything is planned. Throws a `UserError`. */
export function checkWanted(findings: readonly Finding[], wanted: string, rules: readonly Rule[] = []): void {
  const named = findings.filter(finding => finding.id === wanted || finding.rule === wanted);
  if (named.length === 0) {
    const roots = [...new Set(fixableRoots(findings, '').map(({ rule }) => rule))];
    throw new UserError(
      `cannot fix ${wanted}: there is no such finding now`,
      roots.length > 0
        ? `what can be fixed now: ${roots.join(', ')}`
        : 'nothing that is found now can be fixed automatically',
    );
  }
  const root = named.find(isMendable);
  if (!root) {
    const causes = [...new Set(named.flatMap(({ causedBy }) => causedBy))];
    throw new UserError(`cannot fix ${wanted}: it is a symptom`, `what is behind it: ${causes.join(', ')}`);
  }
  if (fixableRoots(named, wanted).length > 0) return;
  throw new UserError(`cannot fix ${wanted}: ${whyNot(root, rules)}`, ...root.fix.byHand.split('\n').filter(Boolean));
}

/** Why a root cause has no automatic fix here. */
function whyNot({ rule: id, fix }: Finding, rules: readonly Rule[]): string {
  if (ACTIONS.has(fix.action?.id ?? '')) return 'in which cluster it is to be mended cannot be told';
  const ways = rules.find(rule => rule.id === id)?.fix.automatic ?? [];
  const needs = ways.map(({ onlyIf }) => onlyIf.map(({ label }) => label).join(', and ')).filter(Boolean);
  if (needs.length === 0) return 'it is mended by hand';
  return `it is mended by hand, for this is not known to hold: ${[...new Set(needs)].join('; or: ')}`;
}

/** Of several roots, the one whose plan has this digest; all of them where none has, so that the refusal is said. */
export async function rootsWithDigest(
  roots: readonly Finding[],
  digest: string,
  setting: FixSetting,
): Promise<readonly Finding[]> {
  if (digest === '' || roots.length < 2) return roots;
  const plans = await planFixes(roots, setting);
  const meant = roots.filter((_, index) => plans[index]!.digest === digest);
  return meant.length > 0 ? meant : roots;
}

/** The plans alone. Nothing is changed: writes are dry runs. */
export async function planFixes(findings: readonly Finding[], setting: FixSetting): Promise<readonly Plan[]> {
  const plans: Plan[] = [];
  for (const finding of findings) {
    const writer = await setting.openWriter(clusterToChange(finding));
    try {
      plans.push(await freshPlan(finding, planId(), writer, setting));
    } finally {
      writer.close();
    }
  }
  return plans;
}

/** Plans fixes for roots, asks for each, and applies what was confirmed. */
export async function fixFindings(findings: readonly Finding[], setting: FixSetting): Promise<readonly FixReport[]> {
  const reports: FixReport[] = [];
  let asks = true;
  for (const [index, finding] of findings.entries()) {
    if (!asks || setting.signal?.aborted) {
      reports.push(reportOf(finding, undefined, { is: 'declined', detail: 'passed over' }));
      continue;
    }
    const writer = await setting.openWriter(clusterToChange(finding));
    try {
      const id = planId();
      const plan = await freshPlan(finding, id, writer, setting);
      const confirmation = await setting.confirm(plan, { number: index + 1, of: findings.length });
      if (confirmation.is === 'quit' || confirmation.is === 'skip all') asks = false;
      reports.push(await decide(plan, finding, id, confirmation, writer, setting, reports));
    } finally {
      writer.close();
    }
  }
  return reports;
}

async function decide(
  plan: Plan,
  finding: Finding,
  id: string,
  confirmation: Confirmation,
  writer: Writer,
  setting: FixSetting,
  reports: readonly FixReport[],
): Promise<FixReport> {
  const open = refusing(plan.guards);
  if (open) return reportOf(finding, plan, { is: 'refused', guard: open.id, detail: `${open.id}: ${open.detail}` });
  if (confirmation.is === 'refused') {
    return reportOf(finding, plan, { is: 'refused', guard: 'confirmed', detail: confirmation.why });
  }
  if (confirmation.is !== 'yes') return reportOf(finding, plan, { is: 'declined', detail: 'nothing was changed' });
  const changes = reports.filter(({ applied }) => applied.length > 0).length;
  const refused =
    changes >= setting.maxChanges
      ? `${changes} changes were made in this run, which is the most (--max-changes)`
      : await changedSince(plan, finding, id, writer, setting);
  if (refused) {
    const outcome: Outcome = { is: 'refused', guard: 'same-object', detail: refused };
    const { cluster, action, digest } = plan;
    await setting.journal.append({ is: 'outcome', id, finding: finding.id, cluster, action, digest, outcome });
    return reportOf(finding, plan, outcome);
  }
  const begun = { id, plan, mode: 'fix' as const, undoes: '', reason: setting.reason, at: seconds(writer.now()) };
  return applyPlan(begun, executionOf(writer, setting));
}

/** Plans anew, on fresh evidence: what is applied is what was shown, or nothing. '' where it is the same. */
async function changedSince(
  plan: Plan,
  finding: Finding,
  id: string,
  writer: Writer,
  setting: FixSetting,
): Promise<string> {
  const now = await freshPlan(finding, id, writer, setting);
  if (now.digest === plan.digest) return '';
  const open = refusing(now.guards);
  if (open) return `${open.id}: ${open.detail}`;
  const other = plan.objects.find(object => {
    const same = now.objects.find(({ uid }) => uid === object.uid);
    return same?.resourceVersion !== object.resourceVersion;
  });
  const what = other ? `${other.target.kind} ${other.target.name}` : 'what it rests on';
  return `${what} was changed since the plan was shown: plan anew`;
}

async function freshPlan(finding: Finding, id: string, writer: Writer, setting: FixSetting): Promise<Plan> {
  const sources = await setting.open();
  try {
    const fresh = await diagnoseAfresh(sources, setting);
    return await planFor(finding, id, writer, setting, fresh, sources);
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

async function planFor(
  finding: Finding,
  id: string,
  writer: Writer,
  setting: FixSetting,
  { result, evidence }: FreshDiagnosis,
  sources: readonly Source[],
): Promise<Plan> {
  const now = result.findings.find(other => other.id === finding.id);
  const action = ACTIONS.get(finding.fix.action!.id)!;
  const place = clusterToChange(finding);
  const source = sources.find(other => other.cluster === place)!;
  // What was told of another cluster meanwhile is another finding.
  const isThere = now && isMendable(now) && now.fix.action && clusterToChange(now) === place;
  const seen = seenFrom(place, now ?? finding);
  const open = result.unknowns.find(
    ({ cluster, rule }) => cluster === finding.cluster && (rule === '' || rule === finding.rule),
  );
  const planned = await planOf(isThere ? action : withoutFinding(action, now, open?.gaps[0].detail), {
    finding: seen,
    parameters: seen.fix.action?.with ?? finding.fix.action!.with,
    api: writer,
    writer,
    evidence: evidence.clusters.find(store => store.cluster === place)!,
    fleet: evidence.fleet,
    lookedAt: lookedAt(sources, setting),
    wishes: setting.wishes,
    history: await setting.journal.read(),
    moment: { id, at: seconds(writer.now()) },
    copyOf: copyReader(setting.wishes.copy),
    saveLogs: logSaver(source, setting.stateFolder),
  });
  return planned;
}

function lookedAt(sources: readonly Source[], { fleetClusters, namespaces }: FixSetting): LookedAt {
  const clusters = sources.map(({ cluster }) => cluster);
  const leftOut = (fleetClusters ?? []).filter(name => !clusters.includes(name));
  return { clusters, leftOut, told: fleetClusters !== undefined, namespaces };
}

/** In place of an action whose finding is gone, or is explained by another one now. */
function withoutFinding(action: Action, now: Finding | undefined, unknown: string | undefined): Action {
  const detail = !now
    ? (unknown ?? 'it is not found any more')
    : isMendable(now)
      ? 'what made it safe to mend does not hold any more'
      : `it is explained by ${now.causedBy.join(', ')} now`;
  return {
    ...action,
    plan: async () => ({
      steps: [],
      guards: [
        {
          id: 'finding-still-there',
          what: 'the finding is a root cause now',
          result: now || !unknown ? 'failed' : 'unknown',
          detail,
        },
      ],
      riskText: '',
      verify: { what: '', seconds: 0 },
      undo: { what: '', steps: [] },
    }),
  };
}

function executionOf(writer: Writer, setting: FixSetting): Execution {
  const memory: SignalMemory = new Map();
  return {
    writer,
    journal: setting.journal,
    clock: () => performance.now(),
    sleep: milliseconds => pause(milliseconds, setting.signal),
    verify: plan => verify(plan, setting, memory),
    ...(setting.onProgress ? { onProgress: setting.onProgress } : {}),
    ...(setting.lookEvery ? { lookEvery: setting.lookEvery } : {}),
  };
}

/** Throws a `GapSignal` where the run is stopped meanwhile: what comes then is not known. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(milliseconds, undefined, signal ? { signal } : {}).catch(() => {
    throw new GapSignal({ reason: 'not-asked', detail: 'the run was stopped' });
  });
}

/** The same rules on fresh evidence, and the signs of life that the plan names: both have to tell that it is mended. */
async function verify(plan: Plan, setting: FixSetting, memory: SignalMemory): Promise<Verified> {
  const { rules: besides = [], signals = [], inPart = false } = plan.verify;
  const ids = [...(inPart ? [] : [plan.rule]), ...besides];
  const rules = setting.rules.filter(rule => ids.includes(rule.id));
  const sources = await setting.open();
  try {
    const { result, evidence } = await diagnoseAfresh(sources, setting, rules);
    const store = evidence.clusters.find(({ cluster }) => cluster === plan.cluster);
    // Looked for from the first look on: counters are compared with what they were then.
    const signs = store ? await lookForSignals(signals, store, memory) : undefined;
    const ruled = rulesTell(plan, ids, result);
    // What is seen not to be mended says more than what could not be seen.
    const open =
      [ruled, signs].find(told => told?.is === 'problem') ?? [ruled, signs].find(told => told?.is === 'unknown');
    if (open || !signs) return open ?? ruled;
    return { is: 'healthy', detail: [ids.length > 0 ? ruled.detail : '', signs.detail].filter(Boolean).join('; ') };
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

/** Healthy only where nothing about it stayed unknown. */
function rulesTell(plan: Plan, ids: readonly string[], result: FreshDiagnosis['result']): Verified {
  const still = result.findings.find(
    finding => finding.id === plan.finding || (finding.rule !== plan.rule && finding.cluster === plan.cluster),
  );
  if (still) return { is: 'problem', detail: still.message };
  const open = result.unknowns.find(unknown => unknown.cluster === plan.cluster || unknown.cluster === 'fleet');
  if (open) return { is: 'unknown', detail: open.gaps[0].detail };
  // What nobody looked at is no proof of anything either.
  const skipped = result.notLookedAt.find(
    ({ cluster, rules }) => (cluster === plan.cluster || cluster === 'fleet') && rules.some(id => ids.includes(id)),
  );
  if (skipped) return { is: 'unknown', detail: skipped.gap.detail };
  return { is: 'healthy', detail: `${ids.join(' and ')}: healthy on evidence fetched just now` };
}

/** Goes on with the attempt named, else with the newest that was begun and not ended, else the newest that failed half-way. */
export async function resumeFix(wanted: string, setting: FixSetting): Promise<readonly FixReport[]> {
  const attempts = resumableAttempts(await setting.journal.read());
  const attempt = wanted
    ? attempts.find(({ begin }) => begin.id === wanted)
    : (attempts.findLast(({ outcome }) => !outcome) ?? attempts.at(-1));
  if (!attempt) {
    throw new UserError(
      wanted ? `cannot resume ${wanted}: it is not open` : 'there is nothing to resume',
      `audit log: ${setting.journal.place}`,
    );
  }
  const { begin } = attempt;
  if (isStale(attempt)) {
    const { id, plan } = begin;
    const { finding, cluster, action, digest } = plan;
    const detail = 'its guards are too old, and nothing of it was done: plan anew';
    const outcome: Outcome = { is: 'refused', guard: 'finding-still-there', detail };
    await setting.journal.append({ is: 'outcome', id, finding, cluster, action, digest, outcome });
    return [endOf(id, plan, outcome)];
  }
  const confirmation = await setting.confirm(begin.plan, { number: 1, of: 1 });
  if (confirmation.is === 'refused')
    return [endOf(begin.id, begin.plan, { is: 'refused', guard: 'confirmed', detail: confirmation.why })];
  if (confirmation.is !== 'yes')
    return [endOf(begin.id, begin.plan, { is: 'declined', detail: 'it was not gone on with' })];
  const writer = await setting.openWriter(begin.plan.cluster);
  try {
    return [await goOn(begin, executionOf(writer, setting))];
  } finally {
    writer.close();
  }
}

/** Not a step was begun, and what the guards looked at was long ago. */
function isStale({ begin, results, openIntents }: Attempt): boolean {
  return results.length + openIntents.length === 0 && Date.now() - Date.parse(begin.time) > STALE;
}

/** Takes an attempt back, as its plan had promised. */
export async function undoFix(wanted: string, setting: FixSetting): Promise<readonly FixReport[]> {
  const history = await setting.journal.read();
  const attempts = attemptsIn(history);
  const attempt = attempts.find(({ begin }) => begin.id === wanted && begin.mode === 'fix');
  if (!attempt)
    throw new UserError(`cannot undo ${wanted}: the audit log has no such fix`, `audit log: ${setting.journal.place}`);
  const undone = attempts.find(({ begin, outcome }) => begin.undoes === wanted && outcome?.outcome.is === 'fixed');
  if (undone) throw new UserError(`cannot undo ${wanted}: it was taken back already, by ${undone.begin.id}`);
  const writer = await setting.openWriter(attempt.begin.plan.cluster);
  try {
    const id = planId();
    const store = { cluster: '', takenAt: 0, describe: () => undefined, peek: () => undefined, collect: noEvidence };
    // The server's clock is known once it has answered.
    await writer.who();
    const at = seconds(writer.now());
    const plan = await undoPlanOf(attempt, {
      api: writer,
      writer,
      evidence: store,
      fleet: store,
      lookedAt: lookedAt([], setting),
      wishes: setting.wishes,
      history,
      moment: { id, at },
      copyOf: async () => undefined,
      saveLogs: async () => true,
    });
    const confirmation = await setting.confirm(plan, { number: 1, of: 1 });
    const open = refusing(plan.guards);
    if (open) return [endOf('', plan, { is: 'refused', guard: open.id, detail: `${open.id}: ${open.detail}` })];
    if (confirmation.is === 'refused')
      return [endOf('', plan, { is: 'refused', guard: 'confirmed', detail: confirmation.why })];
    if (confirmation.is !== 'yes') return [endOf('', plan, { is: 'declined', detail: 'nothing was changed' })];
    return [
      await applyPlan(
        { id, plan, mode: 'undo', undoes: wanted, reason: setting.reason, at },
        executionOf(writer, setting),
      ),
    ];
  } finally {
    writer.close();
  }
}

async function noEvidence(id: string): Promise<never> {
  throw new GapSignal({ reason: 'not-asked', detail: `${id} is not read for an undo` });
}

/** The audit log, for people and programs. */
export function historyOf(lines: readonly AuditLine[]) {
  const attempts = attemptsIn(lines);
  const undoing = (id: string) =>
    attempts.find(({ begin, outcome }) => begin.undoes === id && outcome?.outcome.is === 'fixed')?.begin;
  return attempts.map(({ begin, outcome, results }) => ({
    id: begin.id,
    time: begin.time,
    mode: begin.mode,
    who: begin.who,
    cluster: begin.plan.cluster,
    finding: begin.plan.finding,
    action: begin.plan.action,
    title: begin.plan.title,
    reason: begin.reason,
    ...endedAs(outcome?.outcome, undoing(begin.id)),
    applied: results.filter(({ how }) => how !== 'held already').map(({ title }) => title),
  }));
}

function endedAs(outcome: Outcome | undefined, undoing: { readonly id: string; readonly time: string } | undefined) {
  if (undoing) return { outcome: 'taken back' as const, detail: `by ${undoing.id}, at ${undoing.time}` };
  if (!outcome) return { outcome: 'not ended' as const, detail: 'thanos-doctor fix --resume goes on with it' };
  return { outcome: outcome.is, detail: outcome.detail };
}

function reportOf(finding: Finding, plan: Plan | undefined, outcome: Outcome): FixReport {
  return {
    id: '',
    finding: finding.id,
    rule: finding.rule,
    cluster: finding.cluster,
    action: plan?.action ?? finding.fix.action?.id ?? '',
    digest: plan?.digest ?? '',
    outcome: outcome.is,
    detail: outcome.detail,
    applied: [],
    undo: '',
  };
}

function endOf(id: string, plan: Plan, outcome: Outcome): FixReport {
  const { finding, rule, cluster, action, digest } = plan;
  return {
    id,
    finding,
    rule,
    cluster,
    action,
    digest,
    outcome: outcome.is,
    detail: outcome.detail,
    applied: [],
    undo: '',
  };
}

/** `20261123-081301-4f`: when it was planned, and a little chance. */
function planId(): string {
  const [day, time] = new Date().toISOString().split('T');
  return `${day!.replaceAll('-', '')}-${time!.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
}

function seconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
