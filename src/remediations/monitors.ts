import type { Draft, PlanInput, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { nameOf } from './targets.ts';

/** What the operator makes of a monitor or rule: whether it is selected, and what is missing. */
export async function selectionRow({ evidence }: PlanInput, target: Target): Promise<RawObject | undefined> {
  const rows = await rowsOf(evidence, 'prometheus-operator.selection');
  return rows.find(row => row.object.key === nameOf(target));
}

/** Operator resync, propagation of the Secret, reload, and two scrapes. */
export function scraped(rule: string): Draft['verify'] {
  return { what: `${rule} is healthy`, seconds: 300 };
}

export const MONITOR_ACCESS = [
  {
    verbs: ['get', 'patch'],
    group: 'monitoring.coreos.com',
    resource: 'servicemonitors',
  },
] as const;
