import type { WriteStream } from 'node:tty';
import { cut } from './table-layout.js';

/** The last lines of a terminal, which can be drawn again. */
export class LiveArea {
  private drawn = 0;

  constructor(private readonly stream: WriteStream) {}

  /** Replaces what was drawn before. */
  draw(lines: readonly string[]): void {
    const back = this.drawn > 0 ? `\u001b[${this.drawn}A` : '';
    // A line that wraps would be two, and the way back would be wrong.
    const text = lines.map((line) => `\u001b[2K${cut(line, this.stream.columns - 1)}\n`).join('');
    this.stream.write(`${back}${text}\u001b[J`);
    this.drawn = lines.length;
  }
}
