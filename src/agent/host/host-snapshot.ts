import type { HostAddress, HostLink, HostNetwork, HostRoute, HostRule } from './host-network.js';
import { OWN_PROTOCOL } from './own-ids.js';

/** The network of the host at one moment: all devices, addresses and rules, and the agent's own routes. */
export interface HostSnapshot {
  links: HostLink[];
  addresses: HostAddress[];
  routes: HostRoute[];
  rules: HostRule[];
}

/** @throws HostNetworkError */
export async function observe(network: HostNetwork): Promise<HostSnapshot> {
  const [links, addresses, routes, rules] = await Promise.all([
    network.links(),
    network.addresses(),
    network.routes(OWN_PROTOCOL),
    network.rules(),
  ]);
  return { links, addresses, routes, rules };
}
