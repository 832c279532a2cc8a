import { GapSignal } from '../model/gap.ts';
import type { PlanInput } from '../model/remediation.ts';
import { rowsOf } from './evidence-rows.ts';

/** Names of all metrics that an evaluator can ask for: its own for a Prometheus, those of the whole cluster for a Ruler. Throws their gap. */
export async function metricsFor({ evidence }: PlanInput, evaluator: string): Promise<ReadonlySet<string>> {
  const rows = await rowsOf(evidence, 'prometheus.metric-names');
  const own = rows.filter(row => row.evaluator.key === evaluator);
  const asked = own.length > 0 ? own : evaluator.startsWith('ThanosRuler ') ? rows : [];
  if (asked.length === 0) {
    throw new GapSignal({ reason: 'not-found', detail: `which metrics ${evaluator} has is not known` });
  }
  return new Set(asked.flatMap(row => row.names as readonly string[]));
}
