import { isDeepStrictEqual } from 'node:util';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, TAGS } from '../../api/names.js';
import { DeniedError, Ec2Error } from '../../aws/ec2-errors.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import { NotWantedError } from '../../runtime/concurrency/token-bucket.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { generationChanged, type Predicates } from '../../runtime/controller/predicates.js';
import { hasFinalizer } from '../../runtime/kube/finalizers.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { Logger } from '../../runtime/logger.js';
import { type BlockedRetries, blockedByFailure } from '../shared/blocked.js';
import type { AttachmentProvider } from './attachment-provider.js';
import type { AttachmentRemover } from './attachment-remover.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import { ownEni } from './plan-attachment.js';
import type { Outcome } from './step-result.js';

export interface ENIAttachmentReconcilerOptions {
  records: Store<ENIAttachment>;
  inventory: EniInventory;
  provider: AttachmentProvider;
  remover: AttachmentRemover;
  reporter: AttachmentReporter;
  /** Waits between tries of what somebody has to correct. */
  blockedRetries: BlockedRetries;
  /** Milliseconds between looks at what EC2 is doing. */
  observeIntervalMs: number;
}

/** Steps of one pass; a life from Create to Attached has four. More is a loop, and is slowed down. */
const MAX_STEPS = 12;

/** Our own status writes wake nobody; the agent's word on the link does. */
export const recordChanged: Predicates<ENIAttachment> = {
  updated: (record, old) =>
    generationChanged.updated?.(record, old) !== false ||
    !isDeepStrictEqual(linkVerdict(record), linkVerdict(old)),
};

function linkVerdict({ status }: ENIAttachment) {
  const { state, reason, message, observedGeneration } = status?.link ?? {};
  return { state, reason, message, observedGeneration };
}

/** Let go by us, and gone as soon as the API server says so. */
function isReleased(record: ENIAttachment): boolean {
  return record.metadata.deletionTimestamp !== undefined && !hasFinalizer(record, ENI_FINALIZER);
}

/**
 * Turns records into EC2 calls, and is the only one that does. Each step reads the record, reads what EC2
 * has, and does what `planAttachment` or `planRemoval` say; a pass goes on until it has to wait.
 */
@Reconciler({ for: ENIAttachment, when: recordChanged })
export class ENIAttachmentReconciler {
  constructor(private readonly options: ENIAttachmentReconcilerOptions) {}

  @Watch(EniInventory)
  recordOf(eni: Eni): string[] {
    const uid = eni.tags[TAGS.attachmentUID];
    return uid === undefined ? [] : this.options.records.byIndex('uid', uid).map(keyOf);
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { records, blockedRetries } = this.options;
    for (let step = 0; step < MAX_STEPS; step++) {
      const record = records.get(key);
      if (!record || isReleased(record)) {
        blockedRetries.forget(key);
        return {};
      }
      const outcome = await this.step(record, logger);
      if (outcome !== 'again') {
        return this.resultOf(record, outcome, logger);
      }
    }
    return { requeueAfter: this.options.observeIntervalMs };
  }

  private async step(record: ENIAttachment, logger: Logger): Promise<Outcome> {
    const { provider, remover } = this.options;
    try {
      return await (record.metadata.deletionTimestamp ? remover : provider).step(record, logger);
    } catch (error) {
      if (error instanceof NotWantedError) {
        return 'again';
      }
      const blocked = error instanceof Ec2Error ? blockedByFailure(error) : undefined;
      if (!blocked) {
        throw error;
      }
      if (error instanceof DeniedError && (await this.hasChanged(record))) {
        return 'again';
      }
      return { blocked, eni: ownEni(this.options.inventory, record) };
    }
  }

  /**
   * Whether the ENI is not what it was known as, or gone: a policy that goes by its tags then refuses what
   * EC2 would else answer as a conflict or as not found.
   */
  private async hasChanged(record: ENIAttachment): Promise<boolean> {
    const { inventory } = this.options;
    const known = ownEni(inventory, record);
    if (!known) {
      return false;
    }
    await inventory.observe(known.id);
    return !isDeepStrictEqual(ownEni(inventory, record), known);
  }

  private async resultOf(
    record: ENIAttachment,
    outcome: Exclude<Outcome, 'again'>,
    logger: Logger,
  ): Promise<Result> {
    const { records, reporter, blockedRetries, observeIntervalMs } = this.options;
    const key = keyOf(record);
    if (outcome === 'later') {
      return { requeueAfter: observeIntervalMs };
    }
    if (outcome === 'done') {
      blockedRetries.forget(key);
      return {};
    }
    await reporter.blocked(records.get(key) ?? record, outcome.blocked, outcome.eni);
    const { afterMs, counts } = blockedRetries.next(key);
    if (counts) {
      const { reason, message: detail } = outcome.blocked;
      logger.warn('ENI blocked', { reason, detail, requeueAfterMs: afterMs });
    }
    return { requeueAfter: afterMs };
  }
}
