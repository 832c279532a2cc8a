import type { RetryPolicy } from './live-options.ts';
import { TransportFailure } from './transport.ts';

/** What a retry is decided on. */
interface Attempted {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const PASSING_STATUS = new Set([429, 500, 502, 503, 504]);

/**
 * Repeats a request that was throttled, that the server failed at, or whose connection broke; the last answer or
 * failure is the result. A refused connection and a timeout are not repeated: they take long, or will be the same.
 */
export async function withRetries<Answer extends Attempted>(
  policy: RetryPolicy,
  stop: AbortSignal,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  for (let retry = 0; ; retry += 1) {
    const last = retry >= policy.retries || stop.aborted;
    let wait = policy.delay * 2 ** retry;
    try {
      const answer = await attempt();
      if (last || !PASSING_STATUS.has(answer.status)) return answer;
      wait = Math.max(wait, retryAfter(answer) ?? 0);
      if (wait > policy.longest) return answer;
    } catch (error) {
      if (last || !(error instanceof TransportFailure) || error.lasting) throw error;
      if (!/^(reset|truncated)$/.test(error.reason)) throw error;
    }
    await pause(wait, stop);
  }
}

/** Milliseconds that `Retry-After` asks for, in seconds or as a date; undefined where it does not. */
function retryAfter({ headers }: Attempted): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string' || value === '') return undefined;
  if (/^[0-9]+$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  const now = Date.parse(String(headers.date ?? '')) || Date.now();
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stop.addEventListener('abort', done);
  });
}
