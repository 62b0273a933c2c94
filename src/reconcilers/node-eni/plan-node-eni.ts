import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI, NodeENISpec } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import { isAttached, isLive } from '../shared/attachment-state.js';
import {
  attachmentName,
  type DesiredAttachment,
  type Replacement,
} from '../shared/desired-attachment.js';
import { identifyNode } from '../shared/node-placement.js';
import { chooseIndex, type OccupiedIndexes } from '../slots/slots.js';
import { chooseSecurityGroups, type Network, subnetsInZone } from './network-resolver.js';

/** What the controller's configuration says where a NodeENI says nothing. */
export interface NodeENIDefaults {
  deviceIndex: number;
  deleteOnTermination: boolean;
}

/** A node that cannot have its ENIs. */
export interface BlockedNode {
  node: string;
  blocked: Blocked;
}

export interface NodeENIPlan {
  create: DesiredAttachment[];
  /** Settings that changed on an attachment that stays. */
  update: { attachment: ENIAttachment; spec: ENIAttachmentSpec }[];
  delete: ENIAttachment[];
  /** To be deleted too: their node is not meant, or runs on another instance, as far as the store knows. */
  unselected: ENIAttachment[];
  /** Nodes whose ENIs have to make way for others; what {@link selectForRollout} lets through is deleted. */
  replace: Replacement[];
  /** How many ENIs the matching nodes should have; a blocked node counts as one. */
  desired: number;
  /** How many matching nodes lack a usable ENI that they should have. */
  unavailable: number;
  blocked: BlockedNode[];
  /**
   * The names of the attachments that a node should have, by node. A node is not among them while something
   * keeps it from its ENIs, or while what it has makes way for others.
   */
  wanted: Map<string, readonly string[]>;
}

export interface NodeENIPlanInput {
  nodeENI: NodeENI;
  /** The nodes that the selector matches. */
  nodes: readonly Node[];
  /** The attachments that this NodeENI owns. */
  attachments: readonly ENIAttachment[];
  /** What the NodeENI's names mean, or why that is not known. */
  network: Network | Blocked;
  defaults: NodeENIDefaults;
  /** What is taken on the nodes' instances; needed where the NodeENI leaves the device index to us. */
  occupied?: OccupiedIndexes | undefined;
}

/** A plan that changes nothing. */
export function emptyPlan(): NodeENIPlan {
  return {
    create: [],
    update: [],
    delete: [],
    unselected: [],
    replace: [],
    desired: 0,
    unavailable: 0,
    blocked: [],
    wanted: new Map(),
  };
}

/**
 * Which attachments there should be. An attachment goes when its node no longer matches, is gone, or runs on another
 * instance, or when its subnet or slot is no longer asked for. While the network is not known, no attachment of
 * a matching node goes: a failed look-up never costs an ENI.
 */
export function planNodeENI(input: NodeENIPlanInput): NodeENIPlan {
  const plan = emptyPlan();
  const byNode = Map.groupBy(input.attachments, (attachment) => attachment.spec.nodeName);
  for (const node of input.nodes) {
    planNode(plan, node, byNode.get(node.metadata.name) ?? [], input);
  }
  const matching = new Set(input.nodes.map(({ metadata }) => metadata.name));
  plan.unselected.push(
    ...input.attachments.filter(({ spec }) => !matching.has(spec.nodeName)).filter(isLive),
  );
  return plan;
}

/** Adds to the plan what one matching node needs. */
function planNode(
  plan: NodeENIPlan,
  node: Node,
  attachments: readonly ENIAttachment[],
  input: NodeENIPlanInput,
): void {
  const ofEarlierInstance = attachments.filter((attachment) => runsElsewhere(attachment, node));
  plan.unselected.push(...ofEarlierInstance.filter(isLive));
  const own = attachments.filter((attachment) => !ofEarlierInstance.includes(attachment));

  const wanted = wantedOf(node, own, input);
  if ('reason' in wanted) {
    plan.blocked.push({ node: node.metadata.name, blocked: wanted });
    plan.desired += Math.max(1, own.length);
    return;
  }
  plan.desired += wanted.length;

  const kept: ENIAttachment[] = [];
  const missing: DesiredAttachment[] = [];
  for (const desired of wanted) {
    const attachment = own.find(({ metadata }) => metadata.name === desired.name);
    if (attachment && isLive(attachment) && sameSlot(attachment.spec, desired.spec)) {
      kept.push(attachment);
      if (!sameSettings(attachment.spec, desired.spec)) {
        plan.update.push({ attachment, spec: desired.spec });
      }
    } else {
      missing.push(desired);
    }
  }

  const stale = own.filter((attachment) => isLive(attachment) && !kept.includes(attachment));
  const unavailable = !own.every(isUsable);
  if (unavailable || (missing.length > 0 && stale.length === 0)) {
    plan.unavailable += 1;
  }
  if (stale.length > 0 && missing.length > 0) {
    plan.replace.push({ node: node.metadata.name, stale, missing, unavailable });
    return;
  }
  plan.wanted.set(
    node.metadata.name,
    wanted.map(({ name }) => name),
  );
  plan.delete.push(...stale);
  // What holds the name or the slot has to be gone first.
  plan.create.push(
    ...missing.filter(
      ({ name, spec }) =>
        !own.some(
          (attachment) => attachment.metadata.name === name || sameSlot(attachment.spec, spec),
        ),
    ),
  );
}

