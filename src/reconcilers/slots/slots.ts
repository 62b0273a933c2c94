import type { ENIAttachment } from '../../api/eni-attachment.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Instance, InstanceTypeLimits } from '../../aws/ec2-gateway.js';

/** What is known of an instance before an ENI is made for it. */
export interface SlotSituation {
  record: ENIAttachment;
  /** ENIs that do not count: the record's own, or those that make way for it. */
  ownEniIDs: readonly string[];
  /** Other records on the same instance. */
  siblings: readonly ENIAttachment[];
  /** `undefined`: EC2 does not know the instance. */
  instance: Instance | undefined;
  /** `undefined`: EC2 does not know the type; its limits are then left to EC2. */
  limits: InstanceTypeLimits | undefined;
}

/** Attaching works in these states only (EC2 User Guide, "Attach a network interface to an instance"). */
const ATTACHABLE_STATES = ['running', 'stopped', 'stopping'];

/**
 * Why the record's ENI cannot be attached as things are, or `undefined` where it can: asked before Create,
 * so that no ENI is made that would find no place. Among records that want the same slot or the last one,
 * the oldest goes first.
 */
export function slotFault(situation: SlotSituation): Blocked | undefined {
  const { record, instance, limits } = situation;
  const { instanceID, deviceIndex, networkCardIndex, nodeName } = record.spec;
  if (!instance) {
    return blocked(
      'InstanceNotFound',
      `EC2 does not know ${instanceID}, the instance of node ${nodeName}`,
    );
  }
  if (!ATTACHABLE_STATES.includes(instance.state)) {
    return blocked(
      'InstanceNotAttachable',
      `Instance ${instanceID} of node ${nodeName} is ${instance.state}`,
    );
  }

  const others = occupants(situation, instance);
  const holder = others.find(
    (other) => other.deviceIndex === deviceIndex && other.networkCardIndex === networkCardIndex,
  );
  if (holder) {
    return blocked(
      'SlotTaken',
      `Device index ${deviceIndex} of ${instanceID} (node ${nodeName}) is taken by ${holder.who}`,
    );
  }
  if (!limits) {
    return undefined;
  }
  const onCard = others.filter((other) => other.networkCardIndex === networkCardIndex);
  const card = limits.cards.find((each) => each.networkCardIndex === networkCardIndex);
  if (others.length >= limits.maximumInterfaces) {
    return blocked(
      'InstanceFull',
      `${instance.type} ${instanceID} of node ${nodeName} takes ${limits.maximumInterfaces} interfaces and has ${others.length}`,
    );
  }
  if (card && onCard.length >= card.maximumInterfaces) {
    return blocked(
      'InstanceFull',
      `Network card ${networkCardIndex} of ${instance.type} ${instanceID} (node ${nodeName}) takes ${card.maximumInterfaces} interfaces and has ${onCard.length}`,
    );
  }
  return undefined;
}

interface Occupant {
  deviceIndex: number;
  networkCardIndex: number;
  who: string;
}

/** Everything that holds, or is older and about to hold, a slot of the instance. */
function occupants(situation: SlotSituation, instance: Instance): Occupant[] {
  const { record, ownEniIDs, siblings } = situation;
  const attached = instance.interfaces
    .filter(({ eniId }) => !ownEniIDs.includes(eniId))
    .map(({ eniId, ...slot }) => ({ ...slot, who: eniId }));
  const claimed = siblings
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .filter((sibling) => goesFirst(sibling, record))
    .filter(({ spec }) => !attached.some((slot) => sameSlot(slot, spec)))
    .map(({ metadata, spec }) => ({
      deviceIndex: spec.deviceIndex,
      networkCardIndex: spec.networkCardIndex,
      who: `ENIAttachment ${metadata.name} of NodeENI ${spec.nodeENI}`,
    }));
  return [...attached, ...claimed];
}

function sameSlot(
  a: { deviceIndex: number; networkCardIndex: number },
  b: { deviceIndex: number; networkCardIndex: number },
): boolean {
  return a.deviceIndex === b.deviceIndex && a.networkCardIndex === b.networkCardIndex;
}

/** The order in which records get slots: those that have an ENI, then by age, then by name. */
export function goesFirst(a: ENIAttachment, b: ENIAttachment): boolean {
  const rank = (record: ENIAttachment): string =>
    [
      record.status?.attachmentID ? 0 : 1,
      record.metadata.creationTimestamp,
      record.metadata.name,
    ].join();
  return rank(a) < rank(b);
}
