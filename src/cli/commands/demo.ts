import { relative } from 'node:path';
import { DEMO_FLEETS, type DemoFleet, diagnoseDemo, recordingOf } from '../../app/demo.ts';
import { text } from '../../report/text.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions } from '../options.ts';
import { checkOutputs, quoted, screenOptions, writeReports } from '../outputs.ts';
import { startProgress } from '../progress.ts';
import { terminalOf } from '../terminal.ts';

export interface DemoArguments extends GlobalOptions {
  readonly fleet: DemoFleet;
}

const FILES = ['report.md', 'report.json'];

/** Exit code 0 when the fleet was read and its incident was found, as it must be. */
export async function runDemo(options: DemoArguments): Promise<number> {
  await checkOutputs(FILES);
  const say = (line: string) => void (options.quiet || process.stderr.write(`${line}\n`));
  say(`A recorded incident (${options.fleet}), served by API servers and an object store`);
  say('on local ports, and diagnosed live.');
  const progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
    clusters: [],
    quiet: options.quiet,
    verbose: options.verbose,
    expected: 110,
  });
  const interrupt = listenForInterrupt(progress.say);
  try {
    const report = await diagnoseDemo(options.fleet, progress.onProgress, interrupt.signal);
    progress.end();
    if (interrupt.signal.aborted) return EXIT.interrupted;
    process.stdout.write(text(report, screenOptions(terminalOf(process.stdout, options.color), false)));
    await writeReports(report, FILES, false);
    say(nextSteps(options.fleet));
    return report.roots.length > 0 ? EXIT.healthy : EXIT.problems;
  } finally {
    progress.end();
    interrupt.end();
  }
}

/** What to type next. `npm run demo` runs from a checkout, where the program is not on the PATH. */
function nextSteps(shown: DemoFleet): string {
  const other = DEMO_FLEETS.find(fleet => fleet !== shown)!;
  const place = recordingOf(shown);
  const near = relative('', place);
  const bundle = quoted(near.startsWith('..') ? place : near);
  const program = process.env.npm_lifecycle_event === 'demo' ? 'npx thanos-doctor' : 'thanos-doctor';
  const lines = (...pairs: readonly (readonly [string, string])[]) => {
    const column = Math.max(...pairs.map(([command]) => command.length)) + 3;
    return pairs.map(([command, what]) => `  ${`${program} ${command}`.padEnd(program.length + 1 + column)}${what}`);
  };
  return [
    '',
    `wrote ${FILES.join(' and ')} here`,
    '',
    'These clusters were recorded, and are gone: kubectl and fix are for clusters that run.',
    'What was recorded can be looked at further:',
    `  ${program} diagnose --all --bundle ${bundle}`,
    `  ${program} demo --fleet ${other}`,
    '',
    'Next, for your own clusters:',
    ...lines(
      ['diagnose', 'the current context'],
      ['diagnose --all-contexts -o report.md', 'all, and a report for the ticket'],
      ['collect --all-contexts -o incident.tar.gz', 'save it, to be diagnosed anywhere'],
    ),
  ].join('\n');
}
