import type { Call } from '../region/model.js';

/** How many calls ended how, by action, then by outcome (`ok`, `lost` or an error code). */
export interface CallCounts {
  total: number;
  byAction: Record<string, Record<string, number>>;
}

/** Enough to look back on; the counts go on without end. */
const KEPT_CALLS = 10_000;

/** What was asked of the simulator, and how it answered. */
export class CallLog {
  private readonly calls: Call[] = [];
  private total = 0;
  private readonly byAction = new Map<string, Map<string, number>>();

  add(call: Call): void {
    this.total += 1;
    const outcomes = this.byAction.get(call.action) ?? new Map<string, number>();
    outcomes.set(call.outcome, (outcomes.get(call.outcome) ?? 0) + 1);
    this.byAction.set(call.action, outcomes);
    this.calls.push(call);
    if (this.calls.length > 2 * KEPT_CALLS) {
      this.calls.splice(0, KEPT_CALLS);
    }
  }

  counts(): CallCounts {
    return {
      total: this.total,
      byAction: Object.fromEntries(
        [...this.byAction].map(([action, outcomes]) => [action, Object.fromEntries(outcomes)]),
      ),
    };
  }

  /** The latest calls, the oldest first. */
  recent(): readonly Call[] {
    return this.calls.slice(-KEPT_CALLS);
  }

  clear(): void {
    this.calls.length = 0;
    this.total = 0;
    this.byAction.clear();
  }
}
