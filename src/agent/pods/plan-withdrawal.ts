import type { ENIAttachment } from '../../api/eni-attachment.js';
import { podPoolOf, wantedIpv4, wantedIpv6 } from '../../api/pod-pool.js';

export interface Withdrawal {
  /** Addresses and prefixes that no further pod gets already. */
  earlier: ReadonlySet<string>;
  /** Whether a pod has the address, or one of the prefix. */
  isInUse: (addressOrPrefix: string) => boolean;
}

/**
 * The addresses and prefixes of the ENI that no further pod may get: those in excess of the spec's number,
 * which the controller then unassigns; all, if the attachment is being deleted. Once chosen, they stay chosen,
 * because the controller may act on an earlier report. Of the others, unused ones come first, from the end.
 */
export function planWithdrawal(attachment: ENIAttachment, withdrawal: Withdrawal): string[] {
  const { metadata, spec, status } = attachment;
  const { ipv4Addresses, ipv4Prefixes, ipv6Prefixes } = podPoolOf(status);
  if (metadata.deletionTimestamp !== undefined) {
    return [...ipv4Addresses, ...ipv4Prefixes, ...ipv6Prefixes];
  }
  const ipv4 = wantedIpv4(spec);
  // The first single address is the pods' gateway, which must not change while there are pods.
  const [gateway] = ipv4Addresses;
  const keepsGateway = {
    ...withdrawal,
    isInUse: (each: string) => each === gateway || withdrawal.isInUse(each),
  };
  return [
    ...excess(ipv4Addresses, ipv4.addresses, keepsGateway),
    ...excess(ipv4Prefixes, ipv4.prefixes, withdrawal),
    ...excess(ipv6Prefixes, wantedIpv6(spec).prefixes, withdrawal),
  ];
}

function excess(
  present: readonly string[],
  count = present.length,
  { earlier, isInUse }: Withdrawal,
): string[] {
  const fromTheEnd = present.toReversed();
  const others = fromTheEnd.filter((each) => !earlier.has(each));
  return [
    ...fromTheEnd.filter((each) => earlier.has(each)),
    ...others.filter((each) => !isInUse(each)),
    ...others.filter((each) => isInUse(each)),
  ].slice(0, Math.max(0, present.length - count));
}
