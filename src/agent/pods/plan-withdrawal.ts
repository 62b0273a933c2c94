import type { ENIAttachment } from '../../api/eni-attachment.js';
import { podPoolOf, wantedIpv4, wantedIpv6 } from '../../api/pod-pool.js';

export interface Withdrawal {
  /** Addresses and prefixes that no further pod gets already. */
  earlier: ReadonlySet<string>;
  /** The single address that is the gateway of pods with the others. */
  gateway: string | undefined;
  /** Whether a pod has the address, or one of the prefix. */
  isInUse: (addressOrPrefix: string) => boolean;
}

/**
 * The addresses and prefixes of the ENI that no further pod may get: those in excess of the spec's number,
 * which the controller then unassigns; all, if the attachment is being deleted. Once chosen, they stay chosen,
 * because the controller may act on an earlier report, until it has processed the spec that requests them again.
 * Of the others, unused ones come first, from the end.
 */
export function planWithdrawal(attachment: ENIAttachment, withdrawal: Withdrawal): string[] {
  const { metadata, spec, status } = attachment;
  const { ipv4Addresses, ipv4Prefixes, ipv6Prefixes } = podPoolOf(status);
  if (metadata.deletionTimestamp !== undefined) {
    return [...ipv4Addresses, ...ipv4Prefixes, ...ipv6Prefixes];
  }
  const ipv4 = wantedIpv4(spec);
  const chosen = [
    ...excessAddresses(ipv4Addresses, ipv4.addresses, withdrawal),
    ...excess(ipv4Prefixes, ipv4.prefixes, withdrawal),
    ...excess(ipv6Prefixes, wantedIpv6(spec).prefixes, withdrawal),
  ];
  if (status?.observedGeneration === metadata.generation) return chosen;
  const mayBeGone = [...ipv4Addresses, ...ipv4Prefixes, ...ipv6Prefixes].filter((each) =>
    withdrawal.earlier.has(each),
  );
  return [...new Set([...chosen, ...mayBeGone])];
}

/** Pods with other addresses need the gateway, so it goes last, and only after they have ended. */
function excessAddresses(
  present: readonly string[],
  count: number | undefined,
  withdrawal: Withdrawal,
): string[] {
  const { gateway, isInUse } = withdrawal;
  const others = present.filter((each) => each !== gateway);
  const inOrder = present.length > others.length ? [String(gateway), ...others] : others;
  const chosen = excess(inOrder, count, {
    ...withdrawal,
    isInUse: (each) => each === gateway || isInUse(each),
  });
  return others.some(isInUse) ? chosen.filter((each) => each !== gateway) : chosen;
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
