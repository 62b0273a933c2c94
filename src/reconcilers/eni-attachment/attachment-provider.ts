import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import { ConflictError } from '../../aws/ec2-errors.js';
import type { AttachEniRequest, Ec2Gateway, Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import { bothOf } from '../../runtime/concurrency/both-of.js';
import { NotWantedError } from '../../runtime/concurrency/token-bucket.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { Logger } from '../../runtime/logger.js';
import { isLive } from '../shared/attachment-state.js';
import { isNotVisible } from '../shared/blocked.js';
import { unclaimedEni } from '../shared/held-eni.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { ElasticIps } from './addresses/elastic-ips.js';
import type { ElasticIpStep } from './addresses/plan-elastic-ip.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import type { CreateTimes } from './ec2-call-times.js';
import { impostors, ownEni } from './eni-identity.js';
import { applyChanges, createRequestFor, ownTags } from './eni-requests.js';
import type { LostEnis } from './lost-enis.js';
import {
  adoption,
  type EniChanges,
  isPending,
  planAttachment,
  type Step,
} from './plan-attachment.js';
import { blockedOnFreshRead, type StepResult } from './step-result.js';

export interface AttachmentProviderOptions {
  attachments: Store<ENIAttachment>;
  gateway: Ec2Gateway;
  inventory: EniInventory;
  instances: InstanceCatalog;
  slots: SlotInspector;
  lost: LostEnis;
  elasticIps: ElasticIps;
  reporter: AttachmentReporter;
  createTimes: CreateTimes;
  clusterID: string;
  clock: Clock;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/**
 * How old a read of the instance may be before a Create, in milliseconds: one describe then serves all ENIs that are
 * created together.
 */
const FRESH_ENOUGH_TO_CREATE_MS = 5_000;
/**
 * The same before an Attach, in milliseconds. EC2 checks again; this only avoids calls that cannot succeed.
 */
const FRESH_ENOUGH_TO_ATTACH_MS = 60_000;

/** Takes one step towards an attached ENI that matches the attachment's spec. */
export class AttachmentProvider {
  /** Until when (milliseconds since the epoch) calls of an earlier leader can change an ENI's addresses. */
  private readonly unconfirmed = new Map<string, number>();

  constructor(private readonly options: AttachmentProviderOptions) {}

  /**
   * EC2 for this attachment's NodeENI. Calls that still wait for their turn when the attachment is deleted
   * are not sent.
   */
  private ec2For(attachment: ENIAttachment): Ec2Gateway {
    const { gateway, attachments } = this.options;
    return gateway.forOwner(attachment.spec.nodeENI, () => {
      const now = attachments.get(keyOf(attachment));
      return now?.metadata.uid === attachment.metadata.uid && isLive(now);
    });
  }

  async step(attachment: ENIAttachment, logger: Logger): Promise<StepResult> {
    const unclaimed = unclaimedEni(attachment);
    if (unclaimed !== undefined) {
      await this.options.reporter.claimed(attachment, unclaimed, 'Attaching');
      return 'continue';
    }
    const eni = this.eniOf(attachment);
    for (const impostor of impostors(this.options.inventory, attachment)) {
      this.options.reporter.impostor(attachment, impostor);
    }
    const step = this.plan(attachment, eni);
    switch (step.do) {
      case 'create':
        return this.create(attachment, logger);
      case 'adopt':
        return this.adopt(attachment, step, logger);
      case 'attach':
        return this.attach(attachment, eni, step.request, logger);
      case 'modify':
        this.noteDrift(attachment, Object.keys(step.changes));
        await Promise.all([
          this.modify(attachment, step.eniId, step.changes, logger),
          step.settled ? undefined : this.options.inventory.observeTransition(step.eniId),
        ]);
        return 'continue';
      case 'elasticIP':
        return eni ? this.elasticIP(attachment, eni, step.next, logger) : 'continue';
      case 'observe':
        await this.options.inventory.observeTransition(step.eniId);
        return 'continue';
      case 'confirmLoss':
        return this.confirmLoss(attachment, step.eniId);
      case 'blocked':
        return blockedOnFreshRead(this.options.inventory, attachment, (now) =>
          this.plan(attachment, now),
        );
      case 'nothing':
        if (eni) {
          await this.options.reporter.settled(attachment, eni);
        }
        return eni ? this.confirmAddresses(eni) : 'done';
    }
  }

  /**
   * An Assign call of an earlier leader can arrive after this one's and double the addresses, which no read before the
   * next listing would show: reads the ENI once more when no such call can arrive any more.
   */
  private async confirmAddresses({ id }: Eni): Promise<StepResult> {
    const until = this.unconfirmed.get(id);
    if (until === undefined) {
      return 'done';
    }
    if (this.options.clock.now() < until) {
      return 'requeue';
    }
    this.unconfirmed.delete(id);
    await this.options.inventory.observe(id);
    return 'continue';
  }

  private eniOf(attachment: ENIAttachment): Eni | undefined {
    return ownEni(this.options.inventory, attachment);
  }

  private plan(attachment: ENIAttachment, eni: Eni | undefined): Step {
    return planAttachment(attachment, eni, {
      untouched: this.options.createTimes.isUntouched(attachment),
      // Only without an ENI, because this scans all of them.
      retained: eni ? [] : this.retainedFor(attachment),
      lost: eni ? undefined : this.options.lost.beingAdopted(attachment),
      ownTags: ownTags(attachment, this.options.clusterID),
    });
  }

  private async adopt(
    attachment: ENIAttachment,
    { eniId, tags }: Extract<Step, { do: 'adopt' }>,
    logger: Logger,
  ): Promise<StepResult> {
    const { inventory, reporter, createTimes } = this.options;
    // Written first, as before a Create: after a crash, the adoption resumes.
    await reporter.report(attachment, { phase: 'Attaching', eni: inventory.get(eniId) });
    try {
      await this.modify(attachment, eniId, { tags }, logger);
    } finally {
      createTimes.sent(attachment);
    }
    logger.info('Retained ENI adopted', { eniID: eniId, node: attachment.spec.nodeName });
    return 'continue';
  }

  /** ENIs kept for later; only a NodeENI that retains ENIs adopts them. */
  private retainedFor({ spec }: ENIAttachment): Eni[] {
    return spec.reclaimPolicy === 'Retain'
      ? this.options.inventory.list().filter(({ tags }) => tags[TAGS.retained] === spec.nodeENI)
      : [];
  }

  /** Reports a change in EC2 of what already matched the spec. */
  private noteDrift(attachment: ENIAttachment, what: readonly string[]): void {
    if (isSettled(attachment)) {
      this.options.reporter.drifted(attachment, what);
    }
  }

  private async create(attachment: ENIAttachment, logger: Logger): Promise<StepResult> {
    const { inventory, reporter, createTimes, clusterID, slots, lost } = this.options;
    if (createTimes.isInherited(attachment) && this.mayAdopt(attachment)) {
      return this.confirmUntouched(attachment);
    }
    const fault = await slots.fault(attachment, { maxAgeMs: FRESH_ENOUGH_TO_CREATE_MS });
    const holder = await lost.holderOfSlot(attachment);
    if (holder && lost.isAdoptable(holder, attachment)) {
      return this.adopt(attachment, adoption(attachment, holder), logger);
    }
    if (fault) {
      return { blocked: holder ? lost.heldByOperatorEni(attachment, holder, fault) : fault };
    }
    const leftBehind = await lost.leftBehind(attachment);
    if (leftBehind) {
      return { blocked: leftBehind };
    }
    // Written first: after a crash, the status records which user tags to remove once the spec lacks them.
    if (attachment.spec.tags && isPending(attachment)) {
      await reporter.report(attachment, { phase: 'Creating' });
    } else if (attachment.spec.tags) {
      await reporter.claimTags(attachment);
    }
    let eni: Eni;
    let sent = true;
    try {
      const creation = this.ec2For(attachment).createEni(createRequestFor(attachment, clusterID));
      eni = await reporter.reportIfSlow(attachment, { phase: 'Creating' }, creation);
    } catch (error) {
      sent = !(error instanceof NotWantedError);
      const isSpent = error instanceof ConflictError && error.reason === 'IdempotencyMismatch';
      // The token already created an ENI with other settings. It belongs to this attachment and is found by its tag.
      if (isSpent && (await inventory.find(attachment.metadata.uid)).length > 0) {
        return 'continue';
      }
      throw error;
    } finally {
      // The call may have waited for its turn: EC2 executed it, if at all, at some time up to now.
      if (sent) createTimes.sent(attachment);
    }
    inventory.created(eni);
    logger.info('ENI created', {
      eniID: eni.id,
      subnetID: eni.subnetId,
      node: attachment.spec.nodeName,
    });
    return 'continue';
  }

  /** Whether a retained ENI waits for the attachment. */
  private mayAdopt(attachment: ENIAttachment): boolean {
    const retained = this.retainedFor(attachment);
    return planAttachment(attachment, undefined, { untouched: true, retained }).do === 'adopt';
  }

  /**
   * An earlier leader may have sent a Create call for the attachment, whose ENI EC2's reads may not show yet. It takes
   * precedence over a retained ENI.
   */
  private async confirmUntouched(attachment: ENIAttachment): Promise<StepResult> {
    const { inventory, createTimes, consistencyWindowMs } = this.options;
    if (createTimes.sentWithin(attachment, consistencyWindowMs)) {
      return 'requeue';
    }
    await inventory.find(attachment.metadata.uid);
    if (!this.eniOf(attachment)) {
      createTimes.confirmedAbsent(attachment);
    }
    return 'continue';
  }

  private async attach(
    attachment: ENIAttachment,
    eni: Eni | undefined,
    request: AttachEniRequest,
    logger: Logger,
  ): Promise<StepResult> {
    const { inventory, instances, reporter, slots } = this.options;
    const fault = await slots.fault(attachment, {
      ownEniIDs: [request.eniId],
      maxAgeMs: FRESH_ENOUGH_TO_ATTACH_MS,
    });
    if (fault) {
      return { blocked: fault, eni };
    }
    this.noteDrift(attachment, ['attachment']);
    // Concurrent with the call: this status is for users only, since the ENI is found by its tag.
    const reported =
      attachment.status?.phase === 'Failed'
        ? undefined
        : reporter.report(attachment, { phase: 'Attaching', eni });
    try {
      await bothOf(this.sendAttach(attachment, request, logger), reported);
      return 'continue';
    } catch (error) {
      if (!(error instanceof ConflictError || isNotVisible(error))) {
        throw error;
      }
      // The answer to an earlier Attach may have been lost: then the ENI already holds its slot. Otherwise, what
      // is known of the instance or the ENI is stale.
      instances.invalidate(request.instanceId);
      await inventory.observe(request.eniId);
      const next = this.plan(attachment, this.eniOf(attachment));
      if (next.do === 'attach') {
        throw error;
      }
      return 'continue';
    }
  }

  private async sendAttach(
    attachment: ENIAttachment,
    request: AttachEniRequest,
    logger: Logger,
  ): Promise<void> {
    const { eniId, ...slot } = request;
    const { attachmentId } = await this.ec2For(attachment).attachEni(request);
    this.options.inventory.attached(eniId, {
      attachmentId,
      ...slot,
      status: 'attaching',
      deleteOnTermination: false,
    });
    const { instanceID, nodeName: node, deviceIndex } = attachment.spec;
    const fields = { eniID: eniId, attachmentID: attachmentId, instanceID, node, deviceIndex };
    logger.info('ENI attaching', fields);
  }

  private async modify(
    attachment: ENIAttachment,
    eniId: string,
    changes: EniChanges,
    logger: Logger,
  ): Promise<void> {
    if (changes.tags) {
      await this.options.reporter.claimTags(attachment);
    }
    const { inventory } = this.options;
    this.noteAssignment(eniId, changes);
    await applyChanges(changes, { gateway: this.ec2For(attachment), inventory, eniId });
    logger.debug('ENI modified', { eniID: eniId, ...changes });
  }

  private noteAssignment(eniId: string, { assignIpv4, assignIpv6 }: EniChanges): void {
    const { clock, createTimes, consistencyWindowMs } = this.options;
    const until = createTimes.othersMayArriveUntil(consistencyWindowMs);
    if ((assignIpv4 ?? assignIpv6) && clock.now() < until) {
      this.unconfirmed.set(eniId, until);
    }
  }

  private elasticIP(
    attachment: ENIAttachment,
    eni: Eni,
    next: ElasticIpStep,
    logger: Logger,
  ): Promise<StepResult> {
    if (next.do === 'restore') {
      this.noteDrift(attachment, ['elasticIP']);
    }
    const ec2 = this.ec2For(attachment);
    return this.options.elasticIps.take(next, { attachment, eni, ec2, logger });
  }

  private async confirmLoss(attachment: ENIAttachment, eniId: string): Promise<StepResult> {
    const { inventory, instances, reporter, createTimes, consistencyWindowMs } = this.options;
    const [byId, byTag] = await Promise.all([
      inventory.observe(eniId),
      inventory.find(attachment.metadata.uid),
    ]);
    if (byId || byTag.length > 0) {
      return 'continue';
    }
    // An ENI that was created just before this process started may not be visible yet.
    if (createTimes.sentWithin(attachment, consistencyWindowMs)) {
      return 'requeue';
    }
    // It may have been deleted with its instance: check that before a replacement is created.
    instances.invalidate(attachment.spec.instanceID);
    createTimes.confirmedAbsent(attachment);
    await reporter.report(attachment, { phase: 'Pending', lost: true });
    return 'continue';
  }
}

/** Whether the attachment already reached its current spec. */
function isSettled({ metadata, status }: ENIAttachment): boolean {
  return (
    (status?.phase === 'Attached' || status?.phase === 'Ready') &&
    status.observedGeneration === metadata.generation
  );
}
