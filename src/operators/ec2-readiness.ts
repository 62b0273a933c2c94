import { Ec2Error } from '../aws/ec2-errors.js';
import type { EniInventory } from '../aws/inventory/eni-inventory.js';
import { blockedByFailure } from '../reconcilers/shared/blocked.js';
import type { Explanation } from '../runtime/kube/conditions.js';
import type { EventRecorder, Regarding } from '../runtime/kube/events.js';
import { describeError } from '../runtime/logger.js';

export interface Ec2ReadinessOptions {
  events: EventRecorder;
  /** What Events are about: no object of the cluster stands for EC2. */
  cluster: Regarding;
}

/**
 * Whether EC2 lets this process see the cluster's ENIs. No worker starts before the first listing, so that a
 * missing permission would otherwise look like patience.
 */
export class Ec2Readiness {
  private failure: Explanation | undefined;

  constructor(private readonly options: Ec2ReadinessOptions) {}

  /** Takes the news of `EniInventoryOptions.onListing`, and tells of it in an Event. */
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
   * What keeps a process that is in charge from its ENIs.
   * @param inventory where it has been started; one that stands by has none yet
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
    message: `Listing the ENIs of the cluster fails (${cause}); it is tried again.`,
  };
}
