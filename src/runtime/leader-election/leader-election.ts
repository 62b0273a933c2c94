import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep, type Timer } from '../clock.js';
import type { EventRecorder } from '../kube/events.js';
import type { KubeClient, ObjectName } from '../kube/kube-client.js';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/kube-errors.js';
import type { Logger } from '../logger.js';
import { freeingPatch, type Holding, heldSpec, Lease, LeaseLock } from './lease.js';

/** client-go's JitterFactor: up to this part of the retry period is added to a wait for the lease. */
const JITTER = 1.2;

/** The lease is not, or no longer surely, this process's: it must stop at once. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
}

/** Durations of a lease, in milliseconds; each is shorter than the one before. */
interface LeaseTimes {
  /** Others take the lease over once they have seen it unchanged for so long. */
  leaseDurationMs: number;
  /** The holder pauses so long after it sent the last renewal that succeeded. */
  renewDeadlineMs: number;
  /** Between two tries to acquire or to renew. */
  retryPeriodMs: number;
}

export interface LeaderElectorOptions extends LeaseTimes {
  client: KubeClient;
  lease: ObjectName;
  /** Unlike any other process's. */
  identity: string;
  clock: Clock;
  /**
   * Milliseconds that nobody sets forward or back, and that pass while the process is stopped.
   * Default: performance.now() (CLOCK_MONOTONIC).
   */
  monotonicNow?: () => number;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  events: EventRecorder;
  /** Called when the holder can no longer be sure of the lease: until `onResume`, it must not act as the leader. */
  onPause?: () => void;
  /** Called when the holder has renewed the lease after `onPause`, and no other process led in the meantime. */
  onResume?: () => void;
}

/** What a take-over of the lease changes, and a renewal does not. */
interface Term {
  uid: string | undefined;
  transitions: number;
}

/**
 * client-go's leader election on a Lease: of the processes that ask for it one leads. Nobody compares clocks:
 * who waits takes the lease once it has not changed for its duration, measured here; who holds it counts from
 * the moment it sent its last renewal. Every write names the resourceVersion that it read.
 *
 * Unlike client-go's, a holder that is past its deadline has not lost the lease yet: it pauses. If the API server then
 * shows that no other process has taken the lease, the holder renews it and resumes; otherwise it has lost the lease.
 */
export class LeaderElector {
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly lock: LeaseLock;
  private readonly losing = new AbortController();
  private readonly releasing = new AbortController();
  /** The newest state that was read, and when its spec was seen to change. */
  private observed: { lease: Lease; changedAt: number } | undefined;
  /** On the monotonic clock; holding the lease is certain before it. */
  private deadline = Number.NEGATIVE_INFINITY;
  private leading = false;
  /** Whether it leads, but is past its deadline. */
  private paused = false;
  /** Of the last successful write. */
  private term: Term | undefined;
  private deadlineTimer: Timer | undefined;
  private running: Promise<void> = Promise.resolve();
  private failing = false;

  private constructor(private readonly options: LeaderElectorOptions) {
    this.now = options.monotonicNow ?? (() => performance.now());
    const { client, lease, identity } = options;
    this.lock = new LeaseLock(client, lease);
    this.logger = options.logger.child({ lease: `${lease.namespace}/${lease.name}`, identity });
  }

  static create(options: LeaderElectorOptions): LeaderElector {
    return new LeaderElector(options);
  }

  /** Whether this process leads at this very moment: read anew before each act that only a leader may do. */
  get isLeader(): boolean {
    return this.leading && this.isHeld;
  }

  /** Aborts, with a {@link LeaseLostError}, when this process ceases to lead against its will. */
  get lost(): AbortSignal {
    return this.losing.signal;
  }

  /**
   * Resolves once this process leads, however long the API server fails; from then on it renews by itself.
   * @throws the signal's reason when it aborts first; what {@link release} stops it with.
   */
  acquire(signal: AbortSignal): Promise<void> {
    const acquiring = this.waitForLease(AbortSignal.any([signal, this.releasing.signal]));
    this.running = acquiring;
    return acquiring;
  }

  /**
   * Ceases to lead at once, then gives the lease back so that another need not wait for its end. Where that
   * fails it says so in the log: the lease then runs out by itself.
   */
  async release(): Promise<void> {
    this.leading = false;
    this.deadlineTimer?.cancel();
    this.releasing.abort(new Error('The lease is released'));
    // A request under way may still write the lease.
    await this.running.catch(() => undefined);
    if (this.losing.signal.aborted || this.deadline === Number.NEGATIVE_INFINITY) return;
    this.deadline = Number.NEGATIVE_INFINITY;
    try {
      await this.withTimeout((signal) => this.giveBack(signal));
    } catch (error) {
      this.logger.warn('The lease could not be released', { error });
    }
  }

  private get isHeld(): boolean {
    return this.now() < this.deadline;
  }

  private async waitForLease(signal: AbortSignal): Promise<void> {
    const { clock, random, retryPeriodMs } = this.options;
    this.logger.info('Waiting for the lease');
    for (;;) {
      signal.throwIfAborted();
      if (await this.attempt()) break;
      await sleep(clock, retryPeriodMs * (1 + JITTER * random()), signal);
    }
    signal.throwIfAborted();
    this.leading = true;
    this.watchDeadline();
    this.logger.info('Lease acquired');
    this.tell('became leader');
    this.running = this.keepRenewing();
  }

  private async keepRenewing(): Promise<void> {
    const { clock, retryPeriodMs } = this.options;
    const ended = AbortSignal.any([this.releasing.signal, this.losing.signal]);
    for (;;) {
      try {
        await sleep(clock, retryPeriodMs, ended);
      } catch {
        return;
      }
      // After a stall, no timer may have fired yet.
      if (!this.isHeld) this.pause();
      if (await this.attempt()) {
        this.watchDeadline();
        this.resume();
      } else if (this.isHeldByAnother()) {
        this.lose(`${this.observed?.lease.spec?.holderIdentity} has taken it`);
      }
    }
  }

