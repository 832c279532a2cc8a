import { GapSignal } from '../model/gap.ts';
import type { FixReport, Journal, Outcome, Plan, Step, WriteAnswer, Writer } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import type { Begun } from './begun.ts';
import { filledIn } from './changes.ts';
import { announce } from './event.ts';
import { refusing } from './guards.ts';
import { appliedIn, attemptsIn } from './history.ts';
import { giveLease, type HeldLease, heldLease, leaseOf, takeLease } from './lease.ts';
import { lookAt, type Moment, perform, trace, writtenBy } from './perform.ts';
import { nameOf } from './targets.ts';
import { undoPlanOf } from './undo.ts';

/** How often a write is tried that met a busy server, a broken connection or a newer version of the object. */
const ATTEMPTS = 4;
/** Milliseconds between two looks at what is waited for. */
const LOOK_EVERY = 5000;
const LONGEST_RETRY = 10_000;

/** Whether what was to be mended is mended, on evidence fetched now. */
export interface Verified {
  readonly is: 'healthy' | 'problem' | 'unknown';
  readonly detail: string;
}

export interface Execution {
  readonly writer: Writer;
  readonly journal: Journal;
  /** Milliseconds; grows. */
  readonly clock: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly verify: (plan: Plan) => Promise<Verified>;
  /** A step is begun, is waited for, or the mending is verified: one line for the person who waits. */
  readonly onProgress?: (text: string) => void;
  /** Milliseconds between two looks; for tests. */
  readonly lookEvery?: number;
}

/** Applies a plan that was confirmed, from its first line in the audit log to its outcome. */
export async function applyPlan(begun: Begun, execution: Execution): Promise<FixReport> {
  // Whoever calls has asked already; no mistake of theirs lets a guard be passed over. The Lease is taken below.
  const open = refusing(begun.plan.guards.filter(({ id }) => id !== 'no-second-doctor'));
  if (open) return reportOf(begun, { is: 'refused', guard: open.id, detail: open.detail }, []);
  const who = await execution.writer.who();
  await execution.journal.append({ is: 'begin', ...begun, who });
  return goOn(begun, execution);
}

/** Goes on with a plan whose begin stands in the audit log: every step looks first whether it is done. */
export async function goOn(begun: Begun, execution: Execution): Promise<FixReport> {
  const { writer, journal } = execution;
  const { plan, id } = begun;
  const moment: Moment = { id, at: begun.at };
  const steps = filledIn(plan.steps, begun.at, id, id);
  const lease = leaseOf(steps[0]!.target);
  const before = attemptsIn(await journal.read()).find(({ begin }) => begin.id === id);
  const applied = [...(before ? appliedIn(before) : [])];

  async function end(outcome: Outcome): Promise<FixReport> {
    if (outcome.is === 'fixed') await announce(writer, begun, steps, outcome.detail);
    await letGo();
    const { finding, cluster, action, digest } = plan;
    await journal.append({ is: 'outcome', id, finding, cluster, action, digest, outcome });
    return reportOf(begun, outcome, applied);
  }

  async function letGo(): Promise<void> {
    try {
      await giveLease(writer, lease, id);
    } catch (error) {
      // It expires by itself.
      if (!(error instanceof GapSignal)) throw error;
    }
  }

  try {
    const taken = await takeLease(writer, lease, id, begun.undoes);
    if (taken !== true) return await end({ is: 'refused', guard: 'no-second-doctor', detail: taken });
    const held = heldLease(writer, lease, id, execution.clock);
    for (const [index, step] of steps.entries()) {
      // A later step may have changed again what this one had made: its result stands in the audit log.
      if (before?.results.some(result => result.step === index)) continue;
      execution.onProgress?.(`${index + 1} of ${steps.length}: ${step.title}`);
      const result = await doStep(step, index, moment, execution, held);
      if (result.is === 'done') {
        if (result.wrote) applied.push(step.title);
        continue;
      }
      const detail = `step ${index + 1}, ${step.title}: ${result.detail}`;
      if (step.do === 'wait' && step.proves && begun.mode === 'fix')
        return await takeBack(begun, detail, execution, end);
      // Nothing was changed yet: what was planned does not fit any more.
      if (applied.length === 0) return await end({ is: 'refused', guard: 'same-object', detail });
      return await end({ is: 'failed', detail });
    }
    const verified = await verify(begun, execution, held);
    return await end(verified);
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    // Without an outcome in the audit log: it can be gone on with.
    const detail = `the cluster could not be asked (${error.gap.detail}); to go on: thanos-doctor fix --resume`;
    return reportOf(begun, { is: 'failed', detail }, applied);
  }
}

/** Undoes what did not prove itself, as an attempt of its own: a kill in its middle is gone on with like any other. */
async function takeBack(
  begun: Begun,
  why: string,
  execution: Execution,
  end: (outcome: Outcome) => Promise<FixReport>,
): Promise<FixReport> {
  const { writer, journal } = execution;
  const attempt = attemptsIn(await journal.read()).find(({ begin }) => begin.id === begun.id);
  if (!attempt) return end({ is: 'failed', detail: why });
  execution.onProgress?.(`taking it back: ${why}`);
  const id = `${begun.id}-back`;
  const at = writer.now().replace(/\.\d+Z$/, 'Z');
  const plan = await undoPlanOf(attempt, { api: writer, writer, moment: { id, at } });
  const open = refusing(plan.guards.filter(entry => entry.id !== 'no-second-doctor'));
  if (open) return end({ is: 'failed', detail: `${why}; it was not taken back, because ${open.detail}` });
  const undone = await applyPlan(
    { id, plan, mode: 'undo', undoes: begun.id, reason: 'the first step that proves it failed', at },
    execution,
  );
  const isBack = undone.outcome === 'fixed';
  const report = await end({
    is: 'failed',
    detail: isBack ? `${why}; everything was taken back` : `${why}; taking it back failed: ${undone.detail}`,
  });
  return isBack ? { ...report, applied: [], undo: '' } : report;
}

