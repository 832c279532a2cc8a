import type { Report } from '../model/report.ts';

/** Exit codes, the same for every command and format. */
export const EXIT = { healthy: 0, problems: 1, usage: 2, unknown: 3, unfixed: 4, interrupted: 130 } as const;

export type FailOn = 'critical' | 'warning' | 'info' | 'never';

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** The exit code of a report: problems at or above `failOn` first, then what could not be read. */
export function exitCodeOf(report: Report, failOn: FailOn): number {
  const worst = Math.min(3, ...report.findings.map(finding => RANK[finding.severity]));
  if (failOn !== 'never' && worst <= RANK[failOn]) return EXIT.problems;
  return report.verdict === 'unknown' ? EXIT.unknown : EXIT.healthy;
}
