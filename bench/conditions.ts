/**
 * What EC2 is like where its rates count: milliseconds before it answers, by the beginning of the action's name.
 * The work itself is done when the call comes in; EC2's documented token buckets hold as well.
 */
export const LATENCY_MS = {
  CreateNetworkInterface: 300,
  AttachNetworkInterface: 800,
  ModifyNetworkInterfaceAttribute: 100,
  DetachNetworkInterface: 800,
  DeleteNetworkInterface: 300,
  Describe: 60,
} as const;

export const REGION = 'us-west-2';
export const ZONE = `${REGION}a`;
/** For the nodes that find no address in the first zone. */
export const OTHER_ZONE = `${REGION}b`;

/** The label that the nodes have and the NodeENIs select. */
export const LABEL = 'bench';

/** The user that the controller is to the API server, so that its requests can be distinguished. */
export const CONTROLLER_USER = 'eni-operator';
