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
