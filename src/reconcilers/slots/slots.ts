import type { ENIAttachment } from '../../api/eni-attachment.js';
import { RESERVED_INTERFACES_ANNOTATION } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Instance, InstanceTypeLimits } from '../../aws/ec2-gateway.js';

/** What is known about an instance before an ENI is created for it. */
export interface SlotSituation {
  attachment: ENIAttachment;
  /** ENIs that do not count: the attachment's own, or those that it replaces. */
  ownEniIDs: readonly string[];
  /** Other attachments on the same instance. */
  siblings: readonly ENIAttachment[];
  /** `undefined`: EC2 does not know the instance. */
  instance: Instance | undefined;
  /** Interfaces of the instance that are reserved for other software. Default: 0. */
  reserved?: number;
  /** `undefined`: EC2 does not know the type, and only EC2 itself enforces its limits. */
  limits: InstanceTypeLimits | undefined;
}

/** Attaching works only in these states (EC2 User Guide, "Attach a network interface to an instance"). */
const ATTACHABLE_STATES = ['running', 'stopped'];

/**
 * Why the attachment's ENI cannot be attached, or `undefined` where it can. This is checked before Create, so
 * that no ENI is created without a free slot. Among attachments that compete for a slot, the oldest goes first.
 */
export function slotFault(situation: SlotSituation): Blocked | undefined {
  const { attachment, instance, limits } = situation;
  const { instanceID, deviceIndex, networkCardIndex, nodeName } = attachment.spec;
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

  if (instance.managed) {
    return blocked(
      'InstanceManaged',
      `Instance ${instanceID} of node ${nodeName} is managed by a service (EKS Auto Mode)`,
    );
  }

  const others = occupants(situation, instance);
  const holder = others.find(
    (other) => other.deviceIndex === deviceIndex && other.networkCardIndex === networkCardIndex,
  );
  if (holder) {
    return blocked(
      'SlotTaken',
      `Device index ${deviceIndex} of ${instanceID} (node ${nodeName}) is in use by ${holder.who}`,
    );
  }
  if (!limits) {
    return undefined;
  }
  const card = limits.cards.find((each) => each.networkCardIndex === networkCardIndex);
  if (!card) {
    return blocked(
      'NetworkCardMissing',
      `${instance.type} ${instanceID} of node ${nodeName} has no network card ${networkCardIndex}; it has ${limits.cards.length}`,
    );
  }
  const onCard = others.filter((other) => other.networkCardIndex === networkCardIndex);
  if (others.length >= limits.maximumInterfaces) {
    return blocked(
      'InstanceFull',
      `${instance.type} ${instanceID} of node ${nodeName} supports ${limits.maximumInterfaces} interfaces and has ${others.length}`,
    );
  }
  const missing = missingReserved(situation, instance);
  if (others.length + missing >= limits.maximumInterfaces) {
    return blocked(
      'InstanceFull',
      `${instance.type} ${instanceID} of node ${nodeName} supports ${limits.maximumInterfaces} interfaces and has ${others.length}; ${missing} more are reserved for other software (RESERVED_INTERFACES)`,
    );
  }
  if (onCard.length >= card.maximumInterfaces) {
    return blocked(
      'InstanceFull',
      `Network card ${networkCardIndex} of ${instance.type} ${instanceID} (node ${nodeName}) supports ${card.maximumInterfaces} interfaces and has ${onCard.length}`,
    );
  }
  // Network cards each number their devices from 0, up to their limit.
  if (limits.cards.length > 1 && deviceIndex >= card.maximumInterfaces) {
    return blocked(
      'DeviceIndexOutOfRange',
      `Network card ${networkCardIndex} of ${instance.type} ${instanceID} (node ${nodeName}) has the device indexes 0 to ${card.maximumInterfaces - 1}, not ${deviceIndex}`,
    );
  }
  return undefined;
}

/** How many of the interfaces that are reserved for other software are not attached yet. */
function missingReserved(
  { siblings, ownEniIDs, reserved = 0 }: SlotSituation,
  { interfaces }: Instance,
): number {
  const own = new Set([...ownEniIDs, ...siblings.flatMap(({ status }) => status?.eniID ?? [])]);
  const unnamed = siblings.filter(isBetweenCreateAndStatus);
  const foreign = interfaces.filter(
    (held) => !own.has(held.eniId) && !unnamed.some(({ spec }) => sameSlot(held, spec)),
  );
  return Math.max(0, reserved - foreign.length);
}

