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

/** The user has ended the demo. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Aborts with {@link Interrupted} at the first Ctrl-C or SIGTERM, or when standard output is
 * closed. The second Ctrl-C ends the process at once.
 */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Interrupted('Interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, interrupt);
  }
  process.stdout.on('error', interrupt);
  return interrupted.signal;
}
