import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Instance, InstanceTypeLimits } from '../../aws/ec2-gateway.js';

/**
 * What the attachment specifies and the instance's type does not support, or `undefined`. Limits that EC2
 * does not publish for a type are left to EC2.
 */
export function typeFault(
  spec: ENIAttachmentSpec,
  { type }: Instance,
  limits: InstanceTypeLimits,
): Blocked | undefined {
  const who = `${type} ${spec.instanceID} of node ${spec.nodeName}`;
  if (spec.enaExpress?.enabled && limits.enaExpress === false) {
    return blocked('ENAExpressUnsupported', `${who} does not support ENA Express`);
  }
  const { secondaryAddresses = 0, prefixes = 0 } = spec.ipv4 ?? {};
  const ipv6 = spec.ipv6 ?? {};
  if (prefixes + (ipv6.prefixes ?? 0) > 0 && limits.nitro === false) {
    return blocked(
      'PrefixesUnsupported',
      `${who} does not support prefixes: it is not built on the Nitro System`,
    );
  }
  return (
    addressFault('IPv4', 1 + secondaryAddresses + prefixes, limits.ipv4Addresses, who) ??
    addressFault('IPv6', (ipv6.addresses ?? 0) + (ipv6.prefixes ?? 0), limits.ipv6Addresses, who)
  );
}

/** Each prefix counts as one address, and so does the primary address. */
function addressFault(
  family: string,
  wanted: number,
  limit: number | undefined,
  who: string,
): Blocked | undefined {
  return limit !== undefined && wanted > limit
    ? blocked(
        'AddressLimitExceeded',
        `An interface of ${who} supports ${limit} ${family} addresses and prefixes, the primary address included, not ${wanted}`,
      )
    : undefined;
}
