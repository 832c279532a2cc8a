/** Why something is not known. The first group was tried and failed; the second was never asked for. */
export type GapReason =
  | 'forbidden'
  | 'unauthenticated'
  | 'unreachable'
  | 'timed-out'
  | 'tls'
  | 'not-found'
  | 'not-installed'
  | 'server-error'
  | 'malformed'
  | 'truncated'
  | 'rule-error'
  | 'not-in-bundle'
  | 'not-exposed'
  | 'not-asked';

/**
 * Why one thing is not known. `notLookedAt` tells the two kinds apart: `true` says that nobody asked for it (a flag, no
 * credentials, optional evidence that the bundle does not hold), and leaves a run healthy "as far as looked"; `false`
 * says that it was tried and failed, and makes a run without problems `unknown`.
 */
export interface Gap {
  /** Collector id, e.g. `kubernetes.pods`; '' until the evidence store has filled it in. */
  readonly evidence: string;
  readonly reason: GapReason;
  /** One sentence in the server's own words where there are any. */
  readonly detail: string;
  /** Path of the request to the API server, `s3://bucket/key`, or ''. */
  readonly path: string;
  readonly notLookedAt: boolean;
}

/**
 * Thrown wherever something that is not known is touched: by sources, by evidence, and by gap values inside evidence
 * when a rule reads them. CEL's `||` and `&&` absorb it, which is what makes verdicts three-valued.
 */
export class GapSignal extends Error {
  readonly gap: Gap;

  constructor(gap: Omit<Gap, 'evidence' | 'path' | 'notLookedAt'> & Partial<Gap>) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(gap.detail);
    Error.stackTraceLimit = limit;
    this.name = 'GapSignal';
    this.gap = { evidence: '', path: '', notLookedAt: false, ...gap };
  }
}
