import type { Explanation } from '../runtime/kube/conditions.js';

/**
 * Why the node's agent cannot configure an interface as its ENIAttachment specifies, and the remedy. The key is
 * `status.link.reason`; the remedy ends `status.link.message`.
 */
export const LINK_REMEDIES = {
  DeviceMissing:
    'A device normally appears within seconds of the attachment: check the kernel log (dmesg) for the MAC address.',
  MTURefused: 'Set spec.mtu of the NodeENI to an MTU that the device supports.',
  NameTaken: 'Choose another spec.interfaceName for the NodeENI, or rename the other device.',
  AddressMissing:
    'The agent keeps retrying: if the subnet has no DHCP server, set spec.addressing of the NodeENI to static.',
  DHCPPortDenied:
    'Give the agent the capability NET_BIND_SERVICE (docs/node-agent.md), or set spec.addressing of the NodeENI to static.',
  DHCPPortTaken:
    'Stop the other DHCP client on the node (for example dhclient), or set spec.addressing of the NodeENI to static.',
  IPv6Disabled:
    'Enable IPv6 on the node (sysctl net.ipv6.conf.all.disable_ipv6=0, and no ipv6.disable=1 on the kernel command line), or use a subnet without an IPv6 CIDR block. IPv4 addresses work meanwhile.',
  PodNetworkUnavailable:
    'Deploy the component pod-addresses (podAddresses.enabled in the Helm chart), or remove spec.networkAttachment.addresses of the NodeENI.',
  LinkDown:
    'Bring the link up, or let the agent do it: remove spec.linkState: unmanaged from the NodeENI.',
  RouteTaken:
    'Remove that route, or set ROUTE_TABLE_BASE of the agents so that no other program uses their tables (docs/node-agent.md).',
  InvalidAttachment:
    'Fix the NodeENI, or delete the ENIAttachment, and the controller recreates it.',
  HostRefused: 'Run the agent with the capability NET_ADMIN and hostNetwork: true.',
  Contended:
    'Configure the other program to ignore the interface (docs/node-agent.md), or set spec.linkState of the NodeENI to unmanaged.',
} as const;

export type LinkFault = keyof typeof LINK_REMEDIES;

/** `fact` is a sentence without its full stop; the fault's remedy follows it. */
export function linkFault(reason: LinkFault, fact: string): Fault {
  return { reason, message: `${fact}. ${LINK_REMEDIES[reason]}` };
}

/** Why an interface is not configured as its ENIAttachment specifies. */
export type Fault = Explanation<LinkFault>;

export function isLinkFault<T extends object>(value: T | Fault): value is Fault {
  return 'reason' in value;
}

/** Whether the interface is usable despite the fault: its IPv4 addresses work without IPv6. */
export function isPartial(reason: LinkFault, ipv4Addresses: readonly string[] = []): boolean {
  return reason === 'IPv6Disabled' && ipv4Addresses.length > 0;
}
