import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import { chooseEni } from './plan-attachment.js';

/** What is known of ENIs. */
export interface KnownEnis {
  get(eniId: string): Eni | undefined;
  byAttachmentUID(uid: string): Eni[];
}

/**
 * The record's ENI: the one that carries its UID; or the one that the record names, where somebody took
 * that tag off.
 */
export function ownEni(enis: KnownEnis, { metadata, status }: ENIAttachment): Eni | undefined {
  const tagged = chooseEni(enis.byAttachmentUID(metadata.uid));
  if (tagged || status?.eniID === undefined) {
    return tagged;
  }
  const named = enis.get(status.eniID);
  return named && !(TAGS.attachmentUID in named.tags) ? named : undefined;
}
