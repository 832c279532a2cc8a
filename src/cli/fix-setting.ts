import { NO_EXPECTATIONS } from '../app/diagnose.ts';
import type { FixSetting } from '../app/fix.ts';
import { openJournal, stateFolder } from '../app/fix-journal.ts';
import { openWriterOf } from '../app/fix-writer.ts';
import { tunedRules } from '../app/fleet-file.ts';
import { allRules } from '../app/rule-files.ts';
import { builtinSignatures } from '../app/signature-files.ts';
import type { Plan } from '../model/remediation.ts';
import { UserError } from '../model/user-error.ts';
import { planText } from '../report/fix.ts';
import { confirmPlan, type Dialogue, type GivenConfirmation } from './fix-dialogue.ts';
import type { GlobalOptions, ReadingOptions, RuleOptions } from './options.ts';
import { EVIDENCE_PER_CLUSTER, type ProgressDisplay, startProgress } from './progress.ts';
import { fleetOf, liveChoiceOf, openClusters } from './read-clusters.ts';
import { terminalOf } from './terminal.ts';

/** What every command that fixes takes. */
export interface FixOptions extends ReadingOptions, RuleOptions, GlobalOptions {
  readonly yes: boolean;
  readonly reason: string | undefined;
  readonly insist: boolean;
  readonly size: string | undefined;
  readonly 'max-memory': string | undefined;
  readonly retention: string | undefined;
  readonly range: string | undefined;
  readonly 'allow-bucket-writes': boolean;
  readonly 'allow-data-steps': boolean;
  readonly copy: string | undefined;
  readonly 'accept-downtime': boolean;
  readonly 'max-changes': number;
}

/** Shows how far each reading of the clusters is; a fix reads them more than once. */
export interface ReadingDisplay {
  readonly beginReading: (clusters: readonly string[]) => ProgressDisplay;
  /** Writes a line to standard error, above what is redrawn. */
  say(line: string): void;
}

export function displayOfReadings(options: GlobalOptions): ReadingDisplay {
  let now: ProgressDisplay | undefined;
  return {
    beginReading(clusters) {
      const begun = startProgress(process.stderr, terminalOf(process.stderr, options.color), {
        clusters,
        quiet: options.quiet,
        verbose: options.verbose,
        expected: EVIDENCE_PER_CLUSTER,
      });
      now = begun;
      return {
        ...begun,
        end() {
          begun.end();
          now = undefined;
        },
      };
    },
    say: line => (now ? now.say(line) : void process.stderr.write(`${line}\n`)),
  };
}

/** Everything that a fix needs of the command line: clusters, rules, the audit log, and the person. */
export function fixSetting(
  options: FixOptions,
  given: GivenConfirmation,
  signal: AbortSignal,
  { beginReading }: ReadingDisplay,
): FixSetting {
  if (options.bundle !== undefined)
    throw new UserError('cannot fix what a bundle holds: it is a copy', 'leave --bundle out, and name the cluster');
  const rules = allRules(options.rules);
  const fleet = fleetOf(options, rules);
  const err = terminalOf(process.stderr, options.color);
  const show = (plan: Plan, place: string, whole: boolean) =>
    process.stderr.write(`\n${planText(plan, place, { width: err.width, unicode: err.unicode, whole })}\n`);
  const dialogue: Dialogue = {
    input: process.stdin,
    output: process.stderr,
    isTerminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
    signal,
    showWhole: plan => show(plan, '', true),
  };
  return {
    // What is suppressed is mended all the same where somebody asks for it by its name.
    rules: tunedRules(rules, fleet).rules,
    signatures: builtinSignatures(),
    expectations: fleet?.expectations ?? NO_EXPECTATIONS,
    concurrency: options.concurrency,
    beginReading,
    signal,
    open: async () => openClusters(options, fleet, signal),
    // A fix may wait for longer than a diagnosis.
    openWriter: cluster => openWriterOf(cluster, liveChoiceOf(options, fleet, signal)),
    journal: openJournal(),
    stateFolder: stateFolder(),
    wishes: {
      insist: options.insist,
      size: options.size ?? '',
      maxMemory: options['max-memory'] ?? '',
      retention: options.retention ?? '',
      range: options.range ?? '',
      bucketWrites: options['allow-bucket-writes'],
      dataSteps: options['allow-data-steps'],
      copy: options.copy ?? '',
      downtime: options['accept-downtime'],
    },
    fleetClusters: fleet?.clusters.map(({ name }) => name),
    namespaces: options.namespace,
    reason: options.reason ?? '',
    maxChanges: options['max-changes'],
    async confirm(plan, { number, of }) {
      show(plan, of > 1 ? `${number} of ${of}   ` : '', false);
      return confirmPlan(plan, given, dialogue);
    },
    onProgress(text) {
      if (!options.quiet) process.stderr.write(`   ${text}\n`);
    },
  };
}
