/** The addresses of the cluster, which are those of its own network namespaces: none is used on the machine. */
export const CONTROL_PLANE_ADDRESS = '10.10.0.1';
export const API_SERVER_PORT = 6443;
export const EC2_PORT = 4510;
export const SERVICE_CIDR = '10.96.0.0/16';
/** The Service "kubernetes", which gets the first address. */
export const KUBERNETES_SERVICE_ADDRESS = '10.96.0.1';
export const POD_CIDR = '10.244.0.0/16';
/** Device of the network that all nodes are on. */
export const BRIDGE = 'br0';

/** What is a node's own. */
export interface NodePlace {
  /** From 1. */
  number: number;
  name: string;
  zone: string;
  instanceId: string;
  instanceType: string;
  address: string;
  podCidr: string;
}

/** A node's place in the cluster. Zones take turns. */
export function nodePlace(number: number, instanceId = instanceIdOf(number)): NodePlace {
  return {
    number,
    name: `node${number}`,
    zone: number % 2 === 1 ? 'us-west-2a' : 'us-west-2b',
    instanceId,
    instanceType: 'm5.large',
    address: `10.10.0.${10 + number}`,
    podCidr: `10.244.${number}.0/24`,
  };
}

function instanceIdOf(number: number): string {
  return `i-0e2e${String(number).padStart(13, '0')}`;
}
