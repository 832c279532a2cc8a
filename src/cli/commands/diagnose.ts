import { chooseRules } from '../../app/choose-rules.ts';
import { diagnoseFleet, expiredAt, NO_EXPECTATIONS } from '../../app/diagnose.ts';
import { type FleetFile, tunedRules } from '../../app/fleet-file.ts';
import { allRules } from '../../app/rule-files.ts';
import { builtinSignatures } from '../../app/signature-files.ts';
import type { Tuned } from '../../app/tuning.ts';
import { version } from '../../app/version.ts';
import type { Report } from '../../model/report.ts';
import type { Source } from '../../model/source.ts';
import { UserError } from '../../model/user-error.ts';
import { formatByName } from '../../report/formats.ts';
import { EXIT, exitCodeOf, type FailOn } from '../exit-codes.ts';
import type { FixOptions } from '../fix-setting.ts';
import { type Interrupt, listenForInterrupt } from '../interrupt.ts';
import { checkOutputs, commandLine, screenOptions, writeReports } from '../outputs.ts';
import { EVIDENCE_PER_CLUSTER, type ProgressDisplay, startProgress } from '../progress.ts';
import { fleetOf, openClusters, unusedFleetFile } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface DiagnoseArguments extends FixOptions {
  readonly fix: boolean;
  readonly format: string;
  readonly output: readonly string[];
  readonly 'fail-on': FailOn;
  readonly all: boolean;
}

export async function runDiagnose(options: DiagnoseArguments, argv: readonly string[]): Promise<number> {
  await checkOutputs(options.output);
  if (options.fix && options.bundle !== undefined) {
    throw new UserError('--fix and --bundle exclude each other: a bundle is a copy, and cannot be mended');
  }
  checkFixOptions(options, argv);
  const all = allRules(options.rules);
  const fleet = fleetOf(options, all);
  const unused = unusedFleetFile(fleet);
  if (unused && !options.quiet) process.stderr.write(`${unused}\n`);
  const tuned = tunedRules(all, fleet);
  const rules = chooseRules(tuned.rules, options);
  let progress: ProgressDisplay | undefined;
  // A bundle lies here: nothing has to be waited for, and Ctrl-C simply ends the program.
  const interrupt = options.bundle === undefined ? listenForInterrupt(line => progress?.say(line)) : undefined;
  let sources: readonly Source[] = [];
  try {
    sources = await openClusters(options, fleet, interrupt?.signal ?? new AbortController().signal);
    if (!options.quiet) sayLeftOut(fleet, sources);
    progress = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
      clusters: sources.map(source => source.cluster),
      quiet: options.quiet,
      verbose: options.verbose,
      expected: EVIDENCE_PER_CLUSTER,
    });
    const complete = await diagnoseFleet(sources, {
      rules,
      signatures: builtinSignatures(),
      expectations: fleet?.expectations ?? NO_EXPECTATIONS,
      suppressions: tuned.suppressions,
      tuned: tuned.changes,
      fleet: fleet?.name ?? '',
      concurrency: options.concurrency,
      version: version(),
      command: commandLine(argv),
      onProgress: progress.onProgress,
    });
    progress.end();
    if (!options.quiet) sayExpired(tuned, complete);
    const diagnosed = interrupt?.signal.aborted ? { ...complete, run: { ...complete.run, partial: true } } : complete;
    const screen = screenOptions(terminalOf(process.stdout, options.color), options.all);
    const printed = formatByName(options.format);
    // JSON is one document: the outcomes belong into it. Anything else is read before anybody is asked.
    if (options.format !== 'json' || !options.fix) process.stdout.write(printed(diagnosed, screen));
    const report =
      options.fix && !diagnosed.run.partial ? await fixed(diagnosed, options, interrupt?.signal) : diagnosed;
    if (options.format === 'json' && options.fix) process.stdout.write(printed(report, screen));
    await undisturbed(interrupt, () => writeReports(report, options.output, options.all));
    if (!options.quiet) for (const path of options.output) process.stderr.write(`wrote ${path}\n`);
    if (report.run.partial || interrupt?.signal.aborted) return EXIT.interrupted;
    return exitCodeAfterFixes(report, exitCodeOf(report, options['fail-on']));
  } finally {
    progress?.end();
    interrupt?.end();
    await Promise.all(sources.map(source => source.close()));
  }
}

/** Where Ctrl-C would end the program at once, it waits for files that are half written. */
async function undisturbed(interrupt: Interrupt | undefined, write: () => Promise<void>): Promise<void> {
  const meanwhile = interrupt ? undefined : listenForInterrupt(() => {});
  try {
    await write();
  } finally {
    meanwhile?.end();
  }
}

const OF_FIX =
  /^--(?:no-)?(?:yes|reason|insist|size|max-memory|retention|range|allow-bucket-writes|allow-data-steps|copy|accept-downtime|max-changes)(?:=|$)/;

/** An option that would do nothing is said: what it was to allow does not happen. */
function checkFixOptions({ fix }: DiagnoseArguments, argv: readonly string[]): void {
  const idle = fix ? undefined : argv.find(word => OF_FIX.test(word));
  if (idle !== undefined)
    throw new UserError(
      `${idle.split('=')[0]} does nothing without --fix`,
      'thanos-doctor diagnose --fix offers fixes',
    );
}

/** What a fleet file names and nobody looks at: the verdict is of the others alone. */
function sayLeftOut(fleet: FleetFile | undefined, sources: readonly Source[]): void {
  const names = new Set(sources.map(({ cluster }) => cluster));
  const leftOut = (fleet?.clusters ?? []).map(({ name }) => name).filter(name => !names.has(name));
  if (fleet && leftOut.length > 0) process.stderr.write(`not looked at: ${leftOut.join(', ')} of ${fleet.path}\n`);
}

function sayExpired({ suppressions }: Tuned, { takenAt }: Report): void {
  for (const { place, rule, until } of expiredAt(suppressions, Date.parse(takenAt))) {
    process.stderr.write(`${place}: the suppression of ${rule} ended with ${until} and no longer works\n`);
  }
}

/** The report with what came of the fixes; progress, plans and questions go to standard error. */
async function fixed(
  report: Report,
  options: DiagnoseArguments,
  signal = new AbortController().signal,
): Promise<Report> {
  const { fixableRoots, fixFindings } = await import('../../app/fix.ts');
  const { displayOfReadings, fixSetting } = await import('../fix-setting.ts');
  const { outcomesText } = await import('../../report/fix.ts');
  const roots = fixableRoots(report.findings, '');
  if (roots.length === 0) {
    if (!options.quiet) process.stderr.write('\nnothing that was found can be fixed automatically\n');
    return report;
  }
  const fixes = await fixFindings(
    roots,
    fixSetting(options, { yes: options.yes, digest: '' }, signal, displayOfReadings(options)),
  );
  process.stderr.write(`\n${outcomesText(fixes)}`);
  return { ...report, fixes };
}

/** A fix that did not come about is said above all; what was mended is no problem any more. */
function exitCodeAfterFixes({ fixes, findings, roots }: Report, code: number): number {
  if (!fixes) return code;
  if (fixes.some(({ outcome }) => outcome === 'refused' || outcome === 'failed' || outcome === 'unverified'))
    return EXIT.unfixed;
  const mended = new Set(fixes.filter(({ outcome }) => outcome === 'fixed').map(({ finding }) => finding));
  const isMended = (id: string) =>
    mended.has(id) || findings.some(other => other.id === id && other.causedBy.some(cause => mended.has(cause)));
  return code === EXIT.problems && roots.every(isMended) ? EXIT.healthy : code;
}
