/** Milliseconds between looks. */
const INTERVAL_MS = 25;

/**
 * Resolves with what `look` returns as soon as it does not throw.
 * @throws what it threw last, after `timeoutMs`
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  timeoutMs = 15_000,
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
