export interface GatewayChoice {
  /** The ENI's single addresses for pods, in the order of the status. */
  addresses: readonly string[];
  /** The gateway of the configuration that is in place. */
  earlier: string | undefined;
  /** Whether a pod has the address. */
  isInUse: (address: string) => boolean;
}

/**
 * The single address that is the gateway of the pods with the others. Running pods have it on the node's ends of
 * their veths, so it stays as long as the ENI has it, wherever EC2 lists it. A new one is none that a pod has:
 * the node would take the pod's packets. `undefined`: pods have all addresses, so no pod needs a gateway to
 * start.
 */
export function podGateway({ addresses, earlier, isInUse }: GatewayChoice): string | undefined {
  return earlier !== undefined && addresses.includes(earlier)
    ? earlier
    : addresses.find((address) => !isInUse(address));
}
