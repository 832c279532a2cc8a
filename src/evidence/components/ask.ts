import { GapSignal } from '../../model/gap.ts';
import type { HttpAnswer, RawObject, Source } from '../../model/source.ts';
import { malformed } from '../objects.ts';

/** Where a component listens: one port of one pod. */
export interface Listener {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Longest piece of a component's own words that a gap carries, in characters. */
const WORDS = 200;

/** The component's own answer, whatever its status is. Throws a `GapSignal` where none came. */
export async function ask(source: Source, listener: Listener, path: string): Promise<HttpAnswer> {
  const { namespace, pod, port } = listener;
  const answer = await source.http({ via: 'pod', namespace, name: pod, port, path });
  // Nothing that is asked for here is a web page: a proxy in between shows its login instead of the component.
  if (answer.status === 200 && /^text\/html\b/i.test(answer.contentType)) {
    throw new GapSignal({ reason: 'malformed', detail: 'a web page was answered', path: answer.path });
  }
  return answer;
}

/** The body; throws the gap that its status stands for. */
export function bodyOf(answer: HttpAnswer): string {
  if (answer.status === 200) return answer.body;
  const words = answer.body.trim().slice(0, WORDS) || 'no words';
  const detail = `answered ${answer.status}: ${words}`;
  const path = answer.path;
  if (answer.status === 401) throw new GapSignal({ reason: 'unauthenticated', detail, path });
  if (answer.status === 403) throw new GapSignal({ reason: 'forbidden', detail, path });
  if (answer.status === 404) throw new GapSignal({ reason: 'not-found', detail, path });
  throw new GapSignal({ reason: 'server-error', detail, path });
}

/** The body as JSON; throws the gap that its status stands for. */
export function jsonOf(answer: HttpAnswer): RawObject {
  return parsed(bodyOf(answer), answer.path);
}

/** The `data` of Prometheus' envelope. */
export function apiOf(answer: HttpAnswer): RawObject {
  return dataOf(jsonOf(answer), answer.path);
}

function parsed(body: string, path: string): RawObject {
  try {
    return JSON.parse(body);
  } catch {
    throw new GapSignal({ reason: 'malformed', detail: 'the answer is not JSON', path });
  }
}

function dataOf(envelope: RawObject, path: string): RawObject {
  if (envelope?.status === 'success' && typeof envelope.data === 'object' && envelope.data !== null)
    return envelope.data;
  if (envelope?.status === 'error') {
    const detail = String(envelope.error ?? envelope.errorType ?? 'an error without words').slice(0, WORDS);
    throw new GapSignal({ reason: 'server-error', detail, path });
  }
  throw malformed('the answer has neither "status":"success" with data nor "status":"error"');
}
