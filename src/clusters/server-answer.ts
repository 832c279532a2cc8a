import { GapSignal } from '../model/gap.ts';
import type { ServerAnswer } from '../model/source.ts';
import type { ApiServer } from './api-server.ts';

/** Statuses of `/readyz` that say nothing about the server. */
const NO_VERDICT = new Set([401, 403, 404, 429]);

/** Bytes of what is said in a few words. */
const LONGEST_WORD = 1024 ** 2;

/**
 * `/version` and `/readyz`, once and briefly: the preflight. Throws where `/version` does not answer. `ready` is false
 * only where the server itself says so; that `/readyz` could not be read stands among the failures.
 */
export async function readServer(api: ApiServer, timeout: number): Promise<ServerAnswer> {
  const version = await api.json({ path: '/version', timeout, retries: 1, maxBytes: LONGEST_WORD });
  // Only then: a server that is not reached is one failure, not two.
  const ready = await isReady(api, timeout).catch(ignoreGap);
  const clock = api.clock();
  return {
    version: String(version.gitVersion ?? ''),
    minor: Number.parseInt(version.minor, 10) || 0,
    host: api.host,
    context: api.context,
    ready,
    ...(clock ? { clock } : {}),
  };
}

async function isReady(api: ApiServer, timeout: number): Promise<boolean> {
  const request = { path: '/readyz', accept: '*/*', timeout, retries: 0, maxBytes: LONGEST_WORD };
  const answer = await api.read(request);
  if (answer.status === 200) return true;
  api.refused(request, answer);
  return NO_VERDICT.has(answer.status);
}

function ignoreGap(error: unknown): boolean {
  if (error instanceof GapSignal) return true;
  throw error;
}
