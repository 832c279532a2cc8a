import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  checkWanted,
  fixableRoots,
  fixFindings,
  historyOf,
  planFixes,
  resumeFix,
  rootsWithDigest,
  undoFix,
} from '../../app/fix.ts';
import { diagnoseWith } from '../../app/fix-diagnosis.ts';
import { openJournal } from '../../app/fix-journal.ts';
import { emittedFiles, refusedPatches } from '../../app/fix-patches.ts';
import { writeWhole } from '../../app/write-file.ts';
import type { FixReport } from '../../model/remediation.ts';
import { UserError } from '../../model/user-error.ts';
import { outcomesText, planText, refusedGuard } from '../../report/fix.ts';
import { EXIT } from '../exit-codes.ts';
import { displayOfReadings, type FixOptions, fixSetting } from '../fix-setting.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { quoted } from '../outputs.ts';
import { clusterOptionsOf } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface FixArguments extends FixOptions {
  readonly finding: string | undefined;
  readonly plan: boolean;
  readonly output: string | undefined;
  readonly confirm: string | undefined;
  readonly 'emit-patch': string | undefined;
  readonly resume: boolean;
  readonly undo: string | undefined;
  readonly history: boolean;
  readonly format: 'text' | 'json';
}

/** Exit code 0: fixed, or shown. 1: declined. 4: refused, failed, or not verified. */
export async function runFix(options: FixArguments): Promise<number> {
  checkModes(options);
  if (options.history) return showHistory(options);
  const display = displayOfReadings(options);
  const interrupt = listenForInterrupt(line => display.say(`${line}; thanos-doctor fix --resume goes on`));
  try {
    const setting = fixSetting(options, { yes: options.yes, digest: options.confirm ?? '' }, interrupt.signal, display);
    const code = (reports: readonly FixReport[]) => {
      const ordinary = ended(reports, options);
      return interrupt.signal.aborted ? EXIT.interrupted : ordinary;
    };
    if (options.resume) return code(await resumeFix(options.finding ?? '', setting));
    if (options.undo !== undefined) return code(await undoFix(options.undo, setting));
    const findings = await diagnoseWith(setting);
    if (interrupt.signal.aborted) return EXIT.interrupted;
    const wanted = options.finding!;
    checkWanted(findings, wanted, setting.rules);
    const roots = fixableRoots(findings, wanted);
    if (options.plan || options['emit-patch'] !== undefined) return await showPlans(roots, setting, options);
    const meant = await rootsWithDigest(roots, options.confirm ?? '', setting);
    return code(await fixFindings(meant, setting));
  } finally {
    interrupt.end();
  }
}

function checkModes(options: FixArguments): void {
  const modes = [
    options.plan && '--plan',
    options.resume && '--resume',
    options.undo !== undefined && '--undo',
    options.history && '--history',
  ].filter(Boolean);
  if (modes.length > 1) throw new UserError(`${modes.join(' and ')} exclude each other`);
  const needsFinding = !options.resume && options.undo === undefined && !options.history;
  if (needsFinding && options.finding === undefined) {
    throw new UserError(
      'fix needs a finding or a rule',
      'thanos-doctor diagnose names them',
      'or: fix --resume, fix --undo ID, fix --history',
    );
  }
  if (options.output !== undefined && !options.plan)
    throw new UserError('-o goes with --plan: it is the file that the plan is written to');
}

async function showPlans(
  roots: Parameters<typeof fixFindings>[0],
  setting: Parameters<typeof fixFindings>[1],
  options: FixArguments,
): Promise<number> {
  const plans = await planFixes(roots, setting);
  const { width, unicode } = terminalOf(process.stdout, options.color);
  const folder = options['emit-patch'];
  if (folder !== undefined) {
    const refused = refusedPatches(plans);
    for (const line of refused) process.stderr.write(`${line}\n`);
    if (refused.length > 0) return EXIT.unfixed;
    const files = emittedFiles(plans);
    if (files.size === 0)
      throw new UserError(`there is nothing to emit for ${options.finding}: no configuration would be changed`);
    for (const [name, text] of files) {
      // Of several clusters, each has a folder of its own in it.
      if (name.includes('/')) await mkdir(join(folder, dirname(name)), { recursive: true });
      await writeWhole(join(folder, name), text);
    }
    for (const plan of plans) for (const { why } of plan.patches) process.stderr.write(`${why}\n`);
    if (!options.quiet) for (const name of files.keys()) process.stderr.write(`wrote ${join(folder, name)}\n`);
    return EXIT.healthy;
  }
  const json = `${JSON.stringify(plans, null, 2)}\n`;
  if (options.output !== undefined) await writeWhole(options.output, json);
  if (options.format === 'json') process.stdout.write(json);
  else for (const plan of plans) process.stdout.write(`${planText(plan, '', { width, unicode, whole: true })}\n`);
  if (!options.quiet) {
    for (const plan of plans.filter(entry => !refusedGuard(entry))) {
      const same = `${clusterOptionsOf(options)}${wishOptionsOf(options)}`;
      process.stderr.write(
        `to apply exactly this: thanos-doctor fix ${plan.finding}${same} --confirm ${plan.digest}\n`,
      );
    }
  }
  return plans.some(refusedGuard) ? EXIT.unfixed : EXIT.healthy;
}

/** The options that a plan depends on, as they were given: without them it would be another plan. */
function wishOptionsOf(options: FixArguments): string {
  const values = (['size', 'max-memory', 'retention', 'range', 'copy'] as const).flatMap(name =>
    options[name] === undefined ? [] : [`--${name}`, quoted(options[name])],
  );
  const flags = (['insist', 'allow-bucket-writes', 'allow-data-steps', 'accept-downtime'] as const)
    .filter(name => options[name])
    .map(name => `--${name}`);
  return [...values, ...flags, ...options.rules.flatMap(folder => ['--rules', quoted(folder)])]
    .map(word => ` ${word}`)
    .join('');
}

async function showHistory(options: FixArguments): Promise<number> {
  const journal = openJournal();
  const attempts = historyOf(await journal.read());
  if (options.format === 'json') {
    process.stdout.write(`${JSON.stringify(attempts, null, 2)}\n`);
    return EXIT.healthy;
  }
  for (const { id, time, mode, who, cluster, title, finding, outcome, detail } of attempts) {
    process.stdout.write(
      `${id}  ${time}  ${outcome}  ${mode}: ${title}, ${finding} in ${cluster}${who ? `, by ${who}` : ''}\n    ${detail}\n`,
    );
  }
  const count = attempts.length === 0 ? 'nothing was done yet; it would stand' : `${attempts.length} in all,`;
  process.stderr.write(`${count} in ${journal.place}\n`);
  return EXIT.healthy;
}

function ended(reports: readonly FixReport[], options: FixArguments): number {
  if (options.format === 'json') process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  else process.stdout.write(outcomesText(reports));
  return fixExitCode(reports);
}

/** 4 where anything was refused, failed or stayed unverified; 1 where something was declined. */
export function fixExitCode(reports: readonly FixReport[]): number {
  if (reports.some(({ outcome }) => outcome === 'refused' || outcome === 'failed' || outcome === 'unverified'))
    return EXIT.unfixed;
  return reports.some(({ outcome }) => outcome === 'declined') ? EXIT.problems : EXIT.healthy;
}
