import type { ENIAttachment } from '../../api/eni-attachment.js';
import { GO_CONTROLLER, LEAVE_ENIS_ANNOTATION } from '../../api/go-controller.js';
import type { NodeENI, NodeENIAttachment } from '../../api/node-eni.js';
import { hasFinalizer } from '../../runtime/kube/finalizers.js';
import { heldEni } from '../shared/held-eni.js';

/** An entry of `status.attachments` that names an ENI. */
export interface ListedEni extends NodeENIAttachment {
  eniID: string;
}

/**
 * The ENIs that the NodeENI's status lists and no ENIAttachment holds: those of the Go controller, which has
 * no other record of them. This operator's own entries count only if the Go controller may have written them
 * too.
 */
export function unheldEnis(nodeENI: NodeENI, attachments: readonly ENIAttachment[]): ListedEni[] {
  const { status } = nodeENI;
  const isForeign = hasGoFinalizer(nodeENI) || status?.observedGeneration === undefined;
  const held = new Set(attachments.map(heldEni));
  const listed = new Map<string, ListedEni>();
  for (const entry of status?.attachments ?? []) {
    const { eniID } = entry;
    if (eniID && !held.has(eniID) && (isForeign || entry.adoption !== undefined)) {
      listed.set(eniID, listed.get(eniID) ?? { ...entry, eniID });
    }
  }
  return [...listed.values()];
}

export function hasGoFinalizer(nodeENI: NodeENI): boolean {
  return hasFinalizer(nodeENI, GO_CONTROLLER.finalizer);
}

/** Ids of the ENIs that the user wants the operator to let go. */
export function enisToLeave({ metadata }: NodeENI): ReadonlySet<string> {
  const value = metadata.annotations?.[LEAVE_ENIS_ANNOTATION] ?? '';
  return new Set(value.split(',').map((id) => id.trim()));
}
