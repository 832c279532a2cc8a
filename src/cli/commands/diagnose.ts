import { chooseRules } from '../../app/choose-rules.ts';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../app/diagnose.ts';
import { allRules } from '../../app/rule-files.ts';
import { builtinSignatures } from '../../app/signature-files.ts';
import { version } from '../../app/version.ts';
import type { Source } from '../../model/source.ts';
import { formatByName } from '../../report/formats.ts';
import { EXIT, exitCodeOf, type FailOn } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions, ReadingOptions, RuleOptions } from '../options.ts';
import { checkOutputs, commandLine, screenOptions, writeReports } from '../outputs.ts';
import { type ProgressDisplay, startProgress } from '../progress.ts';
import { openClusters } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface DiagnoseArguments extends ReadingOptions, RuleOptions, GlobalOptions {
  readonly format: string;
  readonly output: readonly string[];
  readonly 'fail-on': FailOn;
  readonly all: boolean;
}

/** About how many kinds of evidence one cluster is asked for; only the progress bar reads it. */
const EVIDENCE_PER_CLUSTER = 110;

export async function runDiagnose(options: DiagnoseArguments, argv: readonly string[]): Promise<number> {
  await checkOutputs(options.output);
  const rules = chooseRules(allRules(options.rules), options.only, options.skip);
  let progress: ProgressDisplay | undefined;
  // A bundle lies here: nothing has to be waited for, and Ctrl-C simply ends the program.
  const interrupt = options.bundle === undefined ? listenForInterrupt(line => progress?.say(line)) : undefined;
  let sources: readonly Source[] = [];
  try {
    const opened = await openClusters(options, interrupt?.signal ?? new AbortController().signal);
    sources = opened.sources;
    progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
      clusters: sources.map(source => source.cluster),
      quiet: options.quiet,
      verbose: options.verbose,
      expected: EVIDENCE_PER_CLUSTER,
    });
    const complete = await diagnoseFleet(sources, {
      rules,
      signatures: builtinSignatures(),
      expectations: opened.fleet?.expectations ?? NO_EXPECTATIONS,
      fleet: opened.fleet?.name ?? '',
      concurrency: options.concurrency,
      version: version(),
      command: commandLine(argv),
      onProgress: progress.onProgress,
    });
    progress.end();
    const report = interrupt?.signal.aborted ? { ...complete, run: { ...complete.run, partial: true } } : complete;
    const screen = screenOptions(terminalOf(process.stdout, options.color), options.all);
    process.stdout.write(formatByName(options.format)(report, screen));
    await writeReports(report, options.output, options.all);
    if (!options.quiet) for (const path of options.output) process.stderr.write(`wrote ${path}\n`);
    return report.run.partial ? EXIT.interrupted : exitCodeOf(report, options['fail-on']);
  } finally {
    progress?.end();
    interrupt?.end();
    await Promise.all(sources.map(source => source.close()));
  }
}
