import type { ENIAttachment } from '../../api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni, Subnet } from '../../aws/ec2-gateway.js';
import { AddressPool } from '../../reconcilers/address-pool/address-pool.js';
import { type Network, subnetsInZone } from '../../reconcilers/node-eni/network-resolver.js';
import { isBlocked } from '../../reconcilers/shared/blocked.js';
import { identifyNode, type NodeIdentity } from '../../reconcilers/shared/node-placement.js';

export interface AdoptionInput {
  eni: Eni;
  nodeENI: NodeENI;
  node: Node;
  /** The NodeENI's subnets, or why they are unknown. */
  network: Network | Blocked;
  /** All attachments of the cluster. */
  attachments: readonly ENIAttachment[];
  clusterID: string;
}

/** The tags that assign the ENI to the controller, or what prevents its adoption, each with a remedy. */
export type Adoption = { tags: Record<string, string> } | { faults: string[] };

/**
 * Whether a free ENI can become the desired ENI of a NodeENI on a node, and by which tags. The controller
 * then adopts it like a retained ENI, instead of creating one.
 */
export function planAdoption(input: AdoptionInput): Adoption {
  const faults = [...eniFaults(input), ...placeFaults(input)];
  if (faults.length > 0) return { faults };
  const { nodeENI, node, clusterID } = input;
  return {
    tags: {
      [TAGS.clusterID]: clusterID,
      [TAGS.managedBy]: MANAGER_NAME,
      [TAGS.nodeENI]: nodeENI.metadata.name,
      [TAGS.node]: node.metadata.name,
      [TAGS.retained]: nodeENI.metadata.name,
      [TAGS.noManage]: 'true',
    },
  };
}

function eniFaults({ eni, attachments, clusterID }: AdoptionInput): string[] {
  const { id, status, attachment, tags, requesterManaged } = eni;
  const owner = attachments.find(({ metadata }) => metadata.uid === tags[TAGS.attachmentUID]);
  const cluster = tags[TAGS.clusterID];
  return [
    ...(requesterManaged
      ? [`${id} is managed by an AWS service, and only that service may use it.`]
      : []),
    ...(status === 'available' && attachment === undefined
      ? []
      : [
          `${id} is ${status}${attachment ? ` at ${attachment.instanceId}` : ''}. Detach it first: the controller attaches it where the NodeENI says.`,
        ]),
    ...(owner ? [`${id} belongs to ENIAttachment ${owner.metadata.name} already.`] : []),
    ...(cluster === undefined || cluster === clusterID
      ? []
      : [`${id} has the tags of another cluster, ${cluster}. Remove them there first.`]),
  ];
}

function placeFaults({ eni, nodeENI, node, network, attachments }: AdoptionInput): string[] {
  const { metadata, spec } = nodeENI;
  const identity = identifyNode(node);
  const has = attachments.find(
    (each) =>
      each.spec.nodeENI === metadata.name &&
      each.spec.nodeName === node.metadata.name &&
      each.spec.subnetID === eni.subnetId,
  );
  return [
    ...(spec.reclaimPolicy === 'Retain'
      ? []
      : [
          `NodeENI ${metadata.name} does not have spec.reclaimPolicy: Retain. Set it: only then the controller looks for ENIs to adopt.`,
        ]),
    ...(has
      ? [
          `Node ${node.metadata.name} has ENIAttachment ${has.metadata.name} in ${eni.subnetId} already. Remove the label from the node and wait until the ENIAttachment is gone.`,
        ]
      : []),
    ...(isBlocked(identity) ? [identity.message] : zoneFaults(eni, identity)),
    ...subnetFaults(eni, network, nodeENI),
  ];
}

function zoneFaults(eni: Eni, { zone }: NodeIdentity): string[] {
  return zone === undefined || zone === eni.zone
    ? []
    : [`${eni.id} is in ${eni.zone}, and the node in ${zone}. An ENI cannot move to another zone.`];
}

function subnetFaults(eni: Eni, network: Network | Blocked, nodeENI: NodeENI): string[] {
  if (isBlocked(network)) return [network.message];
  const subnets = subnetsInZone(network.subnets, eni.zone);
  if (isBlocked(subnets)) return [subnets.message];
  const ids = subnets.listed.map(({ subnet }) => subnet.id);
  const found = subnets.listed.find(({ subnet }) => subnet.id === eni.subnetId);
  return found
    ? addressFaults(eni, found.subnet, nodeENI)
    : [
        `${eni.id} is in ${eni.subnetId}, and the NodeENI wants ${ids.join(', ')} in ${eni.zone}. Name that subnet in the NodeENI.`,
      ];
}

function addressFaults(
  { id, privateIpAddress = '' }: Eni,
  { cidr }: Subnet,
  { metadata, spec }: NodeENI,
): string[] {
  const pool = spec.ipv4?.primary?.fromPool;
  return !pool || !cidr || AddressPool.create(pool, cidr).includes(privateIpAddress)
    ? []
    : [
        `The address of ${id}, ${privateIpAddress}, is not in spec.ipv4.primary.fromPool of NodeENI ${metadata.name}. Add it there.`,
      ];
}
