import type { Clock } from '../../../src/runtime/clock.js';
import type { Eni } from './model.js';

/** Eventual consistency, both in milliseconds. */
export interface Consistency {
  /** How long a fresh ENI is unknown to reads and to writes by id. */
  newInvisibleMs: number;
  /** How far reads are behind: they see each ENI as it was this long ago. */
  staleReadMs: number;
}

interface Version {
  at: number;
  /** Absent: deleted. */
  eni?: Eni;
}

/**
 * The ENIs, as they are (`get`, `all`) and as clients see them (`visible…`). Lag is exact, not random: a
 * read sees the newest version that is at least `staleReadMs` old, or the first where none is so old.
 */
export class EniStore {
  private readonly versions = new Map<string, Version[]>();
  private readonly attachments = new Map<string, string>();
  private readonly byInstance = new Map<string, Set<string>>();
  private live = 0;

  constructor(
    private readonly clock: Clock,
    private readonly consistency: Readonly<Consistency>,
  ) {}

  /** How many there are. */
  get size(): number {
    return this.live;
  }

  get(id: string): Eni | undefined {
    return this.versions.get(id)?.at(-1)?.eni;
  }

  *all(): Iterable<Eni> {
    for (const id of this.versions.keys()) {
      const eni = this.get(id);
      if (eni) {
        yield eni;
      }
    }
  }

  byAttachment(attachmentId: string): Eni | undefined {
    const id = this.attachments.get(attachmentId);
    return id === undefined ? undefined : this.get(id);
  }

  /** ENIs of an instance, in no set order. */
  on(instanceId: string): Eni[] {
    return this.select(instanceId, (id) => this.get(id));
  }

  /** Adds an ENI, or puts a changed one in its place. */
  put(eni: Eni): void {
    const before = this.get(eni.id);
    this.live += before ? 0 : 1;
    this.index(before, eni);
    this.record(eni.id, { at: this.clock.now(), eni });
  }

  delete(id: string): void {
    const before = this.get(id);
    if (before) {
      this.live -= 1;
      this.index(before, undefined);
      this.record(id, { at: this.clock.now() });
    }
  }

  /** An ENI as a read sees it. */
  visible(id: string): Eni | undefined {
    const versions = this.versions.get(id);
    if (!versions) {
      return undefined;
    }
    const horizon = this.clock.now() - this.consistency.staleReadMs;
    let seen = versions[0];
    for (const version of versions) {
      if (version.at <= horizon) {
        seen = version;
      }
    }
    if (seen && !seen.eni) {
      this.versions.delete(id);
    }
    return seen?.eni && this.isPropagated(seen.eni) ? seen.eni : undefined;
  }

  /** All ENIs as a read sees them, in the order of creation. */
  *visibleAll(): Iterable<Eni> {
    for (const id of this.versions.keys()) {
      const eni = this.visible(id);
      if (eni) {
        yield eni;
      }
    }
  }

  visibleOn(instanceId: string): Eni[] {
    return this.select(instanceId, (id) => this.visible(id));
  }

  /** An ENI as a write by its id finds it: as it is, once it has propagated. */
  writable(id: string): Eni | undefined {
    const eni = this.get(id);
    return eni && this.isPropagated(eni) ? eni : undefined;
  }

  private isPropagated(eni: Eni): boolean {
    return this.clock.now() >= eni.createdAt + this.consistency.newInvisibleMs;
  }

  private record(id: string, version: Version): void {
    const versions = [...(this.versions.get(id) ?? []), version];
    const horizon = this.clock.now() - this.consistency.staleReadMs;
    const needed = Math.max(
      0,
      versions.findLastIndex(({ at }) => at <= horizon),
    );
    const kept = versions.slice(needed);
    if (kept.length === 1 && !version.eni) {
      this.versions.delete(id);
    } else {
      this.versions.set(id, kept);
    }
  }

  private index(before: Eni | undefined, after: Eni | undefined): void {
    if (before?.attachment && before.attachment.id !== after?.attachment?.id) {
      this.attachments.delete(before.attachment.id);
    }
    if (after?.attachment) {
      const { id, instanceId } = after.attachment;
      this.attachments.set(id, after.id);
      if (instanceId !== undefined) {
        this.byInstance.set(
          instanceId,
          (this.byInstance.get(instanceId) ?? new Set()).add(after.id),
        );
      }
    }
  }

  private select(instanceId: string, read: (id: string) => Eni | undefined): Eni[] {
    const ids = this.byInstance.get(instanceId);
    if (!ids) {
      return [];
    }
    // An ENI that has left stays indexed until no reader can see it here any more.
    for (const id of ids) {
      if (!this.versions.get(id)?.some(({ eni }) => eni?.attachment?.instanceId === instanceId)) {
        ids.delete(id);
      }
    }
    return [...ids].flatMap((id) => {
      const eni = read(id);
      return eni?.attachment?.instanceId === instanceId ? [eni] : [];
    });
  }
}
