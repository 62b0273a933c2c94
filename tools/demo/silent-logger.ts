import type { Logger } from '../../src/runtime/logger.js';

/** The demo speaks for itself. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
