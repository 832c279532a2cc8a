import type { FixReport, Guard, Plan } from '../model/remediation.ts';
import { clean } from './clean.ts';
import { sweepText } from './sweep.ts';
import { wrap } from './wrap.ts';

export interface PlanTextOptions {
  readonly width: number;
  readonly unicode: boolean;
  /** Every line of every diff. */
  readonly whole: boolean;
}

const LABEL = 10;
const DIFF_LINES = 8;

/** A plan as a person decides on it: what, where, exact diff, guards, risk, how it is verified and undone. */
export function planText(plan: Plan, place: string, options: PlanTextOptions): string {
  const { width, unicode } = options;
  const room = Math.max(30, width - LABEL - 3);
  const lines: string[] = [
    ` ${place}${plan.title}   for ${plan.rule || plan.action} ${unicode ? '·' : '-'} ${plan.cluster}`,
    '',
  ];
  const row = (label: string, texts: readonly string[]) => {
    texts
      .flatMap(text => wrap(said(text), room))
      .forEach((text, index) => {
        lines.push(`   ${(index === 0 ? label : '').padEnd(LABEL)}${text}`);
      });
  };
  plan.steps.forEach((step, index) => {
    const waits = step.do === 'wait';
    const label = index === 0 ? 'Change' : waits ? '' : 'Then';
    row(label, [waits ? `wait until ${step.title}` : step.title]);
    const diff = plan.diffs.find(({ title }) => title === step.title);
    const shown = options.whole ? (diff?.lines ?? []) : (diff?.lines ?? []).slice(0, DIFF_LINES);
    for (const line of shown) lines.push(`   ${''.padEnd(LABEL)}  ${said(line)}`);
    if (diff && diff.lines.length > shown.length)
      lines.push(`   ${''.padEnd(LABEL)}  … ${diff.lines.length - shown.length} more lines`);
  });
  if (plan.steps.length === 0) row('Change', ['none: it is refused']);
  lines.push('');
  plan.guards.forEach((guard, index) => {
    row(index === 0 ? 'Guards' : '', [guardText(guard, unicode)]);
  });
  if (plan.steps.length > 0) {
    const lease =
      'besides: the Lease thanos-doctor is held meanwhile, and an Event ThanosDoctorFixed is left where that is allowed';
    row('Risk', [`${plan.risk}: ${plan.riskText}`]);
    row('Verify', [`${plan.verify.what}, within ${minutes(plan.verify.seconds)}`]);
    row('Undo', [plan.undo.what]);
    row('Note', [lease, ...plan.notes]);
    row('Digest', [plan.digest]);
  }
  return `${lines.join('\n')}\n`;
}

function guardText({ what, result, detail }: Guard, unicode: boolean): string {
  if (result === 'passed') return `${unicode ? '✓' : '+'} ${what}`;
  const why = result === 'unknown' ? `could not be told: ${detail}` : detail;
  return `${unicode ? '✗' : 'x'} ${what}: ${why}`;
}

/** What came of each fix, one block each. */
export function outcomesText(reports: readonly FixReport[]): string {
  return reports
    .map(({ rule, cluster, action, outcome, detail, applied, undo }) =>
      [
        `${outcome}: ${said(`${rule || action} in ${cluster}${detail ? `: ${detail}` : ''}`)}`,
        ...(applied.length > 0 && outcome !== 'fixed' ? [`  applied: ${applied.map(said).join('; ')}`] : []),
        ...(undo ? [`  to undo: ${undo}`] : []),
      ].join('\n'),
    )
    .map(text => `${text}\n`)
    .join('');
}

function said(text: string): string {
  return sweepText(clean(text));
}

function minutes(seconds: number): string {
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
}

/** The guard that refuses a plan, or undefined. */
export function refusedGuard(plan: Plan): Guard | undefined {
  return plan.guards.find(({ result }) => result !== 'passed');
}
