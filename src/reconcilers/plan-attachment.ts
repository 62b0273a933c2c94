import type { ENIAttachment } from '../api/eni-attachment.js';
import { type Blocked, blocked } from '../api/reasons.js';
import type { AttachEniRequest, Eni, EniAttachmentState } from '../aws/ec2-gateway.js';

/** Settings of an ENI that differ from the record's and can change in place. */
export interface EniChanges {
  deleteOnTermination?: { attachmentId: string; value: boolean };
  securityGroupIds?: readonly string[];
  description?: string;
}

/** The one next step for a record that is to have its ENI. */
export type Step =
  /** Make the ENI; it has none. */
  | { do: 'create' }
  | { do: 'attach'; request: AttachEniRequest }
  | { do: 'modify'; eniId: string; changes: EniChanges; settled: boolean }
  /** EC2 is at work, or its reads are behind: look again. */
  | { do: 'observe'; eniId: string }
  /** The ENI that the record had is not in what we know of EC2: make sure. */
  | { do: 'confirmLoss'; eniId: string }
  | { do: 'blocked'; blocked: Blocked }
  | { do: 'nothing' };

/** The one next step for a record that is being deleted. */
export type RemovalStep =
  | { do: 'detach'; eniId: string; attachmentId: string; force: boolean }
  | { do: 'observe'; eniId: string }
  | { do: 'delete'; eniId: string }
  /** A Create may have been sent whose ENI we do not know: wait until EC2's reads would show it. */
  | { do: 'confirmAbsence' }
  | { do: 'blocked'; blocked: Blocked }
  /** EC2 has nothing of this record: let it go. */
  | { do: 'release' };

/** The ENI is held by an attachment, whatever its state; `detached` is none. */
function attachmentOf(eni: Eni): EniAttachmentState | undefined {
  return eni.attachment?.status === 'detached' ? undefined : eni.attachment;
}

/** Of the ENIs that carry the record's tag, the one to go on with: attached ones first. */
export function chooseEni(enis: readonly Eni[]): Eni | undefined {
  const rank = (eni: Eni): string => `${attachmentOf(eni) ? 0 : 1}${eni.id}`;
  return [...enis].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
}

/** What to do next so that the record has its ENI, attached as its spec says. */
export function planAttachment(record: ENIAttachment, eni: Eni | undefined): Step {
  if (!eni) {
    const known = record.status?.eniID;
    return known === undefined ? { do: 'create' } : { do: 'confirmLoss', eniId: known };
  }
  const attachment = attachmentOf(eni);
  if (!attachment) {
    const { instanceID, deviceIndex, networkCardIndex } = record.spec;
    return eni.status === 'available'
      ? {
          do: 'attach',
          request: { eniId: eni.id, instanceId: instanceID, deviceIndex, networkCardIndex },
        }
      : { do: 'observe', eniId: eni.id };
  }
  if (!holdsItsSlot(record, attachment)) {
    return {
      do: 'blocked',
      blocked: blocked(
        'InterfaceInUse',
        `${eni.id} is attached to ${attachment.instanceId} at device index ${attachment.deviceIndex}, not to ${record.spec.instanceID} at ${record.spec.deviceIndex}`,
      ),
    };
  }
  if (attachment.status === 'detaching') {
    return { do: 'observe', eniId: eni.id };
  }
  const settled = attachment.status === 'attached';
  const changes = changesOf(record, eni, attachment);
  if (Object.keys(changes).length > 0) {
    return { do: 'modify', eniId: eni.id, changes, settled };
  }
  return settled ? { do: 'nothing' } : { do: 'observe', eniId: eni.id };
}

export interface RemovalRules {
  /** Milliseconds after which a detachment is late. */
  detachmentTimeoutMs: number;
  /** Whether a late detachment is forced. */
  forceDetach: boolean;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What to do next so that nothing of the record is left in EC2. */
export function planRemoval(
  record: ENIAttachment,
  eni: Eni | undefined,
  rules: RemovalRules,
): RemovalStep {
  if (eni) {
    return planEniRemoval(record, eni, rules);
  }
  const { phase, eniID } = record.status ?? {};
  if (eniID !== undefined) {
    // EC2's answer to Delete is its word; an absence from its reads may be a stale one.
    return { do: 'delete', eniId: eniID };
  }
  return phase === undefined || phase === 'Pending' ? { do: 'release' } : { do: 'confirmAbsence' };
}

function planEniRemoval(record: ENIAttachment, eni: Eni, rules: RemovalRules): RemovalStep {
  const attachment = attachmentOf(eni);
  if (!attachment) {
    return { do: eni.status === 'available' ? 'delete' : 'observe', eniId: eni.id };
  }
  const { attachmentId, instanceId, status } = attachment;
  if (status !== 'detaching') {
    return { do: 'detach', eniId: eni.id, attachmentId, force: false };
  }
  const since = Date.parse(record.metadata.deletionTimestamp ?? '');
  if (!(rules.now - since > rules.detachmentTimeoutMs)) {
    return { do: 'observe', eniId: eni.id };
  }
  return rules.forceDetach
    ? { do: 'detach', eniId: eni.id, attachmentId, force: true }
    : {
        do: 'blocked',
        blocked: blocked('DetachmentLate', `EC2 is still detaching ${eni.id} from ${instanceId}`),
      };
}

function holdsItsSlot({ spec }: ENIAttachment, attachment: EniAttachmentState): boolean {
  return (
    attachment.instanceId === spec.instanceID &&
    attachment.deviceIndex === spec.deviceIndex &&
    attachment.networkCardIndex === spec.networkCardIndex
  );
}

function changesOf(
  { spec }: ENIAttachment,
  eni: Eni,
  { attachmentId, deleteOnTermination }: EniAttachmentState,
): EniChanges {
  const wantedGroups = [...spec.securityGroupIDs].sort().join();
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
  };
}
