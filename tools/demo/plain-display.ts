import type { Display } from './display.js';
import type { TableEvent } from './table-client.js';
import { layOut } from './table-layout.js';
import type { WatchedTable } from './watched-table.js';
import { done, seconds } from './wording.js';

/** Work that takes longer than this, in milliseconds, is announced. */
const PATIENCE_MS = 2_000;

/** For pipes and logs: lines are appended, none is ever changed, and there are no escape codes. */
export class PlainDisplay implements Display {
  constructor(private readonly stream: NodeJS.WritableStream) {}

  say(...lines: string[]): void {
    for (const line of lines) {
      this.stream.write(`${line}\n`);
    }
  }

  async during<T>(what: string, work: Promise<T>, outcome = what): Promise<T> {
    const startedAt = Date.now();
    const timer = setTimeout(() => this.say(`… ${what}`), PATIENCE_MS);
    try {
      const result = await work;
      this.say(done(`${outcome} (${seconds(Date.now() - startedAt)})`));
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  watching(command: string): string {
    return `${command} --watch --output-watch-events`;
  }

  /** First a line for each row that is there, then a line a change. */
  async follow(table: WatchedTable, work: Promise<unknown>): Promise<void> {
    let headed = false;
    const print = (event: TableEvent): void => {
      const [header = '', line = ''] = layOut(withEvent(event), { now: Date.now() });
      this.say(...(headed ? [] : [header]), line);
      headed = true;
    };
    const { columns, rows } = table.table;
    for (const row of rows) {
      print({ type: 'ADDED', columns, row });
    }
    const unsubscribe = table.subscribe(print);
    try {
      await work;
    } finally {
      unsubscribe();
    }
  }
}

function withEvent({ type, columns, row }: TableEvent) {
  return {
    columns: ['Event', ...columns],
    rows: [{ ...row, cells: [type, ...row.cells] }],
  };
}
