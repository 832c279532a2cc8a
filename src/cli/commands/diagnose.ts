import { chooseRules } from '../../app/choose-rules.ts';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../app/diagnose.ts';
import { allRules } from '../../app/rule-files.ts';
import { builtinSignatures } from '../../app/signature-files.ts';
import { version } from '../../app/version.ts';
import { formatByFile, formatByName } from '../../report/formats.ts';
import { EXIT, exitCodeOf, type FailOn } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { GlobalOptions, ReadingOptions, RuleOptions } from '../options.ts';
import { screenOptions, writeReports } from '../outputs.ts';
import { startProgress } from '../progress.ts';
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
  for (const path of options.output) formatByFile(path);
  const rules = chooseRules(allRules(options.rules), options.only, options.skip);
  const interrupt = listenForInterrupt();
  const { sources, fleet } = await openClusters(options, interrupt.signal);
  const progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
    clusters: sources.map(source => source.cluster),
    quiet: options.quiet,
    verbose: options.verbose,
    expected: EVIDENCE_PER_CLUSTER,
  });
  try {
    const complete = await diagnoseFleet(sources, {
      rules,
      signatures: builtinSignatures(),
      expectations: fleet?.expectations ?? NO_EXPECTATIONS,
      fleet: fleet?.name ?? '',
      concurrency: options.concurrency,
      version: version(),
      command: ['thanos-doctor', ...argv].join(' '),
      onProgress: progress.onProgress,
    });
    progress.end();
    const report = interrupt.signal.aborted ? { ...complete, run: { ...complete.run, partial: true } } : complete;
    await writeReports(report, options.output, options.all);
    const screen = screenOptions(terminalOf(process.stdout, options.color), options.all);
    process.stdout.write(formatByName(options.format)(report, screen));
    if (!options.quiet) for (const path of options.output) process.stderr.write(`wrote ${path}\n`);
    return report.run.partial ? EXIT.interrupted : exitCodeOf(report, options['fail-on']);
  } finally {
    progress.end();
    interrupt.end();
    await Promise.all(sources.map(source => source.close()));
  }
}
