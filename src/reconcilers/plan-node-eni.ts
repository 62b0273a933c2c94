import type { ENIAttachment, ENIAttachmentSpec } from '../api/eni-attachment.js';
import type { Node } from '../api/node.js';
import type { NodeENI } from '../api/node-eni.js';
import type { Blocked } from '../api/reasons.js';
import type { SecurityGroup } from '../aws/ec2-gateway.js';
import { attachmentName } from './attachment-identity.js';
import { chooseSecurityGroups, type SubnetChoice, subnetsInZone } from './network-choice.js';
import { identifyNode } from './node-identity.js';

/** What the controller's configuration says where a NodeENI says nothing. */
export interface NodeENIDefaults {
  deviceIndex: number;
  deleteOnTermination: boolean;
}

/** The subnets and groups that a NodeENI names, as EC2 knows them. */
export interface Network {
  subnets: SubnetChoice[];
  securityGroups: SecurityGroup[];
}

/** A node that cannot have its ENIs. */
export interface BlockedNode {
  node: string;
  blocked: Blocked;
}

export interface DesiredAttachment {
  name: string;
  spec: ENIAttachmentSpec;
}

export interface NodeENIPlan {
  create: DesiredAttachment[];
  /** Settings that changed on a record that stays. */
  update: { record: ENIAttachment; spec: ENIAttachmentSpec }[];
  delete: ENIAttachment[];
  /** How many ENIs the matching nodes should have; a blocked node counts as one. */
  desired: number;
  blocked: BlockedNode[];
}

export interface NodeENIPlanInput {
  nodeENI: NodeENI;
  /** The nodes that the selector matches. */
  nodes: readonly Node[];
  /** The records that this NodeENI owns. */
  records: readonly ENIAttachment[];
  /** What the NodeENI's names mean, or why that is not known. */
  network: Network | Blocked;
  defaults: NodeENIDefaults;
}

/**
 * Which records there should be. A record goes when its node no longer matches, is gone, or runs on another
 * instance, or when its subnet or slot is no longer asked for. While the network is not known, no record of
 * a matching node goes: a failed look-up never costs an ENI.
 */
export function planNodeENI(input: NodeENIPlanInput): NodeENIPlan {
  const plan: NodeENIPlan = { create: [], update: [], delete: [], desired: 0, blocked: [] };
  const records = new Map(input.records.map((record) => [record.metadata.name, record]));
  const recordsByNode = Map.groupBy(input.records, (record) => record.spec.nodeName);
  const kept = new Set<string>();

  for (const node of input.nodes) {
    const own = recordsByNode.get(node.metadata.name) ?? [];
    const wanted = wantedOf(node, input);
    if ('reason' in wanted) {
      plan.blocked.push({ node: node.metadata.name, blocked: wanted });
      const staying = own.filter((record) => !runsElsewhere(record, node));
      for (const record of staying) {
        kept.add(record.metadata.name);
      }
      plan.desired += Math.max(1, staying.length);
      continue;
    }
    plan.desired += wanted.length;
    for (const desired of wanted) {
      const record = records.get(desired.name);
      if (!record) {
        plan.create.push(desired);
      } else if (sameSlot(record.spec, desired.spec)) {
        kept.add(record.metadata.name);
        if (!record.metadata.deletionTimestamp && !sameSettings(record.spec, desired.spec)) {
          plan.update.push({ record, spec: desired.spec });
        }
      }
    }
  }

  plan.delete = input.records.filter(
    (record) => !kept.has(record.metadata.name) && !record.metadata.deletionTimestamp,
  );
  return plan;
}

function wantedOf(node: Node, input: NodeENIPlanInput): DesiredAttachment[] | Blocked {
  const { nodeENI, network, defaults } = input;
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
  const { spec } = nodeENI;
  const wanted: DesiredAttachment[] = [];
  for (const [position, subnet] of subnets.entries()) {
    const securityGroupIDs = chooseSecurityGroups(spec, network.securityGroups, subnet);
    if ('reason' in securityGroupIDs) {
      return securityGroupIDs;
    }
    const { instanceID } = identity;
    wanted.push({
      name: attachmentName({ nodeENI, instanceID, subnetID: subnet.id }),
      spec: {
        nodeENI: nodeENI.metadata.name,
        nodeName: node.metadata.name,
        instanceID,
        subnetID: subnet.id,
        ...(subnet.cidr === undefined ? {} : { subnetCIDR: subnet.cidr }),
        securityGroupIDs,
        deviceIndex: (spec.deviceIndex ?? defaults.deviceIndex) + position,
        networkCardIndex: 0,
        deleteOnTermination: spec.deleteOnTermination ?? defaults.deleteOnTermination,
        ...(spec.description === undefined ? {} : { description: spec.description }),
        ...(spec.mtu === undefined ? {} : { mtu: spec.mtu }),
      },
    });
  }
  return wanted;
}

/** Whether a record belongs to an earlier instance under the node's name. */
function runsElsewhere(record: ENIAttachment, node: Node): boolean {
  const identity = identifyNode(node);
  return 'instanceID' in identity && identity.instanceID !== record.spec.instanceID;
}

function sameSlot(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return a.deviceIndex === b.deviceIndex && a.networkCardIndex === b.networkCardIndex;
}

function sameSettings(a: ENIAttachmentSpec, b: ENIAttachmentSpec): boolean {
  return (
    a.deleteOnTermination === b.deleteOnTermination &&
    a.description === b.description &&
    a.mtu === b.mtu &&
    a.subnetCIDR === b.subnetCIDR &&
    a.securityGroupIDs.length === b.securityGroupIDs.length &&
    a.securityGroupIDs.every((id, index) => id === b.securityGroupIDs[index])
  );
}
