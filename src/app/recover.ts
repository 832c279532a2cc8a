import type { Finding } from '../model/finding.ts';
import type { FixReport } from '../model/remediation.ts';
import { UserError } from '../model/user-error.ts';
import { RUNBOOKS, type Runbook, type RunbookStep } from '../remediations/runbooks.ts';
import { type FixSetting, fixableRoots, fixFindings } from './fix.ts';
import { diagnoseAfresh } from './fix-diagnosis.ts';

const LOOK_EVERY = 5000;

/** What the person says at a step that is not in order. */
export type StepAnswer = 'look again' | 'fix' | 'done' | 'quit' | 'no terminal';

export interface RecoverySetting extends FixSetting {
  /** The options by which the clusters were chosen, for further commands; '' where none are needed. */
  readonly clusterOptions: string;
  say(line: string): void;
  ask(question: string, choices: readonly ('look again' | 'fix' | 'done' | 'quit')[]): Promise<StepAnswer>;
}

export interface Recovery {
  /** Whether every step was in order in the end. */
  readonly complete: boolean;
  readonly fixes: readonly FixReport[];
}

/** The runbook of that name. Throws a `UserError` that names the others. */
export function runbookOf(id: string): Runbook {
  const found = RUNBOOKS.find(runbook => runbook.id === id);
  if (found) return found;
  throw new UserError(`cannot recover from ${id}: there is no such scenario`, ...scenarios());
}

/** `name: what has happened`, one for each runbook. */
export function scenarios(): readonly string[] {
  return RUNBOOKS.map(({ id, title }) => `${id}: ${title}`);
}

/** Goes through a runbook: each step shows what it rests on, waits for its effect, and the first surprise ends it. */
export async function recover(runbook: Runbook, setting: RecoverySetting): Promise<Recovery> {
  const fixes: FixReport[] = [];
  for (const [index, step] of runbook.steps.entries()) {
    setting.say(`\n${index + 1} of ${runbook.steps.length}  ${step.title}`);
    if (!(await throughStep(step, setting, fixes))) {
      setting.say(`\nstopped at step ${index + 1}, ${step.title}; nothing after it was looked at`);
      return { complete: false, fixes };
    }
  }
  setting.say('\nevery step is in order; thanos-doctor diagnose looks at all the rest');
  return { complete: true, fixes };
}

interface Look {
  readonly problems: readonly Finding[];
  readonly unknown: string;
}

async function throughStep(step: RunbookStep, setting: RecoverySetting, fixes: FixReport[]): Promise<boolean> {
  if (step.rules.length === 0) return byHand(step, setting);
  let before = await look(step, setting);
  if (before.unknown) return surprise(setting, `it could not be looked at: ${before.unknown}`);
  while (before.problems.length > 0) {
    show(step, before.problems, setting);
    const mendable = fixableRoots(before.problems, '');
    const answer = await setting.ask(
      '   What now?',
      mendable.length > 0 ? ['fix', 'look again', 'quit'] : ['look again', 'quit'],
    );
    if (answer === 'quit' || answer === 'done') return false;
    if (answer === 'no terminal')
      return surprise(setting, 'there is no terminal to ask on: mend it, and call this again');
    if (answer === 'fix') {
      const reports = await fixFindings(mendable, setting);
      fixes.push(...reports);
      const failed = reports.find(({ outcome }) => outcome !== 'fixed' && outcome !== 'declined');
      if (failed) return surprise(setting, `${failed.outcome}: ${failed.detail}`);
    }
    const after = await waitFor(step, before, setting);
    if (after.unknown) return surprise(setting, `it could not be looked at any more: ${after.unknown}`);
    const known = new Set(before.problems.map(({ id }) => id));
    const fresh = after.problems.find(({ id }) => !known.has(id));
    if (fresh) return surprise(setting, `something new: ${fresh.message}`);
    before = after;
  }
  setting.say(`   in order: ${step.rules.join(', ')}`);
  return true;
}

async function byHand(step: RunbookStep, setting: RecoverySetting): Promise<boolean> {
  for (const line of step.byHand) setting.say(`   ${ofSameClusters(line, setting)}`);
  const answer = await setting.ask('   Is it done?', ['done', 'quit']);
  if (answer === 'no terminal')
    return surprise(setting, 'only a person can say that this is done, and there is no terminal to ask on');
  return answer === 'done';
}

function surprise(setting: RecoverySetting, what: string): false {
  setting.say(`   ${what}`);
  return false;
}

function show(step: RunbookStep, problems: readonly Finding[], setting: RecoverySetting): void {
  for (const { message, cluster, rule, fix, facts } of problems) {
    setting.say(`   ${rule} (${cluster}): ${message}`);
    for (const [label, value] of Object.entries(facts).slice(0, 4))
      setting.say(`     ${label}: ${typeof value === 'object' ? JSON.stringify(value) : value}`);
    for (const line of fix.byHand.split('\n').filter(Boolean)) setting.say(`     ${ofSameClusters(line, setting)}`);
  }
  for (const line of step.byHand) setting.say(`   ${ofSameClusters(line, setting)}`);
}

/** A further command of this program is for the clusters that were chosen here. */
function ofSameClusters(line: string, { clusterOptions }: RecoverySetting): string {
  return line.replace(/thanos-doctor (?:collect|(?:fix|recover) (?!-)\S+)/g, command => `${command}${clusterOptions}`);
}

async function waitFor(step: RunbookStep, before: Look, setting: RecoverySetting): Promise<Look> {
  const deadline = performance.now() + step.seconds * 1000;
  for (;;) {
    const now = await look(step, setting);
    const better = now.problems.length < before.problems.length || now.unknown !== '';
    if (better || performance.now() > deadline) return now;
    const fresh = now.problems.some(({ id }) => !before.problems.some(other => other.id === id));
    if (fresh) return now;
    setting.onProgress?.(`waiting: ${step.title}`);
    await new Promise(resolve => setTimeout(resolve, setting.lookEvery ?? LOOK_EVERY));
    if (setting.lookEvery !== undefined && performance.now() + setting.lookEvery > deadline) return now;
  }
}

/** All rules run: only so is a root told from a symptom. */
async function look(step: RunbookStep, setting: RecoverySetting): Promise<Look> {
  const sources = await setting.open();
  try {
    const { result } = await diagnoseAfresh(sources, setting);
    // Whatever severity a fleet file gives it: a step is not in order while its rule finds something.
    const problems = result.findings.filter(({ rule }) => step.rules.includes(rule));
    const unknown = result.unknowns.find(({ rule }) => rule === '' || step.rules.includes(rule));
    return { problems, unknown: unknown ? `${unknown.rule || unknown.cluster}: ${unknown.gaps[0].detail}` : '' };
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}