/** EC2 can show such an attachment's ENI in its slot before the attachment's status names the ENI. */
function isBetweenCreateAndStatus({ status }: ENIAttachment): boolean {
  const { phase = 'Pending', eniID } = status ?? {};
  return (phase === 'Pending' || phase === 'Creating') && eniID === undefined;
}

/** The value of the node's annotation if it is a whole number, else the setting. */
export function reservedInterfaces(node: Node | undefined, setting: number): number {
  const annotation = node?.metadata.annotations?.[RESERVED_INTERFACES_ANNOTATION];
  return annotation !== undefined && /^\d{1,2}$/.test(annotation) ? Number(annotation) : setting;
}

interface Occupant {
  deviceIndex: number;
  networkCardIndex: number;
  who: string;
}

/** Everything that holds a slot of the instance, or claims one with precedence over the attachment. */
function occupants(situation: SlotSituation, instance: Instance): Occupant[] {
  const { attachment, ownEniIDs, siblings } = situation;
  const attached = instance.interfaces
    .filter(({ eniId }) => !ownEniIDs.includes(eniId))
    .map(({ eniId, ...slot }) => ({ ...slot, who: eniId }));
  const claimed = siblings
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .filter((sibling) => goesFirst(sibling, attachment))
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

/** The order in which attachments get slots: first those that EC2 has attached, then by age, then by name. */
export function goesFirst(a: ENIAttachment, b: ENIAttachment): boolean {
  const rank = (attachment: ENIAttachment): string =>
    [
      attachment.status?.attachmentID ? 0 : 1,
      attachment.metadata.creationTimestamp,
      attachment.metadata.name,
    ].join();
  return rank(a) < rank(b);
}

/** A network card of an instance, and the ENIAttachment that needs a slot on it. */
export interface Card {
  instanceID: string;
  networkCardIndex: number;
  /** The name of the ENIAttachment that needs a slot; the slot that it already holds does not count. */
  attachmentName: string;
}

/** The device indexes of a card that are in use or claimed. */
export type OccupiedIndexes = (card: Card) => ReadonlySet<number>;

/**
 * Where `Auto` begins. Device 0 of card 0 is the interface that the instance was launched with; on each
 * further card, EC2 recommends device index 1 first (EC2 User Guide, "Maximize network bandwidth on Amazon
 * EC2 instances with multiple network cards"), and index 0 is tried next.
 */
function firstFree(networkCardIndex: number, isFree: (index: number) => boolean): number {
  const preferred = (networkCardIndex > 0 ? [1, 0] : [1]).find(isFree);
  if (preferred !== undefined) {
    return preferred;
  }
  let index = 2;
  while (!isFree(index)) {
    index += 1;
  }
  return index;
}

/** Combines what EC2 shows on instances with what their ENIAttachments claim. */
export function occupiedIndexes(
  instances: ReadonlyMap<string, Instance>,
  attachmentsOn: (instanceID: string) => readonly ENIAttachment[],
): OccupiedIndexes {
  return ({ instanceID, networkCardIndex, attachmentName }) => {
    const attachments = attachmentsOn(instanceID);
    const own = attachments.find(({ metadata }) => metadata.name === attachmentName);
    const held = (instances.get(instanceID)?.interfaces ?? []).filter(
      ({ eniId }) => eniId !== own?.status?.eniID,
    );
    // If two attachments claim the same index, only the later one chooses another.
    const claimed = attachments
      .filter(({ metadata }) => metadata.name !== attachmentName)
      .filter((other) => !own || goesFirst(other, own))
      .map(({ spec }) => spec);
    return new Set(
      [...held, ...claimed]
        .filter((slot) => slot.networkCardIndex === networkCardIndex)
        .map(({ deviceIndex }) => deviceIndex),
    );
  };
}

export interface IndexChoice {
  /** The attachment, where it exists already. */
  attachment: ENIAttachment | undefined;
  networkCardIndex: number;
  /** Indexes of the card that others hold or claim. */
  occupied: ReadonlySet<number>;
  /** Indexes that this reconcile has assigned to other attachments. */
  chosen: ReadonlySet<number>;
}

/**
 * The device index of an ENIAttachment under `deviceIndexPolicy: Auto`: its current index, unless another
 * interface took that before the ENI was attached; otherwise the lowest free one.
 */
export function chooseIndex({
  attachment,
  networkCardIndex,
  occupied,
  chosen,
}: IndexChoice): number {
  const isFree = (index: number): boolean => !occupied.has(index) && !chosen.has(index);
  if (attachment && (attachment.status?.attachmentID || isFree(attachment.spec.deviceIndex))) {
    return attachment.spec.deviceIndex;
  }
  return firstFree(networkCardIndex, isFree);
}
