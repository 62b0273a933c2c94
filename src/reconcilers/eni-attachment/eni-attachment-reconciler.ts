import { isDeepStrictEqual } from 'node:util';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, TAGS } from '../../api/names.js';
import type { NodeENI } from '../../api/node-eni.js';
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
import { type BlockedBackoff, blockedByFailure, refusedWrite } from '../shared/blocked.js';
import { ELASTIC_IP_INDEX, NO_ELASTIC_IP } from './addresses/elastic-ip-index.js';
import type { AttachmentProvider } from './attachment-provider.js';
import type { AttachmentRemover } from './attachment-remover.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import { ownEni } from './eni-identity.js';
import { ownershipFault } from './plan-attachment.js';
import type { StepResult } from './step-result.js';

export interface ENIAttachmentReconcilerOptions {
  attachments: Store<ENIAttachment>;
  nodeENIs: Store<NodeENI>;
  inventory: EniInventory;
  provider: AttachmentProvider;
  remover: AttachmentRemover;
  reporter: AttachmentReporter;
  /** Delays between retries of faults that only a user can correct. */
  blockedBackoff: BlockedBackoff;
  /** Milliseconds between two reads of an ENI that EC2 is working on. */
  observeIntervalMs: number;
}

/**
 * The most steps of one reconcile. From Create to Attached takes four; more than this is a loop, which is
 * slowed down.
 */
const MAX_STEPS = 12;

/** The controller's own status writes enqueue nothing; the link status that the agent writes does. */
const attachmentChanged: Predicates<ENIAttachment> = {
  updated: (attachment, old) =>
    generationChanged.updated?.(attachment, old) !== false ||
    !isDeepStrictEqual(linkStatus(attachment), linkStatus(old)),
};

function linkStatus({ status }: ENIAttachment) {
  const { state, reason, message, observedGeneration, podAddresses, withdrawnAddresses } =
    status?.link ?? {};
  return { state, reason, message, observedGeneration, podAddresses, withdrawnAddresses };
}

function finalizersRemoved(attachment: ENIAttachment): boolean {
  return (
    attachment.metadata.deletionTimestamp !== undefined && !hasFinalizer(attachment, ENI_FINALIZER)
  );
}

/**
 * Turns attachments into EC2 calls; nothing else does. Each step reads the attachment and the inventory and
 * carries out what `planAttachment` or `planRemoval` returns. A reconcile continues until it has to wait.
 */
@Reconciler({ for: ENIAttachment, when: attachmentChanged })
export class ENIAttachmentReconciler {
  constructor(private readonly options: ENIAttachmentReconcilerOptions) {}

  @Watch(EniInventory)
  mapENIToAttachment(eni: Eni): string[] {
    const uid = eni.tags[TAGS.attachmentUID];
    return uid === undefined ? [] : this.options.attachments.byIndex('uid', uid).map(keyOf);
  }

  /** An ENI that is gone, or has no Elastic IP address any longer, has left one for those that wait. */
  @Watch(EniInventory)
  mapENIToWaiting(eni: Eni, old?: Eni): string[] {
    const left = old ? old.publicAddress && !eni.publicAddress : eni.publicAddress;
    return left ? this.options.attachments.byIndex(ELASTIC_IP_INDEX, NO_ELASTIC_IP).map(keyOf) : [];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, blockedBackoff } = this.options;
    for (let step = 0; step < MAX_STEPS; step++) {
      const attachment = attachments.get(key);
      if (!attachment || finalizersRemoved(attachment)) {
        blockedBackoff.forget(key);
        return {};
      }
      const result = await this.step(attachment, logger);
      if (result !== 'continue') {
        return this.resultOf(attachment, result, logger);
      }
    }
    return { requeueAfter: this.options.observeIntervalMs };
  }

  private async step(attachment: ENIAttachment, logger: Logger): Promise<StepResult> {
    const { provider, remover, nodeENIs } = this.options;
    try {
      if (attachment.metadata.deletionTimestamp) {
        return await remover.step(attachment, logger);
      }
      const fault = ownershipFault(attachment, nodeENIs.get(attachment.spec.nodeENI));
      return fault ? { blocked: fault } : await provider.step(attachment, logger);
    } catch (error) {
      if (error instanceof NotWantedError) {
        return 'continue';
      }
      const blocked =
        error instanceof Ec2Error
          ? blockedByFailure(error)
          : refusedWrite(`update ENIAttachment ${attachment.metadata.name}`, error);
      if (!blocked) {
        throw error;
      }
      if (error instanceof DeniedError && (await this.hasChanged(attachment))) {
        return 'continue';
      }
      return { blocked, eni: ownEni(this.options.inventory, attachment) };
    }
  }

  /**
   * Whether the ENI changed or no longer exists. An IAM policy with a condition on tags then denies a call that EC2
   * would otherwise answer with a conflict or with NotFound.
   */
  private async hasChanged(attachment: ENIAttachment): Promise<boolean> {
    const { inventory } = this.options;
    const known = ownEni(inventory, attachment);
    if (!known) {
      return false;
    }
    await inventory.observe(known.id);
    return !isDeepStrictEqual(ownEni(inventory, attachment), known);
  }

  private async resultOf(
    attachment: ENIAttachment,
    result: Exclude<StepResult, 'continue'>,
    logger: Logger,
  ): Promise<Result> {
    const { attachments, reporter, blockedBackoff, observeIntervalMs } = this.options;
    const key = keyOf(attachment);
    if (result === 'requeue') {
      return { requeueAfter: observeIntervalMs };
    }
    if (result === 'done') {
      blockedBackoff.forget(key);
      return {};
    }
    await reporter.blocked(attachments.get(key) ?? attachment, result.blocked, result);
    const { afterMs, counts } = blockedBackoff.next(key);
    if (counts) {
      const { reason, message: detail } = result.blocked;
      logger.warn('ENI blocked', { reason, detail, requeueAfterMs: afterMs });
    }
    return { requeueAfter: afterMs };
  }
}