function isUsable(attachment: ENIAttachment): boolean {
  return isLive(attachment) && isAttached(attachment);
}

function wantedOf(
  node: Node,
  own: readonly ENIAttachment[],
  input: NodeENIPlanInput,
): DesiredAttachment[] | Blocked {
  const { nodeENI, network } = input;
  const identity = identifyNode(node);
  if ('reason' in identity) {
    return identity;
  }
  if ('reason' in network) {
    return network;
  }
  const subnets = subnetsInZone(network.subnets, identity.zone);
  if ('reason' in subnets) {
    return subnets;
  }
  const wanted: DesiredAttachment[] = [];
  for (const subnet of subnets) {
    const securityGroupIDs = chooseSecurityGroups(nodeENI.spec, network.securityGroups, subnet);
    if ('reason' in securityGroupIDs) {
      return securityGroupIDs;
    }
    const { instanceID } = identity;
    const name = attachmentName({ nodeENI, instanceID, subnetID: subnet.id });
    const deviceIndex = indexOf({ name, instanceID, own, wanted }, input);
    const place = { nodeName: node.metadata.name, instanceID, deviceIndex };
    const spec = attachmentSpec(input, place, subnet, securityGroupIDs);
    wanted.push({ name, spec: { ...spec, ...hostSettings(nodeENI.spec, wanted.length) } });
  }
  return wanted;
}

interface IndexQuestion {
  name: string;
  instanceID: string;
  own: readonly ENIAttachment[];
  /** What the node is given already, in this pass. */
  wanted: readonly DesiredAttachment[];
}

function indexOf(
  { name, instanceID, own, wanted }: IndexQuestion,
  { nodeENI: { spec }, defaults, occupied }: NodeENIPlanInput,
): number {
  if (spec.deviceIndexPolicy !== 'Auto' || !occupied) {
    return (spec.deviceIndex ?? defaults.deviceIndex) + wanted.length;
  }
  const networkCardIndex = spec.networkCardIndex ?? 0;
  return chooseIndex(
    own.find(({ metadata }) => metadata.name === name),
    occupied({ instanceID, networkCardIndex, attachmentName: name }),
    new Set(wanted.map((desired) => desired.spec.deviceIndex)),
  );
}

function attachmentSpec(
  { nodeENI: { metadata, spec }, defaults }: NodeENIPlanInput,
  place: Pick<ENIAttachmentSpec, 'nodeName' | 'instanceID' | 'deviceIndex'>,
  subnet: Subnet,
  securityGroupIDs: string[],
): ENIAttachmentSpec {
  const { description, mtu, tags, reclaimPolicy } = spec;
  return {
    nodeENI: metadata.name,
    ...place,
    networkCardIndex: spec.networkCardIndex ?? 0,
    subnetID: subnet.id,
    ...(subnet.cidr === undefined ? {} : { subnetCIDR: subnet.cidr }),
    securityGroupIDs,
    deleteOnTermination: spec.deleteOnTermination ?? defaults.deleteOnTermination,
    ...(description === undefined ? {} : { description }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(tags === undefined ? {} : { tags }),
    ...(reclaimPolicy === undefined ? {} : { reclaimPolicy }),
  };
}

/** What the node's agent is told of its ENI; `position` counts the node's ENIs of the NodeENI from 0. */
function hostSettings(
  { addressing, routing, linkState, interfaceName, networkAttachment }: NodeENISpec,
  position: number,
): Partial<ENIAttachmentSpec> {
  const isShared = position === 0 && networkAttachment?.type === 'host-device';
  return {
    ...(addressing === undefined ? {} : { addressing }),
    ...(routing === undefined ? {} : { routing }),
    ...(linkState === undefined ? {} : { linkState }),
    ...(interfaceName === undefined
      ? {}
      : { interfaceName: position === 0 ? interfaceName : `${interfaceName}-${position}` }),
    ...(isShared ? { hostDevice: true } : {}),
  };
}

/** Whether an attachment belongs to an earlier instance under the node's name. */
function runsElsewhere(attachment: ENIAttachment, node: Node): boolean {
  const identity = identifyNode(node);
  return 'instanceID' in identity && identity.instanceID !== attachment.spec.instanceID;
}

function sameSlot(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return a.deviceIndex === b.deviceIndex && a.networkCardIndex === b.networkCardIndex;
}

function sameSettings(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return mergePatch(a, b) === undefined;
}
