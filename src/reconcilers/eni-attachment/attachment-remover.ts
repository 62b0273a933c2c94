import type { ENIAttachment } from '../../api/eni-attachment.js';
import { ENI_FINALIZER } from '../../api/names.js';
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
import type { AttachmentReporter } from './attachment-reporter.js';
import type { CreateLog, DetachLog } from './ec2-call-times.js';
import { setTags } from './eni-requests.js';
import { ownEni, planRemoval, type RemovalStep } from './plan-attachment.js';
import { blockedAfterALook, type Outcome } from './step-result.js';

export interface AttachmentRemoverOptions {
  records: Store<ENIAttachment>;
  client: ResourceClient<ENIAttachment>;
  gateway: Ec2Gateway;
  inventory: EniInventory;
  instances: InstanceCatalog;
  reporter: AttachmentReporter;
  createLog: CreateLog;
  detachLog: DetachLog;
  clock: Clock;
  /** How many Detach calls, and how many Delete calls, may be under way or wait for EC2's rate at once. */
  limits: { detach: FairLimit; delete: FairLimit };
  /** Milliseconds after which a detachment is late. */
  detachmentTimeoutMs: number;
  /** Whether a late detachment is forced. */
  forceDetach: boolean;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/** Takes one step towards nothing being left in EC2 of a record that is deleted. */
export class AttachmentRemover {
  constructor(private readonly options: AttachmentRemoverOptions) {}

  async step(record: ENIAttachment, logger: Logger): Promise<Outcome> {
    const eni = this.eniOf(record);
    const step = this.plan(record, eni);
    switch (step.do) {
      case 'detach':
        return this.detach(record, eni, step, logger);
      case 'observe':
        await this.options.inventory.observe(step.eniId);
        this.options.instances.invalidate(record.spec.instanceID);
        return this.plan(record, this.eniOf(record)).do === 'observe' ? 'later' : 'again';
      case 'delete':
        return this.delete(record, eni, step.eniId, logger);
      case 'retain':
        await setTags(this.ec2For(record), step.eniId, step.tags);
        this.options.inventory.modified(step.eniId, { tags: step.tags });
        logger.info('ENI retained', { eniID: step.eniId, node: record.spec.nodeName });
        return 'again';
      case 'confirmAbsence':
        return this.confirmAbsence(record);
      case 'blocked':
        return blockedAfterALook(this.options.inventory, record, (now) => this.plan(record, now));
      case 'release':
        return this.release(record);
    }
  }

  /** EC2, for this record's NodeENI. */
  private ec2For({ spec }: ENIAttachment): Ec2Gateway {
    return this.options.gateway.onBehalfOf(spec.nodeENI);
  }

  private limited(
    action: keyof AttachmentRemoverOptions['limits'],
    record: ENIAttachment,
    call: (ec2: Ec2Gateway) => Promise<void>,
  ): Promise<void> {
    return this.options.limits[action].run(record.spec.nodeENI, () => call(this.ec2For(record)));
  }

  private eniOf(record: ENIAttachment): Eni | undefined {
    return ownEni(this.options.inventory, record);
  }

  private plan(record: ENIAttachment, eni: Eni | undefined): RemovalStep {
    const { detachmentTimeoutMs, forceDetach, clock, detachLog } = this.options;
    const isDetaching = eni?.attachment?.status === 'detaching';
    return planRemoval(record, eni, {
      detachmentTimeoutMs,
      forceDetach,
      detachingSince: isDetaching ? detachLog.detachingSince(record) : clock.now(),
      now: clock.now(),
    });
  }

