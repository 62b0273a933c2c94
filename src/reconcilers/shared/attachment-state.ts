import type { ENIAttachment } from '../../api/eni-attachment.js';
import { isPartial } from '../../api/link-faults.js';

/** Whether the attachment is not being deleted. */
export function isLive({ metadata }: ENIAttachment): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** Whether EC2 has attached the attachment's ENI. */
export function isAttached({ status }: ENIAttachment): boolean {
  return status?.phase === 'Attached' || status?.phase === 'Ready';
}

/** Whether the attachment's ENI is usable and matches the current spec. */
export function isReady({ metadata, status }: ENIAttachment): boolean {
  return status?.phase === 'Ready' && status.observedGeneration === metadata.generation;
}

/** Whether the node's agent reports that the interface matches the current spec. */
export function isLinkUsable({ metadata, spec, status }: ENIAttachment): boolean {
  const { link } = status ?? {};
  if (!link || link.observedGeneration !== metadata.generation) return false;
  if (link.reason !== undefined && !isPartial(link.reason, status?.privateIPAddresses))
    return false;
  return link.state === 'up' || link.state === 'moved' || spec.linkState === 'unmanaged';
}
