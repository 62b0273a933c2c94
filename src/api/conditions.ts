/** Condition types of a NodeENI. */
export const NODE_ENI_CONDITIONS = {
  /** Every ENI that the matching nodes should have is usable. */
  ready: 'Ready',
  /** ENIs are being created, attached, detached or deleted. */
  progressing: 'Progressing',
  /** Something prevents at least one node from getting its ENIs; reason and message give the details. */
  degraded: 'Degraded',
  /** At least one of the problems is a lack of capacity: slots, addresses, quota. */
  capacityExceeded: 'CapacityExceeded',
  /** The NetworkAttachmentDefinitions match the spec; present only if the spec requests them. */
  networkAttachment: 'NetworkAttachment',
  /** The ENIs of the Go controller that the status lists are adopted; present only if it listed any. */
  adopted: 'Adopted',
} as const;

/** Condition types of a Node, written if NODE_CONDITION is set. */
export const NODE_CONDITIONS = {
  /** The node has the ENIs of every NodeENI that selects it. */
  enisReady: 'networking.k8s.aws/ENIsReady',
} as const;

/** Condition types of an ENIAttachment. */
export const ENI_ATTACHMENT_CONDITIONS = {
  /** EC2 has attached the ENI, with the specified settings. */
  attached: 'Attached',
  /** The ENI is usable on the node. */
  ready: 'Ready',
  /** Another program on the node undoes what the agent sets; present only once it has happened. */
  contended: 'Contended',
  /** Pods use addresses that the spec no longer requests; present only once it has happened. */
  addressesInUse: 'AddressesInUse',
} as const;
