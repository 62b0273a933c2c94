import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { Eni, EniAttachmentState } from '../../aws/ec2-gateway.js';
import { isOperatorEni } from '../shared/eni-ownership.js';

/** The known ENIs. */
export interface KnownEnis {
  readonly clusterID: string;
  get(eniId: string): Eni | undefined;
  byAttachmentUID(uid: string): Eni[];
}

/** The attachment that holds the ENI, in any state except `detached`. */
export function attachmentOf(eni: Eni): EniAttachmentState | undefined {
  return eni.attachment?.status === 'detached' ? undefined : eni.attachment;
}

/** Whether the ENI is attached where the attachment's spec says. */
export function holdsItsSlot(
  { spec }: ENIAttachment,
  slot: Pick<EniAttachmentState, 'instanceId' | 'deviceIndex' | 'networkCardIndex'>,
): boolean {
  return (
    slot.instanceId === spec.instanceID &&
    slot.deviceIndex === spec.deviceIndex &&
    slot.networkCardIndex === spec.networkCardIndex
  );
}

/**
 * The attachment's ENI. Tags alone do not prove it: anyone who may tag ENIs of the account can copy them.
 *
 * 1. The ENI that `status.eniID` names, as long as it is in the attachment's subnet, no AWS service manages
 * it and
 * no tag assigns it to another attachment or cluster; removed tags are restored.
 * 2. Otherwise an ENI that carries all tags of the operator, in the attachment's subnet, free or in the
 * attachment's own
 * slot: the result of a Create whose response was lost.
 */
export function ownEni(enis: KnownEnis, attachment: ENIAttachment): Eni | undefined {
  const { status } = attachment;
  const named = status?.eniID === undefined ? undefined : enis.get(status.eniID);
  return named && mayBeOwn(enis, attachment, named) ? named : tagged(enis, attachment)[0];
}

/**
 * ENIs that carry the attachment's UID but are not its own: copies of its tags, or leftovers of a failure.
 */
export function impostors(enis: KnownEnis, attachment: ENIAttachment): Eni[] {
  const own = ownEni(enis, attachment);
  return enis.byAttachmentUID(attachment.metadata.uid).filter(({ id }) => id !== own?.id);
}

function mayBeOwn({ clusterID }: KnownEnis, { metadata, spec }: ENIAttachment, eni: Eni): boolean {
  const { tags } = eni;
  return (
    eni.subnetId === spec.subnetID &&
    !eni.requesterManaged &&
    (tags[TAGS.attachmentUID] ?? metadata.uid) === metadata.uid &&
    (tags[TAGS.clusterID] ?? clusterID) === clusterID
  );
}

/** Those in the attachment's slot first, then by id. */
function tagged(enis: KnownEnis, attachment: ENIAttachment): Eni[] {
  const rank = (eni: Eni): string => `${attachmentOf(eni) ? 0 : 1}${eni.id}`;
  return enis
    .byAttachmentUID(attachment.metadata.uid)
    .filter((eni) => isOperatorEni(eni, enis.clusterID) && mayBeOwn(enis, attachment, eni))
    .filter((eni) => {
      const slot = attachmentOf(eni);
      return !slot || holdsItsSlot(attachment, slot);
    })
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** What decides which attachment an ENI belongs to. */
export interface OwnershipContext {
  clusterID: string;
  /** Whether an ENIAttachment has that UID. */
  isAlive: (uid: string) => boolean;
}

/**
 * Whether the attachment can adopt an ENI whose own ENIAttachment was lost (finalizers removed by hand, a
 * restore from a backup): its tags mark it as managed by this operator, it is in exactly the wanted slot and
 * subnet, of the same NodeENI, and no ENIAttachment has the UID that it carries.
 */
export function isAdoptable(
  eni: Eni,
  attachment: ENIAttachment,
  context: OwnershipContext,
): boolean {
  const slot = attachmentOf(eni);
  return (
    isLeftBehind(eni, attachment, context) &&
    slot !== undefined &&
    slot.status !== 'detaching' &&
    holdsItsSlot(attachment, slot)
  );
}

/**
 * Whether the instance still has the attachment's ENI, at any device index, left by an ENIAttachment that was
 * lost.
 */
export function isLeftBehind(
  eni: Eni,
  { metadata, spec }: ENIAttachment,
  { clusterID, isAlive }: OwnershipContext,
): boolean {
  const uid = eni.tags[TAGS.attachmentUID];
  return (
    isOperatorEni(eni, clusterID) &&
    attachmentOf(eni)?.instanceId === spec.instanceID &&
    eni.subnetId === spec.subnetID &&
    eni.tags[TAGS.nodeENI] === spec.nodeENI &&
    uid !== undefined &&
    uid !== metadata.uid &&
    !isAlive(uid)
  );
}
