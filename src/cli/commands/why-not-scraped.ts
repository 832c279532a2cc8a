import { NO_EXPECTATIONS } from '../../app/diagnose.ts';
import { tunedWhereKnown } from '../../app/fleet-file.ts';
import { builtinRules } from '../../app/rule-files.ts';
import { builtinSignatures } from '../../app/signature-files.ts';
import { whyNotScraped } from '../../app/why-not-scraped.ts';
import { scrapeJson, scrapeText } from '../../report/why-not-scraped.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions, ReadingOptions } from '../options.ts';
import { screenOptions } from '../outputs.ts';
import { type ProgressDisplay, startProgress } from '../progress.ts';
import { fleetOf, openClusters } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface WhyNotScrapedArguments extends ReadingOptions, GlobalOptions {
  readonly name: string;
  readonly format: 'text' | 'json';
}

/** About how many kinds of evidence one cluster is asked for; only the progress bar reads it. */
const EVIDENCE_PER_CLUSTER = 60;

/** Exit code 0: it works. 1: something stops it. 3: what decides it could not be read. */
export async function runWhyNotScraped(options: WhyNotScrapedArguments): Promise<number> {
  // Everything that may stop it is read: a namespace left out, or logs, would only make the answer unknown.
  const reading = { ...options, namespace: [], since: undefined, logs: true, secrets: false };
  const fleet = fleetOf(reading);
  const { rules } = tunedWhereKnown(builtinRules(), fleet);
  let progress: ProgressDisplay | undefined;
  const interrupt = listenForInterrupt(line => progress?.say(line));
  const sources = await openClusters(reading, fleet, interrupt.signal);
  try {
    progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
      clusters: sources.map(({ cluster }) => cluster),
      quiet: options.quiet,
      verbose: options.verbose,
      expected: EVIDENCE_PER_CLUSTER,
    });
    const answers = await whyNotScraped(
      sources,
      {
        rules,
        signatures: builtinSignatures(),
        expectations: fleet?.expectations ?? NO_EXPECTATIONS,
        concurrency: options.concurrency,
        onRead: progress.onProgress,
      },
      options.name,
    );
    progress.end();
    const screen = screenOptions(terminalOf(process.stdout, options.color), false);
    process.stdout.write(options.format === 'json' ? scrapeJson(answers) : scrapeText(answers, screen));
    if (interrupt.signal.aborted) return EXIT.interrupted;
    if (answers.some(({ verdict }) => verdict === 'stopped')) return EXIT.problems;
    return answers.some(({ verdict }) => verdict === 'unknown') ? EXIT.unknown : EXIT.healthy;
  } finally {
    progress?.end();
    interrupt.end();
    await Promise.all(sources.map(source => source.close()));
  }
}
