import type { WriteStream } from 'node:tty';
import type { Display } from './display.js';
import { cut, layOut } from './table-layout.js';
import type { WatchedTable } from './watched-table.js';
import { busy, done, seconds } from './wording.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

/** For people at a terminal: what is under way is redrawn in place. */
export class TerminalDisplay implements Display {
  constructor(private readonly stream: WriteStream) {}

  say(...lines: string[]): void {
    for (const line of lines) {
      this.stream.write(`${line}\n`);
    }
  }

  async during<T>(what: string, work: Promise<T>, outcome = what): Promise<T> {
    const startedAt = Date.now();
    await this.animate(
      work,
      (ms) => [`${frame(ms)} ${what} … ${seconds(ms)}`],
      () => [done(`${outcome} (${seconds(Date.now() - startedAt)})`)],
    );
    return work;
  }

  watching(command: string): string {
    return `watch ${command}`;
  }

  async follow(table: WatchedTable, work: Promise<unknown>): Promise<void> {
    const lines = (): string[] =>
      layOut(table.table, { maxWidth: this.stream.columns, now: Date.now() });
    await this.animate(work, (ms) => [...lines(), `${frame(ms)} ${seconds(ms)}`], lines);
  }

  /** Redraws some times a second until `work` settles, and then once more. */
  private async animate(
    work: Promise<unknown>,
    under: (ms: number) => string[],
    after: () => string[],
  ): Promise<void> {
    const area = new LiveArea(this.stream);
    const startedAt = Date.now();
    const draw = (): void => area.draw(under(Date.now() - startedAt));
    draw();
    const timer = setInterval(draw, FRAME_MS);
    try {
      await work;
      area.draw(after());
    } finally {
      clearInterval(timer);
    }
  }
}

function frame(ms: number): string {
  return busy(FRAMES[Math.floor(ms / FRAME_MS) % FRAMES.length] ?? '');
}

/** The last lines of a terminal, which can be drawn again. */
class LiveArea {
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
