import type { ElasticIPStatus, ENIAttachment } from '../../../api/eni-attachment.js';
import type { ElasticIPSelection } from '../../../api/eni-settings.js';
import { type Blocked, blocked } from '../../../api/reasons.js';
import type { ElasticIpCatalog } from '../../../aws/catalog/elastic-ip-catalog.js';
import { AlreadyDoneError, ConflictError, RetryableError } from '../../../aws/ec2-errors.js';
import type { Ec2Gateway, ElasticIp, Eni } from '../../../aws/ec2-gateway.js';
import type { EniInventory } from '../../../aws/inventory/eni-inventory.js';
import type { Store } from '../../../runtime/cache/store.js';
import type { Clock } from '../../../runtime/clock.js';
import type { Logger } from '../../../runtime/logger.js';
import { isLive } from '../../shared/attachment-state.js';
import { answerOrBlocked, isBlocked } from '../../shared/blocked.js';
import type { AttachmentReporter } from '../attachment-reporter.js';
import type { AssociateTimes } from '../ec2-call-times.js';
import type { StepResult } from '../step-result.js';
import { ELASTIC_IP_INDEX } from './elastic-ip-index.js';
import {
  type Associated,
  chooseElasticIp,
  type ElasticIpStep,
  ownAssociation,
} from './plan-elastic-ip.js';

export interface ElasticIpsOptions {
  /** With {@link ELASTIC_IP_INDEX}. */
  attachments: Pick<Store<ENIAttachment>, 'byIndex'>;
  inventory: EniInventory;
  catalog: ElasticIpCatalog;
  reporter: AttachmentReporter;
  times: AssociateTimes;
  clock: Clock;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/** The ENI of a step. */
export interface ElasticIpTarget {
  attachment: ENIAttachment;
  eni: Eni;
  /** EC2 for the attachment's NodeENI. */
  ec2: Ec2Gateway;
  logger: Logger;
}

/**
 * How old a read of the addresses may be, in milliseconds: one read then serves all ENIs that need an address at the
 * same time. Only a new read proves that none is free.
 */
const FRESH_ENOUGH_MS = 5_000;

/** Takes the steps by which ENIs get and lose Elastic IP addresses. */
export class ElasticIps {
  /** UIDs of attachments by allocation id, from the choice of an address until the status records it. */
  private readonly reserved = new Map<string, string>();
  /** Until when (milliseconds since the epoch) not to choose an address again that EC2 refused: reads can lag. */
  private readonly refusedUntil = new Map<string, number>();

  constructor(private readonly options: ElasticIpsOptions) {}

  /** @throws Ec2Error, KubeApiError */
  take(step: ElasticIpStep, target: ElasticIpTarget): Promise<StepResult> {
    switch (step.do) {
      case 'choose':
        return this.choose(target, step.current);
      case 'associate':
        return this.associate(target, step.claim);
      case 'restore': {
        const { associationID: _, ...claim } = step.claim;
        return this.record(target, claim);
      }
      case 'disassociate':
        return this.disassociate(target, step.associated);
      case 'forget':
        return this.forget(target);
    }
  }

  /** The attachment no longer exists. */
  released(attachment: ENIAttachment): void {
    this.options.times.forget(attachment);
  }

  private async choose(target: ElasticIpTarget, current?: Associated): Promise<StepResult> {
    const { attachment, eni } = target;
    if (current && this.options.times.mayArrive(attachment)) {
      return 'requeue';
    }
    const selectedBy = attachment.spec.elasticIP ?? {};
    const choice = await answerOrBlocked(this.find(attachment, selectedBy, current));
    if (isBlocked(choice)) {
      return { blocked: choice, eni, attached: true };
    }
    if (choice === 'current') {
      if (!current) return 'continue';
      const elasticIP = {
        ...current.claim,
        associationID: current.associationId,
        selectedBy,
      };
      await this.options.reporter.settled(attachment, eni, { elasticIP });
      return 'continue';
    }
    const { allocationId: allocationID, publicIp: publicIP } = choice;
    try {
      if (current && !(await this.end(target, current))) {
        return 'continue';
      }
      await this.record(target, { allocationID, publicIP, selectedBy });
      // Not after a restoration: the association may exist, where reads lag behind an earlier leader's call.
      this.options.times.recorded(attachment);
      return 'continue';
    } finally {
      // The store has the record by now.
      this.reserved.delete(allocationID);
    }
  }

  /** A free address, reserved; or the current one, if the selection includes it. */
  private async find(
    attachment: ENIAttachment,
    selection: ElasticIPSelection,
    current: Associated | undefined,
  ): Promise<ElasticIp | 'current' | Blocked> {
    const { catalog, clock } = this.options;
    const { uid } = attachment.metadata;
    const askedAt = clock.now();
    let read = await catalog.addresses(selection, { maxAgeMs: current ? 0 : FRESH_ENOUGH_MS });
    for (;;) {
      const { addresses, readAt } = read;
      if (addresses.some(({ allocationId }) => allocationId === current?.claim.allocationID)) {
        return 'current';
      }
      const isTaken = (allocationId: string): boolean => this.isTaken(allocationId, uid);
      const chosen = chooseElasticIp({ addresses, isTaken, uid });
      if (chosen) {
        this.reserved.set(chosen.allocationId, uid);
        return chosen;
      }
      if (readAt >= askedAt) {
        return unavailable(selection, addresses.length, current);
      }
      read = await catalog.addresses(selection, { maxAgeMs: 0 });
    }
  }

