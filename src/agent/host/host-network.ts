/** A network device, as the kernel has it now. */
export interface HostLink {
  index: number;
  name: string;
  altNames: string[];
  /** Lower case, with colons; empty if the device has none. */
  macAddress: string;
  /** Bytes, as are the bounds. */
  mtu: number;
  minMtu?: number;
  /** 0: the driver reports no bound. */
  maxMtu?: number;
  /** Administratively. */
  up: boolean;
  /** RFC 2863's, lower case: `up`, `lowerlayerdown`. */
  operState: string;
  /** `veth`, `vlan`…; absent for hardware. */
  kind?: string;
  /** `0000:00:06.0`; absent if there is none, and on kernels before 5.14. */
  pciAddress?: string;
}

export type AddressFamily = 4 | 6;
export type Scope = 'global' | 'link' | 'host';

export interface HostAddress {
  linkIndex: number;
  family: AddressFamily;
  address: string;
  prefixLength: number;
  scope: Scope;
  /** Expires unless renewed, as addresses from DHCP and router advertisements do. */
  dynamic: boolean;
  /**
   * Whether the kernel adds a route to the prefix to the main table, which sends the subnet's traffic through this
   * device.
   */
  prefixRoute: boolean;
  /** The program that set it, 0 to 255 (IFA_PROTO); absent if not set, and on kernels before 5.18. */
  protocol?: number;
}

/** @see HostNetwork.addAddress */
export interface NewHostAddress extends Omit<HostAddress, 'dynamic' | 'scope'> {
  /** Default: `global`. */
  scope?: Scope;
}

export interface HostRoute {
  linkIndex: number;
  family: AddressFamily;
  table: number;
  /** CIDR, or `default`. */
  destination: string;
  gateway?: string;
  /** Absent: the kernel's default, 0 for IPv4 and 1024 for IPv6. */
  metric?: number;
  /** Preferred source address. */
  source?: string;
  /** The program that set it (rtnetlink(7)), 0 to 255. */
  protocol: number;
  /** Has no effect for IPv6, which has no scopes. */
  scope: Scope;
  /** Treat the gateway as reachable through the device, even without a route to it. */
  onLink?: boolean;
}

/** A rule that looks up a table; selectors other than the source are left out. */
export interface HostRule {
  family: AddressFamily;
  priority: number;
  /** CIDR, always with a prefix length; absent: from all. */
  from?: string;
  /** CIDR; absent: to all. */
  to?: string;
  table: number;
  protocol: number;
}

export type HostChange =
  | { type: 'link'; link: HostLink }
  | { type: 'linkGone'; index: number; macAddress?: string }
  | { type: 'address'; linkIndex: number }
  | { type: 'rule'; table: number }
  | { type: 'route'; table: number; linkIndex: number }
  /** Events were lost: everything known may be out of date. */
  | { type: 'overrun' };

/**
 * The network of the host (of its network namespace). Every operation except `addRoute` is idempotent: adding what exists and removing what does not exist succeed.
 * All reject with {@link HostNetworkError}.
 */
export interface HostNetwork {
  links(): Promise<HostLink[]>;
  addresses(): Promise<HostAddress[]>;
  /** Only those of `protocol`: a host may have many routes. */
  routes(protocol: number): Promise<HostRoute[]>;
  rules(): Promise<HostRule[]>;

  setUp(index: number): Promise<void>;
  /** @param mtu bytes */
  setMtu(index: number, mtu: number): Promise<void>;
  setReversePathFilter(index: number, mode: 'loose'): Promise<void>;
  /** The effective mode: 0 none, 1 strict, 2 loose; the larger of the device's and the host's. */
  reversePathFilter(index: number): Promise<number>;
  addAltName(index: number, name: string): Promise<void>;
  removeAltName(index: number, name: string): Promise<void>;
  /**
   * An IPv6 address is usable immediately, without duplicate address detection: EC2 assigns each address
   * once.
   */
  addAddress(address: NewHostAddress): Promise<void>;
  /** The subnet's other addresses on the device stay. */
  removeAddress(
    address: Pick<HostAddress, 'linkIndex' | 'family' | 'address' | 'prefixLength'>,
  ): Promise<void>;
  /** Rejects with `Taken` if the table has a route to the same destination with the same metric. */
  addRoute(route: HostRoute): Promise<void>;
  removeRoute(route: HostRoute): Promise<void>;
  addRule(rule: HostRule): Promise<void>;
  removeRule(rule: HostRule): Promise<void>;

  /**
   * Calls `handler` for each change of links, addresses and rules, and of the agent's own routes. There is one
   * handler; changes may repeat what it knows. @throws HostNetworkError
   */
  subscribe(handler: (change: HostChange) => void): void;
  /** Rejects operations in progress; no more changes arrive. */
  close(): void;
}

/**
 * Why an operation failed: the device no longer exists; the kernel rejects the value; IPv6 is disabled; the process lacks a
 * privilege; another program's setting is in its place; it may work later; anything else.
 */
export type HostNetworkFailure =
  | 'Gone'
  | 'Refused'
  | 'NoIPv6'
  | 'Denied'
  | 'Taken'
  | 'Busy'
  | 'Unknown';

export interface HostNetworkErrorOptions extends ErrorOptions {
  operation: string;
  reason: HostNetworkFailure;
  /** The errno's name: `ENODEV`. */
  code: string;
  /** The name of the device, or `device 7` if the name is unknown. */
  device?: string | undefined;
  /** More than the code says. */
  detail?: string | undefined;
}

export class HostNetworkError extends Error {
  override readonly name = 'HostNetworkError';
  readonly operation: string;
  readonly reason: HostNetworkFailure;
  readonly code: string;
  readonly device: string | undefined;

  constructor({ operation, reason, code, device, detail, ...options }: HostNetworkErrorOptions) {
    const where = device === undefined ? '' : ` of ${device}`;
    const why = detail === undefined ? '' : ` (${detail})`;
    super(`${operation}${where} failed: ${code}${why}`, options);
    this.operation = operation;
    this.reason = reason;
    this.code = code;
    this.device = device;
  }
}
