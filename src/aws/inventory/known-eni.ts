import type { Eni } from '../ec2-gateway.js';
import type { LocalWrite, WriteKind } from './pending-writes.js';

/**
 * A point in this process's history. `order` rises with every read begun and every write finished, so
 * that it tells which came first where `time` (milliseconds) is the same.
 */
export interface LogicalTime {
  order: number;
  time: number;
}

interface PendingWrite {
  write: LocalWrite;
  finishedAt: LogicalTime;
  /** When EC2's word counts again whatever it is, in milliseconds. */
  expiresAt: number;
  /** The ENI right after the write: EC2 took the write, so the ENI was there. */
  evidence: Eni | undefined;
}

/** Writes apply in this order: a flag of an attachment needs the attachment first. */
const ORDER: Record<WriteKind, number> = {
  existence: 0,
  attachment: 1,
  deleteOnTermination: 2,
  securityGroups: 3,
  description: 4,
  tags: 5,
};
const ASPECTS = (Object.keys(ORDER) as WriteKind[]).sort((a, b) => ORDER[a] - ORDER[b]);

/**
 * What is known of one ENI: EC2's newest word, and over it our own writes that this word does not show
 * yet. Only a read begun after a write finished can settle the write: by showing it, or by being begun
 * after the write's time to become visible is over.
 */
export class KnownEni {
  private read: Eni | undefined;
  private readonly writes = new Map<WriteKind, PendingWrite>();
  private known: Eni | undefined;

  private constructor(private readAt: number) {}

  /** @param options.absentAt order of the read that showed that EC2 does not know the ENI; 0: none did */
  static create(options: { absentAt: number }): KnownEni {
    return new KnownEni(options.absentAt);
  }

  /** The ENI as it is, to the best of our knowledge; undefined where it is not. */
  get view(): Eni | undefined {
    return this.known;
  }

  /** Whether no write of the aspect waits for a read to show it. */
  isRead(aspect: WriteKind): boolean {
    return !this.writes.has(aspect);
  }

  /** Whether nothing is left to remember once a read of this order has been taken in. */
  isSettled(order: number): boolean {
    return this.read === undefined && this.writes.size === 0 && this.readAt <= order;
  }

  /** Takes in a write that EC2 has just taken. `eni` is EC2's answer where it tells the whole ENI. */
  wrote(
    write: LocalWrite,
    options: { finishedAt: LogicalTime; visibleWithinMs: number; eni?: Eni },
  ): void {
    const { finishedAt, visibleWithinMs, eni = this.known } = options;
    const evidence = eni && write.apply(eni);
    if (evidence === undefined && write.aspect === 'existence') this.writes.clear();
    const expiresAt = finishedAt.time + visibleWithinMs;
    this.writes.set(write.aspect, { write, finishedAt, expiresAt, evidence });
    this.known = this.overlay();
  }

  /** Takes in what a read that began at `begun` says; a read older than one taken in before is ignored. */
  observed(eni: Eni | undefined, begun: LogicalTime): void {
    if (begun.order <= this.readAt) return;
    this.readAt = begun.order;
    this.read = eni;
    for (const [aspect, pending] of this.writes) {
      if (begun.order < pending.finishedAt.order) continue;
      if (pending.write.agrees(eni) || begun.time >= pending.expiresAt) this.writes.delete(aspect);
    }
    this.known = this.overlay();
  }

  /**
   * When EC2 should be asked again (milliseconds): the newest read contradicts a write and may only be
   * stale. Undefined where there is no contradiction.
   */
  get contestedUntil(): number | undefined {
    const contested = [...this.writes.values()].filter(
      ({ finishedAt }) => finishedAt.order < this.readAt,
    );
    return contested.length === 0
      ? undefined
      : Math.max(...contested.map(({ expiresAt }) => expiresAt));
  }

  private overlay(): Eni | undefined {
    let eni = this.read ?? this.newestEvidence();
    for (const aspect of ASPECTS) {
      const pending = this.writes.get(aspect);
      if (eni && pending) eni = pending.write.apply(eni);
    }
    return eni;
  }

  private newestEvidence(): Eni | undefined {
    return [...this.writes.values()].toSorted((a, b) => b.finishedAt.order - a.finishedAt.order)[0]
      ?.evidence;
  }
}
