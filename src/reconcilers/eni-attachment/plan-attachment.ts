import { isDeepStrictEqual } from 'node:util';
import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, TAGS } from '../../api/names.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type {
  AttachEniRequest,
  ConnectionTracking,
  EnaExpress,
  Eni,
  EniAttachmentState,
} from '../../aws/ec2-gateway.js';
import { hasFinalizer } from '../../runtime/kube/finalizers.js';
import { type AddressChanges, addressChanges } from './addresses/plan-addresses.js';
import {
  type ElasticIpStep,
  planElasticIp,
  planElasticIpRemoval,
} from './addresses/plan-elastic-ip.js';
import { usedByPods } from './addresses/pod-addresses.js';
import { attachmentOf, holdsItsSlot } from './eni-identity.js';

/** Settings of an ENI that differ from the attachment's and can change in place. */
export interface EniChanges extends AddressChanges {
  deleteOnTermination?: { attachmentId: string; value: boolean };
  securityGroupIds?: readonly string[];
  description?: string;
  sourceDestCheck?: boolean;
  connectionTracking?: ConnectionTracking;
  enaExpress?: EnaExpress;
  primaryIpv6?: true;
  tags?: { set: Record<string, string>; remove: string[] };
}

/** The next step for an attachment that is not being deleted. */
export type Step =
  /** The attachment has no ENI. */
  | { do: 'create' }
  /** Use an ENI that was retained for this node. */
  | { do: 'adopt'; eniId: string; tags: NonNullable<EniChanges['tags']> }
  | { do: 'attach'; request: AttachEniRequest }
  | { do: 'modify'; eniId: string; changes: EniChanges; settled: boolean }
  /** The ENI matches the spec except for its Elastic IP address. */
  | { do: 'elasticIP'; next: ElasticIpStep }
  /** EC2 is working on it, or its reads are stale: read again. */
  | { do: 'observe'; eniId: string }
  /** The inventory does not have the ENI of the attachment: confirm that it is lost. */
  | { do: 'confirmLoss'; eniId: string }
  | { do: 'blocked'; blocked: Blocked }
  | { do: 'nothing' };

/** The next step for an attachment that is being deleted. */
export type RemovalStep =
  | { do: 'detach'; eniId: string; attachmentId: string; force: boolean }
  | { do: 'observe'; eniId: string }
  | { do: 'delete'; eniId: string }
  /** A retained ENI releases its Elastic IP address. */
  | { do: 'elasticIP'; next: ElasticIpStep }
  /** Keep the ENI for later, with a tag that distinguishes it from a leak. */
  | { do: 'retain'; eniId: string; tags: NonNullable<EniChanges['tags']> }
  /** A Create may have been sent whose ENI is unknown: wait until EC2's reads would show it. */
  | { do: 'confirmAbsence' }
  | { do: 'blocked'; blocked: Blocked }
  /** EC2 has nothing of this attachment: remove the finalizer. */
  | { do: 'release' };

export interface PlanContext {
  /** Whether no process can have sent a Create call for the attachment. Default: false. */
  untouched?: boolean;
  /** Retained ENIs, which an attachment without an ENI can adopt. */
  retained?: readonly Eni[];
  /** The ENI whose adoption was begun, if its own attachment was lost. */
  lost?: Eni | undefined;
  /** The operator's own tags, restored if they were removed. */
  ownTags?: Readonly<Record<string, string>>;
}

/**
 * Why an attachment is ignored: it counts only if it belongs to an existing NodeENI, and has the finalizer
 * that keeps it until its ENI is deleted. Others were created by hand.
 */
export function ownershipFault(
  attachment: ENIAttachment,
  nodeENI: NodeENI | undefined,
): Blocked | undefined {
  const { name, ownerReferences = [] } = attachment.metadata;
  if (!hasFinalizer(attachment, ENI_FINALIZER)) {
    return blocked(
      'NotManaged',
      `ENIAttachment ${name} does not have the finalizer ${ENI_FINALIZER}`,
    );
  }
  const isOwned = ownerReferences.some(({ uid }) => uid === nodeENI?.metadata.uid);
  return isOwned
    ? undefined
    : blocked(
        'NotManaged',
        `ENIAttachment ${name} is not owned by NodeENI ${attachment.spec.nodeENI}, or that no longer exists`,
      );
}

