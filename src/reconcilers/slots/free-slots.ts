import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Instance } from '../../aws/ec2-gateway.js';
import { goesFirst } from './slots.js';

/** A network card of an instance, as seen by one ENIAttachment. */
export interface Card {
  instanceID: string;
  networkCardIndex: number;
  /** Name of the ENIAttachment that looks for a slot: its own does not count. */
  attachment: string;
}

/** The device indexes of a card that others hold or have been promised. */
export type OccupiedIndexes = (card: Card) => ReadonlySet<number>;

/** Device 0 is the interface that the instance was launched with (EC2 User Guide). */
const FIRST_DEVICE_INDEX = 1;

/** What is known of instances and their ENIAttachments, put together. */
export function occupiedIndexes(
  instances: ReadonlyMap<string, Instance>,
  recordsOn: (instanceID: string) => readonly ENIAttachment[],
): OccupiedIndexes {
  return ({ instanceID, networkCardIndex, attachment }) => {
    const records = recordsOn(instanceID);
    const own = records.find(({ metadata }) => metadata.name === attachment);
    const held = (instances.get(instanceID)?.interfaces ?? []).filter(
      ({ eniId }) => eniId !== own?.status?.eniID,
    );
    // Of two that were promised the same index, only the later one gives way.
    const promised = records
      .filter(({ metadata }) => metadata.name !== attachment)
      .filter((other) => !own || goesFirst(other, own))
      .map(({ spec }) => spec);
    return new Set(
      [...held, ...promised]
        .filter((slot) => slot.networkCardIndex === networkCardIndex)
        .map(({ deviceIndex }) => deviceIndex),
    );
  };
}

/**
 * The device index of an ENIAttachment whose NodeENI leaves the choice to us: the one that it has, unless
 * somebody else took it first; else the lowest free one.
 * @param chosen indexes given to others in the same pass
 */
export function chooseIndex(
  record: ENIAttachment | undefined,
  occupied: ReadonlySet<number>,
  chosen: ReadonlySet<number>,
): number {
  const isFree = (index: number): boolean => !occupied.has(index) && !chosen.has(index);
  if (record && (record.status?.attachmentID || isFree(record.spec.deviceIndex))) {
    return record.spec.deviceIndex;
  }
  let index = FIRST_DEVICE_INDEX;
  while (!isFree(index)) {
    index += 1;
  }
  return index;
}
