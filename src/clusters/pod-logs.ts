import type { LogAnswer, LogRequest } from '../model/source.ts';
import type { ApiServer } from './api-server.ts';
import { statusObject } from './api-server.ts';
import { isNoLogYet } from './bundle-source.ts';
import type { Redactor } from './redact.ts';
import { TransportFailure } from './transport.ts';

export interface LogLimits {
  readonly lines: number;
  readonly bytes: number;
  readonly sinceSeconds: number | undefined;
}

/** What a kubelet writes, with status 200, in place of a log that it does not have. */
const NO_FILE = /^(?:unable to retrieve container logs for|failed to try resolving symlinks in path)/;

/** The log of one run of a container, as a stream without credentials. What fails in the middle is thrown there. */
export async function readLog(
  api: ApiServer,
  redactor: Redactor,
  limits: LogLimits,
  timeout: number,
  { namespace, pod, container, previous }: LogRequest,
): Promise<LogAnswer> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}${previous ? '&previous=true' : ''}`;
  const since = limits.sinceSeconds === undefined ? '' : `&sinceSeconds=${limits.sinceSeconds}`;
  const tail = `&tailLines=${limits.lines}&limitBytes=${limits.bytes}${since}&timestamps=true`;
  const request = { path: path + tail, place: path, accept: '*/*', timeout };
  const answer = await api.open(request);
  if ('chunks' in answer) {
    const chunks = answer.chunks[Symbol.asyncIterator]();
    const first = await next(chunks, error => api.failed(request, error));
    if (/^text\/html\b/i.test(answer.headers['content-type'] ?? '')) {
      await chunks.return?.();
      throw api.malformed(request, { ...answer, body: Buffer.from(first ?? '') });
    }
    const start = first === undefined ? '' : Buffer.from(first).toString('utf8', 0, 300);
    if (NO_FILE.test(start)) {
      await chunks.return?.();
      const body = Buffer.from(start.split('\n')[0]!);
      const gap = api.refused(request, { status: 500, headers: {}, body });
      // An earlier run's log that was cleared away is no failure to read it.
      if (previous) return { is: 'none', why: gap.gap.detail, path };
      throw gap;
    }
    const whole = limited(first, chunks, limits.bytes, error => api.failed(request, error));
    return { is: 'lines', chunks: redactor.lines(whole), path };
  }
  const message = String(statusObject(answer.body)?.message ?? '');
  const reason = answer.status === 204 ? 'NoContent' : '';
  const gap = api.refused(request, answer);
  if (isNoLogYet({ path, status: answer.status, reason, message }))
    return { is: 'none', why: message || 'no log yet', path };
  throw gap;
}

async function next(
  chunks: AsyncIterator<Uint8Array>,
  failed: (error: unknown) => Error,
): Promise<Uint8Array | undefined> {
  try {
    const { value, done } = await chunks.next();
    return done ? undefined : value;
  } catch (error) {
    throw failed(error);
  }
}

/**
 * The chunks, as they come. With a tail and a limit of bytes, the kubelet leaves out the newest lines: a log that
 * reaches the limit ends with a gap, so that "it says nothing about this" is not known.
 */
async function* limited(
  first: Uint8Array | undefined,
  chunks: AsyncIterator<Uint8Array>,
  limit: number,
  failed: (error: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for (let chunk = first; chunk !== undefined; chunk = await next(chunks, failed)) {
      bytes += chunk.length;
      yield chunk;
      // Whatever goes on past the limit that was asked for may never end.
      if (bytes > limit) break;
    }
  } finally {
    await chunks.return?.();
  }
  if (bytes >= limit) {
    throw failed(
      new TransportFailure('truncated', `the log is longer than ${limit} bytes: its newest lines are missing`),
    );
  }
}
