/** Milliseconds between looks. */
const INTERVAL_MS = 25;
const PATIENCE_MS = 15_000;

/**
 * Resolves with what `look` returns as soon as it does not throw.
 * @throws what it threw last, after `timeoutMs` milliseconds
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<Awaited<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }
}

/**
 * Resolves once `condition` holds.
 * @throws Error that says what did not happen, after `timeoutMs` milliseconds
 */
export async function untilTrue(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  await eventually(async () => {
    if (!(await condition())) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
  }, timeoutMs);
}
