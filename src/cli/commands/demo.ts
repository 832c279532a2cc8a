import { DEMO_FLEETS, diagnoseDemo } from '../../app/demo.ts';
import { text } from '../../report/text.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions } from '../options.ts';
import { checkOutputs, screenOptions, writeReports } from '../outputs.ts';
import { startProgress } from '../progress.ts';
import { terminalOf } from '../terminal.ts';

export interface DemoArguments extends GlobalOptions {
  readonly fleet: (typeof DEMO_FLEETS)[number];
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

function nextSteps(shown: (typeof DEMO_FLEETS)[number]): string {
  const other = DEMO_FLEETS.find(fleet => fleet !== shown)!;
  return [
    '',
    `wrote ${FILES.join(' and ')} here`,
    '',
    'Next, for your own clusters:',
    '  thanos-doctor diagnose                                    the current context',
    '  thanos-doctor diagnose --all-contexts -o report.md        all, and a report for the ticket',
    '  thanos-doctor collect --all-contexts -o incident.tar.gz   save it, to be diagnosed anywhere',
    `  ${`thanos-doctor demo --fleet ${other}`.padEnd(57)} the other recorded incident`,
  ].join('\n');
}
