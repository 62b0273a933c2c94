/**
 * What keeps an interface from being as its ENIAttachment says, as the node's agent reports it in
 * `status.link.reason`, and what to do about it: the remedy ends `status.link.message`.
 */
export const LINK_REMEDIES = {
  DeviceMissing:
    'The device appears within seconds of the attachment: if it does not, look for the ENI in the kernel log (dmesg).',
  MTURefused: 'Set spec.mtu of the NodeENI to what the device can.',
  NameTaken: 'Choose another spec.interfaceName for the NodeENI, or rename the other device.',
  AddressMissing:
    'It is asked again: set spec.addressing of the NodeENI to static if the subnet has no DHCP server for it.',
  DHCPPortDenied:
    'Give the agent the capability NET_BIND_SERVICE (docs/node-agent.md), or set spec.addressing of the NodeENI to static.',
  DHCPPortTaken:
    'End the other DHCP client of the node (dhclient), or set spec.addressing of the NodeENI to static.',
  LinkDown: 'Set the link up, or let the agent: take spec.linkState: unmanaged out of the NodeENI.',
  RouteTaken:
    "Remove that route, or give the agents a ROUTE_TABLE_BASE whose tables are nobody else's (docs/node-agent.md).",
  InvalidAttachment: 'Correct the NodeENI, or delete the ENIAttachment, and it is made anew.',
  HostRefused: 'Give the agent the capability NET_ADMIN and the host network.',
  Contended:
    'Tell the other program to leave the interface alone (docs/node-agent.md), or set spec.linkState of the NodeENI to unmanaged.',
} as const;

export type LinkFault = keyof typeof LINK_REMEDIES;

/** `fact` is a sentence without its full stop; the fault's remedy follows it. */
export function linkFault(reason: LinkFault, fact: string): { reason: LinkFault; message: string } {
  return { reason, message: `${fact}. ${LINK_REMEDIES[reason]}` };
}

export interface Fault {
  reason: LinkFault;
  message: string;
}
