/** Condition types of a NodeENI. */
export const NODE_ENI_CONDITIONS = {
  /** Every ENI that the matching nodes should have is usable. */
  ready: 'Ready',
  /** ENIs are being created, attached, detached or deleted. */
  progressing: 'Progressing',
  /** Something keeps at least one node from its ENIs; reason and message say what. */
  degraded: 'Degraded',
  /** Of what keeps nodes from their ENIs, some is a lack of room: slots, addresses, quota. */
  capacityExceeded: 'CapacityExceeded',
  /** The NetworkAttachmentDefinitions are as asked for; there only where they are asked for. */
  networkAttachment: 'NetworkAttachment',
  /** The ENIs of the Go controller that the status lists are adopted; there only where it listed some. */
  adopted: 'Adopted',
} as const;

/** Condition types of a Node, written where NODE_CONDITION is set. */
export const NODE_CONDITIONS = {
  /** The node has the ENIs of every NodeENI that selects it. */
  enisReady: 'networking.k8s.aws/ENIsReady',
} as const;

/** Condition types of an ENIAttachment. */
export const ENI_ATTACHMENT_CONDITIONS = {
  /** EC2 has attached the ENI, with the settings asked for. */
  attached: 'Attached',
  /** The ENI is usable on the node. */
  ready: 'Ready',
  /** Another program on the node undoes what the agent sets; there only once it has happened. */
  contended: 'Contended',
  /** Pods use addresses that the spec no longer asks for; there only once it has happened. */
  addressesInUse: 'AddressesInUse',
} as const;
