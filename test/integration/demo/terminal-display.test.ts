import { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import type { TableEvent } from '../../../tools/demo/table-client.js';
import { TerminalDisplay } from '../../../tools/demo/terminal-display.js';
import { WatchedTable } from '../../../tools/demo/watched-table.js';

/** A way up or an erasure, the end of a line, or text before one of them. */
const CODE = '\u001b\\[\\d*[AJK]';
const PARTS = new RegExp(`${CODE}|\\n|[^\\n]+?(?=${CODE}|\\n|$)`, 'g');

/** As much of a terminal as the display uses: lines, the way up, and erasing. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = 60;
  readonly lines: string[] = [];
  private row = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const [part] of chunk.toString().matchAll(PARTS)) {
      this.obey(part);
    }
    done();
  }

  private obey(part: string): void {
    if (part === '\n') {
      this.row += 1;
    } else if (part.endsWith('A') && part.startsWith('\u001b')) {
      this.row -= Number.parseInt(part.slice(2), 10);
    } else if (part === '\u001b[2K') {
      this.lines[this.row] = '';
    } else if (part === '\u001b[J') {
      this.lines.splice(this.row);
    } else {
      this.lines[this.row] = stripVTControlCharacters(part);
    }
  }
}

function event(type: TableEvent['type'], name: string, phase: string): TableEvent {
  return {
    type,
    columns: ['Node', 'Phase'],
    row: { uid: name, labels: {}, createdAt: 0, cells: [name, phase] },
  };
}

/** A watched table, and what makes a change appear in it. */
function tableWithFeed() {
  const feed = Promise.withResolvers<void>();
  const queue: TableEvent[] = [];
  let wake = feed;
  const client = {
    async *watch() {
      for (;;) {
        await wake.promise;
        wake = Promise.withResolvers();
        yield* queue.splice(0);
      }
    },
  };
  const table = WatchedTable.open({
    client,
    resource: { group: '', version: 'v1', plural: 'things', kind: 'Thing', namespaced: false },
    signal: new AbortController().signal,
    failed: (error) => {
      throw error;
    },
  });
  const change = async (...events: TableEvent[]): Promise<void> => {
    const last = Promise.withResolvers<void>();
    let left = events.length;
    const unsubscribe = table.subscribe(() => {
      left -= 1;
      if (left === 0) {
        last.resolve();
      }
    });
    queue.push(...events);
    wake.resolve();
    await last.promise;
    unsubscribe();
  };
  return { table, change };
}

describe('The demo on a terminal', () => {
  it('redraws a table in place, and leaves its last state', async () => {
    const screen = new Screen();
    const display = new TerminalDisplay(screen as unknown as WriteStream);
    const { table, change } = tableWithFeed();
    const work = Promise.withResolvers<void>();
    display.say('above');
    const followed = display.follow(table, work.promise);
    await change(event('ADDED', 'a', 'Pending'), event('ADDED', 'b', 'Pending'));
    await change(event('MODIFIED', 'a', 'Ready'), event('DELETED', 'b', 'Pending'));
    work.resolve();
    await followed;
    display.say('below');
    expect(screen.lines).to.deep.equal(['above', 'NODE   PHASE', 'a      Ready', 'below']);
  });

  it('reports how long something took where it was seen under way', async () => {
    const screen = new Screen();
    const display = new TerminalDisplay(screen as unknown as WriteStream);
    const work = Promise.withResolvers<number>();
    const during = display.during('Starting', work.promise);
    expect(screen.lines[0]).to.match(/^. Starting … 0\.0 s$/u);
    work.resolve(7);
    expect(await during).to.equal(7);
    expect(screen.lines).to.have.length(1);
    expect(screen.lines[0]).to.match(/^✓ Starting \(\d+\.\d s\)$/u);
  });

  it('passes on why something failed', async () => {
    const display = new TerminalDisplay(new Screen() as unknown as WriteStream);
    const failure = new Error('no');
    const error = await display.during('Starting', Promise.reject(failure)).catch((e) => e);
    expect(error).to.equal(failure);
  });
});
