import type { LogRequest, Source } from '../../model/source.ts';
import { type LogLine, withoutApiTime } from './log-line.ts';

/** Bytes at the end of a log that are looked at. */
const TAIL = 65536;

/** The last lines of one run's log, oldest first; none where there is no log. Throws a `GapSignal`. */
export async function lastLines(source: Source, request: LogRequest, count: number): Promise<readonly LogLine[]> {
  const answer = await source.logs({ ...request, lastBytes: TAIL });
  if (answer.is === 'none') return [];
  const tail: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.chunks) {
    tail.push(chunk);
    length += chunk.length;
    while (length - tail[0]!.length >= TAIL) length -= tail.shift()!.length;
  }
  const text = Buffer.concat(tail).subarray(-TAIL).toString('utf8');
  const lines = text.split('\n').filter(line => line.trim() !== '');
  return lines.slice(-count).map(withoutApiTime);
}
