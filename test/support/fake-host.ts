import {
  type HostAddress,
  type HostChange,
  type HostLink,
  type HostNetwork,
  HostNetworkError,
  type HostRoute,
  type HostRule,
} from '../../src/agent/host/host-network.js';

/** A host's network in memory, for tests of what stands above the kernel. */
export class FakeHost implements HostNetwork {
  /** What was asked of it, in order: `setUp 2`. */
  readonly done: string[] = [];
  /** Operations that the kernel refuses, by name. */
  readonly refused = new Map<string, HostNetworkError['reason']>();
  readonly state: {
    links: HostLink[];
    addresses: HostAddress[];
    routes: HostRoute[];
    rules: HostRule[];
    reversePathFilters: Map<number, number>;
  } = { links: [], addresses: [], routes: [], rules: [], reversePathFilters: new Map() };
  private handler: (change: HostChange) => void = () => {};

  async links(): Promise<HostLink[]> {
    return structuredClone(this.state.links);
  }

  async addresses(): Promise<HostAddress[]> {
    return structuredClone(this.state.addresses);
  }

  async routes(protocol: number): Promise<HostRoute[]> {
    return structuredClone(this.state.routes.filter((route) => route.protocol === protocol));
  }

  async rules(): Promise<HostRule[]> {
    return structuredClone(this.state.rules);
  }

  async setUp(index: number): Promise<void> {
    const link = this.did('setUp', index);
    link.up = true;
    link.operState = 'up';
  }

  async setMtu(index: number, mtu: number): Promise<void> {
    this.did('setMtu', index).mtu = mtu;
  }

  async setReversePathFilter(index: number, mode: 'loose'): Promise<void> {
    this.did('setReversePathFilter', index);
    this.state.reversePathFilters.set(index, mode === 'loose' ? 2 : 0);
  }

  async reversePathFilter(index: number): Promise<number> {
    return this.state.reversePathFilters.get(index) ?? 1;
  }

  async addAltName(index: number, name: string): Promise<void> {
    this.did('addAltName', index).altNames.push(name);
  }

  async removeAltName(index: number, name: string): Promise<void> {
    const link = this.did('removeAltName', index);
    link.altNames = link.altNames.filter((each) => each !== name);
  }

  async addAddress(address: Parameters<HostNetwork['addAddress']>[0]): Promise<void> {
    this.did('addAddress', address.linkIndex);
    this.state.addresses.push({ scope: 'global', dynamic: false, ...address });
  }

  async removeAddress(address: Parameters<HostNetwork['removeAddress']>[0]): Promise<void> {
    this.did('removeAddress', address.linkIndex);
    this.state.addresses = this.state.addresses.filter((each) => each.address !== address.address);
  }

  async addRoute(route: HostRoute): Promise<void> {
    const link = this.did('addRoute', route.linkIndex);
    if (!link.up) throw this.error('addRoute', 'Refused');
    this.state.routes.push(route);
  }

  async removeRoute(route: HostRoute): Promise<void> {
    this.done.push(`removeRoute ${route.linkIndex}`);
    const text = JSON.stringify(route);
    this.state.routes = this.state.routes.filter((each) => JSON.stringify(each) !== text);
  }

  async addRule(rule: HostRule): Promise<void> {
    this.done.push(`addRule ${rule.from}`);
    this.state.rules.push(rule);
  }

  async removeRule(rule: HostRule): Promise<void> {
    this.done.push(`removeRule ${rule.from}`);
    const text = JSON.stringify(rule);
    this.state.rules = this.state.rules.filter((each) => JSON.stringify(each) !== text);
  }

  subscribe(handler: (change: HostChange) => void): void {
    this.handler = handler;
  }

  close(): void {
    this.handler = () => {};
  }

  /** Emits a change, as the kernel does. */
  emit(change: HostChange): void {
    this.handler(change);
  }

  /** What was asked of it since it was asked last. */
  takeDone(): string[] {
    return this.done.splice(0);
  }

  private did(operation: string, index: number): HostLink {
    this.done.push(`${operation} ${index}`);
    const refusal = this.refused.get(operation);
    if (refusal) throw this.error(operation, refusal);
    const link = this.state.links.find((each) => each.index === index);
    if (!link) throw this.error(operation, 'Gone');
    return link;
  }

  private error(operation: string, reason: HostNetworkError['reason']): HostNetworkError {
    return new HostNetworkError({ operation, reason, code: 'EFAKE', device: 'fake' });
  }
}

export function aLink(overrides: Partial<HostLink> = {}): HostLink {
  return {
    index: 2,
    name: 'ens6',
    altNames: [],
    macAddress: '02:00:00:00:00:01',
    mtu: 1500,
    minMtu: 128,
    maxMtu: 9216,
    up: false,
    operState: 'down',
    pciAddress: '0000:00:06.0',
    ...overrides,
  };
}
