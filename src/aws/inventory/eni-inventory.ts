import { isDeepStrictEqual } from 'node:util';
import { TAGS } from '../../api/names.js';
import { type Clock, sleep, type Timer } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';
import { Ec2Error } from '../ec2-errors.js';
import type { Ec2Gateway, Eni, EniAttachmentState } from '../ec2-gateway.js';
import { EniIndex } from './eni-index.js';
import { KnownEni, type LogicalTime } from './known-eni.js';
import {
  attaching,
  creation,
  deletion,
  detaching,
  type EniModification,
  type LocalWrite,
  modifications,
} from './pending-writes.js';

/** Keys of one batch: five describes of 200 filter values each. */
const MAX_BATCH = 1_000;
/** Pause before a failed listing is tried again: doubled each time, up to the longest. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface EniInventoryOptions {
  gateway: Pick<Ec2Gateway, 'listEnis' | 'describeEnis'>;
  /** Value of the tag `cluster-id`: the inventory lists the ENIs that carry it. */
  clusterId: string;
  clock: Clock;
  logger: Logger;
  /** Time between listings, in milliseconds; default ten minutes. */
  resyncMs?: number;
  /** How long an observation waits for others to share its call, in milliseconds; default 20. */
  gatherMs?: number;
  /** The time between two batches of observations, in milliseconds; default one second. */
  observeIntervalMs?: number;
  /** Batches of observations that may follow one another at once, after a rest; default 1. */
  observeBurst?: number;
  /** How long EC2's reads may not show a write yet, in milliseconds; default 30 seconds. */
  consistencyWindowMs?: number;
  /** Hears when listings begin to fail, fail differently, or work again (undefined): not of each. */
  onListing?: (failure: unknown) => void;
}

/**
 * The ENIs of this cluster as all reconcilers see them: one listing and shared describes instead of a
 * call for each asker, and our own writes seen at once although EC2's reads lag behind. A steady system
 * costs EC2 one paged listing every `resyncMs`.
 */
export class EniInventory implements EventSource<Eni> {
  private readonly index = new EniIndex();
  private readonly known = new Map<string, KnownEni>();
  private readonly publisher: Publisher<Eni>;
  private readonly observations: Batcher<string, Eni>;
  private readonly lookups: Batcher<string, Eni[]>;
  private readonly rechecks = new Map<string, Timer>();
  private lastOrder = 0;
  private listed: LogicalTime = { order: 0, time: 0 };
  private listingFailure: string | undefined;
  private stopped = false;

  private constructor(
    private readonly options: Required<Omit<EniInventoryOptions, 'onListing'>> &
      Pick<EniInventoryOptions, 'onListing'>,
  ) {
    const { clock, gatherMs, observeIntervalMs: minIntervalMs, observeBurst: burst } = options;
    this.publisher = new Publisher({
      logger: options.logger,
      fieldsOf: ({ id }) => ({ eniID: id }),
    });
    const batching = { clock, gatherMs, minIntervalMs, burst, maxBatch: MAX_BATCH };
    this.observations = Batcher.create({ ...batching, fetch: (ids) => this.describe(ids) });
    this.lookups = Batcher.create({ ...batching, fetch: (uids) => this.lookUp(uids) });
  }

  static create(options: EniInventoryOptions): EniInventory {
    return new EniInventory({
      resyncMs: 600_000,
      gatherMs: 20,
      observeIntervalMs: 1_000,
      observeBurst: 1,
      consistencyWindowMs: 30_000,
      ...options,
    });
  }

  subscribe(handler: EventHandler<Eni>): void {
    this.publisher.subscribe(handler);
  }

  /**
   * Resolves after the first complete listing, however long EC2 fails or denies it; then lists again
   * every `resyncMs` until `signal` aborts.
   * @throws the signal's reason when it aborts before the first listing is complete.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.stop(), { once: true });
    await this.listUntilComplete(signal);
    void this.keepListing(signal);
  }

  get(eniId: string): Eni | undefined {
    return this.index.get(eniId);
  }

  /** The ENIs made for an ENIAttachment: one, or by mishap several. */
  byAttachmentUID(uid: string): Eni[] {
    return this.index.byAttachmentUID(uid);
  }

  list(): Eni[] {
    return this.index.list();
  }

  /** When the newest complete listing began (clock's milliseconds); 0 before there is one. */
  get listedAt(): number {
    return this.listed.time;
  }

  /**
   * Asks EC2 with the next batched describe; the answer is newer than the call. Undefined where EC2 does
   * not know the ENI.
   * @throws Ec2Error
   */
  observe(eniId: string): Promise<Eni | undefined> {
    return this.observations.load(eniId);
  }

  /**
   * Asks EC2 for the ENIs that carry the tag `attachment-uid`, with the next batched lookup.
   * @throws Ec2Error
   */
  async find(uid: string): Promise<Eni[]> {
    return (await this.lookups.load(uid)) ?? [];
  }

  /** Tells of a Create that EC2 took. Each of these is called right after the call's success. */
  created(eni: Eni): void {
    this.wrote(eni.id, creation, eni);
  }

  attached(eniId: string, attachment: EniAttachmentState): void {
    this.wrote(eniId, attaching(attachment));
  }

  detaching(eniId: string): void {
    const attachment = this.get(eniId)?.attachment;
    const wasRead = this.known.get(eniId)?.isRead('attachment') ?? false;
    if (attachment) this.wrote(eniId, detaching(attachment, { wasRead }));
  }

  deleted(eniId: string): void {
    this.wrote(eniId, deletion);
  }

