import type { Writer } from '../model/remediation.ts';
import { UserError } from '../model/user-error.ts';
import { type LiveChoice, liveOptionsOf } from './open-live.ts';

/** Opens one of the chosen clusters for changing it. */
export async function openWriterOf(cluster: string, choice: LiveChoice): Promise<Writer> {
  const { openLiveWriter } = await import('../clusters/live-writer.ts');
  const options = (await liveOptionsOf(choice)).find(({ name }) => name === cluster);
  if (!options) throw new UserError(`cannot change cluster ${cluster}: it is none of those that were named`);
  return openLiveWriter(options);
}
