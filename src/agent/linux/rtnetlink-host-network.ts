import { type Clock, systemClock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import type {
  HostAddress,
  HostChange,
  HostLink,
  HostNetwork,
  HostRoute,
  HostRule,
  NewHostAddress,
} from '../host/host-network.js';
import { HostNetworkError } from '../host/host-network.js';
import { OWN_PROTOCOL } from '../host/own-ids.js';
import { type Failure, hostNetworkError } from './host-network-error.js';
import {
  addressQuery,
  addressSelector,
  newAddress,
  readAddress,
} from './messages/address-message.js';
import {
  altNameChange,
  linkQuery,
  mtuChange,
  promoteSecondaries,
  readLink,
  reversePathFilterChange,
  upChange,
} from './messages/link-message.js';
import { ALL_DEVICES, netconfQuery, readReversePathFilter } from './messages/netconf-message.js';
import type { NetlinkMessage } from './messages/netlink-codec.js';
import {
  newRoute,
  protocolOfRoute,
  readRoute,
  routeQuery,
  routeSelector,
} from './messages/route-message.js';
import { Flag, MessageType } from './messages/rtnetlink.js';
import { readRule, ruleMessage, ruleQuery } from './messages/rule-message.js';
import { NetlinkError } from './netlink-error.js';
import { NetlinkEvents } from './netlink-events.js';
import { NetlinkRequests } from './netlink-requests.js';
import { type OpenNetlinkSocket, openNetlinkSocket } from './netlink-socket.js';
import { readChange } from './read-change.js';

export interface RtnetlinkHostNetworkOptions {
  logger: Logger;
  clock?: Clock | undefined;
  open?: OpenNetlinkSocket | undefined;
  /** Protocol of the agent's own routes. */
  routeProtocol?: number | undefined;
  /** Size of the kernel's buffer for events, in bytes; see {@link NetlinkEvents}. */
  eventBufferBytes?: number | undefined;
}

/** Errors of the kernel that mean: nothing to do. */
const ALREADY = {
  added: ['EEXIST'],
  /** Includes errors for a removed device: the kernel removed what it had. */
  removed: ['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO'],
} as const;

/** Value of rp_filter (kernel, ip-sysctl.rst). */
const LOOSE = 2;

const NEW = Flag.create | Flag.exclusive;

/**
 * EACCES means that disable_ipv6 is set for the device (a missing privilege is EPERM); the others, that the kernel
 * runs without IPv6.
 */
const NO_IPV6 = {
  EACCES: { reason: 'NoIPv6', detail: 'IPv6 is disabled on it' },
  EAFNOSUPPORT: { reason: 'NoIPv6', detail: 'IPv6 is disabled on the node' },
  EOPNOTSUPP: { reason: 'NoIPv6', detail: 'IPv6 is disabled on the node' },
} as const;

/** Never replace an existing route of any program. */
const TAKEN = { EEXIST: { reason: 'Taken' } } as const;

interface Operation {
  operation: string;
  /** Index of the device. */
  device?: number;
  /** Errors that count as success. */
  fine?: readonly string[];
  meaning?: Failure['meaning'];
}

interface Change {
  type: number;
  flags?: number;
  /** Called within the operation, so that its errors are reported as the operation's. */
  body: () => Uint8Array[];
}

/** The network of the current namespace, through rtnetlink sockets. Changes need CAP_NET_ADMIN. */
export class RtnetlinkHostNetwork implements HostNetwork {
  private readonly requests: NetlinkRequests;
  private events: NetlinkEvents | undefined;
  private readonly names = new Map<number, string>();

  private constructor(private readonly options: RtnetlinkHostNetworkOptions) {
    const { open = openNetlinkSocket, clock = systemClock } = options;
    this.requests = NetlinkRequests.create({ open, clock });
  }

  static create(options: RtnetlinkHostNetworkOptions): RtnetlinkHostNetwork {
    return new RtnetlinkHostNetwork(options);
  }

  links(): Promise<HostLink[]> {
    return this.attempt({ operation: 'links' }, async () => {
      const links = await this.list(MessageType.getLink, linkQuery(), readLink);
      this.names.clear();
      for (const { index, name } of links) this.names.set(index, name);
      return links;
    });
  }

  addresses(): Promise<HostAddress[]> {
    return this.attempt({ operation: 'addresses' }, () =>
      this.list(MessageType.getAddress, addressQuery(), readAddress),
    );
  }

  routes(protocol: number): Promise<HostRoute[]> {
    return this.attempt({ operation: 'routes' }, () =>
      this.list(MessageType.getRoute, routeQuery(), (data) =>
        protocolOfRoute(data) === protocol ? readRoute(data) : undefined,
      ),
    );
  }

  rules(): Promise<HostRule[]> {
    return this.attempt({ operation: 'rules' }, () =>
      this.list(MessageType.getRule, ruleQuery(), readRule),
    );
  }

  setUp(index: number): Promise<void> {
    return this.change(
      { operation: 'setUp', device: index },
      { type: MessageType.setLink, body: () => upChange(index) },
    );
  }

  setMtu(index: number, mtu: number): Promise<void> {
    return this.change(
      { operation: 'setMtu', device: index },
      { type: MessageType.setLink, body: () => mtuChange(index, mtu) },
    );
  }

  setReversePathFilter(index: number, _mode: 'loose'): Promise<void> {
    return this.change(
      { operation: 'setReversePathFilter', device: index },
      { type: MessageType.setLink, body: () => reversePathFilterChange(index, LOOSE) },
    );
  }

  reversePathFilter(index: number): Promise<number> {
    // EINVAL means that the kernel does not know the device.
    const meaning = { EINVAL: { reason: 'Gone' } } as const;
    return this.attempt({ operation: 'reversePathFilter', device: index, meaning }, async () => {
      const own = await this.requests.get(MessageType.getNetconf, netconfQuery(index));
      const all = await this.requests.get(MessageType.getNetconf, netconfQuery(ALL_DEVICES));
      return Math.max(readReversePathFilter(own.data), readReversePathFilter(all.data));
    });
  }

  async addAltName(index: number, name: string): Promise<void> {
    try {
      await this.change(
        { operation: 'addAltName', device: index },
        { type: MessageType.newLinkProp, flags: NEW, body: () => altNameChange(index, name) },
      );
    } catch (error) {
      // The name may belong to another device.
      if (codeOf(error) !== 'EEXIST' || !(await this.hasAltName(index, name))) throw error;
    }
  }

  async removeAltName(index: number, name: string): Promise<void> {
    try {
      await this.change(
        { operation: 'removeAltName', device: index, fine: ALREADY.removed },
        { type: MessageType.delLinkProp, body: () => altNameChange(index, name) },
      );
    } catch (error) {
      // EINVAL means that the name belongs to another device.
      if (codeOf(error) !== 'EINVAL' || (await this.hasAltName(index, name))) throw error;
    }
  }

  addAddress(address: NewHostAddress): Promise<void> {
    const { linkIndex: device, family } = address;
    return this.change(
      {
        operation: 'addAddress',
        device,
        fine: ALREADY.added,
        ...(family === 6 ? { meaning: NO_IPV6 } : {}),
      },
      { type: MessageType.newAddress, flags: NEW, body: () => newAddress(address) },
    );
  }

  async removeAddress(address: Parameters<HostNetwork['removeAddress']>[0]): Promise<void> {
    if (address.family === 4) {
      // Otherwise the kernel removes the subnet's other addresses together with the first.
      await this.change(
        { operation: 'removeAddress', device: address.linkIndex, fine: ALREADY.removed },
        { type: MessageType.setLink, body: () => promoteSecondaries(address.linkIndex) },
      );
    }
    await this.change(
      { operation: 'removeAddress', device: address.linkIndex, fine: ALREADY.removed },
      { type: MessageType.delAddress, body: () => addressSelector(address) },
    );
  }

  addRoute(route: HostRoute): Promise<void> {
    return this.change(
      {
        operation: 'addRoute',
        device: route.linkIndex,
        meaning: route.family === 6 ? { ...TAKEN, ...NO_IPV6 } : TAKEN,
      },
      { type: MessageType.newRoute, flags: NEW, body: () => newRoute(route) },
    );
  }

  removeRoute(route: HostRoute): Promise<void> {
    return this.change(
      { operation: 'removeRoute', device: route.linkIndex, fine: ALREADY.removed },
      { type: MessageType.delRoute, body: () => routeSelector(route) },
    );
  }

  addRule(rule: HostRule): Promise<void> {
    return this.change(
      {
        operation: 'addRule',
        fine: ALREADY.added,
        ...(rule.family === 6 ? { meaning: NO_IPV6 } : {}),
      },
      { type: MessageType.newRule, flags: NEW, body: () => ruleMessage(rule) },
    );
  }

  removeRule(rule: HostRule): Promise<void> {
    return this.change(
      { operation: 'removeRule', fine: ALREADY.removed },
      { type: MessageType.delRule, body: () => ruleMessage(rule) },
    );
  }

  subscribe(handler: (change: HostChange) => void): void {
    const {
      open = openNetlinkSocket,
      clock = systemClock,
      logger,
      eventBufferBytes,
    } = this.options;
    this.events?.close();
    try {
      this.events = NetlinkEvents.create({
        open,
        clock,
        logger,
        receiveBufferBytes: eventBufferBytes,
        onMessage: (message) => this.handle(message, handler),
        onOverrun: () => handler({ type: 'overrun' }),
      });
    } catch (error) {
      throw hostNetworkError({ operation: 'subscribe', error });
    }
  }

  close(): void {
    this.events?.close();
    this.requests.close();
  }

  private change(operation: Operation, { type, flags, body }: Change): Promise<void> {
    return this.attempt(operation, async () => {
      try {
        await this.requests.change(type, body(), flags);
      } catch (error) {
        const isFine = error instanceof NetlinkError && operation.fine?.includes(error.code);
        if (!isFine) throw error;
      }
    });
  }

  private async list<T>(
    type: number,
    query: Uint8Array[],
    read: (data: Buffer) => T | undefined,
  ): Promise<T[]> {
    const items: T[] = [];
    for (const { data } of await this.requests.dump(type, query)) {
      const item = this.parsed(data, read);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  private async hasAltName(index: number, name: string): Promise<boolean> {
    const links = await this.links();
    return links.some((link) => link.index === index && link.altNames.includes(name));
  }

  private handle(message: NetlinkMessage, handler: (change: HostChange) => void): void {
    const { routeProtocol = OWN_PROTOCOL, logger } = this.options;
    const change = this.parsed(message, (event) => readChange(event, routeProtocol));
    if (!change) return;
    if (change.type === 'link') this.names.set(change.link.index, change.link.name);
    if (change.type === 'linkGone') this.names.delete(change.index);
    try {
      handler(change);
    } catch (error) {
      logger.error('Handling a change of the host failed; this is a bug', { change, error });
    }
  }

  /** Logs and skips a malformed message: one unusual device must not hide the others. */
  private parsed<M, T>(message: M, read: (message: M) => T | undefined): T | undefined {
    try {
      return read(message);
    } catch (error) {
      this.options.logger.warn('Skipping a malformed message of the kernel', { error });
      return undefined;
    }
  }

  /** @throws HostNetworkError */
  private async attempt<T>(
    { operation, device, meaning }: Operation,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const name = device === undefined ? undefined : this.names.get(device);
      throw hostNetworkError({
        operation,
        device: name ?? (device === undefined ? undefined : `device ${device}`),
        error,
        meaning,
      });
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof HostNetworkError ? error.code : undefined;
}
