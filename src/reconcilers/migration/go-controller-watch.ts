import { LRUCache } from 'lru-cache';
import { GO_CONTROLLER } from '../../api/go-controller.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Clock } from '../../runtime/clock.js';
import type { KubeClient } from '../../runtime/kube/kube-client.js';
import { isForbidden } from '../../runtime/kube/kube-errors.js';
import { Lease } from '../../runtime/leader-election/lease.js';
import type { Logger } from '../../runtime/logger.js';
import { hasGoFinalizer } from './listed-enis.js';

/**
 * How old (milliseconds) the renewal of a Lease may be. The Go controller renews every two seconds, for
 * fifteen; the rest allows for clock skew.
 */
const LEASE_AGE_MS = 60_000;
/** How long (milliseconds) a read of the Lease is valid. */
const ANSWER_AGE_MS = 5_000;
/**
 * If a finalizer returns within this time (milliseconds) of its removal, the Go controller set it, which may
 * run without a Lease. Later than that, it came from an old manifest or a restored backup.
 */
const RETURNED_WITHIN_MS = 30_000;
/** For how long (milliseconds) that is evidence. */
const RETURN_AGE_MS = 60_000;

export interface GoControllerWatchOptions {
  client: Pick<KubeClient, 'list'>;
  clock: Clock;
  logger: Logger;
}

/**
 * Detects a Go controller that runs in parallel with this operator. It queries the API server only when
 * something depends on the result.
 */
export class GoControllerWatch {
  /** When this process removed the Go controller's finalizer, by UID of the NodeENI. */
  private readonly removedAt = new LRUCache<string, number>({ max: 10_000 });
  private returnedAt = Number.NEGATIVE_INFINITY;
  private answer: { at: number; running: Promise<string | undefined> } | undefined;
  private isDenied = false;

  constructor(private readonly options: GoControllerWatchOptions) {}

  /**
   * Why nothing may be created, if the Go controller runs.
   * @throws KubeUnreachableError, KubeApiError other than a missing permission
   */
  async fault(): Promise<Blocked | undefined> {
    const now = this.options.clock.now();
    if (now - this.returnedAt < RETURN_AGE_MS) {
      return blocked(
        'OtherControllerRunning',
        `The finalizer ${GO_CONTROLLER.finalizer} came back after this operator removed it`,
      );
    }
    if (!this.answer || now - this.answer.at >= ANSWER_AGE_MS) {
      this.answer = { at: now, running: this.holder() };
    }
    const { running } = this.answer;
    try {
      const holder = await running;
      return holder === undefined
        ? undefined
        : blocked(
            'OtherControllerRunning',
            `The Lease ${holder} is being renewed: aws-multi-eni-controller runs`,
          );
    } catch (error) {
      this.answer = undefined;
      throw error;
    }
  }

  /** Call it when the Go controller's finalizer was removed from the NodeENI. */
  finalizerRemoved({ metadata }: NodeENI): void {
    this.removedAt.set(metadata.uid, this.options.clock.now());
  }

  /** Call it with each NodeENI that a reconcile reads. */
  saw(nodeENI: NodeENI): void {
    const { uid } = nodeENI.metadata;
    const removedAt = this.removedAt.get(uid);
    if (hasGoFinalizer(nodeENI) && removedAt !== undefined) {
      this.removedAt.delete(uid);
      const now = this.options.clock.now();
      if (now - removedAt < RETURNED_WITHIN_MS) this.returnedAt = now;
    }
  }

  /** The Lease that is being renewed, as namespace/name. */
  private async holder(): Promise<string | undefined> {
    const { client, clock, logger } = this.options;
    try {
      const { items } = await client.list<Lease>(Lease.resource, {
        fieldSelector: `metadata.name=${GO_CONTROLLER.lease}`,
      });
      const live = items.find(({ spec }) => {
        const age = Math.abs(clock.now() - Date.parse(spec?.renewTime ?? ''));
        return Boolean(spec?.holderIdentity) && age < LEASE_AGE_MS;
      });
      return live && `${live.metadata.namespace}/${live.metadata.name}`;
    } catch (error) {
      if (!isForbidden(error)) throw error;
      if (!this.isDenied) {
        logger.warn('No permission to read the Lease of the Go controller', { error });
        this.isDenied = true;
      }
      return undefined;
    }
  }
}
