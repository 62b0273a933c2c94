import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NetworkAttachment, NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import { definedOnly, mergePatch } from '../../runtime/kube/merge-patch.js';
import { AddressChooser, type AddressFacts } from '../address-pool/choose-address.js';
import { primaryAddressOf } from '../address-pool/primary-address.js';
import { isAttached, isLive } from '../shared/attachment-state.js';
import { isBlocked } from '../shared/blocked.js';
import {
  attachmentName,
  type DesiredAttachment,
  type Replacement,
} from '../shared/desired-attachment.js';
import { identifyNode } from '../shared/node-placement.js';
import { chooseIndex, type OccupiedIndexes } from '../slots/slots.js';
import {
  chooseSecurityGroups,
  missingSubnets,
  type Network,
  subnetsInZone,
} from './network-resolver.js';
import { type Place, placeOnNode } from './place-on-node.js';

/** The controller's settings for fields that a NodeENI leaves out. */
export interface NodeENIDefaults {
  deviceIndex: number;
  deleteOnTermination: boolean;
}

/** A node that cannot get its ENIs. */
export interface BlockedNode {
  node: string;
  blocked: Blocked;
  /** Whether the node has usable ENIs nevertheless, but not as the NodeENI specifies. */
  isServed: boolean;
}

export interface NodeENIPlan {
  create: DesiredAttachment[];
  /** Attachments that stay, but whose settings change. */
  update: { attachment: ENIAttachment; spec: ENIAttachmentSpec }[];
  delete: ENIAttachment[];
  /** Delete too, once an uncached read confirms that the node no longer matches or runs on another instance. */
  unselected: ENIAttachment[];
  /** Nodes whose ENIs have to be replaced; the rollout selects which ones to replace now. */
  replace: Replacement[];
  /** How many ENIs the matching nodes should have; a blocked node counts as one. */
  desired: number;
  /** How many matching nodes lack a usable ENI. */
  unavailable: number;
  blocked: BlockedNode[];
  /** The names of the attachments that each node should have; without blocked nodes and those to replace. */
  planned: Map<string, readonly string[]>;
}

export interface NodeENIPlanInput {
  nodeENI: NodeENI;
  /** The nodes that the selector matches. */
  nodes: readonly Node[];
  /** The attachments that this NodeENI owns. */
  attachments: readonly ENIAttachment[];
  /** The subnets and groups that the NodeENI names, or why they are unknown. */
  network: Network | Blocked;
  defaults: NodeENIDefaults;
  /** The zones of instances whose node has no zone label, by instance id. */
  zones?: ReadonlyMap<string, string> | undefined;
  /** All nodes that claim to run on an instance. A kubelet can claim any instance, so only a sole claim counts. */
  nodesOn?: ((instanceID: string) => readonly Node[]) | undefined;
  /** The device indexes in use on the nodes' instances; needed for `deviceIndexPolicy: Auto` only. */
  occupied?: OccupiedIndexes | undefined;
  /** The addresses in the subnets, for `ipv4.primary`. Default: those of the NodeENI's attachments. */
  addresses?: AddressFacts | undefined;
}

/** A plan that changes nothing. */
function emptyPlan(): NodeENIPlan {
  return {
    create: [],
    update: [],
    delete: [],
    unselected: [],
    replace: [],
    desired: 0,
    unavailable: 0,
    blocked: [],
    planned: new Map(),
  };
}

/**
 * Decides which attachments there should be. An attachment is deleted when its node no longer exists, no
 * longer matches or runs on another instance, or when the NodeENI no longer specifies its subnet or slot.
 * While the network is unknown, matching nodes keep their attachments: a failed lookup never costs an ENI.
 */
