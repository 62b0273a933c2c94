import type { Logger } from '../src/runtime/logger.js';

/** For the benchmark's own clients, of which nobody wants to read. */
export const quietLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => quietLogger,
};