  private isTaken(allocationId: string, uid: string): boolean {
    const { attachments, clock } = this.options;
    const refusedUntil = this.refusedUntil.get(allocationId) ?? 0;
    if (refusedUntil <= clock.now()) this.refusedUntil.delete(allocationId);
    return (
      refusedUntil > clock.now() ||
      (this.reserved.get(allocationId) ?? uid) !== uid ||
      attachments
        .byIndex(ELASTIC_IP_INDEX, allocationId)
        .some(({ metadata }) => metadata.uid !== uid)
    );
  }

  /** Written before the call: after a crash, the association is known as this operator's. */
  private async record(target: ElasticIpTarget, elasticIP: ElasticIPStatus): Promise<StepResult> {
    const { attachment, eni } = target;
    const waiting = {
      reason: 'AssociatingElasticIP',
      message: `${elasticIP.publicIP} is being associated with ${eni.id}.`,
    };
    await this.options.reporter.report(attachment, { phase: 'Attached', eni, elasticIP, waiting });
    return 'continue';
  }

  private async associate(
    { attachment, eni, ec2, logger }: ElasticIpTarget,
    { allocationID, publicIP }: ElasticIPStatus,
  ): Promise<StepResult> {
    const { inventory, times } = this.options;
    try {
      const { associationId } = await ec2.associateElasticIp(eni.id, allocationID);
      const publicAddress = { publicIp: publicIP, allocationId: allocationID, associationId };
      inventory.modified(eni.id, { publicAddress });
      logger.info('Elastic IP associated', { eniID: eni.id, allocationID, publicIP });
      return 'continue';
    } catch (error) {
      if (error instanceof RetryableError) times.unanswered(attachment);
      if (!(error instanceof ConflictError && error.reason === 'ElasticIPUnavailable')) {
        throw error;
      }
    }
    // It is in use: by this ENI after a call whose response was lost, or elsewhere.
    const now = await inventory.observe(eni.id);
    if (now?.publicAddress) {
      return 'continue';
    }
    if (times.mayArrive(attachment)) {
      return 'requeue';
    }
    this.refuse(allocationID);
    await this.options.reporter.report(attachment, { phase: 'Attached', eni, elasticIP: null });
    return 'continue';
  }

  private refuse(allocationID: string): void {
    const { clock, consistencyWindowMs } = this.options;
    this.refusedUntil.set(allocationID, clock.now() + consistencyWindowMs);
  }

  /** Not while a call that makes the association may arrive: it would make it again, and no record would name it. */
  private async disassociate(target: ElasticIpTarget, associated: Associated): Promise<StepResult> {
    if (this.options.times.mayArrive(target.attachment)) {
      return 'requeue';
    }
    if (await this.end(target, associated)) {
      return 'continue';
    }
    const now = this.options.inventory.get(target.eni.id);
    return now && ownAssociation(target.attachment, now) ? 'requeue' : 'continue';
  }

  /** @returns false if the association had already ended; the ENI was then read */
  private async end(
    { eni, ec2, logger }: ElasticIpTarget,
    { associationId, claim: { allocationID, publicIP } }: Associated,
  ): Promise<boolean> {
    const { inventory } = this.options;
    try {
      await ec2.disassociateElasticIp(associationId);
    } catch (error) {
      if (!(error instanceof AlreadyDoneError)) throw error;
      await inventory.observe(eni.id);
      return false;
    }
    inventory.modified(eni.id, { publicAddress: null });
    logger.info('Elastic IP disassociated', { eniID: eni.id, allocationID, publicIP });
    return true;
  }

  /** A call that is still on its way would leave an association without a record. */
  private async forget({ attachment, eni }: ElasticIpTarget): Promise<StepResult> {
    const { inventory, reporter, times } = this.options;
    if (times.mayArrive(attachment)) {
      return 'requeue';
    }
    const now = await inventory.observe(eni.id);
    if (!now || ownAssociation(attachment, now)) {
      return 'continue';
    }
    await (isLive(attachment)
      ? reporter.settled(attachment, now, { elasticIP: null })
      : reporter.report(attachment, { phase: 'Detaching', eni: now, elasticIP: null }));
    times.forget(attachment);
    return 'continue';
  }
}

function unavailable(
  { tags = {}, pool }: ElasticIPSelection,
  matching: number,
  current: Associated | undefined,
): Blocked {
  const named = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  const which = [
    ...(named.length > 0 ? [`with the tags ${named.join(', ')}`] : []),
    ...(pool === undefined ? [] : [`of the pool ${pool}`]),
  ].join(' ');
  const fact = `Of the account's Elastic IP addresses ${which} (${matching}), none is free`;
  const kept = current ? `; ${current.claim.publicIP} stays meanwhile` : '';
  return blocked('ElasticIPUnavailable', fact + kept);
}
