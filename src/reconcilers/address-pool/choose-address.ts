import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { KeptAddress, NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Eni, Subnet } from '../../aws/ec2-gateway.js';
import { firstFew } from '../../runtime/message-text.js';
import { isLive } from '../shared/attachment-state.js';
import { heldEni } from '../shared/held-eni.js';
import { partition } from '../shared/partition.js';
import type { ClaimedAddress } from './address-claims.js';
import { AddressPool, toNumber } from './address-pool.js';
import { placeOf } from './kept-addresses.js';
import { isAddressTaken, primaryAddressOf } from './primary-address.js';

/** An address that another NodeENI keeps for a node. */
export interface KeptByOther extends KeptAddress {
  /** Whether it selects the node now, so that the node waits for its ENI. */
  isSelected: boolean;
}

/** What is known of the addresses in a subnet. */
export interface AddressFacts {
  /** The attachments of all NodeENIs in the subnet, including those being deleted. */
  attachmentsIn: (subnetID: string) => readonly ENIAttachment[];
  /** The operator's ENIs in the subnet; some lack an attachment, such as retained ones. */
  enisIn: (subnetID: string) => readonly Eni[];
  /** The addresses that other NodeENIs keep for their nodes. */
  keptByOthers: readonly KeptByOther[];
  /** Whether a reconcile under way has chosen the address, or EC2 refused it recently. */
  isClaimed: (address: ClaimedAddress) => boolean;
}

export interface AddressChooserOptions {
  nodeENI: NodeENI;
  pool: readonly string[];
  /** Names of the nodes that the NodeENI selects. */
  nodes: ReadonlySet<string>;
  /** The attachments of the NodeENI. */
  own: readonly ENIAttachment[];
  facts: AddressFacts;
}

export interface AddressRequest {
  nodeName: string;
  /** Name of the ENIAttachment. */
  name: string;
  subnet: Subnet;
  /** The attachment of that name, if it exists. */
  attachment: ENIAttachment | undefined;
}

export interface ChosenAddress {
  /** Absent where the ENI exists and its address is not known yet. */
  address: string | undefined;
  /** Another ENIAttachment of the node still has the address: the new one has to wait until that is gone. */
  isHeld: boolean;
}

/** What has an address. */
interface Holder {
  nodeENI: string | undefined;
  node: string | undefined;
  /** Name of the ENIAttachment; absent for an ENI without one. */
  attachment?: string;
}

/** How many entries of a pool a message names. */
const MAX_NAMED_ENTRIES = 4;
/** Addresses of an IPv4 prefix of an ENI, a /28. */
const PREFIX_SIZE = 16;

/**
 * Chooses the primary address of each ENI of a NodeENI with a pool, for one plan. An ENI keeps an address of the pool.
 * A node whose ENI is gone gets its former address, unless something else has it. Any other node gets the first
 * address of the pool that is free: no ENI of the operator in the subnet has it, and no node is to get it again.
 */
export class AddressChooser {
  private readonly bySubnet = new Map<string, SubnetAddresses>();
  private readonly ownByPlace: ReadonlyMap<string, readonly ENIAttachment[]>;

  constructor(private readonly options: AddressChooserOptions) {
    this.ownByPlace = Map.groupBy(options.own, ({ spec }) =>
      placeOf({ nodeID: spec.nodeName, subnetID: spec.subnetID }),
    );
  }

  /** The address, or why there is none. A blocked ENI that exists stays as it is. */
  choose(request: AddressRequest): ChosenAddress | Blocked {
    const { subnet, attachment, name, nodeName } = request;
    if (subnet.cidr === undefined) {
      return blocked(
        'SubnetIPv6Only',
        `Subnet ${subnet.id} is IPv6-only, and spec.ipv4.primary requests an IPv4 address`,
      );
    }
    const addresses = this.subnet(subnet.id, subnet.cidr);
    const current = attachment && primaryAddressOf(attachment);
    if (attachment && current === undefined && isLive(attachment) && heldEni(attachment)) {
      return { address: undefined, isHeld: false };
    }
    const isRefused = attachment !== undefined && isAddressTaken(attachment);
    const isInPool = current !== undefined && addresses.pool.includes(current);
    if (attachment && isInPool && !isRefused) {
      return { address: attachment.spec.privateIPAddress ?? current, isHeld: false };
    }
    const former = isRefused ? undefined : this.formerAddress(request, addresses);
    const address = former ?? addresses.next();
    if (address !== undefined) {
      const holder = addresses.holderOf(address)?.attachment;
      addresses.take(address, { nodeENI: this.name, node: nodeName, attachment: name });
      return { address, isHeld: holder !== undefined && holder !== name };
    }
    // A retry may succeed later, once the address is released.
    return isInPool && isRefused && isLive(attachment)
      ? { address: current, isHeld: false }
      : this.exhausted(subnet.id, subnet.cidr, addresses.pool);
  }

  private get name(): string {
    return this.options.nodeENI.metadata.name;
  }

  private exhausted(subnetID: string, cidr: string, { isEmpty }: AddressPool): Blocked {
    const entries = firstFew(this.options.pool, MAX_NAMED_ENTRIES);
    return blocked(
      'AddressPoolExhausted',
      isEmpty
        ? `The pool (${entries}) has no address in subnet ${subnetID} (${cidr})`
        : `All addresses of the pool (${entries}) in subnet ${subnetID} (${cidr}) are in use`,
    );
  }

