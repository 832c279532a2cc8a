/** Thrown by a scope where an expression touches evidence that has not been collected yet. */
export class Suspension extends Error {
  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super('evidence is not collected yet');
    Error.stackTraceLimit = limit;
  }
}