  private async detach(
    record: ENIAttachment,
    eni: Eni | undefined,
    { eniId, attachmentId, force }: Extract<RemovalStep, { do: 'detach' }>,
    logger: Logger,
  ): Promise<Outcome> {
    const { inventory, reporter, detachLog } = this.options;
    if (force) {
      const now = await inventory.observe(eniId);
      if (now?.attachment?.attachmentId !== attachmentId) {
        return 'again';
      }
    }
    await reporter.report(record, { phase: 'Detaching', eni });
    try {
      await this.limited('detach', record, (ec2) => ec2.detachEni(attachmentId, { force }));
    } catch (error) {
      if (!(error instanceof AlreadyDoneError || error instanceof ConflictError)) {
        throw error;
      }
      await inventory.observe(eniId);
      const next = this.plan(record, this.eniOf(record));
      if (error instanceof ConflictError && next.do === 'detach') {
        throw error;
      }
      return 'again';
    }
    detachLog.sent(record);
    inventory.detaching(eniId);
    logger.info('ENI detaching', { eniID: eniId, attachmentID: attachmentId, force });
    return 'again';
  }

  private async delete(
    record: ENIAttachment,
    eni: Eni | undefined,
    eniId: string,
    logger: Logger,
  ): Promise<Outcome> {
    const { inventory, reporter } = this.options;
    await reporter.report(record, { phase: 'Deleting', eni });
    try {
      await this.limited('delete', record, (ec2) => ec2.deleteEni(eniId));
    } catch (error) {
      if (error instanceof ConflictError) {
        return this.inUse(record, eniId, error);
      }
      if (!(error instanceof AlreadyDoneError || (await this.hidesAbsence(error, record, eniId)))) {
        throw error;
      }
      // An ENI that EC2 does not know may be one that it does not know yet.
      if (this.mayAppear(record)) {
        return 'later';
      }
    }
    inventory.deleted(eniId);
    logger.info('ENI deleted', { eniID: eniId, node: record.spec.nodeName });
    return this.eniOf(record) ? 'again' : this.release(record);
  }

  /** EC2 may hold on to an ENI for a while after it reads as free: then it is tried again, but not for ever. */
  private async inUse(
    record: ENIAttachment,
    eniId: string,
    error: ConflictError,
  ): Promise<Outcome> {
    const { inventory, detachLog, clock, consistencyWindowMs } = this.options;
    await inventory.observe(eniId);
    const next = this.plan(record, this.eniOf(record));
    const isLag = clock.now() - detachLog.detachingSince(record) < consistencyWindowMs;
    if (next.do === 'delete' && !isLag) {
      throw error;
    }
    return next.do === 'delete' ? 'later' : 'again';
  }

  /**
   * Whether IAM refused because the ENI is gone. A policy that goes by tags refuses what has none, and EC2 asks
   * it before it looks for the ENI: only its reads tell that from a permission that is missing.
   */
  private async hidesAbsence(
    error: unknown,
    record: ENIAttachment,
    eniId: string,
  ): Promise<boolean> {
    if (!(error instanceof DeniedError)) {
      return false;
    }
    const { inventory } = this.options;
    const [byId, byTag] = await Promise.all([
      inventory.observe(eniId),
      inventory.find(record.metadata.uid),
    ]);
    return byId === undefined && byTag.length === 0;
  }

  /** A Create that was sent and not answered may have made an ENI that EC2's reads do not show yet. */
  private async confirmAbsence(record: ENIAttachment): Promise<Outcome> {
    if (this.mayAppear(record)) {
      return 'later';
    }
    const found = await this.options.inventory.find(record.metadata.uid);
    return found.length > 0 ? 'again' : this.release(record);
  }

  /** Whether an ENI of the record may be there that EC2 does not show yet. */
  private mayAppear(record: ENIAttachment): boolean {
    const { createLog, consistencyWindowMs } = this.options;
    return createLog.sentWithin(record, consistencyWindowMs);
  }

  private async release(record: ENIAttachment): Promise<Outcome> {
    const { records, client, reporter, createLog, detachLog } = this.options;
    // This pass may have written the record's status: the patch must name its newest version.
    const newest = records.get(keyOf(record));
    const isSame = newest?.metadata.uid === record.metadata.uid;
    const patch = withoutFinalizer(isSame ? newest : record, ENI_FINALIZER);
    if (patch) {
      await client.patch(record.metadata, patch);
    }
    createLog.forget(record);
    detachLog.forget(record);
    reporter.released(record);
    return 'done';
  }
}
