/** Thrown by an action that cannot make a plan: the guard that fails, and why. */
export class Refusal extends Error {
  readonly guard: string;

  constructor(guard: string, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.guard = guard;
  }
}
