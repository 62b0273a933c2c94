/** What a build prints to those who wait for it. */
export interface BuildProgress {
  begin(): void;
  step(name: string): void;
  /** The process of this id is building the same. */
  waiting(holder: number): void;
  end(): void;
}

/** Standard error, as far as progress needs it. */
export interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

const LINE_PERIOD_MS = 15_000;
const LIVE_PERIOD_MS = 1_000;

/** Whole lines: the introduction, then what is being built at its start and every 15 s. */
export function lineProgress(write: (line: string) => void, introduction: string): BuildProgress {
  const output = { announce: write, update: write, end: () => {} };
  return progress({ periodMs: LINE_PERIOD_MS, introduction, ...output });
}

/** One line that counts the seconds on a terminal; whole lines elsewhere. */
export function terminalProgress(terminal: Terminal, introduction: string): BuildProgress {
  if (!terminal.isTTY) return lineProgress((line) => terminal.write(`${line}\n`), introduction);
  let live = false;
  const clear = (): void => {
    if (live) terminal.write('\r\u001b[K');
    live = false;
  };
  return progress({
    periodMs: LIVE_PERIOD_MS,
    introduction,
    announce: (line) => {
      clear();
      terminal.write(`${line}\n`);
    },
    update: (line) => {
      terminal.write(`\r\u001b[K${line}`);
      live = true;
    },
    end: clear,
  });
}

interface Output {
  periodMs: number;
  introduction: string;
  announce(line: string): void;
  update(line: string): void;
  end(): void;
}

function progress({ periodMs, introduction, announce, update, end }: Output): BuildProgress {
  const startedAt = Date.now();
  let activity = '';
  const show = (): void => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    if (activity) update(`${activity} (${seconds} s)`);
  };
  const timer = setInterval(show, periodMs);
  const now = (next: string): void => {
    activity = next;
    show();
  };
  return {
    begin: () => announce(introduction),
    step: (name) => now(`Building ${name}`),
    waiting: (holder) => now(`Waiting for process ${holder}, which builds the same`),
    end: () => {
      clearInterval(timer);
      end();
    },
  };
}
