import { Ec2Error } from '../aws/ec2-errors.js';
import type { Ec2Gateway } from '../aws/ec2-gateway.js';
import type { EniInventory } from '../aws/inventory/eni-inventory.js';
import { blockedByFailure } from '../reconcilers/shared/blocked.js';
import { type Clock, repeat } from '../runtime/clock.js';
import type { Explanation } from '../runtime/kube/conditions.js';
import type { EventRecorder, Regarding } from '../runtime/kube/events.js';
import { describeError } from '../runtime/logger.js';

export interface Ec2ReadinessOptions {
  clock: Clock;
  events: EventRecorder;
  /** The object of Events: no object in the cluster represents EC2. */
  cluster: Regarding;
}

/** No ENI has this id: its read proves credentials, permission and route, and returns nothing. */
const NO_ENI = 'eni-00000000000000000';
/** Milliseconds between two reads of a standby: after success, and after a failure. */
const STANDBY_READ_MS = 60_000;
const STANDBY_RETRY_MS = 5_000;

/**
 * Whether EC2 lets this process manage the cluster's ENIs: the leader lists them, and a standby proves that it could
 * take over. No worker starts before the first listing, so without this check a missing permission would look like a
 * slow start, and a rollout to a configuration that cannot reach EC2 would remove the controller that can.
 */
export class Ec2Readiness {
  /** Of the leader's listing. */
  private failure: Explanation | undefined;
  /** Of a standby's newest read; undefined before the first one. */
  private standbyRead: { failure: Explanation | undefined } | undefined;

  constructor(private readonly options: Ec2ReadinessOptions) {}

  /** Receives the argument of `EniInventoryOptions.onListing`, and emits an Event about it. */
  listing(error: unknown): void {
    this.failure = error === undefined ? undefined : explain(error);
    this.emit(this.failure);
  }

  /** Reads EC2 periodically until `signal` aborts, for {@link checkStandby}. Emits an Event per change. */
  async standBy(gateway: Pick<Ec2Gateway, 'describeEnis'>, signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    await repeat({ clock, signal }, async () => {
      const failure = await failureOf(gateway.describeEnis([NO_ENI]));
      const reported = this.standbyRead?.failure;
      this.standbyRead = { failure };
      if (failure?.reason !== reported?.reason) this.emit(failure);
      return failure ? STANDBY_RETRY_MS : STANDBY_READ_MS;
    });
  }

  /** Why a standby could not take over; undefined if it could. */
  checkStandby(): string | undefined {
    return this.standbyRead ? this.standbyRead.failure?.message : 'EC2 has not responded yet';
  }

  /**
   * Why the leader cannot list its ENIs; undefined if it can.
   * @param inventory that was started, which a standby does not do
   */
  check({ listedAt }: Pick<EniInventory, 'listedAt'>): string | undefined {
    if (this.failure) return this.failure.message;
    return listedAt === 0 ? 'the first listing of ENIs is not complete' : undefined;
  }

  private emit(failure: Explanation | undefined): void {
    const { events, cluster } = this.options;
    const { reason, message } = failure ?? {
      reason: 'EC2Answers',
      message: 'The ENIs of the cluster are listed again.',
    };
    const type = failure ? 'Warning' : 'Normal';
    events.event(cluster, { type, reason, action: 'List', note: message });
  }
}

async function failureOf(read: Promise<unknown>): Promise<Explanation | undefined> {
  try {
    await read;
    return undefined;
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): Explanation {
  const blocked = error instanceof Ec2Error ? blockedByFailure(error) : undefined;
  if (blocked) return blocked;
  const cause = error instanceof Ec2Error ? `${error.code}: ${error.detail}` : describeError(error);
  return {
    reason: 'EC2Unavailable',
    message: `Listing the ENIs of the cluster fails (${cause}); retrying.`,
  };
}
