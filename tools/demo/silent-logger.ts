import type { Logger } from '../../src/runtime/logger.js';

/** The demo speaks for itself. */
export const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};
