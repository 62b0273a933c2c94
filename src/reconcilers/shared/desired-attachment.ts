import { createHash } from 'node:crypto';
import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';

/** What makes an ENI this one and no other. */
export interface AttachmentIdentity {
  nodeENI: NodeENI;
  instanceID: string;
  subnetID: string;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const SUFFIX_LENGTH = 10;

/**
 * Name of the ENIAttachment of an ENI: the NodeENI's name and 50 bits of a digest over its UID, the
 * instance and the subnet. The same ENI has the same name in every pass and after every restart, so that
 * the API server itself refuses a double.
 */
export function attachmentName({ nodeENI, instanceID, subnetID }: AttachmentIdentity): string {
  const digest = createHash('sha256')
    .update(`${nodeENI.metadata.uid}/${instanceID}/${subnetID}`)
    .digest();
  const suffix = Array.from(digest.subarray(0, SUFFIX_LENGTH), (byte) => BASE32[byte & 31]).join(
    '',
  );
  return `${nodeENI.metadata.name}-${suffix}`;
}

export interface DesiredAttachment {
  name: string;
  spec: ENIAttachmentSpec;
}

/** A node whose ENIs have to make way for others: the old ones hold what the new ones need. */
export interface Replacement {
  node: string;
  /** To be deleted first. */
  stale: ENIAttachment[];
  /** To be created once the stale ones are gone. */
  missing: DesiredAttachment[];
  /** Whether the node lacks a usable ENI as it is: replacing costs it nothing more. */
  unavailable: boolean;
}
