/**
 * A mistake of the user's: bad flag, file, context, bundle or rule. Shown as message without stack, exit code 2.
 * `message` says what and where; `hints` say what it means and what to do, one line each.
 */
export class UserError extends Error {
  readonly hints: readonly string[];

  constructor(message: string, ...hints: readonly string[]) {
    super(message);
    this.name = 'UserError';
    this.hints = hints;
  }
}
