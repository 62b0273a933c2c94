import type { Clock } from '../../../src/runtime/clock.js';
import { errors } from '../api-error.js';
import type { Settings } from '../config/settings.js';
import type {
  ElasticIpSpec,
  NetworkSpec,
  SecurityGroupSpec,
  SubnetSpec,
  VpcSpec,
} from '../config/specs.js';
import { AddressPool, Ipv6Pool } from './address-pools.js';
import { EniStore } from './eni-store.js';
import { newId } from './ids.js';
import type { ElasticIp, Eni, Instance, SecurityGroup, Subnet, Vpc } from './model.js';

export interface RegionOptions {
  name: string;
  accountId: string;
  clock: Clock;
  /** From 0 up to 1, as Math.random. */
  random: () => number;
  settings: Readonly<Settings>;
}

/** What a ClientToken made. */
interface TokenUse {
  fingerprint: string;
  eni: Eni;
}

/** All resources of the account in its one Region. */
export class Region {
  readonly name: string;
  readonly accountId: string;
  readonly clock: Clock;
  readonly settings: Readonly<Settings>;

  readonly vpcs = new Map<string, Vpc>();
  readonly subnets = new Map<string, Subnet>();
  readonly groups = new Map<string, SecurityGroup>();
  readonly instances = new Map<string, Instance>();
  /** By allocation id. */
  readonly elasticIps = new Map<string, ElasticIp>();
  readonly enis: EniStore;
  /** Outlives the ENI that a token made: EC2 answers a used token with what it once made. */
  readonly clientTokens = new Map<string, TokenUse>();

  private readonly random: () => number;
  private readonly pools = new Map<string, AddressPool>();
  private readonly ipv6Pools = new Map<string, Ipv6Pool>();
  private sequence = 0;

  constructor(options: RegionOptions) {
    this.name = options.name;
    this.accountId = options.accountId;
    this.clock = options.clock;
    this.random = options.random;
    this.settings = options.settings;
    this.enis = new EniStore(options.clock, options.settings.consistency);
  }

  nextSequence(): number {
    return ++this.sequence;
  }

  newId(prefix: string): string {
    return newId(prefix, this.random);
  }

  /** Zone names, in the order of the subnets. */
  zones(): string[] {
    return [...new Set([...this.subnets.values()].map(({ zone }) => zone))];
  }

  addNetwork(network: NetworkSpec): void {
    network.vpcs.forEach((vpc) => void this.addVpc(vpc));
    network.subnets.forEach((subnet) => void this.addSubnet(subnet));
    network.securityGroups?.forEach((group) => void this.addGroup(group));
    for (const vpc of this.vpcs.values()) {
      if (!this.defaultGroup(vpc.id)) {
        this.addGroup({ id: this.newId('sg'), name: 'default', vpcId: vpc.id });
      }
    }
  }

  addVpc({ id, cidr, tags = {}, internetGateway = true }: VpcSpec): Vpc {
    const vpc = { id, cidr, tags, internetGateway };
    this.vpcs.set(id, vpc);
    return vpc;
  }

  addSubnet({ name, tags, ...spec }: SubnetSpec): Subnet {
    const subnet: Subnet = {
      ...spec,
      id: spec.id ?? this.newId('subnet'),
      tags: { ...tags, ...(name === undefined ? {} : { Name: name }) },
    };
    if (!this.vpcs.has(subnet.vpcId)) {
      throw errors.vpcsNotFound([subnet.vpcId]);
    }
    if (subnet.cidr !== undefined) {
      this.pools.set(subnet.id, AddressPool.create(subnet.cidr));
    }
    if (subnet.ipv6Cidr !== undefined) {
      this.ipv6Pools.set(subnet.id, Ipv6Pool.create(subnet.ipv6Cidr));
    }
    this.subnets.set(subnet.id, subnet);
    return subnet;
  }

  addGroup({ description, tags = {}, ...spec }: SecurityGroupSpec): SecurityGroup {
    const group = { ...spec, description: description ?? `${spec.name} group`, tags };
    this.groups.set(group.id, group);
    return group;
  }

  /** Allocates an Elastic IP address. */
  addElasticIp({ id, publicIp, pool = 'amazon', tags = {} }: ElasticIpSpec): ElasticIp {
    const sequence = this.nextSequence();
    const address: ElasticIp = {
      id: id ?? this.newId('eipalloc'),
      sequence,
      publicIp: publicIp ?? testAddress(sequence),
      pool,
      tags,
    };
    this.elasticIps.set(address.id, address);
    return address;
  }

  defaultGroup(vpcId: string): SecurityGroup | undefined {
    return [...this.groups.values()].find(
      (group) => group.vpcId === vpcId && group.name === 'default',
    );
  }

  /** @throws ApiError `InvalidSubnetID.NotFound`, or where the subnet has IPv6 addresses alone. */
  pool(subnetId: string): AddressPool {
    const pool = this.pools.get(subnetId);
    if (!pool) {
      throw this.subnets.has(subnetId)
        ? errors.invalidCombination(`The subnet '${subnetId}' is IPv6-only`)
        : errors.subnetsNotFound([subnetId]);
    }
    return pool;
  }

  /** Free IPv4 addresses: 0 in an IPv6-only subnet. */
  availableAddresses(subnetId: string): number {
    return this.pools.get(subnetId)?.available ?? 0;
  }

  /** @throws ApiError where the subnet has no IPv6 block. */
  ipv6Pool(subnetId: string): Ipv6Pool {
    const pool = this.ipv6Pools.get(subnetId);
    if (!pool) {
      throw errors.invalidValue(`The subnet '${subnetId}' has no IPv6 CIDR block`);
    }
    return pool;
  }
}

/** Of 198.18.0.0/15, which is for tests (RFC 2544). */
function testAddress(sequence: number): string {
  return `198.18.${(sequence >> 8) & 255}.${sequence & 255}`;
}
