import { orAborted } from '../stage/or-aborted.js';

/** What ends the demo before its time, in one signal: the user, or a part that fails. */
export class Lifeline {
  private readonly failed = new AbortController();
  /** Its reason says what has happened. */
  readonly signal: AbortSignal;

  private constructor(interrupted: AbortSignal) {
    this.signal = AbortSignal.any([interrupted, this.failed.signal]);
  }

  static create(options: { interrupted: AbortSignal }): Lifeline {
    return new Lifeline(options.interrupted);
  }

  fail(error: unknown): void {
    this.failed.abort(error);
  }

  /** Passes `work` on, or rejects with the signal's reason as soon as it aborts. */
  guard<T>(work: Promise<T>): Promise<T> {
    return orAborted(work, this.signal);
  }
}
