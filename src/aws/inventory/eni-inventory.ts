import { isDeepStrictEqual } from 'node:util';
import { TAGS } from '../../api/names.js';
import type { Clock, Timer } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';
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
import { PeriodicListing } from './periodic-listing.js';
import { TransitionReads } from './transition-reads.js';
import { type Transition, TransitionTimes } from './transition-times.js';

/** Keys per batch: five describes of 200 filter values each. */
const MAX_BATCH = 1_000;

export interface EniInventoryOptions {
  gateway: Pick<Ec2Gateway, 'listEnis' | 'describeEnis'>;
  /** Value of the tag `cluster-id` of the ENIs that the inventory lists. */
  clusterId: string;
  clock: Clock;
  logger: Logger;
  /** Time between listings, in milliseconds; default ten minutes. */
  resyncMs?: number;
  /** How long an observation waits for others to share its call, in milliseconds; default 20. */
  gatherMs?: number;
  /** How long the read of an ENI in transition waits for others to become due, in milliseconds; default 100. */
  transitionGatherMs?: number;
  /** The time between two batches of observations, in milliseconds; default one second. */
  observeIntervalMs?: number;
  /** Observations that are worth a batch of their own, whatever the time since the last one; default 10. */
  observeUnpacedFrom?: number;
  /** Batches of observations that may follow each other immediately after a pause; default 1. */
  observeBurst?: number;
  /** How long EC2's reads can lag behind a write, in milliseconds; default 30 seconds. */
  consistencyWindowMs?: number;
  /** Called when listing starts failing, fails differently, or recovers (undefined); not on every attempt. */
  onListing?: (failure: unknown) => void;
}

/**
 * The ENIs of this cluster as all reconcilers see them: one listing and shared describes instead of a call
 * per caller, and the writes of this process visible immediately although EC2's reads lag behind. A steady
 * system costs one paged listing every `resyncMs`.
 */
