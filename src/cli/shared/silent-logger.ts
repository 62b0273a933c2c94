import type { Logger } from '../../runtime/logger.js';

/** Commands report their results, and log nothing. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
