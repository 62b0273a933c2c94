import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep, type Timer } from '../clock.js';
import type { EventRecorder } from '../kube/events.js';
import type { KubeClient, ObjectName } from '../kube/kube-client.js';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/kube-errors.js';
import type { Logger } from '../logger.js';
import { freeingPatch, type Holding, heldSpec, Lease, LeaseLock } from './lease.js';

/** client-go's JitterFactor: up to this part of the retry period is added to a wait for the lease. */
const JITTER = 1.2;

/** This process no longer holds the lease, or cannot be sure of it: it must stop immediately. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
}

/** Durations of a lease, in milliseconds; each is shorter than the previous one. */
interface LeaseTimes {
  /** Other candidates take the lease over if it has not changed for this long. */
  leaseDurationMs: number;
  /** The holder pauses this long after it sent its last successful renewal. */
  renewDeadlineMs: number;
  /** Between two attempts to acquire or renew. */
  retryPeriodMs: number;
}

export interface LeaderElectorOptions extends LeaseTimes {
  client: KubeClient;
  lease: ObjectName;
  /** Unique to this process. */
  identity: string;
  clock: Clock;
  /**
   * Milliseconds of a clock that cannot be set, and that runs while the process is stopped. Default:
   * performance.now() (CLOCK_MONOTONIC).
   */
  monotonicNow?: () => number;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  events: EventRecorder;
  /**
   * Called when the holder can no longer be sure of the lease: until `onResume`, it must not act as the
   * leader.
   */
  onPause?: () => void;
  /**
   * Called when the holder has renewed the lease after `onPause`, and no other process led in the meantime.
   */
  onResume?: () => void;
}

/** The fields of a lease that change with its holder, not with a renewal. */
interface Term {
  uid: string | undefined;
  transitions: number;
}

/**
 * client-go's leader election on a Lease: one of the candidates leads. It compares no clocks: a candidate
 * takes the lease if it has not changed for its duration, measured locally; the holder counts from when it
 * sent its last renewal. Each write carries the resourceVersion that was read.
 *
 * Unlike in client-go, a holder past its deadline has not lost the lease yet: it pauses. If the API server
 * then shows that no other process has taken the lease, the holder renews it and resumes; otherwise it has
 * lost the lease.
 */
export class LeaderElector {
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly lock: LeaseLock;
  private readonly losing = new AbortController();
  private readonly releasing = new AbortController();
  /** The newest state read, and when its spec was seen to change. */
  private observed: { lease: Lease; changedAt: number } | undefined;
  /** On the monotonic clock; until then, this process certainly holds the lease. */
  private deadline = Number.NEGATIVE_INFINITY;
  private leading = false;
  /** Whether it leads, but is past its deadline. */
  private paused = false;
  /** From the last successful write. */
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

  /** Whether this process leads at this moment: check it before each act that is reserved to the leader. */
  get isLeader(): boolean {
    return this.leading && this.isHeld;
  }

  /** Aborts, with a {@link LeaseLostError}, when this process loses the lease. */
  get lost(): AbortSignal {
    return this.losing.signal;
  }

  /**
   * Resolves once this process leads, however long the API server fails; from then on it renews the lease.
   * @throws the signal's reason when it aborts first; the error of {@link release} if that ends it.
   */
  acquire(signal: AbortSignal): Promise<void> {
    const acquiring = this.waitForLease(AbortSignal.any([signal, this.releasing.signal]));
    this.running = acquiring;
    return acquiring;
  }

  /**
   * Stops leading immediately, then releases the lease so that another process need not wait for it to
   * expire. If the release fails, it logs that, and the lease expires.
   */
  async release(): Promise<void> {
    this.leading = false;
    this.deadlineTimer?.cancel();
    this.releasing.abort(new Error('The lease is released'));
    // A request in flight may still write the lease.
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
    this.recordEvent('became leader');
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
      // After a stall, the timer may not have fired yet.
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

  /** Tries once to acquire or renew; resolves with whether the lease is held. */
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
      // Another process was faster; the next attempt reads which.
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

  /** The last known state of a deleted lease counts too: its holder may not have noticed. */
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
    this.recordEvent('stopped leading');
  }

  private holding(): Holding {
    const { identity, clock, leaseDurationMs: durationMs } = this.options;
    return { identity, now: clock.now(), durationMs };
  }

  /** Half the deadline (controller-runtime's choice), so that a hanging request leaves time for another. */
  private async withTimeout<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const outOfTime = new AbortController();
    const timer = this.options.clock.after(this.options.renewDeadlineMs / 2, () =>
      outOfTime.abort(new Error('The API server did not respond in time')),
    );
    try {
      return await call(outOfTime.signal);
    } finally {
      timer.cancel();
    }
  }

  private recordEvent(what: string): void {
    const { events, identity } = this.options;
    if (!this.observed) return;
    events.event(
      { kind: Lease, object: this.observed.lease },
      { type: 'Normal', reason: 'LeaderElection', action: 'Elect', note: `${identity} ${what}` },
    );
  }

  /** Logs when attempts begin to fail and when they succeed again, not each time. */
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
