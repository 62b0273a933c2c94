import { Ec2Error } from '../aws/ec2-errors.js';
import type { EniInventory } from '../aws/inventory/eni-inventory.js';
import { blockedByFailure } from '../reconcilers/shared/blocked.js';
import type { Explanation } from '../runtime/kube/conditions.js';
import type { EventRecorder, Regarding } from '../runtime/kube/events.js';
import { describeError } from '../runtime/logger.js';

export interface Ec2ReadinessOptions {
  events: EventRecorder;
  /** The object of Events: no object in the cluster represents EC2. */
  cluster: Regarding;
}

/**
 * Whether EC2 lets this process list the cluster's ENIs. No worker starts before the first listing, so without this
 * check a missing permission would look like a slow start.
 */
export class Ec2Readiness {
  private failure: Explanation | undefined;

  constructor(private readonly options: Ec2ReadinessOptions) {}

  /** Takes what `EniInventoryOptions.onListing` passes, and emits an Event about it. */
  listing(error: unknown): void {
    this.failure = error === undefined ? undefined : explain(error);
    const { events, cluster } = this.options;
    const { reason, message } = this.failure ?? {
      reason: 'EC2Answers',
      message: 'The ENIs of the cluster can be listed again.',
    };
    const type = this.failure ? 'Warning' : 'Normal';
    events.event(cluster, { type, reason, action: 'List', note: message });
  }

  /**
   * Why the leader cannot list its ENIs; undefined if it can.
   * @param inventory that was started, which a standby does not do
   */
  check({ listedAt }: Pick<EniInventory, 'listedAt'>): string | undefined {
    if (this.failure) return this.failure.message;
    return listedAt === 0 ? 'the first listing of ENIs is not complete' : undefined;
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
