/** A network device, as the kernel has it now. */
export interface HostLink {
  index: number;
  name: string;
  altNames: string[];
  /** Lower case, with colons; empty where the device has none. */
  macAddress: string;
  /** Bytes, as are the bounds. */
  mtu: number;
  minMtu?: number;
  /** 0: the driver knows no bound. */
  maxMtu?: number;
  /** Administratively. */
  up: boolean;
  /** RFC 2863's, lower case: `up`, `lowerlayerdown`. */
  operState: string;
  /** `veth`, `vlan`…; absent for hardware. */
  kind?: string;
  /** `0000:00:06.0`; absent where there is none, and on kernels before 5.14. */
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
  /** It ends by itself unless renewed: DHCP's and router advertisements' do. */
  dynamic: boolean;
  /**
   * Whether the kernel adds a route to the prefix, to the main table. It draws the subnet's traffic to this
   * device, whatever routes the host has.
   */
  prefixRoute: boolean;
  /** Who set it, 0 to 255 (IFA_PROTO); absent where nobody said so, and on kernels before 5.18. */
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
  /** Who set it (rtnetlink(7)), 0 to 255. */
  protocol: number;
  /** IPv6 has no scopes: what it is set to has no effect there. */
  scope: Scope;
  /** The gateway counts as reachable through the device, though no route says so. */
  onLink?: boolean;
}

/** A rule that leads to a table; selectors other than the source are not told of. */
export interface HostRule {
  family: AddressFamily;
  priority: number;
  /** CIDR, with its length even where that is the whole address; absent: from all. */
  from?: string;
  table: number;
  protocol: number;
}

export type HostChange =
  | { type: 'link'; link: HostLink }
  | { type: 'linkGone'; index: number; macAddress?: string }
  | { type: 'address'; linkIndex: number }
  | { type: 'rule'; table: number }
  | { type: 'route'; table: number; linkIndex: number }
  /** Events were lost: what is known may be old, all of it. */
  | { type: 'overrun' };

/**
 * The network of the host (of its network namespace). Each operation but `addRoute` can be repeated: to add what is
 * there, or to remove what is not, succeeds. All reject with {@link HostNetworkError}.
 */
export interface HostNetwork {
  links(): Promise<HostLink[]>;
  addresses(): Promise<HostAddress[]>;
  /** Those of `protocol` alone: a host may have many. */
  routes(protocol: number): Promise<HostRoute[]>;
  rules(): Promise<HostRule[]>;

  setUp(index: number): Promise<void>;
  /** @param mtu bytes */
  setMtu(index: number, mtu: number): Promise<void>;
  setReversePathFilter(index: number, mode: 'loose'): Promise<void>;
  /** The mode that acts on the device: 0 none, 1 strict, 2 loose; the larger of its own and the host's. */
  reversePathFilter(index: number): Promise<number>;
  addAltName(index: number, name: string): Promise<void>;
  removeAltName(index: number, name: string): Promise<void>;
  /** An IPv6 address is usable at once: EC2 knows of no second owner, so none is looked for. */
  addAddress(address: NewHostAddress): Promise<void>;
  /** The subnet's other addresses on the device stay. */
  removeAddress(
    address: Pick<HostAddress, 'linkIndex' | 'family' | 'address' | 'prefixLength'>,
  ): Promise<void>;
  /** Rejects with `Taken` where its table has a route to the same destination with the same metric. */
  addRoute(route: HostRoute): Promise<void>;
  removeRoute(route: HostRoute): Promise<void>;
  addRule(rule: HostRule): Promise<void>;
  removeRule(rule: HostRule): Promise<void>;

  /**
   * `handler` hears of each change of links, addresses and rules, and of routes of our protocol, from now on. One
   * handler; it may hear of what it knows. @throws HostNetworkError
   */
  subscribe(handler: (change: HostChange) => void): void;
  /** What is under way is rejected; nothing more is heard. */
  close(): void;
}

/**
 * Why an operation failed: the device is gone; the kernel will not take the value; the process may not; its
 * place is somebody else's; it may work later; anything else.
 */
export type HostNetworkFailure = 'Gone' | 'Refused' | 'Denied' | 'Taken' | 'Busy' | 'Unknown';

export interface HostNetworkErrorOptions extends ErrorOptions {
  operation: string;
  reason: HostNetworkFailure;
  /** The errno's name: `ENODEV`. */
  code: string;
  /** The device's name, or `device 7` where that is not known. */
  device?: string | undefined;
  /** What the code alone does not say. */
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
