import type { ENIAttachment } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, TAGS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import { AlreadyDoneError, ConflictError, DeniedError } from '../../aws/ec2-errors.js';
import type { Ec2Gateway, Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import type { FairLimit } from '../../runtime/concurrency/fair-queue.js';
import { withoutFinalizer } from '../../runtime/kube/finalizers.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import { adoptedEni, unclaimedEni } from '../shared/held-eni.js';
import type { ElasticIps } from './addresses/elastic-ips.js';
import { heldByPods } from './addresses/pod-addresses.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import type { CreateTimes, DetachTimes } from './ec2-call-times.js';
import { ownEni } from './eni-identity.js';
import { ownTags, setTags } from './eni-requests.js';
import { planRemoval, type RemovalStep } from './plan-attachment.js';
import { blockedOnFreshRead, type StepResult } from './step-result.js';

export interface AttachmentRemoverOptions {
  nodes: Pick<Store<Node>, 'get'>;
  attachments: Store<ENIAttachment>;
  client: ResourceClient<ENIAttachment>;
  gateway: Ec2Gateway;
  inventory: EniInventory;
  instances: InstanceCatalog;
  reporter: AttachmentReporter;
  createTimes: CreateTimes;
  detachTimes: DetachTimes;
  elasticIps: ElasticIps;
  clock: Clock;
  /**
   * How many Detach calls, and how many Delete calls, may be in flight or wait for EC2's rate at the same
   * time.
   */
  limits: { detach: FairLimit; delete: FairLimit };
  /** Milliseconds after which a detachment is late. */
  detachmentTimeoutMs: number;
  /** Whether a late detachment is forced. */
  forceDetach: boolean;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/** Takes one step towards the removal of a deleted attachment's ENI from EC2. */
export class AttachmentRemover {
  constructor(private readonly options: AttachmentRemoverOptions) {}

  async step(attachment: ENIAttachment, logger: Logger): Promise<StepResult> {
    if (adoptedEni(attachment) !== undefined && (await this.takeOver(attachment))) {
      return 'continue';
    }
    const eni = this.eniOf(attachment);
    const step = this.plan(attachment, eni);
    switch (step.do) {
      case 'detach':
        return this.detach(attachment, eni, step, logger);
      case 'observe':
        await this.options.reporter.reportIfSlow(
          attachment,
          { phase: 'Detaching', eni },
          this.options.inventory.observeTransition(step.eniId),
        );
        this.options.instances.invalidate(attachment.spec.instanceID);
        return 'continue';
      case 'delete':
        return this.delete(attachment, eni, step.eniId, logger);
      case 'elasticIP':
        return eni
          ? this.options.elasticIps.take(step.next, {
              attachment,
              eni,
              ec2: this.ec2For(attachment),
              logger,
            })
          : 'continue';
      case 'retain':
        await setTags(this.ec2For(attachment), step.eniId, step.tags);
        this.options.inventory.modified(step.eniId, { tags: step.tags });
        logger.info('ENI retained', { eniID: step.eniId, node: attachment.spec.nodeName });
        return 'continue';
      case 'confirmAbsence':
        return this.confirmAbsence(attachment);
      case 'blocked':
        return blockedOnFreshRead(this.options.inventory, attachment, (now) =>
          this.plan(attachment, now),
        );
      case 'release':
        return this.release(attachment);
    }
  }

  /** EC2, for this attachment's NodeENI. */
  private ec2For({ spec }: ENIAttachment): Ec2Gateway {
    return this.options.gateway.forOwner(spec.nodeENI);
  }

  private limited(
    action: keyof AttachmentRemoverOptions['limits'],
    attachment: ENIAttachment,
    call: (ec2: Ec2Gateway) => Promise<void>,
  ): Promise<void> {
    return this.options.limits[action].run(attachment.spec.nodeENI, () =>
      call(this.ec2For(attachment)),
    );
  }

  private eniOf(attachment: ENIAttachment): Eni | undefined {
    return ownEni(this.options.inventory, attachment);
  }

  private plan(attachment: ENIAttachment, eni: Eni | undefined): RemovalStep {
    const { detachmentTimeoutMs, forceDetach, clock, createTimes, detachTimes } = this.options;
    const isDetaching = eni?.attachment?.status === 'detaching';
    return planRemoval(attachment, eni, {
      untouched: createTimes.isUntouched(attachment),
      detachmentTimeoutMs,
      forceDetach,
      detachingSince: isDetaching ? detachTimes.detachingSince(attachment) : clock.now(),
      now: clock.now(),
    });
  }

  /**
   * Sets the operator's tags on an adopted ENI before it is removed: an IAM policy may allow no other call on
   * an ENI without them. @returns whether there was something to do
   */
  private async takeOver(attachment: ENIAttachment): Promise<boolean> {
    const { reporter, inventory } = this.options;
    const unclaimed = unclaimedEni(attachment);
    if (unclaimed !== undefined) {
      await reporter.claimed(attachment, unclaimed, 'Detaching');
      return true;
    }
    const { eniID = '' } = attachment.status ?? {};
    if (!inventory.get(eniID)) await inventory.observe(eniID);
    const eni = inventory.get(eniID);
    if (!(eni && this.mayTakeOver(attachment, eni))) return false;
    const missing = Object.entries(ownTags(attachment, inventory.clusterID)).filter(
      ([key, value]) => eni.tags[key] !== value,
    );
    if (missing.length === 0) return false;
    const tags = { set: Object.fromEntries(missing), remove: [] };
    await setTags(this.ec2For(attachment), eniID, tags);
    inventory.modified(eniID, { tags });
    return true;
  }

  private mayTakeOver({ metadata, spec }: ENIAttachment, eni: Eni): boolean {
    const { attachments, inventory } = this.options;
    const { [TAGS.attachmentUID]: uid, [TAGS.clusterID]: cluster } = eni.tags;
    return (
      eni.subnetId === spec.subnetID &&
      !eni.requesterManaged &&
      (cluster ?? inventory.clusterID) === inventory.clusterID &&
      (uid === undefined || uid === metadata.uid || attachments.byIndex('uid', uid).length === 0)
    );
  }

  private async detach(
    attachment: ENIAttachment,
    eni: Eni | undefined,
    { eniId, attachmentId, force }: Extract<RemovalStep, { do: 'detach' }>,
    logger: Logger,
  ): Promise<StepResult> {
    const { inventory, reporter, nodes, clock } = this.options;
    const held = heldByPods(attachment, nodes.get(attachment.spec.nodeName), clock.now());
    if (held) {
      return { blocked: held, eni };
    }
    if (force) {
      const now = await inventory.observe(eniId);
      if (now?.attachment?.attachmentId !== attachmentId) {
        return 'continue';
      }
    }
    try {
      const call = this.sendDetach(attachment, { eniId, attachmentId, force }, logger);
      await reporter.reportIfSlow(attachment, { phase: 'Detaching', eni }, call);
    } catch (error) {
      if (!(error instanceof AlreadyDoneError || error instanceof ConflictError)) {
        throw error;
      }
      await inventory.observe(eniId);
      const next = this.plan(attachment, this.eniOf(attachment));
      if (error instanceof ConflictError && next.do === 'detach') {
        throw error;
      }
    }
    return 'continue';
  }

  private async sendDetach(
    attachment: ENIAttachment,
    { eniId, attachmentId, force }: Omit<Extract<RemovalStep, { do: 'detach' }>, 'do'>,
    logger: Logger,
  ): Promise<void> {
    await this.limited('detach', attachment, (ec2) => ec2.detachEni(attachmentId, { force }));
    this.options.detachTimes.sent(attachment);
    this.options.inventory.detaching(eniId);
    logger.info('ENI detaching', { eniID: eniId, attachmentID: attachmentId, force });
  }

  private async delete(
    attachment: ENIAttachment,
    eni: Eni | undefined,
    eniId: string,
    logger: Logger,
  ): Promise<StepResult> {
    const { inventory, reporter } = this.options;
    try {
      const deletion = this.limited('delete', attachment, (ec2) => ec2.deleteEni(eniId));
      await reporter.reportIfSlow(attachment, { phase: 'Deleting', eni }, deletion);
    } catch (error) {
      if (error instanceof ConflictError) {
        return this.inUse(attachment, eniId, error);
      }
      if (
        !(error instanceof AlreadyDoneError || (await this.hidesAbsence(error, attachment, eniId)))
      ) {
        throw error;
      }
      // EC2 may not know the ENI yet.
      if (this.mayAppear(attachment)) {
        return 'requeue';
      }
    }
    inventory.deleted(eniId);
    logger.info('ENI deleted', { eniID: eniId, node: attachment.spec.nodeName });
    return this.eniOf(attachment) ? 'continue' : this.release(attachment);
  }

  /** EC2 can refuse to delete an ENI for a while after it reads as available: retries, within limits. */
  private async inUse(
    attachment: ENIAttachment,
    eniId: string,
    error: ConflictError,
  ): Promise<StepResult> {
    const { inventory, detachTimes, clock, consistencyWindowMs } = this.options;
    await inventory.observe(eniId);
    const next = this.plan(attachment, this.eniOf(attachment));
    const isLag = clock.now() - detachTimes.detachingSince(attachment) < consistencyWindowMs;
    if (next.do === 'delete' && !isLag) {
      throw error;
    }
    return next.do === 'delete' ? 'requeue' : 'continue';
  }

  /**
   * Whether IAM denied the call because the ENI no longer exists. A policy with a condition on tags denies a
   * call on a resource without tags, and EC2 evaluates it before it looks for the ENI. Only reads distinguish
   * that from a missing permission.
   */
  private async hidesAbsence(
    error: unknown,
    attachment: ENIAttachment,
    eniId: string,
  ): Promise<boolean> {
    if (!(error instanceof DeniedError)) {
      return false;
    }
    const { inventory } = this.options;
    const [byId, byTag] = await Promise.all([
      inventory.observe(eniId),
      inventory.find(attachment.metadata.uid),
    ]);
    return byId === undefined && byTag.length === 0;
  }

  /** A Create without a response may have created an ENI that EC2's reads do not show yet. */
  private async confirmAbsence(attachment: ENIAttachment): Promise<StepResult> {
    if (this.mayAppear(attachment)) {
      return 'requeue';
    }
    const found = await this.options.inventory.find(attachment.metadata.uid);
    return found.length > 0 ? 'continue' : this.release(attachment);
  }

  /** Whether EC2 may have an ENI of the attachment that its reads do not show yet. */
  private mayAppear(attachment: ENIAttachment): boolean {
    const { createTimes, consistencyWindowMs } = this.options;
    return createTimes.sentWithin(attachment, consistencyWindowMs);
  }

  private async release(attachment: ENIAttachment): Promise<StepResult> {
    const { attachments, client, reporter, createTimes, detachTimes, elasticIps } = this.options;
    // This pass may have written the attachment's status: the patch needs the newest resourceVersion.
    const newest = attachments.get(keyOf(attachment));
    const isSame = newest?.metadata.uid === attachment.metadata.uid;
    const patch = withoutFinalizer(isSame ? newest : attachment, ENI_FINALIZER);
    if (patch) {
      await client.patch(attachment.metadata, patch);
    }
    createTimes.forget(attachment);
    detachTimes.forget(attachment);
    elasticIps.released(attachment);
    reporter.released(attachment);
    return 'done';
  }
}
