import type { Eni } from '../ec2-gateway.js';
import type { LocalWrite, WriteKind } from './pending-writes.js';

/**
 * A point in this process's history. `order` increases with every read that begins and every write that finishes, so
 * that it orders them when `time` (milliseconds) is the same.
 */
export interface LogicalTime {
  order: number;
  time: number;
}

interface PendingWrite {
  write: LocalWrite;
  finishedAt: LogicalTime;
  /** When a read wins again, whatever it shows, in milliseconds. */
  expiresAt: number;
  /** The ENI right after the write: EC2 accepted it, so the ENI existed. */
  evidence: Eni | undefined;
}

/** The order in which writes apply: a flag of an attachment needs the attachment first. */
const ORDER: Record<WriteKind, number> = {
  existence: 0,
  attachment: 1,
  deleteOnTermination: 2,
  enaExpress: 3,
  securityGroups: 4,
  description: 5,
  sourceDestCheck: 6,
  connectionTracking: 7,
  primaryIpv6: 8,
  ipv4: 9,
  ipv6: 10,
  publicAddress: 11,
  tags: 12,
};
const WRITE_KINDS = (Object.keys(ORDER) as WriteKind[]).sort((a, b) => ORDER[a] - ORDER[b]);

/**
 * What is known of one ENI: the newest read, overlaid with the writes of this process that the read does not show yet.
 * Only a read that begins after a write finished can settle the write: by showing it, or by beginning after the time
 * in which the write becomes visible.
 */
export class KnownEni {
  private read: Eni | undefined;
  /** Undefined without any: a map of its own for each ENI would take 150 bytes. */
  private writes: Map<WriteKind, PendingWrite> | undefined;
  private known: Eni | undefined;

  private constructor(private readAt: number) {}

  /** @param options.absentAt order of the read that showed that EC2 does not know the ENI; 0 if none did */
  static create(options: { absentAt: number }): KnownEni {
    return new KnownEni(options.absentAt);
  }

  /** The ENI as best known; undefined if it does not exist. */
  get view(): Eni | undefined {
    return this.known;
  }

  /** Whether no write of this kind waits for a read to show it. */
  isRead(kind: WriteKind): boolean {
    return !this.writes?.has(kind);
  }

  /** Whether this can be forgotten after a read of this order. */
  isSettled(order: number): boolean {
    return this.read === undefined && this.writes === undefined && this.readAt <= order;
  }

  /** Adds a write that EC2 just accepted. `eni` is EC2's answer if it contains the whole ENI. */
  wrote(
    write: LocalWrite,
    options: { finishedAt: LogicalTime; visibleWithinMs: number; eni?: Eni },
  ): void {
    const { finishedAt, visibleWithinMs, eni = this.known } = options;
    const evidence = eni && write.apply(eni);
    const isDeletion = evidence === undefined && write.kind === 'existence';
    if (isDeletion || this.writes === undefined) this.writes = new Map();
    const expiresAt = finishedAt.time + visibleWithinMs;
    this.writes.set(write.kind, { write, finishedAt, expiresAt, evidence });
    this.known = this.overlay();
  }

  /** Adds the result of a read that began at `begun`; ignores a read older than the newest one. */
  observed(eni: Eni | undefined, begun: LogicalTime): void {
    if (begun.order <= this.readAt) return;
    this.readAt = begun.order;
    this.read = eni;
    for (const [kind, pending] of this.writes ?? []) {
      if (begun.order < pending.finishedAt.order) continue;
      if (pending.write.agrees(eni) || begun.time >= pending.expiresAt) this.writes?.delete(kind);
    }
    if (this.writes?.size === 0) this.writes = undefined;
    this.known = this.overlay();
  }

  /**
   * When to read again, in milliseconds: the newest read contradicts a write, but can be stale. Undefined if there is
   * no contradiction.
   */
  get contestedUntil(): number | undefined {
    const contested = this.pending().filter(({ finishedAt }) => finishedAt.order < this.readAt);
    return contested.length === 0
      ? undefined
      : Math.max(...contested.map(({ expiresAt }) => expiresAt));
  }

  private overlay(): Eni | undefined {
    let eni = this.read ?? this.newestEvidence();
    if (this.writes === undefined) return eni;
    for (const kind of WRITE_KINDS) {
      const pending = this.writes.get(kind);
      if (eni && pending) eni = pending.write.apply(eni);
    }
    return eni;
  }

  private newestEvidence(): Eni | undefined {
    return this.pending().toSorted((a, b) => b.finishedAt.order - a.finishedAt.order)[0]?.evidence;
  }

  private pending(): PendingWrite[] {
    return [...(this.writes?.values() ?? [])];
  }
}
