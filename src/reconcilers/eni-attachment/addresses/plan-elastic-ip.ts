import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ElasticIPStatus, ENIAttachment } from '../../../api/eni-attachment.js';
import type { ElasticIp, Eni } from '../../../aws/ec2-gateway.js';

/** The next step towards the Elastic IP address that an attachment requests, or in removing one that it has. */
export type ElasticIpStep =
  /** Choose a free address, and record it before it is associated; `current`: in place of this one. */
  | { do: 'choose'; current?: Associated }
  /** Make the association that is recorded; it may exist. */
  | { do: 'associate'; claim: ElasticIPStatus }
  /** The association that is recorded no longer exists: record that it is made again. */
  | { do: 'restore'; claim: ElasticIPStatus }
  | { do: 'disassociate'; associated: Associated }
  /** The record does not match the ENI: remove it, once no call that makes the association can arrive. */
  | { do: 'forget'; claim: ElasticIPStatus };

/** An association that this operator made. */
export interface Associated {
  claim: ElasticIPStatus;
  associationId: string;
}

/**
 * Whether the ENI has its Elastic IP address from this operator: the record is written before the call, so an
 * association without a record belongs to another program, as does one with another id than the recorded one.
 */
export function ownAssociation({ status }: ENIAttachment, eni: Eni): Associated | undefined {
  const claim = status?.elasticIP;
  const { allocationId, associationId } = eni.publicAddress ?? {};
  if (!claim || associationId === undefined || allocationId !== claim.allocationID) {
    return undefined;
  }
  return (claim.associationID ?? associationId) === associationId
    ? { claim, associationId }
    : undefined;
}

/** The next step so that the ENI has the Elastic IP address that the spec requests; `undefined`: none. */
export function planElasticIp(attachment: ENIAttachment, eni: Eni): ElasticIpStep | undefined {
  const wanted = attachment.spec.elasticIP;
  const claim = attachment.status?.elasticIP;
  if (!wanted) {
    return planElasticIpRemoval(attachment, eni);
  }
  const own = ownAssociation(attachment, eni);
  if (own) {
    return isDeepStrictEqual(own.claim.selectedBy, wanted)
      ? undefined
      : { do: 'choose', current: own };
  }
  if (eni.publicAddress) {
    return claim && { do: 'forget', claim };
  }
  if (!claim) {
    return { do: 'choose' };
  }
  return claim.associationID === undefined ? { do: 'associate', claim } : { do: 'restore', claim };
}

/** The next step so that the ENI has no Elastic IP address of this operator; `undefined`: none. */
export function planElasticIpRemoval(
  attachment: ENIAttachment,
  eni: Eni,
): ElasticIpStep | undefined {
  const claim = attachment.status?.elasticIP;
  const associated = ownAssociation(attachment, eni);
  if (associated) {
    return { do: 'disassociate', associated };
  }
  return claim && { do: 'forget', claim };
}

export interface Candidates {
  addresses: readonly ElasticIp[];
  /** Whether an address belongs to another attachment, or EC2 refused it recently. */
  isTaken: (allocationId: string) => boolean;
  /** UID of the attachment that needs an address. */
  uid: string;
}

/**
 * Chooses a free address: for each attachment in an order of its own, which is always the same, so that attachments
 * (also those of other clusters) seldom choose the same address, and a replacement tends to get its predecessor's.
 */
export function chooseElasticIp({ addresses, isTaken, uid }: Candidates): ElasticIp | undefined {
  const rank = ({ allocationId }: ElasticIp): string =>
    createHash('sha256').update(`${uid}/${allocationId}`).digest('hex');
  return addresses
    .filter(({ association, allocationId }) => !association && !isTaken(allocationId))
    .map((address) => ({ address, rank: rank(address) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))[0]?.address;
}
