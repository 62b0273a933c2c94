import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import { ConflictError } from '../../aws/ec2-errors.js';
import type { AttachEniRequest, Ec2Gateway, Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import { NotWantedError } from '../../runtime/concurrency/token-bucket.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { Logger } from '../../runtime/logger.js';
import { isLive } from '../shared/attachment-state.js';
import { isNotVisible } from '../shared/blocked.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import type { CreateLog } from './ec2-call-times.js';
import { createRequestFor, ownTags, setTags } from './eni-requests.js';
import { type EniChanges, ownEni, planAttachment, type Step } from './plan-attachment.js';
import { blockedAfterALook, type Outcome } from './step-result.js';

export interface AttachmentProviderOptions {
  records: Store<ENIAttachment>;
  gateway: Ec2Gateway;
  inventory: EniInventory;
  instances: InstanceCatalog;
  slots: SlotInspector;
  reporter: AttachmentReporter;
  createLog: CreateLog;
  clusterID: string;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/**
 * What is known of an instance serves this long before a Create (milliseconds): one describe then answers
 * for all ENIs that are asked for together.
 */
const FRESH_ENOUGH_TO_CREATE_MS = 5_000;
/** Before an Attach, EC2's own answer has the last word; this only spares calls that cannot succeed. */
const FRESH_ENOUGH_TO_ATTACH_MS = 60_000;

/** Takes one step towards a record's ENI, attached as its spec says. */
export class AttachmentProvider {
  constructor(private readonly options: AttachmentProviderOptions) {}

  /** EC2, for this record's NodeENI; what waits for its turn while the record is deleted is not sent. */
  private ec2For(record: ENIAttachment): Ec2Gateway {
    const { gateway, records } = this.options;
    return gateway.onBehalfOf(record.spec.nodeENI, () => {
      const now = records.get(keyOf(record));
      return now?.metadata.uid === record.metadata.uid && isLive(now);
    });
  }

  async step(record: ENIAttachment, logger: Logger): Promise<Outcome> {
    const eni = this.eniOf(record);
    const step = this.plan(record, eni);
    switch (step.do) {
      case 'create':
        return this.create(record, logger);
      case 'adopt':
        return this.adopt(record, step, logger);
      case 'attach':
        return this.attach(record, eni, step.request, logger);
      case 'modify':
        this.noteDrift(record, Object.keys(step.changes));
        await Promise.all([
          this.modify(record, step.eniId, step.changes, logger),
          step.settled ? undefined : this.options.inventory.observe(step.eniId),
        ]);
        return 'again';
      case 'observe':
        await this.options.inventory.observe(step.eniId);
        return this.plan(record, this.eniOf(record)).do === 'observe' ? 'later' : 'again';
      case 'confirmLoss':
        return this.confirmLoss(record, step.eniId);
      case 'blocked':
        return blockedAfterALook(this.options.inventory, record, (now) => this.plan(record, now));
      case 'nothing':
        if (eni) {
          await this.options.reporter.settled(record, eni);
        }
        return 'done';
    }
  }

  private eniOf(record: ENIAttachment): Eni | undefined {
    return ownEni(this.options.inventory, record);
  }

  private plan(record: ENIAttachment, eni: Eni | undefined): Step {
    return planAttachment(record, eni, {
      // Looked for only where they matter: it goes through all ENIs.
      retained: eni ? [] : this.retainedFor(record),
      ownTags: ownTags(record, this.options.clusterID),
    });
  }

  private async adopt(
    record: ENIAttachment,
    { eniId, tags }: Extract<Step, { do: 'adopt' }>,
    logger: Logger,
  ): Promise<Outcome> {
    const { inventory, reporter, createLog } = this.options;
    // Written ahead, as before a Create: after a crash the adoption goes on where it was.
    await reporter.report(record, { phase: 'Attaching', eni: inventory.get(eniId) });
    try {
      await this.modify(record, eniId, { tags }, logger);
    } finally {
      createLog.sent(record);
    }
    logger.info('ENI taken up again', { eniID: eniId, node: record.spec.nodeName });
    return 'again';
  }

  /** ENIs kept for later; only a NodeENI that retains ENIs takes them up. */
  private retainedFor({ spec }: ENIAttachment): Eni[] {
    return spec.reclaimPolicy === 'Retain'
      ? this.options.inventory.list().filter(({ tags }) => tags[TAGS.retained] === spec.nodeENI)
      : [];
  }

  /** Somebody changed in EC2 what the record said was settled. */
  private noteDrift(record: ENIAttachment, what: readonly string[]): void {
    if (isSettled(record)) {
      this.options.reporter.drifted(record, what);
    }
  }

  private async create(record: ENIAttachment, logger: Logger): Promise<Outcome> {
    const { inventory, reporter, createLog, clusterID, slots } = this.options;
    const fault = await slots.fault(record, { maxAgeMs: FRESH_ENOUGH_TO_CREATE_MS });
    if (fault) {
      return { blocked: fault };
    }
    // Written ahead: a record that is Pending after a crash has no ENI, any other may have one.
    if ((record.status?.phase ?? 'Pending') === 'Pending') {
      await reporter.report(record, { phase: 'Creating' });
    } else {
      await reporter.claimTags(record);
    }
    let eni: Eni;
    let sent = true;
    try {
      eni = await this.ec2For(record).createEni(createRequestFor(record, clusterID));
    } catch (error) {
      sent = !(error instanceof NotWantedError);
      const isSpent = error instanceof ConflictError && error.reason === 'IdempotencyMismatch';
      // The token made an ENI already, with other settings: it is this record's, and is found by its tag.
      if (isSpent && (await inventory.find(record.metadata.uid)).length > 0) {
        return 'again';
      }
      throw error;
    } finally {
      // The call may have waited for its turn: EC2 took it, if it did, at some time until now.
      if (sent) createLog.sent(record);
    }
    inventory.created(eni);
    logger.info('ENI created', {
      eniID: eni.id,
      subnetID: eni.subnetId,
      node: record.spec.nodeName,
    });
    return 'again';
  }

  private async attach(
    record: ENIAttachment,
    eni: Eni | undefined,
    request: AttachEniRequest,
    logger: Logger,
  ): Promise<Outcome> {
    const { inventory, instances, reporter, slots } = this.options;
    const fault = await slots.fault(record, {
      ownEniIDs: [request.eniId],
      maxAgeMs: FRESH_ENOUGH_TO_ATTACH_MS,
    });
    if (fault) {
      return { blocked: fault, eni };
    }
    this.noteDrift(record, ['attachment']);
    // Told while EC2 is at work: what is told here is for users, the ENI is found by its tag.
    const told =
      record.status?.phase === 'Failed'
        ? undefined
        : reporter.report(record, { phase: 'Attaching', eni });
    try {
      await bothOf(this.sendAttach(record, request, logger), told);
      return 'again';
    } catch (error) {
      if (!(error instanceof ConflictError || isNotVisible(error))) {
        throw error;
      }
      // The answer to an earlier Attach may have been lost: our own ENI in its slot is success. Otherwise
      // what was known of the instance or the ENI is out of date.
      instances.invalidate(request.instanceId);
      await inventory.observe(request.eniId);
      const next = this.plan(record, this.eniOf(record));
      if (next.do === 'attach') {
        throw error;
      }
      return 'again';
    }
  }

  private async sendAttach(
    record: ENIAttachment,
    request: AttachEniRequest,
    logger: Logger,
  ): Promise<void> {
    const { eniId, ...slot } = request;
    const { attachmentId } = await this.ec2For(record).attachEni(request);
    this.options.inventory.attached(eniId, {
      attachmentId,
      ...slot,
      status: 'attaching',
      deleteOnTermination: false,
    });
    const { instanceID, nodeName: node, deviceIndex } = record.spec;
    const told = { eniID: eniId, attachmentID: attachmentId, instanceID, node, deviceIndex };
    logger.info('ENI attaching', told);
  }

  private async modify(
    record: ENIAttachment,
    eniId: string,
    changes: EniChanges,
    logger: Logger,
  ): Promise<void> {
    const { inventory } = this.options;
    const gateway = this.ec2For(record);
    const { deleteOnTermination, securityGroupIds, description, tags } = changes;
    if (deleteOnTermination) {
      const { attachmentId, value } = deleteOnTermination;
      await gateway.setDeleteOnTermination(eniId, attachmentId, value);
      inventory.modified(eniId, { deleteOnTermination: value });
    }
    if (securityGroupIds) {
      await gateway.setSecurityGroups(eniId, securityGroupIds);
      inventory.modified(eniId, { securityGroupIds: [...securityGroupIds] });
    }
    if (description !== undefined) {
      await gateway.setDescription(eniId, description);
      inventory.modified(eniId, { description });
    }
    if (tags) {
      await this.options.reporter.claimTags(record);
      await setTags(gateway, eniId, tags);
      inventory.modified(eniId, { tags });
    }
    logger.debug('ENI modified', { eniID: eniId, ...changes });
  }

  private async confirmLoss(record: ENIAttachment, eniId: string): Promise<Outcome> {
    const { inventory, instances, reporter, createLog, consistencyWindowMs } = this.options;
    const [byId, byTag] = await Promise.all([
      inventory.observe(eniId),
      inventory.find(record.metadata.uid),
    ]);
    if (byId || byTag.length > 0) {
      return 'again';
    }
    // One that was made just before this process began may not be visible yet.
    if (createLog.sentWithin(record, consistencyWindowMs)) {
      return 'later';
    }
    // It may have gone with its instance: no other is made before that is known.
    instances.invalidate(record.spec.instanceID);
    await reporter.report(record, { phase: 'Pending', lost: true });
    return 'again';
  }
}

/** Waits for both to end; throws the first one's failure, else the second's. */
async function bothOf(first: Promise<void>, second: Promise<void> | undefined): Promise<void> {
  await Promise.allSettled([first, second]);
  await first;
  await second;
}

/** Whether the record's present spec was fulfilled already. */
function isSettled({ metadata, status }: ENIAttachment): boolean {
  return (
    (status?.phase === 'Attached' || status?.phase === 'Ready') &&
    status.observedGeneration === metadata.generation
  );
}
