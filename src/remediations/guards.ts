import { GapSignal } from '../model/gap.ts';
import type { Guard } from '../model/remediation.ts';
import { Refusal } from './refusal.ts';

/** Evaluates a guard: true passes, a text says why not, a gap leaves it unknown, which refuses all the same. */
export async function guard(
  id: string,
  what: string,
  check: () => Promise<true | string> | true | string,
): Promise<Guard> {
  try {
    const answer = await check();
    return answer === true ? passed(id, what) : { id, what, result: 'failed', detail: answer };
  } catch (error) {
    if (error instanceof GapSignal) return { id, what, result: 'unknown', detail: error.gap.detail };
    if (error instanceof Refusal) return { id, what, result: 'failed', detail: error.message };
    throw error;
  }
}

export function passed(id: string, what: string): Guard {
  return { id, what, result: 'passed', detail: '' };
}

/** The first guard that keeps a plan from being applied. */
export function refusing(guards: readonly Guard[]): Guard | undefined {
  return guards.find(entry => entry.result !== 'passed');
}
