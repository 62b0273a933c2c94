import type { HostAddress, HostNetwork, HostRoute, HostRule } from './host-network.js';

type NewAddress = Parameters<HostNetwork['addAddress']>[0];

/** One change of the host's network; each can be repeated. */
export type HostStep =
  | { do: 'setMtu'; index: number; mtu: number }
  | { do: 'setUp'; index: number }
  | { do: 'addAltName'; index: number; name: string }
  | { do: 'removeAltName'; index: number; name: string }
  | { do: 'addAddress'; address: NewAddress }
  | { do: 'removeAddress'; address: HostAddress }
  | { do: 'setReversePathFilter'; index: number }
  | { do: 'addRoute'; route: HostRoute }
  | { do: 'removeRoute'; route: HostRoute }
  | { do: 'addRule'; rule: HostRule }
  | { do: 'removeRule'; rule: HostRule };

/** @throws HostNetworkError */
export function carryOut(network: HostNetwork, step: HostStep): Promise<void> {
  switch (step.do) {
    case 'setMtu':
      return network.setMtu(step.index, step.mtu);
    case 'setUp':
      return network.setUp(step.index);
    case 'addAltName':
      return network.addAltName(step.index, step.name);
    case 'removeAltName':
      return network.removeAltName(step.index, step.name);
    case 'addAddress':
      return network.addAddress(step.address);
    case 'removeAddress':
      return network.removeAddress(step.address);
    case 'setReversePathFilter':
      return network.setReversePathFilter(step.index, 'loose');
    case 'addRoute':
      return network.addRoute(step.route);
    case 'removeRoute':
      return network.removeRoute(step.route);
    case 'addRule':
      return network.addRule(step.rule);
    case 'removeRule':
      return network.removeRule(step.rule);
  }
}

/** What was wrong, for logs and messages: `it was down`. */
export function describeStep(step: HostStep): string {
  switch (step.do) {
    case 'setMtu':
      return `its MTU was not ${step.mtu}`;
    case 'setUp':
      return 'it was down';
    case 'addAltName':
      return `the name ${step.name} was missing`;
    case 'removeAltName':
      return `it had the name ${step.name}`;
    case 'addAddress':
      return `the address ${step.address.address} was missing`;
    case 'removeAddress':
      return `it had the address ${step.address.address}`;
    case 'setReversePathFilter':
      return 'its reverse path filter was strict';
    case 'addRoute':
      return `the route ${step.route.destination} of table ${step.route.table} was missing`;
    case 'removeRoute':
      return `table ${step.route.table} had a route ${step.route.destination}`;
    case 'addRule':
      return `the rule from ${step.rule.from} was missing`;
    case 'removeRule':
      return `there was a rule from ${step.rule.from}`;
  }
}
