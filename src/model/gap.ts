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

/** The gap of each gap element; a look here touches nothing of a row. */
const gaps = new WeakMap<object, Gap>();

/**
 * A list element, or any value, of which nothing is known: reading anything of it throws its gap. In a list it says
 * "there may be more": `exists` over the others can still be true, but never false; `all` can be false, but never true.
 */
export function gapElement(gap: Gap): never {
  let signal: GapSignal | undefined;
  const refuse = () => {
    signal ??= new GapSignal(gap);
    throw signal;
  };
  const element = new Proxy(Object.freeze({}), {
    // A promise that settles with it looks for `then`; no evidence has a field of that name.
    get: (_target, property) => (property === 'then' ? undefined : refuse()),
    has: refuse,
    getOwnPropertyDescriptor: refuse,
    ownKeys: refuse,
  });
  gaps.set(element, gap);
  return element as never;
}

/** The gap of a gap element, or undefined for anything that is known. Never throws. */
export function gapOf(value: unknown): Gap | undefined {
  return gaps.get(value as object);
}
