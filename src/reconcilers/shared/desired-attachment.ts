import { hash } from 'node:crypto';
import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';

/** What identifies one ENI. */
export interface AttachmentIdentity {
  nodeENI: NodeENI;
  instanceID: string;
  subnetID: string;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const SUFFIX_LENGTH = 10;
/** Characters of an object's name (DNS subdomain) before the suffix and its dash. */
const MAX_PREFIX = 253 - SUFFIX_LENGTH - 1;
/** Characters of a label value (Kubernetes). */
const MAX_LABEL = 63;

/**
 * The name of an ENI's ENIAttachment: the NodeENI's name and 50 bits of a digest of its UID, the instance and
 * the subnet. It is the same in every reconcile and after every restart, so that the API server itself
 * rejects a duplicate.
 */
export function attachmentName({ nodeENI, instanceID, subnetID }: AttachmentIdentity): string {
  const suffix = digestOf(`${nodeENI.metadata.uid}/${instanceID}/${subnetID}`);
  return `${nodeENI.metadata.name.slice(0, MAX_PREFIX)}-${suffix}`;
}

/**
 * The value of the label that names a NodeENI. A label value has at most 63 characters: a longer name is
 * replaced by its beginning and a digest.
 */
export function nodeENILabel({ name }: Pick<NodeENI['metadata'], 'name'>): string {
  return name.length <= MAX_LABEL
    ? name
    : `${name.slice(0, MAX_LABEL - SUFFIX_LENGTH - 1)}-${digestOf(name)}`;
}

function digestOf(text: string): string {
  const digest = hash('sha256', text, 'buffer');
  return Array.from(digest.subarray(0, SUFFIX_LENGTH), (byte) => BASE32[byte & 31]).join('');
}

/** An ENIAttachment as a plan specifies it. */
export interface DesiredAttachment {
  name: string;
  spec: ENIAttachmentSpec;
}

/** A node whose current ENIs hold the slots or the addresses that its new ENIs need. */
export interface Replacement {
  node: string;
  /** Attachments to delete first. */
  stale: ENIAttachment[];
  /** Attachments to create once the stale ones are gone. */
  missing: DesiredAttachment[];
  /** Whether the node already lacks a usable ENI, so that a replacement costs it nothing more. */
  unavailable: boolean;
}
