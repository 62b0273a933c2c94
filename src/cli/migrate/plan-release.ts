import type { ENIAttachment } from '../../api/eni-attachment.js';
import { GO_CONTROLLER } from '../../api/go-controller.js';
import {
  ENI_FINALIZER,
  NETWORK_ATTACHMENT_FINALIZER,
  NODE_ENI_FINALIZER,
} from '../../api/names.js';
import type { NodeENI, NodeENIAttachment } from '../../api/node-eni.js';
import { unheldEnis } from '../../reconcilers/migration/listed-enis.js';
import { entryOf } from '../../reconcilers/node-eni/node-eni-status.js';
import { heldEni } from '../../reconcilers/shared/held-eni.js';

/** What returns one NodeENI to the Go controller, in this order. */
export interface NodeENIRelease {
  nodeENI: NodeENI;
  /** Every ENI: the Go controller has no other record of them. */
  entries: NodeENIAttachment[];
  finalizers: string[];
  /** Objects to delete, once the status lists their ENIs. */
  attachments: ENIAttachment[];
}

export interface ReleasePlan {
  releases: NodeENIRelease[];
  /** Why nothing may be released yet, as sentences. */
  faults: string[];
}

const OWN_FINALIZERS: readonly string[] = [
  NODE_ENI_FINALIZER,
  NETWORK_ATTACHMENT_FINALIZER,
  GO_CONTROLLER.finalizer,
];

/** Plans the return of all NodeENIs. No ENI is changed, so each must be one that the status can list. */
export function planRelease(
  nodeENIs: readonly NodeENI[],
  attachments: readonly ENIAttachment[],
): ReleasePlan {
  const owned = (nodeENI: NodeENI) => attachments.filter((each) => isOwned(each, nodeENI));
  const strays = attachments.filter((each) => !nodeENIs.some((owner) => isOwned(each, owner)));
  return {
    releases: nodeENIs.map((nodeENI) => releaseOf(nodeENI, owned(nodeENI))),
    faults: [
      ...nodeENIs.flatMap(({ metadata }) =>
        metadata.deletionTimestamp
          ? [`NodeENI ${metadata.name} is being deleted: let the controller finish that.`]
          : [],
      ),
      ...strays.map(
        ({ metadata, spec }) =>
          `ENIAttachment ${metadata.name} has no NodeENI ${spec.nodeENI}: let the controller remove it.`,
      ),
      ...attachments.flatMap((each) => faultOf(each) ?? []),
    ],
  };
}

function releaseOf(nodeENI: NodeENI, own: readonly ENIAttachment[]): NodeENIRelease {
  const waiting = unheldEnis(nodeENI, own).map(({ adoption: _, ...entry }) => entry);
  const held = own.filter((each) => heldEni(each) !== undefined);
  const others = (nodeENI.metadata.finalizers ?? []).filter(
    (each) => !OWN_FINALIZERS.includes(each),
  );
  return {
    nodeENI,
    entries: [
      ...waiting,
      ...held.map((each) => ({ ...entryOf(each), eniID: heldEni(each) ?? '', status: 'attached' })),
    ],
    finalizers: [...others, GO_CONTROLLER.finalizer],
    attachments: [...own],
  };
}

/** Why the attachment's ENI cannot be listed as the Go controller lists attached ENIs. */
function faultOf(attachment: ENIAttachment): string | undefined {
  const { metadata, status } = attachment;
  const isHeld = heldEni(attachment) !== undefined;
  const isUntouched = !isHeld && (status?.phase ?? 'Pending') === 'Pending';
  const isSettled = isHeld && (status?.attachmentID !== undefined || status?.eniID === undefined);
  if (!metadata.deletionTimestamp && (isUntouched || isSettled)) return undefined;
  const state = metadata.deletionTimestamp ? 'being deleted' : (status?.phase ?? 'Pending');
  return `ENIAttachment ${metadata.name} is ${state}, and its ENI may be in transition: start the controller and wait until it is Ready or gone.`;
}

function isOwned({ metadata }: ENIAttachment, nodeENI: NodeENI): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === nodeENI.metadata.uid) ?? false;
}

/**
 * The attachment's finalizers without this operator's: deleting the attachment then removes nothing in EC2.
 */
export function withoutOwnFinalizer({ metadata }: ENIAttachment): string[] {
  return (metadata.finalizers ?? []).filter((each) => each !== ENI_FINALIZER);
}
