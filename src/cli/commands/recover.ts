import { type RecoverySetting, recover, runbookOf, scenarios } from '../../app/recover.ts';
import { EXIT } from '../exit-codes.ts';
import { type Dialogue, oneLine } from '../fix-dialogue.ts';
import { displayOfReadings, type FixOptions, fixSetting } from '../fix-setting.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { clusterOptionsOf } from '../read-clusters.ts';
import { fixExitCode } from './fix.ts';

export interface RecoverArguments extends FixOptions {
  readonly scenario: string | undefined;
}

const LETTERS = { 'look again': 'l', fix: 'f', done: 'd', quit: 'q' } as const;

/** Exit code 0: every step is in order. 4: it stopped at one. */
export async function runRecover(options: RecoverArguments): Promise<number> {
  if (options.scenario === undefined) {
    process.stdout.write(`${scenarios().join('\n')}\n`);
    return EXIT.healthy;
  }
  const runbook = runbookOf(options.scenario);
  const display = displayOfReadings(options);
  const interrupt = listenForInterrupt(display.say);
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const { signal } = interrupt;
  const dialogue: Dialogue = { input: process.stdin, output: process.stderr, isTerminal, signal, showWhole() {} };
  const setting: RecoverySetting = {
    ...fixSetting(options, { yes: options.yes, digest: '' }, signal, display),
    clusterOptions: clusterOptionsOf(options),
    say: line => process.stdout.write(`${line}\n`),
    async ask(question, choices) {
      if (!isTerminal) return 'no terminal';
      for (;;) {
        const line = await oneLine(
          `${question}  ${choices.map(choice => `[${choice[0]}]${choice.slice(1)}`).join('  ')}  › `,
          dialogue,
        );
        // The end of the input, and an empty line, are no agreement to anything.
        const word = line?.trim().toLowerCase() || 'q';
        const chosen = choices.find(choice => word === choice || word === LETTERS[choice]);
        if (chosen) return chosen;
      }
    },
  };
  try {
    const { complete, fixes } = await recover(runbook, setting);
    if (signal.aborted) return EXIT.interrupted;
    return complete ? fixExitCode(fixes) : EXIT.unfixed;
  } finally {
    interrupt.end();
  }
}
