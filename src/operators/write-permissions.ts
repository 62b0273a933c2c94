import type { DeniedWrite, Ec2Gateway } from '../aws/ec2-gateway.js';
import { type Clock, repeat } from '../runtime/clock.js';
import type { EventRecorder, Regarding } from '../runtime/kube/events.js';
import { describeError, type Logger } from '../runtime/logger.js';
import { withoutFullStop } from '../runtime/message-text.js';

export interface WritePermissionsOptions {
  gateway: Pick<Ec2Gateway, 'describeEnis' | 'deniedWrites'>;
  /** An ENI of the cluster; undefined if there is none. */
  anyEni: () => string | undefined;
  clock: Clock;
  logger: Logger;
  events: EventRecorder;
  /** The object of Events: no object in the cluster represents EC2. */
  cluster: Regarding;
}

/** Milliseconds until the next dry runs: after a denial, and if EC2 does not respond. */
const DENIED_RETRY_MS = 60_000;
const FAILURE_RETRY_MS = 5_000;

/**
 * Whether the role's policy allows the writes that every ENI needs, tested by dry runs at the start. They
 * refer to an existing ENI, because policies depend on its tags, its subnet and its instance: a cluster
 * without ENIs is not checked. They are repeated only while one is denied.
 */
export class WritePermissions {
  /** Undefined while every write is allowed, or cannot be checked. */
  private problem: string | undefined = 'the dry runs of EC2 writes are not complete';
  private reported = false;

  constructor(private readonly options: WritePermissionsOptions) {}

  /** Why this process could not do its work; undefined if it could. */
  check(): string | undefined {
    return this.problem;
  }

  /** Resolves once every write is allowed, nothing can be checked, or `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    return repeat({ clock, signal }, () => this.attempt());
  }

  /** @returns milliseconds until the next attempt; undefined if none is needed */
  private async attempt(): Promise<number | undefined> {
    const { gateway, anyEni, logger } = this.options;
    const id = anyEni();
    try {
      const [eni] = id === undefined ? [] : await gateway.describeEnis([id]);
      this.report(eni ? await gateway.deniedWrites(eni) : []);
      return this.problem === undefined ? undefined : DENIED_RETRY_MS;
    } catch (error) {
      // The check of EC2's listing reports that.
      logger.debug('The dry runs of EC2 writes failed', { error: describeError(error) });
      return FAILURE_RETRY_MS;
    }
  }

  private report(denied: readonly DeniedWrite[]): void {
    const { events, cluster, logger } = this.options;
    const facts = denied.map(({ action, detail }) => `ec2:${action} (${withoutFullStop(detail)})`);
    this.problem =
      facts.length === 0
        ? undefined
        : `In a dry run, EC2 denied ${facts.join(', ')}. Allow the actions in the IAM policy of the controller's role.`;
    if (this.problem === undefined) {
      if (this.reported) logger.info('EC2 allows all writes that every ENI needs');
      return;
    }
    if (this.reported) return;
    this.reported = true;
    const actions = denied.map(({ action }) => `ec2:${action}`);
    logger.error('EC2 denies writes that every ENI needs', { actions, reason: this.problem });
    events.event(cluster, {
      type: 'Warning',
      reason: 'AccessDenied',
      action: 'DryRun',
      note: this.problem,
    });
  }
}
