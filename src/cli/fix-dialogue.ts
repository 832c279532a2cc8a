import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import type { Confirmation } from '../app/fix.ts';
import type { Plan } from '../model/remediation.ts';
import { refusedGuard } from '../report/fix.ts';

/** How the command line says yes, before anybody is asked. */
export interface GivenConfirmation {
  readonly yes: boolean;
  /** The digest of a plan that was looked at before; '' for none. */
  readonly digest: string;
}

export interface Dialogue {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly output: Writable;
  /** Whether a person sits at both. */
  readonly isTerminal: boolean;
  /** Ctrl-C: nobody is asked any more. */
  readonly signal?: AbortSignal;
  /** Shows the plan with its whole diff. */
  showWhole(plan: Plan): void;
}

/** Milliseconds without a byte after which nothing that was typed before is on its way any more. */
const QUIET = 30;
/** Milliseconds after which somebody who goes on typing is asked all the same. */
const LONGEST_DISCARD = 1000;
const CTRL_C = 3;

/** Confirms a plan: by its digest, by --yes as far as that goes, or by asking. Whatever is no clear yes is none. */
export async function confirmPlan(plan: Plan, given: GivenConfirmation, dialogue: Dialogue): Promise<Confirmation> {
  if (refusedGuard(plan)) return { is: 'no' };
  const howTo = `look at it with \`thanos-doctor fix ${plan.finding || plan.rule} --plan\`, then give --confirm ${plan.digest}`;
  if (given.digest) {
    if (given.digest !== plan.digest) {
      return { is: 'refused', why: `the plan is not the one that was reviewed: its digest is ${plan.digest} now` };
    }
    return plan.typed ? typedName(plan, dialogue) : { is: 'yes' };
  }
  if (given.yes && plan.risk !== 'data-loss' && plan.typed === '') return { is: 'yes' };
  if (!dialogue.isTerminal) {
    const why = given.yes
      ? `--yes does not cover this: "${plan.typed || plan.finding}" has to be typed on a terminal`
      : `there is no terminal to ask on; ${howTo}, or --yes`;
    return { is: 'refused', why };
  }
  return plan.typed ? typedName(plan, dialogue) : asked(plan, dialogue);
}

async function typedName(plan: Plan, dialogue: Dialogue): Promise<Confirmation> {
  if (!dialogue.isTerminal) {
    return {
      is: 'refused',
      why: `"${plan.typed}" has to be typed on a terminal: neither --yes nor --confirm covers that`,
    };
  }
  const line = await oneLine(`   To apply it, type ${plan.typed} › `, dialogue);
  if (line === undefined) return unanswered(dialogue);
  return line.trim() === plan.typed ? { is: 'yes' } : { is: 'no' };
}

async function asked(plan: Plan, dialogue: Dialogue): Promise<Confirmation> {
  for (;;) {
    const line = await oneLine('   Apply?  [y]es  [N]o  [d]iff in full  [s]kip all  [q]uit  › ', dialogue);
    if (line === undefined) return unanswered(dialogue);
    const word = line.trim().toLowerCase();
    if (word === 'y' || word === 'yes') return { is: 'yes' };
    if (word === '' || word === 'n' || word === 'no') return { is: 'no' };
    if (word === 's' || word === 'skip' || word === 'skip all') return { is: 'skip all' };
    if (word === 'q' || word === 'quit') return { is: 'quit' };
    if (word === 'd' || word === 'diff') dialogue.showWhole(plan);
    else dialogue.output.write('   y, n, d, s or q\n');
  }
}

function unanswered({ signal }: Dialogue): Confirmation {
  return signal?.aborted ? { is: 'quit' } : { is: 'refused', why: 'the input ended before an answer' };
}

/** One line of input; undefined where it ended, or Ctrl-C was pressed, before one came. */
export async function oneLine(question: string, { input, output, signal }: Dialogue): Promise<string | undefined> {
  await discardTyped(input);
  if (signal?.aborted) return undefined;
  const lines = createInterface({ input, terminal: false });
  const onAbort = () => lines.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  output.write(question);
  try {
    return await new Promise<string | undefined>(resolve => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    lines.close();
  }
}

/**
 * What was typed before the question is shown answers nothing. The terminal keeps it back by lines: in raw mode it gives
 * all of it, a line that was begun too.
 */
async function discardTyped(input: Dialogue['input']): Promise<void> {
  if (!input.isTTY || !input.setRawMode) return;
  const started = performance.now();
  let last = started;
  let isInterrupted = false;
  const onData = (chunk: Buffer) => {
    last = performance.now();
    isInterrupted ||= chunk.includes(CTRL_C);
  };
  input.setRawMode(true);
  input.on('data', onData);
  // A stream that was paused by an earlier question does not flow because somebody listens.
  input.resume();
  try {
    // Even where this process was kept waiting, what lies there is read between a timer and an immediate.
    do {
      await new Promise(resolve => setTimeout(resolve, QUIET));
      await new Promise(resolve => setImmediate(resolve));
    } while (performance.now() - last < QUIET && performance.now() - started < LONGEST_DISCARD);
  } finally {
    input.off('data', onData);
    input.pause();
    input.setRawMode(false);
  }
  // In raw mode, Ctrl-C is a byte like any other.
  if (isInterrupted) process.kill(process.pid, 'SIGINT');
}
