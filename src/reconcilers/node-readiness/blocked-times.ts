import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Clock } from '../../runtime/clock.js';

export interface BlockedTimesOptions {
  clock: Clock;
  /** Milliseconds that a node waits for a NodeENI that is blocked; 0: without limit. */
  limitMs: number;
}

/** Since when NodeENIs are blocked on nodes that wait. In memory only: after a restart, the times start over. */
export class BlockedTimes {
  /** By the node's name: the node's UID, and times by the NodeENI's UID. */
  private readonly byNode = new Map<string, { uid: string; since: Map<string, number> }>();

  constructor(private readonly options: BlockedTimesOptions) {}

  isOverdue({ metadata }: Node, nodeENI: NodeENI): boolean {
    const entry = this.byNode.get(metadata.name);
    const since = entry?.uid === metadata.uid ? entry.since.get(nodeENI.metadata.uid) : undefined;
    const { clock, limitMs } = this.options;
    return limitMs > 0 && since !== undefined && clock.now() - since >= limitMs;
  }

  /**
   * Records which NodeENIs are blocked on the node now.
   * @returns milliseconds until the next of them is overdue; undefined if none will be
   */
  seen({ metadata: { name, uid } }: Node, blocked: readonly NodeENI[]): number | undefined {
    const { clock, limitMs } = this.options;
    if (blocked.length === 0 || limitMs === 0) {
      this.byNode.delete(name);
      return undefined;
    }
    const now = clock.now();
    const entry = this.byNode.get(name);
    const known = entry?.uid === uid ? entry.since : new Map<string, number>();
    const since = new Map(
      blocked.map(({ metadata }) => [metadata.uid, known.get(metadata.uid) ?? now]),
    );
    this.byNode.set(name, { uid, since });
    const left = [...since.values()].map((start) => start + limitMs - now).filter((ms) => ms > 0);
    return left.length > 0 ? Math.min(...left) : undefined;
  }

  forget(nodeName: string): void {
    this.byNode.delete(nodeName);
  }
}
