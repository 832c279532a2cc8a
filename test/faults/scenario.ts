import type { Finding } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import { edgeOf, hubOf } from './pods.ts';
import { type Base, diagnosed, type Expected, expectRoots, type World } from './recorded-world.ts';
import { settled } from './settle.ts';

export interface Fleet {
  readonly hub: World;
  readonly edge: World;
  readonly worlds: readonly World[];
}

export interface Outcome extends Expected {
  /** The processes run on, and so do connections between them. */
  readonly established?: boolean;
}

/** Breaks something, and says what has to be found. */
export type Scenario = (fleet: Fleet) => Outcome;

export const fleetOf = (worlds: readonly World[]): Fleet => ({ hub: hubOf(worlds), edge: edgeOf(worlds), worlds });

/** Changes a recorded fleet, lets follow what follows, diagnoses it, and compares. */
export async function expectFound(scenario: Scenario, base: Base = 'healthy-fleet'): Promise<Report> {
  let expected: Outcome = { roots: [] };
  const report = await diagnosed(base, worlds => {
    expected = scenario(fleetOf(worlds));
    settled(worlds, expected);
  });
  if (process.env.SHOW_FINDINGS) show(report);
  expectRoots(report, expected);
  return report;
}

/** The same where nothing is wrong. */
export const expectHealthy = (change: (fleet: Fleet) => void, base?: Base): Promise<Report> =>
  expectFound(fleet => {
    change(fleet);
    return { roots: [] };
  }, base);

function show(report: Report): void {
  const serious = report.findings.filter(finding => finding.severity !== 'info');
  const line = ({ rule, cluster, subject, message }: Finding) =>
    `${rule} @${cluster} ${subject.kind} ${subject.namespace}/${subject.name}: ${message}`;
  for (const finding of serious) {
    const causes = finding.causedBy.map(id => id.split('/').slice(0, 2).join(' @'));
    console.log(
      `${finding.root ? 'ROOT ' : '     '}${line(finding)}${causes.length > 0 ? ` <- ${causes.join(', ')}` : ''}`,
    );
  }
}
