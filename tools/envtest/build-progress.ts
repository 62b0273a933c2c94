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
const INTRODUCTION =
  'Building kube-apiserver and etcd from source, once: about 4 minutes on 2 cores.';

/** Whole lines: what is being built at its start and every 15 s. */
export function lineProgress(write: (line: string) => void): BuildProgress {
  return progress({ periodMs: LINE_PERIOD_MS, announce: write, update: write, end: () => {} });
}

/** One line that counts the seconds on a terminal; whole lines elsewhere. */
export function terminalProgress(terminal: Terminal): BuildProgress {
  if (!terminal.isTTY) return lineProgress((line) => terminal.write(`${line}\n`));
  let live = false;
  const clear = (): void => {
    if (live) terminal.write('\r\u001b[K');
    live = false;
  };
  return progress({
    periodMs: LIVE_PERIOD_MS,
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
  announce(line: string): void;
  update(line: string): void;
  end(): void;
}

function progress({ periodMs, announce, update, end }: Output): BuildProgress {
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
    begin: () => announce(INTRODUCTION),
    step: (name) => now(`Building ${name}`),
    waiting: (holder) => now(`Waiting for process ${holder}, which builds the same`),
    end: () => {
      clearInterval(timer);
      end();
    },
  };
}