function reportOf(begun: Begun, outcome: Outcome, applied: readonly string[]): FixReport {
  const { plan, id, mode } = begun;
  const canUndo = mode === 'fix' && plan.undo.steps.length > 0;
  return {
    id,
    finding: plan.finding,
    rule: plan.rule,
    cluster: plan.cluster,
    action: plan.action,
    digest: plan.digest,
    outcome: outcome.is,
    detail: outcome.detail,
    applied: [...new Set(applied)],
    undo: applied.length === 0 ? '' : canUndo ? `thanos-doctor fix --undo ${id}` : plan.undo.what,
  };
}

type Done = { readonly is: 'done'; readonly wrote: boolean };
type Stopped = { readonly is: 'stopped'; readonly detail: string };

async function doStep(
  step: Step,
  index: number,
  moment: Moment,
  execution: Execution,
  held: HeldLease,
): Promise<Done | Stopped> {
  const { writer, journal } = execution;
  const place = { id: moment.id, step: index, title: step.title };
  const finish = async (how: 'applied' | 'held already' | 'seen', object: RawObject | undefined): Promise<Done> => {
    await journal.append({ is: 'result', ...place, how, object: nameOf(writtenBy(step)), after: trace(step, object) });
    return { is: 'done', wrote: how !== 'held already' && step.do !== 'wait' };
  };
  const before = await lookAt(step, writer, moment);
  if (before.is === 'surprise') return { is: 'stopped', detail: before.detail };
  if (before.is === 'done') {
    const begun = (await journal.read()).some(
      line => line.is === 'intent' && line.id === moment.id && line.step === index,
    );
    return finish(begun ? 'seen' : 'held already', before.object);
  }
  if (step.do === 'wait') return waitFor(step, moment, execution, held, object => finish('seen', object));
  // Whoever has taken it over while this run was held up works on the same objects now.
  const lost = await held.lostTo();
  if (lost) return { is: 'stopped', detail: lost };
  const uid = before.object?.metadata?.uid ?? '';
  await journal.append({ is: 'intent', ...place, uid, before: trace(step, before.object) });
  let state = before;
  let detail = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const answer = await perform(step, state.object, writer, moment, false);
    if (answer.is === 'done') return finish('applied', answer.object);
    detail = messageOf(answer);
    await execution.sleep(pauseAfter(answer, attempt));
    // Whatever was answered, only a look tells what became of it: a broken connection may have written.
    const now = await lookAt(step, writer, moment);
    if (now.is === 'done') return finish('seen', now.object);
    if (now.is === 'surprise') return { is: 'stopped', detail: now.detail };
    if (answer.is === 'refused' || answer.is === 'not-found') break;
    // Somebody else wrote between plan and change; what they wrote was not looked at by anybody.
    if (answer.is === 'conflict' && index === 0) break;
    if (step.do === 'evict') break;
    state = now;
  }
  return { is: 'stopped', detail };
}

function messageOf(answer: Exclude<WriteAnswer, { is: 'done' }>): string {
  return answer.message;
}

function pauseAfter(answer: WriteAnswer, attempt: number): number {
  if (answer.is === 'busy') return Math.min(LONGEST_RETRY, Math.max(answer.retryAfter, 250 * 2 ** attempt));
  return answer.is === 'unanswered' ? 250 * 2 ** attempt : 0;
}

async function waitFor(
  step: Extract<Step, { do: 'wait' }>,
  moment: Moment,
  execution: Execution,
  held: HeldLease,
  finish: (object: RawObject | undefined) => Promise<Done>,
): Promise<Done | Stopped> {
  const deadline = execution.clock() + step.seconds * 1000;
  for (;;) {
    const state = await lookAt(step, execution.writer, moment);
    if (state.is === 'done') return finish(state.object);
    const left = deadline - execution.clock();
    if (left <= 0) return { is: 'stopped', detail: `it did not come about within ${inWords(step.seconds)}` };
    await held.renew();
    execution.onProgress?.(`waiting: ${step.title} (${inWords(Math.ceil(left / 1000))} left)`);
    await execution.sleep(Math.min(left, execution.lookEvery ?? LOOK_EVERY));
  }
}

async function verify(begun: Begun, execution: Execution, held: HeldLease): Promise<Outcome> {
  const { plan } = begun;
  if (begun.mode === 'undo') return { is: 'fixed', detail: 'everything is as it was before' };
  const deadline = execution.clock() + plan.verify.seconds * 1000;
  for (;;) {
    const verified = await execution.verify(plan);
    if (verified.is === 'healthy') return { is: 'fixed', detail: verified.detail };
    const left = deadline - execution.clock();
    if (left <= 0) {
      const within = `within ${inWords(plan.verify.seconds)}`;
      return {
        is: 'unverified',
        detail: `${plan.verify.what}: not seen ${within}${verified.detail ? ` (${verified.detail})` : ''}`,
      };
    }
    await held.renew();
    execution.onProgress?.(`verifying: ${plan.verify.what} (${inWords(Math.ceil(left / 1000))} left)`);
    await execution.sleep(Math.min(left, execution.lookEvery ?? LOOK_EVERY));
  }
}

/** `90 s` or `10 min`. */
export function inWords(seconds: number): string {
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}
