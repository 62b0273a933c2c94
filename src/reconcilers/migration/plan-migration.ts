import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { GO_CONTROLLER, GO_TAGS, LEAVE_ENIS_ANNOTATION } from '../../api/go-controller.js';
import { TAGS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { ADOPTION_REMEDIES, type AdoptionReason, type Blocked } from '../../api/reasons.js';
import type { Eni, EniAttachmentState } from '../../aws/ec2-gateway.js';
import { isBlocked } from '../shared/blocked.js';
import { attachmentName } from '../shared/desired-attachment.js';
import { isOperatorEni } from '../shared/eni-ownership.js';
import { identifyNode } from '../shared/node-placement.js';
import { enisToLeave, type ListedEni, unheldEnis } from './listed-enis.js';

/** Limits of an ENIAttachment's MTU, in bytes (its CRD); the Go controller had none. */
const MIN_MTU = 576;
const MAX_MTU = 9001;

/** An ENI of the Go controller, and the ENIAttachment that will record it. */
export interface Adoption {
  eniID: string;
  name: string;
  spec: ENIAttachmentSpec;
}

/** An ENI that stays in the status because no ENIAttachment records it. */
export interface UnadoptedEni {
  entry: ListedEni;
  reason: AdoptionReason;
  /** A sentence for people. */
  message: string;
}

export interface MigrationPlan {
  adopt: Adoption[];
  unadopted: UnadoptedEni[];
  /** ENIs that EC2 no longer has. */
  gone: ListedEni[];
  /** ENIs that the user lets go. */
  left: ListedEni[];
}

/** What remains of the Go controller in a NodeENI, after a reconcile. */
export interface MigrationState {
  /** ENIs that are not adopted, and why. */
  unadopted: readonly UnadoptedEni[];
  /** Ids of ENIs whose entries may leave the status: they are gone, or the user lets them go. */
  letGo: ReadonlySet<string>;
  /** Why nothing may be created at all. */
  fault: Blocked | undefined;
}

/** The state of a NodeENI for which nothing was found, or nothing had to be checked. */
export const NO_MIGRATION: MigrationState = { unadopted: [], letGo: new Set(), fault: undefined };

/**
 * The entries that have to stay in the status of exactly this version of the NodeENI, including those written
 * after the reconcile began.
 */
export function unadoptedIn(
  nodeENI: NodeENI,
  attachments: readonly ENIAttachment[],
  { unadopted: known, letGo }: MigrationState,
): UnadoptedEni[] {
  const byId = new Map(known.map((each) => [each.entry.eniID, each]));
  return unheldEnis(nodeENI, attachments)
    .filter(({ eniID }) => !letGo.has(eniID))
    .map(
      (entry) =>
        byId.get(entry.eniID) ??
        unadopted(entry, 'WaitingForAdoption', `${entry.eniID} is not adopted yet`),
    );
}

export interface MigrationInput {
  nodeENI: NodeENI;
  /** The ENIs that the status lists and no attachment holds. */
  listed: readonly ListedEni[];
  /** The ENIs as EC2 describes them now; it lacks those that EC2 does not know. */
  enis: ReadonlyMap<string, Eni>;
  /** The attachments of the NodeENI. */
  attachments: readonly ENIAttachment[];
  nodeNamed: (name: string) => Node | undefined;
  /** Whether an ENIAttachment has this UID. */
  isAlive: (uid: string) => boolean;
  /** Ids of the NodeENI's subnets; undefined if EC2 does not know one. */
  subnetIDs: ReadonlySet<string> | undefined;
  clusterID: string;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Decides on each ENI that the Go controller listed. An ENI is adopted only if all of its facts match. */
export function planMigration(input: MigrationInput): MigrationPlan {
  const plan: MigrationPlan = { adopt: [], unadopted: [], gone: [], left: [] };
  const leave = enisToLeave(input.nodeENI);
  const taken = new Set<string>();
  for (const entry of input.listed) {
    const eni = input.enis.get(entry.eniID);
    if (leave.has(entry.eniID)) {
      plan.left.push(entry);
    } else if (!eni && isOld(entry, input)) {
      plan.gone.push(entry);
    } else {
      const adoption = eni
        ? adoptionOf(entry, eni, taken, input)
        : unadopted(entry, 'WaitingForAdoption', `EC2 does not show ${entry.eniID} yet`);
      if ('reason' in adoption) {
        plan.unadopted.push(adoption);
      } else {
        taken.add(adoption.name);
        plan.adopt.push(adoption);
      }
    }
  }
  return plan;
}

/** Whether EC2's reads would show the ENI, if it existed. */
function isOld({ lastUpdated }: ListedEni, { now, consistencyWindowMs }: MigrationInput): boolean {
  const writtenAt = Date.parse(lastUpdated ?? '');
  return !(now - writtenAt < consistencyWindowMs);
}

function adoptionOf(
  entry: ListedEni,
  eni: Eni,
  taken: ReadonlySet<string>,
  input: MigrationInput,
): Adoption | UnadoptedEni {
  const fault = identityFault(entry, eni, input);
  if (fault) {
    return unadopted(entry, ...fault);
  }
  const slot = slotOf(entry, eni, input);
  if ('reason' in slot) {
    return slot;
  }
  const { nodeENI, attachments } = input;
  const { instanceId: instanceID } = slot;
  const name = attachmentName({ nodeENI, instanceID, subnetID: eni.subnetId });
  if (taken.has(name)) {
    return unadopted(
      entry,
      'SecondInSubnet',
      `${eni.id} is the second ENI of node ${entry.nodeID} in ${eni.subnetId}`,
    );
  }
  const present = attachments.find(({ metadata }) => metadata.name === name);
  if (present) {
    const other = present.status?.eniID;
    return other === undefined
      ? unadopted(entry, 'AttachmentExists', `ENIAttachment ${name} has the place of ${eni.id}`)
      : unadopted(
          entry,
          'SecondInSubnet',
          `Node ${entry.nodeID} has ${other} in ${eni.subnetId}, besides ${eni.id}`,
        );
  }
  return { eniID: eni.id, name, spec: specOf(entry, eni, slot, nodeENI) };
}

type Fault = [reason: AdoptionReason, fact: string];

/** Why the ENI is not, or not certainly, the one that the entry describes. */
function identityFault(
  { nodeID }: ListedEni,
  { id, tags, subnetId, requesterManaged }: Eni,
  { nodeENI, subnetIDs, clusterID, isAlive }: MigrationInput,
): Fault | undefined {
  if (requesterManaged) {
    return ['ManagedByService', `An AWS service manages ${id}`];
  }
  const { [TAGS.clusterID]: cluster = clusterID, [TAGS.attachmentUID]: uid = '' } = tags;
  if (cluster !== clusterID) {
    return ['OtherCluster', `${id} belongs to the cluster ${cluster}`];
  }
  if (isAlive(uid)) {
    return ['OwnedByAttachment', `${id} belongs to the ENIAttachment with the UID ${uid}`];
  }
  const { name } = nodeENI.metadata;
  const isOfGo =
    tags[GO_TAGS.managedBy] === GO_CONTROLLER.managerName &&
    tags[GO_TAGS.nodeENI] === name &&
    tags[GO_TAGS.node] === nodeID;
  // After a rollback to the Go controller, it lists ENIs that this operator created.
  const isOwn =
    isOperatorEni({ tags, requesterManaged }, clusterID) &&
    tags[TAGS.nodeENI] === name &&
    tags[TAGS.node] === nodeID;
  if (!(isOfGo || isOwn)) {
    return [
      'TagsDiffer',
      `The tags of ${id} do not show that the Go controller created it for NodeENI ${name} and node ${nodeID}`,
    ];
  }
  return subnetIDs && !subnetIDs.has(subnetId)
    ? [
        'SubnetNotAsked',
        `${id} of node ${nodeID} is in ${subnetId}, which the NodeENI does not list`,
      ]
    : undefined;
}

/** Where the ENI is attached, if that is the node's instance. */
function slotOf(
  entry: ListedEni,
  { id, attachment }: Eni,
  { nodeNamed }: MigrationInput,
): EniAttachmentState | UnadoptedEni {
  const { nodeID, instanceID: listed } = entry;
  if (!attachment || attachment.status === 'detached' || attachment.status === 'detaching') {
    return unadopted(
      entry,
      'NotAttached',
      `${id} is not attached to the instance of node ${nodeID}`,
    );
  }
  const node = nodeNamed(nodeID);
  const identity = node && identifyNode(node);
  // If the Node no longer exists, only the entry names the instance that it ran on.
  const instanceID = identity && !isBlocked(identity) ? identity.instanceID : listed;
  return attachment.instanceId === instanceID
    ? attachment
    : unadopted(
        entry,
        'AttachedElsewhere',
        `${id} is attached to ${attachment.instanceId}, and node ${nodeID} runs on ${instanceID}`,
      );
}

/** The ENI as it is: recording it changes nothing. The NodeENI's settings apply with the next plan. */
function specOf(
  { nodeID, subnetCIDR, mtu }: ListedEni,
  { subnetId, securityGroupIds }: Eni,
  { instanceId, deviceIndex, networkCardIndex, deleteOnTermination }: EniAttachmentState,
  { metadata, spec }: NodeENI,
): ENIAttachmentSpec {
  return {
    nodeENI: metadata.name,
    nodeName: nodeID,
    instanceID: instanceId,
    deviceIndex,
    networkCardIndex,
    subnetID: subnetId,
    ...(subnetCIDR ? { subnetCIDR } : {}),
    securityGroupIDs: [...securityGroupIds],
    deleteOnTermination,
    ...(mtu && mtu >= MIN_MTU && mtu <= MAX_MTU ? { mtu } : {}),
    ...(spec.reclaimPolicy === 'Retain' ? { reclaimPolicy: 'Retain' } : {}),
  };
}

/** Reasons that a retry or another remedy resolves: letting the ENI go does not. */
const TEMPORARY: readonly AdoptionReason[] = [
  'WaitingForAdoption',
  'OtherControllerRunning',
  'WriteRefused',
];

/** `fact` is a sentence without its full stop; the reason's remedy follows it. */
function unadopted(entry: ListedEni, reason: AdoptionReason, fact: string): UnadoptedEni {
  const message = `${fact}. ${ADOPTION_REMEDIES[reason]}`;
  const letGo = `To stop managing the ENI: kubectl annotate nodeeni NAME ${LEAVE_ENIS_ANNOTATION}=${entry.eniID}`;
  return {
    entry,
    reason,
    message: TEMPORARY.includes(reason) ? message : `${message} ${letGo}.`,
  };
}
