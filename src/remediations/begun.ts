import type { Plan } from '../model/remediation.ts';

/** A plan that is applied, from its first line in the audit log on. */
export interface Begun {
  readonly id: string;
  readonly plan: Plan;
  readonly mode: 'fix' | 'undo';
  readonly undoes: string;
  readonly reason: string;
  readonly at: string;
}
