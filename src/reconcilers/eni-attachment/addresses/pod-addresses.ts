import type { ENIAttachment } from '../../../api/eni-attachment.js';
import type { Node } from '../../../api/node.js';
import { covers, podPoolOf } from '../../../api/pod-pool.js';
import { type Blocked, blocked } from '../../../api/reasons.js';
import type { Eni } from '../../../aws/ec2-gateway.js';
import { firstFew } from '../../../runtime/message-text.js';
import { addressChanges, type IsInUse } from './plan-addresses.js';

/** How many addresses a message names. */
const MAX_NAMED = 3;

/** How long (milliseconds) a deletion waits for the agent's report: a node can run without its agent. */
const REPORT_WITHIN_MS = 60_000;

/**
 * Whether the ENI has to keep an address or a prefix for pods, according to the agent's report: a pod has it,
 * or can still get it. Until the agent has reported on the current spec of an ENI whose addresses are for pods,
 * all count as in use.
 */
export function usedByPods(attachment: ENIAttachment): IsInUse {
  const { metadata, spec, status } = attachment;
  const { podAddresses, withdrawnAddresses = [], observedGeneration } = status?.link ?? {};
  const isCurrent = podAddresses !== undefined && observedGeneration === metadata.generation;
  if (spec.podNetwork && !isCurrent) {
    return () => true;
  }
  const withdrawn = new Set(withdrawnAddresses);
  const canStillBeGot = (each: string) =>
    spec.podNetwork !== undefined && !isOfNode(each) && !withdrawn.has(each);
  return (addressOrPrefix) => canStillBeGot(addressOrPrefix) || isHad(attachment, addressOrPrefix);
}

/** Single IPv6 addresses are the node's. */
function isOfNode(addressOrPrefix: string): boolean {
  return addressOrPrefix.includes(':') && !addressOrPrefix.includes('/');
}

/** Whether a pod has the address, or one of the prefix. */
function isHad({ status }: ENIAttachment, addressOrPrefix: string): boolean {
  return (status?.link?.podAddresses ?? []).some((address) => covers(addressOrPrefix, address));
}

/** Addresses and prefixes that the spec no longer requests, and that the ENI keeps for now. */
export interface KeptAddresses {
  /** `pods`: they have some of them. `agent`: it has not reported yet that no further pod gets them. */
  for: 'pods' | 'agent';
  addresses: string[];
}

/** What the ENI keeps for pods; `undefined`: nothing. */
export function keptForPods(attachment: ENIAttachment, eni: Eni): KeptAddresses | undefined {
  const { spec, status } = attachment;
  const all = surplusOf(addressChanges(spec, eni));
  const released = new Set(surplusOf(addressChanges(spec, eni, usedByPods(attachment))));
  if (all.length <= released.size) {
    return undefined;
  }
  // The agent chooses which ones go.
  const chosen = (status?.link?.withdrawnAddresses ?? []).filter((each) => isHad(attachment, each));
  const unused = surplusOf(addressChanges(spec, eni, (each) => isHad(attachment, each)));
  const waiting = unused.filter((each) => !released.has(each));
  if (chosen.length === 0 && waiting.length > 0) {
    return { for: 'agent', addresses: waiting };
  }
  const kept = all.filter((each) => !released.has(each));
  return { for: 'pods', addresses: chosen.length > 0 ? chosen : kept };
}

function surplusOf({ unassignIpv4, unassignIpv6 }: ReturnType<typeof addressChanges>): string[] {
  return [unassignIpv4, unassignIpv6].flatMap((set) => [
    ...(set?.addresses ?? []),
    ...(set?.prefixes ?? []),
  ]);
}

/**
 * Why the ENI of a deleted attachment stays attached: pods on its node would lose their network. Waits for the
 * report of an agent that tracks pods, that no further pod gets an address of the ENI.
 * @param now milliseconds since the epoch
 */
export function heldByPods(
  { metadata, spec, status }: ENIAttachment,
  node: Node | undefined,
  now: number,
): Blocked | undefined {
  const { podAddresses, withdrawnAddresses = [] } = status?.link ?? {};
  if (!node || !spec.podNetwork || podAddresses === undefined) {
    return undefined;
  }
  if (podAddresses.length > 0) {
    return blocked(
      'AddressesInUse',
      `Pods on node ${spec.nodeName} have ${named(podAddresses)} of the ENI of NodeENI ${spec.nodeENI}`,
    );
  }
  const deletedForMs = now - Date.parse(metadata.deletionTimestamp ?? '');
  const pool = Object.values(podPoolOf(status)).flat();
  const isWithdrawn = pool.every((each) => withdrawnAddresses.includes(each));
  return isWithdrawn || deletedForMs >= REPORT_WITHIN_MS
    ? undefined
    : blocked(
        'AddressesInUse',
        `The agent of node ${spec.nodeName} has not reported yet that no further pod uses the ENI`,
      );
}

/** Some of the addresses, for a message. */
export function named(addresses: readonly string[]): string {
  return firstFew(addresses, MAX_NAMED);
}
