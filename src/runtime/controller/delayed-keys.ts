import type { Clock, Timer } from '../clock.js';

interface Entry {
  key: string;
  readyAt: number;
  /** Orders entries with the same due time by arrival. */
  order: number;
}

/** Node's timers accept at most 2³¹ − 1 milliseconds, and fire immediately for more. */
const MAX_TIMER_MS = 2_147_483_647;

/** Superseded entries that the heap may hold beyond one per key. */
const SUPERSEDED_ALLOWED = 64;

/** Keys with their due times; one timer serves them all. */
export class DelayedKeys {
  /** A binary min-heap. It may hold superseded entries, which are skipped when they come up. */
  private heap: Entry[] = [];
  private readonly current = new Map<string, Entry>();
  private timer: Timer | undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private added = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onDue: (key: string) => void,
  ) {}

  get size(): number {
    return this.current.size;
  }

  /** Makes `key` due in `ms` milliseconds, unless it is due earlier. */
  add(key: string, ms: number): void {
    const readyAt = this.clock.now() + ms;
    const present = this.current.get(key);
    if (present !== undefined && present.readyAt <= readyAt) return;
    this.added += 1;
    const entry = { key, readyAt, order: this.added };
    this.current.set(key, entry);
    this.push(entry);
    if (this.heap.length > 2 * this.current.size + SUPERSEDED_ALLOWED) this.compact();
    this.arm();
  }

  delete(key: string): void {
    this.current.delete(key);
  }

  clear(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.timerAt = Number.POSITIVE_INFINITY;
    this.heap = [];
    this.current.clear();
  }

  private arm(): void {
    const first = this.heap[0];
    if (first === undefined || this.timerAt <= first.readyAt) return;
    this.timer?.cancel();
    this.timerAt = first.readyAt;
    const ms = Math.min(Math.max(0, first.readyAt - this.clock.now()), MAX_TIMER_MS);
    this.timer = this.clock.after(ms, () => {
      this.timerAt = Number.POSITIVE_INFINITY;
      this.release();
    });
  }

  private release(): void {
    const now = this.clock.now();
    for (let first = this.heap[0]; first && first.readyAt <= now; first = this.heap[0]) {
      this.pop();
      if (this.current.get(first.key) !== first) continue;
      this.current.delete(first.key);
      this.onDue(first.key);
    }
    this.arm();
  }

  /** Drops superseded entries. A sorted array is a heap. */
  private compact(): void {
    this.heap = [...this.current.values()].sort(compare);
  }

  private push(entry: Entry): void {
    let at = this.heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      const least = this.before(left + 1, left) ? left + 1 : left;
      if (!this.swapIfBefore(least, at)) return;
      at = least;
    }
  }

  private swapIfBefore(child: number, parent: number): boolean {
    const lower = this.heap[child];
    const upper = this.heap[parent];
    if (lower === undefined || upper === undefined || !this.before(child, parent)) return false;
    this.heap[child] = upper;
    this.heap[parent] = lower;
    return true;
  }

  private before(a: number, b: number): boolean {
    const one = this.heap[a];
    const other = this.heap[b];
    if (one === undefined || other === undefined) return false;
    return compare(one, other) < 0;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.readyAt - b.readyAt || a.order - b.order;
}
