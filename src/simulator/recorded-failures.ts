import type { ReadFailure } from '../model/source.ts';
import { type Answer, answer, statusAnswer } from './answers.ts';

/** Parameters that say how much of something is wanted, not of what: failures are recorded without them. */
const PAGING_AND_TAIL = [
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
  'timeout',
  'pretty',
  'labelSelector',
  'fieldSelector',
  'tailLines',
  'limitBytes',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'follow',
];

/** Finds the recorded failure of a request by its path. */
export function failureFinder(failures: readonly ReadFailure[]): (target: string) => ReadFailure | undefined {
  const byPath = new Map(failures.map(failure => [canonical(failure.path), failure]));
  return target => byPath.get(canonical(target));
}

function canonical(target: string): string {
  if (!target.startsWith('/')) return target;
  const url = new URL(target, 'http://api');
  if (!url.pathname.includes('/proxy/')) for (const name of PAGING_AND_TAIL) url.searchParams.delete(name);
  if (url.searchParams.get('previous') === 'false') url.searchParams.delete('previous');
  url.searchParams.sort();
  return decodeURIComponent(url.pathname) + url.search;
}

/** The same failure once more. Without an HTTP answer, it is a silence or a cut connection. */
export function replayed(failure: ReadFailure): Answer {
  const { status, reason, message } = failure;
  if (reason === 'malformed') return answer(status || 200, 'text/html', '<!DOCTYPE html><html><body></body></html>');
  if (reason === 'truncated') {
    const headers = { 'content-type': 'application/json' };
    return { is: 'cut', status: 200, headers, body: Buffer.from('{"kind":"List","apiVersion":"v1","items":[]}') };
  }
  if (status === 0) return { is: reason === 'timeout' ? 'silence' : 'reset' };
  if (status === 204) return answer(204, '', '');
  return statusAnswer(status, reason, message);
}

/** The name by which the recorded server called its reader. */
export function userOf(failures: readonly ReadFailure[]): string {
  const found = failures.map(failure => /User "([^"]+)"/.exec(failure.message)).find(match => match !== null);
  return found?.[1] ?? 'simulated-reader';
}
