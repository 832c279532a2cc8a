import { type Answer, answer, statusAnswer, type WholeAnswer } from './answers.ts';

/** What goes wrong with a request on purpose. */
export type FaultKind =
  /** A Status of the API server; `retryAfterSeconds` becomes the header `Retry-After`. */
  | {
      readonly is: 'error';
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The right answer, cut off in the middle. */
  | { readonly is: 'truncated' }
  /** 200 with a body that is no JSON: a login page of something in between. */
  | { readonly is: 'garbage' }
  | { readonly is: 'reset' }
  | { readonly is: 'silence' }
  /** The right answer up to its middle, and then nothing more; the connection stays. */
  | { readonly is: 'stalled' }
  /** The right answer, late. */
  | { readonly is: 'slow'; readonly milliseconds: number }
  /** The right answer, made wrong; `path` with its query. */
  | { readonly is: 'changed'; readonly change: (right: WholeAnswer, path: string) => WholeAnswer };

/** A fault, and the requests that it meets. The first that fits is taken. */
export interface Fault {
  /** Against the path with its query: a string is its beginning. */
  readonly path: string | RegExp;
  /** Name of a cluster, or `s3` for all object stores; absent for every server. */
  readonly server?: string;
  /** How many requests it meets before it is over; absent for all. */
  readonly times?: number;
  readonly effect: FaultKind;
}

/** The fault of a paged LIST whose continue token has expired: 410, as after five minutes. */
export const EXPIRED_CONTINUE: Fault = {
  path: /[?&]continue=/,
  effect: {
    is: 'error',
    status: 410,
    reason: 'Expired',
    message:
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  },
};

/** Finds the fault that meets a request, and counts it. */
export function faultFinder(faults: readonly Fault[]): (server: string, path: string) => FaultKind | undefined {
  const met = new Map<Fault, number>();
  return (server, path) => {
    const fault = faults.find(
      candidate =>
        (candidate.server === undefined || candidate.server === server) &&
        (typeof candidate.path === 'string' ? path.startsWith(candidate.path) : candidate.path.test(path)) &&
        (met.get(candidate) ?? 0) < (candidate.times ?? Number.POSITIVE_INFINITY),
    );
    if (fault) met.set(fault, (met.get(fault) ?? 0) + 1);
    return fault?.effect;
  };
}

/** The answer to a path under a fault; `right` makes the answer that would have been given. */
export async function faultyAnswer(fault: FaultKind, path: string, right: () => Promise<Answer>): Promise<Answer> {
  switch (fault.is) {
    case 'error':
      return withRetryAfter(
        statusAnswer(fault.status, fault.reason ?? reasonOf(fault.status), fault.message ?? 'simulated fault'),
        fault.retryAfterSeconds,
      );
    case 'truncated':
    case 'stalled': {
      const whole = await right();
      return whole.is === 'answer' ? { ...whole, is: fault.is === 'stalled' ? 'stalled' : 'cut' } : whole;
    }
    case 'changed': {
      const whole = await right();
      return whole.is === 'answer' ? fault.change(whole, path) : whole;
    }
    case 'garbage':
      return answer(200, 'text/html', '<!DOCTYPE html><html><body>Please log in</body></html>');
    case 'slow':
      await new Promise(resolve => setTimeout(resolve, fault.milliseconds));
      return right();
    default:
      return { is: fault.is };
  }
}

function withRetryAfter(given: WholeAnswer, seconds: number | undefined): WholeAnswer {
  return seconds === undefined ? given : { ...given, headers: { ...given.headers, 'retry-after': String(seconds) } };
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function reasonOf(status: number): string {
  return REASONS[status] ?? 'Unknown';
}