/** The next step so that the attachment has its ENI, attached as its spec says. */
export function planAttachment(
  attachment: ENIAttachment,
  eni: Eni | undefined,
  { untouched = false, retained = [], lost, ownTags = {} }: PlanContext = {},
): Step {
  if (!eni) {
    return lost ? adoption(attachment, lost) : planMissing(attachment, retained, untouched);
  }
  const slot = attachmentOf(eni);
  if (!slot) {
    return eni.status === 'available'
      ? { do: 'attach', request: attachRequestFor(attachment, eni.id) }
      : { do: 'observe', eniId: eni.id };
  }
  if (!holdsItsSlot(attachment, slot)) {
    return {
      do: 'blocked',
      blocked: blocked(
        'InterfaceInUse',
        `${eni.id} is attached to ${slot.instanceId} at device index ${slot.deviceIndex}, not to ${attachment.spec.instanceID} at ${attachment.spec.deviceIndex}`,
      ),
    };
  }
  if (slot.status === 'detaching') {
    return { do: 'observe', eniId: eni.id };
  }
  const settled = slot.status === 'attached';
  const changes = changesOf(attachment, eni, slot, ownTags);
  if (Object.keys(changes).length > 0) {
    return { do: 'modify', eniId: eni.id, changes, settled };
  }
  if (!settled) {
    return { do: 'observe', eniId: eni.id };
  }
  const next = planElasticIp(attachment, eni);
  return next ? { do: 'elasticIP', next } : { do: 'nothing' };
}

function planMissing(
  attachment: ENIAttachment,
  retained: readonly Eni[],
  untouched: boolean,
): Step {
  const { status, spec } = attachment;
  // A Create that may have been sent takes precedence; an adoption that was begun continues.
  const kept = retained.find((eni) =>
    status?.eniID === undefined
      ? untouched &&
        isPending(attachment) &&
        eni.status === 'available' &&
        eni.subnetId === spec.subnetID &&
        (spec.privateIPAddress ?? eni.privateIpAddress) === eni.privateIpAddress &&
        eni.tags[TAGS.retained] === spec.nodeENI &&
        eni.tags[TAGS.node] === spec.nodeName
      : eni.id === status.eniID,
  );
  if (status?.eniID !== undefined && !kept) {
    return { do: 'confirmLoss', eniId: status.eniID };
  }
  return kept ? adoption(attachment, kept) : { do: 'create' };
}

/** Makes an ENI the attachment's own, by setting the tags of ownership. */
export function adoption({ metadata }: ENIAttachment, eni: Eni): Extract<Step, { do: 'adopt' }> {
  return {
    do: 'adopt',
    eniId: eni.id,
    tags: {
      set: { [TAGS.attachmentUID]: metadata.uid, [TAGS.name]: metadata.name },
      remove: TAGS.retained in eni.tags ? [TAGS.retained] : [],
    },
  };
}

