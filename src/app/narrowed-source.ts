import { GapSignal } from '../model/gap.ts';
import type { Source } from '../model/source.ts';

/** The same source without its logs: nobody asked for them. */
export function withoutLogs(source: Source): Source {
  return {
    ...source,
    logs: async () => {
      throw new GapSignal({ reason: 'not-asked', detail: 'logs were left out (--no-logs)', notLookedAt: true });
    },
  };
}