export function planNodeENI(input: NodeENIPlanInput): NodeENIPlan {
  const plan = emptyPlan();
  const byNode = Map.groupBy(input.attachments, (attachment) => attachment.spec.nodeName);
  const matching = new Set(input.nodes.map(({ metadata }) => metadata.name));
  const pool = addressChooser(input, matching);
  // If nodes compete for addresses, the order must be the same in every plan.
  const nodes = pool ? input.nodes.toSorted(byName) : input.nodes;
  for (const node of nodes) {
    planNode(plan, node, byNode.get(node.metadata.name) ?? [], { ...input, pool });
  }
  plan.unselected.push(
    ...input.attachments.filter(({ spec }) => !matching.has(spec.nodeName)).filter(isLive),
  );
  return plan;
}

/** The input, and the state during one plan. */
interface Planning extends NodeENIPlanInput {
  /** Absent if EC2 chooses the primary addresses. */
  pool: AddressChooser | undefined;
}

function addressChooser(
  { nodeENI, attachments: own, addresses }: NodeENIPlanInput,
  nodes: ReadonlySet<string>,
): AddressChooser | undefined {
  const pool = nodeENI.spec.ipv4?.primary?.fromPool;
  const facts = addresses ?? {
    attachmentsIn: (subnetID) => own.filter(({ spec }) => spec.subnetID === subnetID),
    enisIn: () => [],
    keptByOthers: [],
    isClaimed: () => false,
  };
  return pool && new AddressChooser({ nodeENI, pool, nodes, own, facts });
}

function byName({ metadata: a }: Node, { metadata: b }: Node): number {
  return a.name < b.name ? -1 : 1;
}

