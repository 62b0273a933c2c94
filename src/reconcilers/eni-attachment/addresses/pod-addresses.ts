import ipaddr from 'ipaddr.js';
import type { ENIAttachment } from '../../../api/eni-attachment.js';
import type { Node } from '../../../api/node.js';
import { type Blocked, blocked } from '../../../api/reasons.js';
import type { Eni } from '../../../aws/ec2-gateway.js';
import { firstFew } from '../../../runtime/message-text.js';
import { addressChanges, type IsInUse } from './plan-addresses.js';

/** How many addresses a message names. */
const MAX_NAMED = 3;

/** How long (milliseconds) a deletion waits for the agent's report: a node can run without its agent. */
const REPORT_WITHIN_MS = 60_000;

/**
 * Whether a pod has the address, or one of the prefix, according to the agent's report. Until the agent has
 * reported on the current spec of an ENI whose addresses are for pods, all count as in use.
 */
export function usedByPods({ metadata, spec, status }: ENIAttachment): IsInUse {
  const { podAddresses, observedGeneration } = status?.link ?? {};
  const isCurrent = podAddresses !== undefined && observedGeneration === metadata.generation;
  if (spec.podNetwork && !isCurrent) {
    return () => true;
  }
  const used = (podAddresses ?? []).filter((each) => ipaddr.isValid(each));
  return (addressOrPrefix) => used.some((address) => contains(addressOrPrefix, address));
}

function contains(addressOrPrefix: string, address: string): boolean {
  if (!addressOrPrefix.includes('/')) {
    return isSame(addressOrPrefix, address);
  }
  if (!ipaddr.isValidCIDR(addressOrPrefix)) {
    return false;
  }
  const [network, length] = ipaddr.parseCIDR(addressOrPrefix);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network.kind() && parsed.match(network, length);
}

function isSame(a: string, b: string): boolean {
  return (
    ipaddr.isValid(a) &&
    ipaddr.parse(a).toNormalizedString() === ipaddr.parse(b).toNormalizedString()
  );
}

/** Addresses and prefixes that the spec no longer requests, and that the ENI keeps because pods use them. */
export function keptForPods(attachment: ENIAttachment, eni: Eni): string[] {
  const { spec } = attachment;
  const all = surplusOf(addressChanges(spec, eni));
  const released = new Set(surplusOf(addressChanges(spec, eni, usedByPods(attachment))));
  return all.length > released.size ? all.filter((each) => !released.has(each)) : [];
}

function surplusOf({ unassignIpv4, unassignIpv6 }: ReturnType<typeof addressChanges>): string[] {
  return [unassignIpv4, unassignIpv6].flatMap((set) => [
    ...(set?.addresses ?? []),
    ...(set?.prefixes ?? []),
  ]);
}

/**
 * Why the ENI of a deleted attachment stays attached: pods on its node would lose their network. Waits first
 * for the report of an agent that tracks pods, so that a pod that has just started counts.
 * @param now milliseconds since the epoch
 */
export function heldByPods(
  { metadata, spec, status }: ENIAttachment,
  node: Node | undefined,
  now: number,
): Blocked | undefined {
  const { podAddresses, observedGeneration } = status?.link ?? {};
  if (!node || !spec.podNetwork || podAddresses === undefined) {
    return undefined;
  }
  const deletedForMs = now - Date.parse(metadata.deletionTimestamp ?? '');
  if (observedGeneration !== metadata.generation && deletedForMs < REPORT_WITHIN_MS) {
    return blocked(
      'AddressesInUse',
      `The agent of node ${spec.nodeName} has not reported yet which pods use the ENI`,
    );
  }
  return podAddresses.length > 0
    ? blocked(
        'AddressesInUse',
        `Pods on node ${spec.nodeName} have ${named(podAddresses)} of the ENI of NodeENI ${spec.nodeENI}`,
      )
    : undefined;
}

/** Some of the addresses, for a message. */
export function named(addresses: readonly string[]): string {
  return firstFew(addresses, MAX_NAMED);
}