  modified(eniId: string, change: EniModification): void {
    const attachmentId = this.get(eniId)?.attachment?.attachmentId;
    for (const write of modifications(change, attachmentId)) this.wrote(eniId, write);
  }

  private wrote(eniId: string, write: LocalWrite, eni?: Eni): void {
    const known = this.known.get(eniId) ?? KnownEni.create({ absentAt: 0 });
    this.known.set(eniId, known);
    known.wrote(write, {
      finishedAt: this.moment(),
      visibleWithinMs: this.options.consistencyWindowMs,
      ...(eni ? { eni } : {}),
    });
    this.publish(eniId, known.view);
  }

  private async describe(ids: string[]): Promise<Map<string, Eni>> {
    const begun = this.moment();
    const found = byId(await this.options.gateway.describeEnis(ids));
    for (const id of ids) this.observed(id, found.get(id), begun);
    return new Map(
      ids.flatMap((id) => {
        const eni = this.get(id);
        return eni ? [[id, eni]] : [];
      }),
    );
  }

  private async lookUp(uids: string[]): Promise<Map<string, Eni[]>> {
    const begun = this.moment();
    const found = byId(
      await this.options.gateway.listEnis({ tags: { [TAGS.attachmentUID]: uids } }),
    );
    for (const [id, eni] of found) this.observed(id, eni, begun);
    for (const { id } of uids.flatMap((uid) => this.byAttachmentUID(uid))) {
      if (!found.has(id)) this.observed(id, undefined, begun);
    }
    return new Map(uids.map((uid) => [uid, this.byAttachmentUID(uid)]));
  }

  private async listOnce(): Promise<void> {
    const begun = this.moment();
    const { gateway, clusterId } = this.options;
    const found = byId(await gateway.listEnis({ tags: { [TAGS.clusterID]: clusterId } }));
    for (const [id, eni] of found) this.observed(id, eni, begun);
    for (const [id, known] of this.known) {
      // A listing by tag says nothing of an ENI that has lost the tag.
      const isListed = known.view === undefined || this.isOurs(known.view);
      if (isListed && !found.has(id)) this.observed(id, undefined, begun);
      if (known.isSettled(begun.order)) this.known.delete(id);
    }
    this.listed = begun;
  }

  private observed(eniId: string, eni: Eni | undefined, begun: LogicalTime): void {
    let known = this.known.get(eniId);
    if (!known) {
      // The newest listing, had it known the ENI, would have left a trace.
      known = KnownEni.create({ absentAt: eni && !this.isOurs(eni) ? 0 : this.listed.order });
      this.known.set(eniId, known);
    }
    // The object that is kept already, where it says the same: a resync leaves no second copy of everything.
    const kept = this.index.get(eniId);
    known.observed(isDeepStrictEqual(kept, eni) ? kept : eni, begun);
    this.publish(eniId, known.view);
    if (known.contestedUntil !== undefined) this.recheckAt(known.contestedUntil, eniId);
  }

  /** A read that contradicts a write is asked for again when it can no longer be mere lag. */
  private recheckAt(time: number, eniId: string): void {
    if (this.stopped || this.rechecks.has(eniId)) return;
    const { clock, logger } = this.options;
    const timer = clock.after(Math.max(0, time - clock.now()), () => {
      this.rechecks.delete(eniId);
      this.observe(eniId).catch((error: unknown) => {
        logger.debug('Observing an ENI again failed; the next listing tells', {
          eniID: eniId,
          error,
        });
      });
    });
    this.rechecks.set(eniId, timer);
  }

  private publish(eniId: string, eni: Eni | undefined): void {
    const old = this.index.get(eniId);
    if (isDeepStrictEqual(old, eni)) return;
    this.index.set(eniId, eni);
    if (eni && old) this.publisher.publish({ type: 'updated', object: eni, old });
    else if (eni) this.publisher.publish({ type: 'added', object: eni });
    else if (old) this.publisher.publish({ type: 'deleted', object: old });
  }

  private async keepListing(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await sleep(this.options.clock, this.options.resyncMs, signal);
        await this.listUntilComplete(signal);
      }
    } catch {
      // Only the signal ends this.
    }
  }

  /** @throws the signal's reason, and nothing else. */
  private async listUntilComplete(signal: AbortSignal): Promise<void> {
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS)) {
      signal.throwIfAborted();
      try {
        await this.listOnce();
        this.reportListing(undefined);
        return;
      } catch (error) {
        this.reportListing(error);
        await sleep(this.options.clock, pauseMs, signal);
      }
    }
  }

  /** Logs when the listing begins to fail, fails differently, or works again: not each time. */
  private reportListing(error: unknown): void {
    const failure = error === undefined || error instanceof Ec2Error ? error?.code : String(error);
    if (failure === this.listingFailure) return;
    this.listingFailure = failure;
    const { logger, onListing } = this.options;
    if (error) logger.error('Listing ENIs fails', { code: failure, error });
    else logger.info('Listing ENIs works again');
    onListing?.(error);
  }

  private stop(): void {
    this.stopped = true;
    for (const timer of this.rechecks.values()) timer.cancel();
    this.rechecks.clear();
  }

  private isOurs(eni: Eni): boolean {
    return eni.tags[TAGS.clusterID] === this.options.clusterId;
  }

  private moment(): LogicalTime {
    this.lastOrder += 1;
    return { order: this.lastOrder, time: this.options.clock.now() };
  }
}

function byId(enis: readonly Eni[]): Map<string, Eni> {
  return new Map(enis.map((eni) => [eni.id, eni]));
}
