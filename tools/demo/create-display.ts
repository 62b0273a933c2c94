import type { Display } from './display.js';
import { PlainDisplay } from './plain-display.js';
import { TerminalDisplay } from './terminal-display.js';

/** Standard output: redrawn in place on a terminal, appended to line by line elsewhere. */
export function createDisplay(stream: NodeJS.WriteStream): Display {
  const canRedraw = stream.isTTY && process.env.TERM !== 'dumb';
  return canRedraw ? new TerminalDisplay(stream) : new PlainDisplay(stream);
}