export interface RemovalRules {
  /** Whether no process can have sent a Create call for the attachment. */
  untouched: boolean;
  /** Milliseconds after which a detachment is late. */
  detachmentTimeoutMs: number;
  /** Whether a late detachment is forced. */
  forceDetach: boolean;
  /** When a Detach was last sent, or first seen under way (milliseconds since the epoch). */
  detachingSince: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The next step in removing the attachment's ENI from EC2. */
export function planRemoval(
  attachment: ENIAttachment,
  eni: Eni | undefined,
  rules: RemovalRules,
): RemovalStep {
  if (eni) {
    return planEniRemoval(attachment, eni, rules);
  }
  const { eniID } = attachment.status ?? {};
  if (eniID !== undefined && isRetained(attachment)) {
    return { do: 'confirmAbsence' };
  }
  if (eniID !== undefined) {
    // The response to Delete is reliable; a read without the ENI can be stale.
    return { do: 'delete', eniId: eniID };
  }
  return rules.untouched && isPending(attachment) ? { do: 'release' } : { do: 'confirmAbsence' };
}

/** Whether the attachment's status knows of no step towards an ENI. */
export function isPending({ status }: ENIAttachment): boolean {
  return (status?.phase ?? 'Pending') === 'Pending';
}

function planEniRemoval(attachment: ENIAttachment, eni: Eni, rules: RemovalRules): RemovalStep {
  const slot = attachmentOf(eni);
  if (!slot && eni.status === 'available') {
    return planFree(attachment, eni);
  }
  if (!slot) {
    return { do: 'observe', eniId: eni.id };
  }
  const { attachmentId, instanceId, status } = slot;
  if (status !== 'detaching' && !holdsItsSlot(attachment, slot)) {
    // It was put there on purpose, and may be needed there.
    const fact = `${eni.id} is attached to ${instanceId} at device index ${slot.deviceIndex}, not to ${attachment.spec.instanceID} at ${attachment.spec.deviceIndex}`;
    return { do: 'blocked', blocked: blocked('InterfaceInUse', fact) };
  }
  if (status !== 'detaching') {
    return { do: 'detach', eniId: eni.id, attachmentId, force: false };
  }
  if (rules.now - rules.detachingSince <= rules.detachmentTimeoutMs) {
    return { do: 'observe', eniId: eni.id };
  }
  return rules.forceDetach
    ? { do: 'detach', eniId: eni.id, attachmentId, force: true }
    : {
        do: 'blocked',
        blocked: blocked('DetachmentLate', `EC2 is still detaching ${eni.id} from ${instanceId}`),
      };
}

function isRetained({ spec }: ENIAttachment): boolean {
  return spec.reclaimPolicy === 'Retain';
}

/** The next step for a detached ENI. */
function planFree(attachment: ENIAttachment, eni: Eni): RemovalStep {
  if (!isRetained(attachment)) {
    // EC2 disassociates its Elastic IP address with it.
    return { do: 'delete', eniId: eni.id };
  }
  const next = planElasticIpRemoval(attachment, eni);
  if (next) {
    return { do: 'elasticIP', next };
  }
  return eni.tags[TAGS.retained] === attachment.spec.nodeENI
    ? { do: 'release' }
    : {
        do: 'retain',
        eniId: eni.id,
        tags: { set: { [TAGS.retained]: attachment.spec.nodeENI }, remove: [] },
      };
}

/** Whether the ENI is where the attachment's spec says, and is not being detached. */
export function isInItsSlot(attachment: ENIAttachment, eni: Eni): boolean {
  const slot = attachmentOf(eni);
  return slot !== undefined && slot.status !== 'detaching' && holdsItsSlot(attachment, slot);
}

function changesOf(
  attachment: ENIAttachment,
  eni: Eni,
  { attachmentId, deleteOnTermination }: EniAttachmentState,
  ownTags: Readonly<Record<string, string>>,
): EniChanges {
  const { spec, status } = attachment;
  const wantedGroups = [...spec.securityGroupIDs].sort().join();
  const tags = tagChanges(eni, { ...spec.tags, ...ownTags }, status?.tagKeys ?? []);
  return {
    ...(deleteOnTermination === spec.deleteOnTermination
      ? {}
      : { deleteOnTermination: { attachmentId, value: spec.deleteOnTermination } }),
    ...([...eni.securityGroupIds].sort().join() === wantedGroups
      ? {}
      : { securityGroupIds: spec.securityGroupIDs }),
    ...(spec.description === undefined || spec.description === eni.description
      ? {}
      : { description: spec.description }),
    ...switchChanges(spec, eni),
    ...addressChanges(spec, eni, usedByPods(attachment)),
    ...(tags ? { tags } : {}),
  };
}

/** The switches that the spec sets and that differ in EC2. */
function switchChanges(spec: ENIAttachmentSpec, eni: Eni): EniChanges {
  const { sourceDestCheck, connectionTracking = {}, ipv6Primary } = spec;
  const enaExpress = enaExpressOf(spec);
  const tracked = Object.entries(connectionTracking).filter(
    ([name, value]) => eni.connectionTracking?.[name as keyof ConnectionTracking] !== value,
  );
  return {
    ...(sourceDestCheck === undefined || sourceDestCheck === eni.sourceDestCheck
      ? {}
      : { sourceDestCheck }),
    ...(tracked.length > 0 ? { connectionTracking: Object.fromEntries(tracked) } : {}),
    ...(enaExpress === undefined || isDeepStrictEqual(enaExpress, eni.attachment?.enaExpress ?? OFF)
      ? {}
      : { enaExpress }),
    // EC2 cannot undo a primary address.
    ...(ipv6Primary && eni.ipv6Addresses.length > 0 && !eni.hasPrimaryIpv6
      ? { primaryIpv6: true as const }
      : {}),
  };
}

const OFF: EnaExpress = { enabled: false, udp: false };

/** ENA Express in EC2's form. */
function enaExpressOf({ enaExpress }: ENIAttachmentSpec): EnaExpress | undefined {
  return enaExpress && { enabled: enaExpress.enabled, udp: enaExpress.udp ?? false };
}

function attachRequestFor({ spec }: ENIAttachment, eniId: string): AttachEniRequest {
  const { instanceID, deviceIndex, networkCardIndex } = spec;
  const enaExpress = enaExpressOf(spec);
  return {
    eniId,
    instanceId: instanceID,
    deviceIndex,
    networkCardIndex,
    ...(enaExpress?.enabled ? { enaExpress } : {}),
  };
}

/** The tags to set, and those to remove: the operator set them and the spec no longer has them. */
function tagChanges(
  eni: Eni,
  wanted: Readonly<Record<string, string>>,
  operatorTags: readonly string[],
): EniChanges['tags'] {
  const set = Object.entries(wanted).filter(([key, value]) => eni.tags[key] !== value);
  const remove = [...operatorTags, TAGS.retained].filter(
    (key) => !(key in wanted) && key in eni.tags,
  );
  return set.length + remove.length > 0 ? { set: Object.fromEntries(set), remove } : undefined;
}