export class EniInventory implements EventSource<Eni> {
  private readonly index = new EniIndex();
  private readonly known = new Map<string, KnownEni>();
  private readonly publisher: Publisher<Eni>;
  private readonly observations: Batcher<string, Eni>;
  private readonly lookups: Batcher<string, Eni[]>;
  private readonly listing: PeriodicListing;
  private readonly times = new TransitionTimes();
  private readonly transitions: TransitionReads;
  private readonly rechecks = new Map<string, Timer>();
  private lastOrder = 0;
  private listed: LogicalTime = { order: 0, time: 0 };
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
    this.observations = Batcher.create({
      ...batching,
      unpacedFrom: options.observeUnpacedFrom,
      fetch: (ids) => this.describe(ids),
    });
    this.lookups = Batcher.create({ ...batching, fetch: (uids) => this.lookUp(uids) });
    this.transitions = new TransitionReads({
      times: this.times,
      read: (id) => this.observe(id),
      clock,
      gatherMs: options.transitionGatherMs,
    });
    this.listing = new PeriodicListing({ ...options, list: () => this.listOnce() });
  }

  static create(options: EniInventoryOptions): EniInventory {
    return new EniInventory({
      resyncMs: 600_000,
      gatherMs: 20,
      transitionGatherMs: 100,
      observeIntervalMs: 1_000,
      observeBurst: 1,
      observeUnpacedFrom: 10,
      consistencyWindowMs: 30_000,
      ...options,
    });
  }

  subscribe(handler: EventHandler<Eni>): void {
    this.publisher.subscribe(handler);
  }

  /**
   * Resolves after the first complete listing, however long EC2 fails or denies it; then lists
   * every `resyncMs` until `signal` aborts.
   * @throws the signal's reason when it aborts before the first listing is complete.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.stop(), { once: true });
    await this.listing.start(signal);
  }

  /** The cluster whose tag the listings filter by. */
  get clusterID(): string {
    return this.options.clusterId;
  }

  get(eniId: string): Eni | undefined {
    return this.index.get(eniId);
  }

  /** The ENIs that carry the UID of an ENIAttachment: at most one, unless something went wrong. */
  byAttachmentUID(uid: string): Eni[] {
    return this.index.byAttachmentUID(uid);
  }

  /** ENIs of this cluster that the instance has, or is getting or losing. */
  onInstance(instanceId: string): Eni[] {
    return this.index.onInstance(instanceId);
  }

  list(): Eni[] {
    return this.index.list();
  }

  /** When the newest complete listing began (clock's milliseconds); 0 before there is one. */
  get listedAt(): number {
    return this.listed.time;
  }

  /**
   * Reads the ENI with the next batched describe, which begins after this call. Undefined if EC2 does not know it.
   * @throws Ec2Error
   */
  observe(eniId: string): Promise<Eni | undefined> {
    return this.observations.load(eniId);
  }

  /**
   * Reads an ENI that EC2 is attaching or detaching when that is probably over; any other with the next batch.
   * @throws Ec2Error
   */
  async observeTransition(eniId: string): Promise<void> {
    const eni = this.get(eniId);
    await (eni ? this.transitions.next(eni) : this.observe(eniId));
  }

  /** How long EC2 takes for a transition after it answered the call, in milliseconds; undefined before the first. */
  expectedMs(transition: Transition): number | undefined {
    return this.times.expectedMs(transition);
  }

  /**
   * Reads the ENIs that carry the tag `attachment-uid`, with the next batched lookup.
   * @throws Ec2Error
   */
  async find(uid: string): Promise<Eni[]> {
    return (await this.lookups.load(uid)) ?? [];
  }

  /** A Create succeeded. Call this and the methods below right after the EC2 call succeeds. */
  created(eni: Eni): void {
    this.wrote(eni.id, creation, eni);
  }

  attached(eniId: string, attachment: EniAttachmentState): void {
    this.times.start(eniId, 'attach', this.options.clock.now());
    this.wrote(eniId, attaching(attachment));
  }

  detaching(eniId: string): void {
    const attachment = this.get(eniId)?.attachment;
    const wasRead = this.known.get(eniId)?.isRead('attachment') ?? false;
    this.times.start(eniId, 'detach', this.options.clock.now());
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
      finishedAt: this.logicalTime(),
      visibleWithinMs: this.options.consistencyWindowMs,
      ...(eni ? { eni } : {}),
    });
    this.publish(eniId, known.view);
  }

  private async describe(ids: string[]): Promise<Map<string, Eni>> {
    const begun = this.logicalTime();
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
    const begun = this.logicalTime();
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
    const begun = this.logicalTime();
    const { gateway, clusterId } = this.options;
    const found = byId(
      await gateway.listEnis(
        { tags: { [TAGS.clusterID]: clusterId } },
        { map: (eni) => this.sharedWithIndex(eni) },
      ),
    );
    for (const [id, eni] of found) this.observed(id, eni, begun);
    for (const [id, known] of this.known) {
      // A listing by tag cannot show an ENI that lost the tag.
      const isListed = known.view === undefined || this.hasClusterTag(known.view);
      if (isListed && !found.has(id)) this.observed(id, undefined, begun);
      if (known.isSettled(begun.order)) this.known.delete(id);
    }
    this.listed = begun;
  }

  private observed(eniId: string, eni: Eni | undefined, begun: LogicalTime): void {
    let known = this.known.get(eniId);
    if (!known) {
      // If the newest listing had shown the ENI, it would be known.
      known = KnownEni.create({
        absentAt: eni && !this.hasClusterTag(eni) ? 0 : this.listed.order,
      });
      this.known.set(eniId, known);
    }
    known.observed(eni && this.sharedWithIndex(eni), begun);
    this.times.read(eniId, known.view, begun.time);
    this.publish(eniId, known.view);
    if (known.contestedUntil !== undefined) this.recheckAt(known.contestedUntil, eniId);
  }

  /** The index's object if it is equal, so that a resync does not make a second copy of everything. */
  private sharedWithIndex(eni: Eni): Eni {
    const known = this.index.get(eni.id);
    return known && isDeepStrictEqual(known, eni) ? known : eni;
  }

  /** Repeats a read that contradicts a write when the write must be visible. */
  private recheckAt(time: number, eniId: string): void {
    if (this.stopped || this.rechecks.has(eniId)) return;
    const { clock, logger } = this.options;
    const timer = clock.after(Math.max(0, time - clock.now()), () => {
      this.rechecks.delete(eniId);
      this.observe(eniId).catch((error: unknown) => {
        logger.debug('Repeating the read of an ENI failed; the next listing includes it', {
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

  private stop(): void {
    this.stopped = true;
    for (const timer of this.rechecks.values()) timer.cancel();
    this.rechecks.clear();
  }

  private hasClusterTag(eni: Eni): boolean {
    return eni.tags[TAGS.clusterID] === this.options.clusterId;
  }

  private logicalTime(): LogicalTime {
    this.lastOrder += 1;
    return { order: this.lastOrder, time: this.options.clock.now() };
  }
}

function byId(enis: readonly Eni[]): Map<string, Eni> {
  return new Map(enis.map((eni) => [eni.id, eni]));
}
