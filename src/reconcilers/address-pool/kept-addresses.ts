import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { KeptAddress } from '../../api/node-eni.js';
import { isLive } from '../shared/attachment-state.js';
import { isAddressTaken, primaryAddressOf } from './primary-address.js';

/** Limit of `status.keptAddresses`, as in the CRD. */
const MAX_KEPT = 256;

export interface KeepInput {
  /** What the status says. */
  kept: readonly KeptAddress[];
  /** The attachments of the NodeENI. */
  attachments: readonly ENIAttachment[];
  /** Those that are about to be deleted. */
  leaving: readonly ENIAttachment[];
}

/**
 * The addresses to remember for nodes without an ENI: an ENIAttachment's own record of its address goes with it, and the
 * node's next one cannot exist before that. An address of a node that has an attachment again, or that another node
 * has now, is forgotten.
 */
export function keepAddresses({ kept, attachments, leaving }: KeepInput): KeptAddress[] {
  const going = new Set(leaving);
  const staying = attachments.filter((each) => isLive(each) && !going.has(each));
  const entries = new Map(kept.map((entry) => [placeOf(entry), entry]));
  for (const attachment of attachments) {
    const entry = staying.includes(attachment) ? undefined : entryOf(attachment);
    if (entry && entries.get(placeOf(entry))?.address !== entry.address) {
      // The newest is the last.
      entries.delete(placeOf(entry));
      entries.set(placeOf(entry), entry);
    }
  }
  for (const { spec } of staying) {
    entries.delete(placeOf({ nodeID: spec.nodeName, subnetID: spec.subnetID }));
  }
  const taken = new Set(staying.map((each) => `${each.spec.subnetID}/${primaryAddressOf(each)}`));
  return [...entries.values()]
    .filter(({ subnetID, address }) => !taken.has(`${subnetID}/${address}`))
    .slice(-MAX_KEPT);
}

function entryOf(attachment: ENIAttachment): KeptAddress | undefined {
  const { nodeName: nodeID, subnetID } = attachment.spec;
  const address = primaryAddressOf(attachment);
  return address === undefined || isAddressTaken(attachment)
    ? undefined
    : { nodeID, subnetID, address };
}

/** A node has one ENI of a NodeENI in each subnet. */
export function placeOf({ nodeID, subnetID }: Pick<KeptAddress, 'nodeID' | 'subnetID'>): string {
  return `${nodeID}/${subnetID}`;
}
