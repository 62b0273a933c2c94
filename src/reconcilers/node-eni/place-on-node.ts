import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';
import { adoptedEni } from '../shared/held-eni.js';

/** Where an ENI is among those of its NodeENI on one node. */
export interface Place {
  /** Counts from 0, in the order of the NodeENI's subnets. It decides the interface's name. */
  position: number;
  deviceIndex: number;
  /** The NodeENI's device index from which the positions count; `undefined` under `deviceIndexPolicy: Auto`. */
  baseDeviceIndex: number | undefined;
}

export interface PlaceRequest {
  nodeENI: NodeENI;
  /** The device index of the NodeENI's first ENI. */
  base: number;
  /** The position of the ENI's subnet in the list. */
  listed: number;
  /** The positions in the list of all the ENIs that the node should have. */
  claimed: ReadonlySet<number>;
  /** The attachment, if it exists already. */
  attachment: ENIAttachment | undefined;
  /** Chooses the device index under `deviceIndexPolicy: Auto`; absent under `Fixed`. */
  chooseIndex?: (() => number) | undefined;
}

/**
 * The place of an ENI: its position in the list of subnets. An existing ENI keeps its position, unless the
 * list assigns it to another: so removing one subnet from the list moves no other ENI.
 */
export function placeOnNode(request: PlaceRequest): Place {
  const { base, listed, chooseIndex, attachment } = request;
  const kept = keptPosition(request);
  if (chooseIndex) {
    return {
      position: kept ?? listed,
      deviceIndex: chooseIndex(),
      baseDeviceIndex: undefined,
    };
  }
  return attachment && kept !== undefined && isPlacedFrom(base, request)
    ? { position: kept, deviceIndex: attachment.spec.deviceIndex, baseDeviceIndex: base }
    : { position: listed, deviceIndex: base + listed, baseDeviceIndex: base };
}

function keptPosition(request: PlaceRequest): number | undefined {
  const { attachment, claimed, listed } = request;
  const position =
    attachment?.spec.position ??
    // Adopted where it was: its device index does not show its position.
    (attachment && adoptedEni(attachment) !== undefined ? listed : impliedPosition(request));
  return position !== undefined && (position === listed || !claimed.has(position))
    ? position
    : undefined;
}

/** Whether the attachment's device index counts from the NodeENI's current one. */
function isPlacedFrom(base: number, { attachment }: PlaceRequest): boolean {
  const { position, baseDeviceIndex } = attachment?.spec ?? {};
  return position === undefined || baseDeviceIndex === base;
}

/**
 * The position of an attachment created by a release that did not store it. That release counted up from the
 * device index that the NodeENI then had, and under `Auto` it numbered the interface names.
 */
function impliedPosition({
  nodeENI,
  base,
  attachment,
  chooseIndex,
}: PlaceRequest): number | undefined {
  if (!attachment) {
    return undefined;
  }
  if (chooseIndex) {
    return positionInName(attachment.spec.interfaceName, nodeENI.spec.interfaceName);
  }
  const { metadata, status } = nodeENI;
  const isEdited =
    status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation;
  const position = attachment.spec.deviceIndex - base;
  return isEdited || position < 0 ? undefined : position;
}

function positionInName(name: string | undefined, first: string | undefined): number | undefined {
  if (name === undefined || first === undefined) {
    return undefined;
  }
  const suffix = name.startsWith(first) ? /^-(\d{1,2})$/.exec(name.slice(first.length)) : null;
  return name === first ? 0 : suffix ? Number(suffix[1]) : undefined;
}
