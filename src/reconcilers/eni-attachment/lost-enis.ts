import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import { isOperatorEni } from '../shared/eni-ownership.js';
import { attachmentOf, holdsItsSlot, isAdoptable, isLeftBehind } from './eni-identity.js';

export interface LostEnisOptions {
  /** Indexed by `uid`. */
  attachments: Store<ENIAttachment>;
  inventory: Pick<EniInventory, 'get' | 'onInstance' | 'observe'>;
  clusterID: string;
}

/** Finds, before a Create, ENIs that this operator created and whose ENIAttachments were lost (ADR 13). */
export class LostEnis {
  constructor(private readonly options: LostEnisOptions) {}

  /**
   * An ENI of this operator in the slot that the attachment should have, as EC2 describes it now: that of a
   * lost attachment, or of another NodeENI.
   */
  async holderOfSlot(attachment: ENIAttachment): Promise<Eni | undefined> {
    const { inventory, clusterID } = this.options;
    const seen = inventory.onInstance(attachment.spec.instanceID).find((eni) => {
      const slot = attachmentOf(eni);
      return slot !== undefined && holdsItsSlot(attachment, slot);
    });
    const holder = seen && (await inventory.observe(seen.id));
    return holder && isOperatorEni(holder, clusterID) ? holder : undefined;
  }

  /** Why another ENI must not be created: that of a lost attachment is still on the instance. */
  async leftBehind(attachment: ENIAttachment): Promise<Blocked | undefined> {
    const { inventory, clusterID } = this.options;
    const isLeft = (eni: Eni): boolean =>
      isLeftBehind(eni, attachment, { clusterID, isAlive: (uid) => this.isAlive(uid) });
    const seen = inventory.onInstance(attachment.spec.instanceID).find(isLeft);
    const eni = seen && (await inventory.observe(seen.id));
    const { spec } = attachment;
    return eni && isLeft(eni)
      ? blocked(
          'InterfaceInUse',
          `${spec.instanceID} (node ${spec.nodeName}) has ${eni.id} of this NodeENI in ${spec.subnetID} at device index ${eni.attachment?.deviceIndex}, not at ${spec.deviceIndex}, and its ENIAttachment no longer exists`,
        )
      : undefined;
  }

  /** Why an ENI of this operator with another owner occupies the attachment's slot. */
  heldByOperatorEni({ spec }: ENIAttachment, holder: Eni, fault: Blocked): Blocked {
    if (fault.reason !== 'SlotTaken') {
      return fault;
    }
    const { [TAGS.nodeENI]: nodeENI = '', [TAGS.attachmentUID]: uid = '' } = holder.tags;
    const owner = this.isAlive(uid)
      ? `an ENI of NodeENI ${nodeENI}`
      : `an ENI that this operator created for NodeENI ${nodeENI} in ${holder.subnetId} and whose ENIAttachment no longer exists`;
    return blocked(
      'SlotTaken',
      `Device index ${spec.deviceIndex} of ${spec.instanceID} (node ${spec.nodeName}) is in use by ${holder.id}, ${owner}`,
    );
  }

  /** The ENI that an earlier reconcile wrote into the status in order to adopt it. */
  beingAdopted(attachment: ENIAttachment): Eni | undefined {
    const { eniID } = attachment.status ?? {};
    const eni = eniID === undefined ? undefined : this.options.inventory.get(eniID);
    return eni && this.isAdoptable(eni, attachment) ? eni : undefined;
  }

  isAdoptable(eni: Eni, attachment: ENIAttachment): boolean {
    const { clusterID } = this.options;
    return isAdoptable(eni, attachment, { clusterID, isAlive: (uid) => this.isAlive(uid) });
  }

  private isAlive(uid: string): boolean {
    return this.options.attachments.byIndex('uid', uid).length > 0;
  }
}