/** Plans one matching node. */
function planNode(
  plan: NodeENIPlan,
  node: Node,
  attachments: readonly ENIAttachment[],
  input: Planning,
): void {
  const ofEarlierInstance = attachments.filter((attachment) => runsElsewhere(attachment, node));
  plan.unselected.push(...ofEarlierInstance.filter(isLive));
  const own = attachments.filter((attachment) => !ofEarlierInstance.includes(attachment));

  const wanted = wantedOn(node, own, input);
  if (isBlocked(wanted)) {
    plan.blocked.push({
      node: node.metadata.name,
      blocked: wanted,
      isServed: own.length > 0 && own.every(isUsable),
    });
    plan.desired += Math.max(1, own.length);
    return;
  }
  const { desired, faults } = wanted;
  plan.desired += desired.length + wanted.missing;
  for (const { blocked: fault, keeps } of faults) {
    const isServed = keeps && own.every(isUsable);
    plan.blocked.push({ node: node.metadata.name, blocked: fault, isServed });
  }

  const kept: ENIAttachment[] = [];
  const missing: DesiredAttachment[] = [];
  for (const { name, spec } of desired) {
    const attachment = own.find(({ metadata }) => metadata.name === name);
    if (
      attachment &&
      isLive(attachment) &&
      sameSlot(attachment.spec, spec) &&
      hasAddress(attachment, spec)
    ) {
      kept.push(attachment);
      if (!sameSettings(attachment.spec, spec)) {
        plan.update.push({ attachment, spec });
      }
    } else {
      missing.push({ name, spec });
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
  if (faults.length === 0) {
    plan.planned.set(
      node.metadata.name,
      desired.map(({ name }) => name),
    );
  }
  plan.delete.push(...stale);
  // An attachment that still holds the name or the slot has to be deleted first.
  plan.create.push(
    ...missing.filter(
      ({ name, spec }) =>
        !wanted.waiting.has(name) &&
        !own.some(
          (attachment) => attachment.metadata.name === name || sameSlot(attachment.spec, spec),
        ),
    ),
  );
}

function isUsable(attachment: ENIAttachment): boolean {
  return isLive(attachment) && isAttached(attachment);
}

/** What a node should have. */
interface WantedOnNode {
  /** One for each of the NodeENI's subnets in the node's zone. */
  desired: DesiredAttachment[];
  /** Names of those whose address another ENIAttachment still has. */
  waiting: ReadonlySet<string>;
  /** How many of the NodeENI's ENIs the node cannot have. */
  missing: number;
  /** Why the node lacks ENIs, or `keeps` some that are not as specified. */
  faults: { blocked: Blocked; keeps: boolean }[];
}

function wantedOn(
  node: Node,
  own: readonly ENIAttachment[],
  input: Planning,
): WantedOnNode | Blocked {
  const { nodeENI, network } = input;
  const identity = identifyNode(node);
  if (isBlocked(identity)) {
    return identity;
  }
  const claims = (input.nodesOn?.(identity.instanceID) ?? []).map(({ metadata }) => metadata.name);
  if (claims.length > 1) {
    return blocked(
      'ProviderIDAmbiguous',
      `The nodes ${claims.sort().join(', ')} have the spec.providerID of the same instance, ${identity.instanceID}`,
    );
  }
  if (isBlocked(network)) {
    return network;
  }
  const zone = identity.zone ?? input.zones?.get(identity.instanceID);
  if (zone === undefined) {
    return blocked(
      'InstanceNotFound',
      `EC2 does not know ${identity.instanceID}, the instance of node ${node.metadata.name}`,
    );
  }
  const subnets = subnetsInZone(network.subnets, zone);
  if (isBlocked(subnets)) {
    return subnets;
  }
  const claimed = new Set(subnets.listed.map(({ position }) => position));
  const desired: DesiredAttachment[] = [];
  const incomplete = missingSubnets(subnets, zone);
  const wanted = {
    desired,
    waiting: new Set<string>(),
    missing: subnets.missing.length,
    faults: incomplete ? [{ blocked: incomplete, keeps: false }] : [],
  };
  for (const { subnet, position: listed } of subnets.listed) {
    const securityGroupIDs = chooseSecurityGroups(nodeENI.spec, network, subnet);
    if (isBlocked(securityGroupIDs)) {
      return securityGroupIDs;
    }
    const { instanceID } = identity;
    const name = attachmentName({ nodeENI, instanceID, subnetID: subnet.id });
    const attachment = own.find(({ metadata }) => metadata.name === name);
    const { name: nodeName } = node.metadata;
    const chosen = input.pool
      ? input.pool.choose({ nodeName, name, subnet, attachment })
      : { address: attachment?.spec.privateIPAddress, isHeld: false };
    if (isBlocked(chosen)) {
      const keeps = attachment !== undefined && isLive(attachment);
      wanted.faults.push({ blocked: chosen, keeps });
      if (keeps) desired.push({ name, spec: attachment.spec });
      else wanted.missing += 1;
      continue;
    }
    const place = placeOnNode({
      nodeENI,
      base: nodeENI.spec.deviceIndex ?? input.defaults.deviceIndex,
      listed,
      claimed,
      attachment,
      chooseIndex: indexChooser({ name, instanceID, own, desired }, input),
    });
    const on = { nodeName, instanceID };
    const spec = attachmentSpec(input, { ...on, ...place }, subnet, securityGroupIDs);
    const { address: privateIPAddress, isHeld } = chosen;
    desired.push({
      name,
      spec: definedOnly({ ...spec, privateIPAddress, ...hostSettings(nodeENI, place.position) }),
    });
    if (isHeld) wanted.waiting.add(name);
  }
  return wanted;
}

interface IndexRequest {
  name: string;
  instanceID: string;
  own: readonly ENIAttachment[];
  /** The node's attachments that this reconcile has placed already. */
  desired: readonly DesiredAttachment[];
}

/** Chooses a device index under `deviceIndexPolicy: Auto`; `undefined` if the list decides it. */
function indexChooser(
  { name, instanceID, own, desired }: IndexRequest,
  { nodeENI: { spec }, occupied }: NodeENIPlanInput,
): (() => number) | undefined {
  if (spec.deviceIndexPolicy !== 'Auto' || !occupied) {
    return undefined;
  }
  const networkCardIndex = spec.networkCardIndex ?? 0;
  return () =>
    chooseIndex({
      attachment: own.find(({ metadata }) => metadata.name === name),
      networkCardIndex,
      occupied: occupied({ instanceID, networkCardIndex, attachmentName: name }),
      chosen: new Set(desired.map((placed) => placed.spec.deviceIndex)),
    });
}

function attachmentSpec(
  { nodeENI: { metadata, spec }, defaults }: NodeENIPlanInput,
  { baseDeviceIndex, ...place }: Place & Pick<ENIAttachmentSpec, 'nodeName' | 'instanceID'>,
  subnet: Subnet,
  securityGroupIDs: string[],
): ENIAttachmentSpec {
  const { description, mtu, tags, reclaimPolicy } = spec;
  const { ipv6, sourceDestCheck, connectionTracking, enaExpress, ipv6Primary, elasticIP } = spec;
  const { primary: _, ...numbers } = spec.ipv4 ?? {};
  const ipv4 = Object.keys(numbers).length > 0 ? numbers : undefined;
  return {
    nodeENI: metadata.name,
    ...place,
    ...(baseDeviceIndex === undefined ? {} : { baseDeviceIndex }),
    networkCardIndex: spec.networkCardIndex ?? 0,
    subnetID: subnet.id,
    ...(subnet.cidr === undefined ? {} : { subnetCIDR: subnet.cidr }),
    securityGroupIDs,
    deleteOnTermination: spec.deleteOnTermination ?? defaults.deleteOnTermination,
    ...(description === undefined ? {} : { description }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(tags === undefined ? {} : { tags }),
    ...(reclaimPolicy === undefined ? {} : { reclaimPolicy }),
    ...definedOnly({
      ipv4,
      ipv6,
      sourceDestCheck,
      connectionTracking,
      enaExpress,
      ipv6Primary,
      elasticIP,
    }),
  };
}

/** The settings for the node's agent; `position` counts the node's ENIs of this NodeENI from 0. */
function hostSettings({ metadata, spec }: NodeENI, position: number): Partial<ENIAttachmentSpec> {
  const { addressing, routing, linkState, interfaceName, networkAttachment } = spec;
  const isShared = position === 0 && networkAttachment?.type === 'host-device';
  return {
    ...(addressing === undefined ? {} : { addressing }),
    ...(routing === undefined ? {} : { routing }),
    ...(linkState === undefined ? {} : { linkState }),
    ...(interfaceName === undefined
      ? {}
      : { interfaceName: position === 0 ? interfaceName : `${interfaceName}-${position}` }),
    ...(isShared ? { hostDevice: true } : {}),
    ...(position === 0 ? podNetwork(metadata.name, networkAttachment) : {}),
  };
}

/** Pods have the addresses of a node's first ENI, the one that has the NodeENI's interface name. */
function podNetwork(
  name: string,
  { addresses, type, routes }: Partial<NetworkAttachment> = {},
): Pick<ENIAttachmentSpec, 'podNetwork'> {
  return addresses !== undefined && (type === 'routed' || type === 'ipvlan')
    ? { podNetwork: { name, type, ...(routes ? { routes } : {}) } }
    : {};
}

/** Whether an attachment belongs to another instance, which had the node's name before. */
function runsElsewhere(attachment: ENIAttachment, node: Node): boolean {
  const identity = identifyNode(node);
  return !isBlocked(identity) && identity.instanceID !== attachment.spec.instanceID;
}

/** Whether the ENI has the address that it should have; EC2 can never change it. */
function hasAddress(attachment: ENIAttachment, { privateIPAddress: wanted }: ENIAttachmentSpec) {
  return (
    wanted === undefined ||
    wanted === (attachment.spec.privateIPAddress ?? primaryAddressOf(attachment))
  );
}

function sameSlot(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return a.deviceIndex === b.deviceIndex && a.networkCardIndex === b.networkCardIndex;
}

function sameSettings(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return mergePatch(a, b) === undefined;
}