  /** The address that the node had before, by the best source: an attachment, an ENI, the status. */
  private formerAddress(
    { nodeName, subnet, name }: AddressRequest,
    addresses: SubnetAddresses,
  ): string | undefined {
    const place = placeOf({ nodeID: nodeName, subnetID: subnet.id });
    const { facts } = this.options;
    const ofEarlierInstance = (this.ownByPlace.get(place) ?? [])
      .filter((each) => each.metadata.name !== name && !isAddressTaken(each))
      .map(primaryAddressOf);
    return [...ofEarlierInstance, ...addresses.rememberedFor(nodeName)].find(
      (address): address is string => {
        if (address === undefined || !addresses.pool.includes(address)) return false;
        const holder = addresses.holderOf(address);
        const isOwn = holder?.nodeENI === this.name && holder.node === nodeName;
        return (!holder || isOwn) && !facts.isClaimed({ subnetID: subnet.id, address });
      },
    );
  }

  private subnet(id: string, cidr: string): SubnetAddresses {
    const known = this.bySubnet.get(id) ?? new SubnetAddresses(this.options, id, cidr);
    this.bySubnet.set(id, known);
    return known;
  }
}

/** The addresses of one subnet, during one plan. */
class SubnetAddresses {
  readonly pool: AddressPool;
  private readonly holders = new Map<string, Holder>();
  /** First addresses of prefixes, as numbers. */
  private readonly prefixes = new Set<number>();
  /** Addresses of the NodeENI's ENIs, by node. */
  private readonly left = new Map<string, string[]>();
  private readonly remembered: ReadonlyMap<string, readonly KeptAddress[]>;
  /** Addresses that selected nodes get again. */
  private readonly kept: ReadonlySet<string>;
  /** Addresses that others get again, if there are enough: the first to give up comes first. */
  private readonly spared: ReadonlySet<string>;
  private readonly fresh: Iterator<string>;

  constructor(
    private readonly options: AddressChooserOptions,
    private readonly subnetID: string,
    cidr: string,
  ) {
    const { nodeENI, pool, nodes, facts } = options;
    this.pool = AddressPool.create(pool, cidr);
    this.fresh = this.pool.addresses();
    for (const eni of facts.enisIn(subnetID)) this.noteEni(eni);
    for (const attachment of facts.attachmentsIn(subnetID)) this.noteAttachment(attachment);
    const own = nodeENI.status?.keptAddresses?.filter((kept) => kept.subnetID === subnetID) ?? [];
    const others = facts.keptByOthers.filter((kept) => kept.subnetID === subnetID);
    this.remembered = Map.groupBy(own, ({ nodeID }) => nodeID);
    const all = [
      ...own.map((kept) => ({ ...kept, isSelected: nodes.has(kept.nodeID) })),
      ...others,
    ];
    const [kept, spared] = partition(all, ({ isSelected }) => isSelected);
    this.kept = new Set(kept.map(({ address }) => address));
    this.spared = new Set(spared.map(({ address }) => address));
  }

  holderOf(address: string): Holder | undefined {
    return this.holders.get(address) ?? (this.isInPrefix(address) ? UNKNOWN_HOLDER : undefined);
  }

  /** What an ENI without an attachment, or else the status, has for the node. */
  rememberedFor(node: string): string[] {
    const kept = this.remembered.get(node)?.map(({ address }) => address) ?? [];
    return [...(this.left.get(node) ?? []), ...kept];
  }

  take(address: string, holder: Holder): void {
    this.holders.set(address, holder);
  }

  /** The first free address. */
  next(): string | undefined {
    for (let next = this.fresh.next(); !next.done; next = this.fresh.next()) {
      if (this.isFree(next.value) && !this.spared.has(next.value)) return next.value;
    }
    return [...this.spared].find((address) => this.pool.includes(address) && this.isFree(address));
  }

  private isFree(address: string): boolean {
    const { subnetID } = this;
    return (
      !this.holderOf(address) &&
      !this.kept.has(address) &&
      !this.options.facts.isClaimed({ subnetID, address })
    );
  }

  private isInPrefix(address: string): boolean {
    if (this.prefixes.size === 0) return false;
    const number = toNumber(address);
    return this.prefixes.has(number - (number % PREFIX_SIZE));
  }

  private noteAttachment(attachment: ENIAttachment): void {
    const { metadata, spec, status } = attachment;
    const holder = { nodeENI: spec.nodeENI, node: spec.nodeName, attachment: metadata.name };
    for (const address of [spec.privateIPAddress, ...(status?.privateIPAddresses ?? [])]) {
      if (address !== undefined) this.holders.set(address, holder);
    }
    this.notePrefixes(status?.ipv4Prefixes);
  }

  private noteEni({ tags, privateIpAddresses, ipv4Prefixes }: Eni): void {
    const { [TAGS.nodeENI]: nodeENI, [TAGS.node]: node = '' } = tags;
    for (const address of privateIpAddresses) this.holders.set(address, { nodeENI, node });
    const [primary] = privateIpAddresses;
    if (primary !== undefined && nodeENI === this.options.nodeENI.metadata.name) {
      this.left.set(node, [...(this.left.get(node) ?? []), primary]);
    }
    this.notePrefixes(ipv4Prefixes);
  }

  private notePrefixes(prefixes: readonly string[] = []): void {
    for (const prefix of prefixes) {
      const [first = ''] = prefix.split('/');
      this.prefixes.add(toNumber(first));
    }
  }
}

const UNKNOWN_HOLDER: Holder = { nodeENI: undefined, node: undefined };
