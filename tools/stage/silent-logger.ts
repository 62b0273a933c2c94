import type { Logger } from '../../src/runtime/logger.js';

/** For tests that look at what is done, not at what is logged. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