  /** Pauses at the deadline, unless another renewal succeeds first. */
  private watchDeadline(): void {
    if (!this.leading) return;
    this.deadlineTimer?.cancel();
    this.deadlineTimer = this.options.clock.after(Math.max(0, this.deadline - this.now()), () =>
      this.pause(),
    );
  }

  private pause(): void {
    if (!this.leading || this.paused) return;
    this.paused = true;
    this.deadlineTimer?.cancel();
    this.logger.warn('The lease was not renewed in time; pausing until it is');
    this.options.onPause?.();
  }

  private resume(): void {
    if (!this.leading || !this.paused) return;
    this.paused = false;
    this.logger.info('The lease is renewed, and no other process has led; resuming');
    this.options.onResume?.();
  }

  private lose(why: string): void {
    if (!this.leading) return;
    this.leading = false;
    this.deadlineTimer?.cancel();
    this.losing.abort(new LeaseLostError(`The lease is lost: ${why}`));
  }

  /** One try to acquire or renew; resolves with whether the lease is held. */
  private async attempt(): Promise<boolean> {
    const sentAt = this.now();
    try {
      const succeeded = await this.withTimeout((signal) => this.acquireOrRenew(signal));
      if (succeeded) {
        this.deadline = sentAt + this.options.renewDeadlineMs;
        this.term = this.observed && termOf(this.observed.lease);
      }
      this.reportFailure(undefined);
      return succeeded && this.isHeld;
    } catch (error) {
      // Another process was faster; the next try sees which.
      if (isConflict(error) || isAlreadyExists(error)) return false;
      this.reportFailure(error);
      return false;
    }
  }

  private async acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    if (this.isLeader && this.observed) {
      try {
        return await this.write(this.observed.lease, signal);
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    }
    const lease = await this.lock.read(signal);
    if (lease) this.observe(lease);
    if (this.isHeldByAnother()) return false;
    if (this.paused && !this.isOfThisTerm(lease)) {
      this.lose('another process may have led while it was not renewed');
      return false;
    }
    return lease ? this.write(lease, signal) : this.create(signal);
  }

  /** What is left of a lease that somebody deleted counts too: its holder does not know yet. */
  private isHeldByAnother(): boolean {
    if (!this.observed) return false;
    const { leaseDurationMs, identity } = this.options;
    const { holderIdentity, leaseDurationSeconds } = this.observed.lease.spec ?? {};
    if (!holderIdentity || holderIdentity === identity) return false;
    const durationMs = leaseDurationSeconds ? leaseDurationSeconds * 1_000 : leaseDurationMs;
    return this.now() < this.observed.changedAt + durationMs;
  }

  /** Whether no other process can have led since this one last wrote the lease. */
  private isOfThisTerm(lease: Lease | undefined): boolean {
    if (lease?.spec?.holderIdentity !== this.options.identity) return false;
    return isDeepStrictEqual(termOf(lease), this.term);
  }

  private observe(lease: Lease): void {
    const before = this.observed?.lease.spec;
    const unchanged = this.observed !== undefined && isDeepStrictEqual(before, lease.spec);
    const changedAt = unchanged && this.observed ? this.observed.changedAt : this.now();
    this.observed = { lease, changedAt };
    const holder = lease.spec?.holderIdentity;
    if (holder && holder !== before?.holderIdentity && holder !== this.options.identity) {
      this.logger.info('Another process holds the lease', { holder });
    }
  }

  private async create(signal: AbortSignal): Promise<true> {
    this.observe(await this.lock.create(heldSpec(this.holding(), undefined), signal));
    return true;
  }

  private async write(lease: Lease, signal: AbortSignal): Promise<true> {
    const spec = heldSpec(this.holding(), lease.spec ?? {});
    this.observe(await this.lock.write(lease, spec, signal));
    return true;
  }

  private async giveBack(signal: AbortSignal): Promise<void> {
    const lease = await this.lock.read(signal);
    if (lease?.spec?.holderIdentity !== this.options.identity) return;
    await this.lock.write(lease, freeingPatch(this.options.clock.now()), signal);
    this.logger.info('Lease released');
    this.tell('stopped leading');
  }

  private holding(): Holding {
    const { identity, clock, leaseDurationMs: durationMs } = this.options;
    return { identity, now: clock.now(), durationMs };
  }

  /** Half the deadline (controller-runtime's choice), so that a request that hangs leaves time for another. */
  private async withTimeout<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const outOfTime = new AbortController();
    const timer = this.options.clock.after(this.options.renewDeadlineMs / 2, () =>
      outOfTime.abort(new Error('The API server did not answer in time')),
    );
    try {
      return await call(outOfTime.signal);
    } finally {
      timer.cancel();
    }
  }

  private tell(what: string): void {
    const { events, identity } = this.options;
    if (!this.observed) return;
    events.event(
      { kind: Lease, object: this.observed.lease },
      { type: 'Normal', reason: 'LeaderElection', action: 'Elect', note: `${identity} ${what}` },
    );
  }

  /** Logs when tries begin to fail and when they work again, not each time. */
  private reportFailure(error: unknown): void {
    const failing = error !== undefined;
    if (failing === this.failing) return;
    this.failing = failing;
    if (failing) {
      this.logger.warn('Reading or writing the lease fails', { error });
    } else {
      this.logger.info('Reading and writing the lease works again');
    }
  }
}

function termOf({ metadata, spec }: Lease): Term {
  return { uid: metadata.uid, transitions: spec?.leaseTransitions ?? 0 };
}
