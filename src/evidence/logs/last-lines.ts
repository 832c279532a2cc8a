import type { LogRequest, Source } from '../../model/source.ts';
import { type LogLine, withoutApiTime } from './log-line.ts';

/** Characters at the end of a log that are looked at. */
const TAIL = 65536;

/** The last lines of one run's log, oldest first; none where there is no log. Throws a `GapSignal`. */
export async function lastLines(source: Source, request: LogRequest, count: number): Promise<readonly LogLine[]> {
  const answer = await source.logs(request);
  if (answer.is === 'none') return [];
  const decoder = new TextDecoder('utf8');
  let tail = '';
  for await (const chunk of answer.chunks) tail = (tail + decoder.decode(chunk, { stream: true })).slice(-TAIL);
  const lines = tail.split('\n').filter(line => line.trim() !== '');
  return lines.slice(-count).map(withoutApiTime);
}
