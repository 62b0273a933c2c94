import type { Clock } from '../../runtime/clock.js';
import { CachedLookup } from '../../runtime/concurrency/cached-lookup.js';
import type { Ec2Gateway, SecurityGroup, Subnet, SubnetQuery } from '../ec2-gateway.js';

export interface NetworkCatalogOptions {
  gateway: Pick<
    Ec2Gateway,
    'describeSubnets' | 'describeSecurityGroups' | 'describeAssociatedGroups'
  >;
  clock: Clock;
  /** How long a subnet or group is cached, in milliseconds; default one minute. */
  ttlMs?: number;
}

/** Subnets and security groups, read from EC2 once for all reconcilers. */
export class NetworkCatalog {
  private readonly subnetsById: CachedLookup<Subnet>;
  private readonly subnetsByName: CachedLookup<Subnet>;
  private readonly groupsById: CachedLookup<SecurityGroup>;
  /** By VPC: ids of groups of other VPCs. */
  private readonly associated: CachedLookup<{ id: string; vpcId: string }>;
  /** In all VPCs. */
  private readonly groupsByName: CachedLookup<SecurityGroup>;
  /** By VPC, for names that no group of the VPC had a moment ago. */
  private readonly groupsInVpc = new Map<string, CachedLookup<SecurityGroup>>();

  private constructor(private readonly options: Required<NetworkCatalogOptions>) {
    const { gateway } = options;
    this.subnetsById = this.lookup(
      (ids) => gateway.describeSubnets({ ids }),
      ({ id }) => id,
    );
    this.subnetsByName = this.lookup(
      (names) => gateway.describeSubnets({ names }),
      ({ name }) => name,
    );
    this.groupsById = this.lookup(
      (ids) => gateway.describeSecurityGroups({ ids }),
      ({ id }) => id,
    );
    this.groupsByName = this.lookup(
      (names) => gateway.describeSecurityGroups({ names }),
      ({ name }) => name,
    );
    this.associated = this.lookup(
      async (vpcIds) => {
        const found = vpcIds.map(async (vpcId) =>
          (await gateway.describeAssociatedGroups(vpcId)).map((id) => ({ id, vpcId })),
        );
        return (await Promise.all(found)).flat();
      },
      ({ vpcId }) => vpcId,
    );
  }

  static create(options: NetworkCatalogOptions): NetworkCatalog {
    return new NetworkCatalog({ ttlMs: 60_000, ...options });
  }

  /**
   * The subnets in the order of the given ids or names; those that share a name in the order of their ids. What EC2 does
   * not know is absent.
   * @throws Ec2Error
   */
  subnets(query: SubnetQuery): Promise<Subnet[]> {
    return 'ids' in query ? this.subnetsById.get(query.ids) : this.subnetsByName.get(query.names);
  }

  /**
   * The groups in the order of the given ids. What EC2 does not know is absent.
   * @throws Ec2Error
   */
  securityGroups(ids: readonly string[]): Promise<SecurityGroup[]> {
    return this.groupsById.get(ids);
  }

  /** Starts to look up groups by name, before their VPC is known. The lookup that needs them reports failures. */
  prefetchSecurityGroups(names: readonly string[]): void {
    this.groupsByName.get(names).catch(() => undefined);
  }

  /**
   * The groups of the VPC, in the order of the given names. What EC2 does not know is absent.
   * @throws Ec2Error
   */
  async securityGroupsNamed(names: readonly string[], vpcId: string): Promise<SecurityGroup[]> {
    const found = (await this.groupsByName.get(names)).filter((group) => group.vpcId === vpcId);
    const isComplete = names.every((name) => found.some((group) => group.name === name));
    // Another VPC's group of that name would hide one that was made a moment ago.
    return isComplete ? found : this.groupsIn(vpcId).get(names);
  }

  /**
   * The groups of other VPCs that are associated with `vpcId`.
   * @throws Ec2Error
   */
  async associatedGroups(vpcId: string): Promise<SecurityGroup[]> {
    const found = await this.associated.get([vpcId]);
    return found.length > 0 ? this.groupsById.get(found.map(({ id }) => id)) : [];
  }

  private groupsIn(vpcId: string): CachedLookup<SecurityGroup> {
    const { gateway } = this.options;
    const lookup =
      this.groupsInVpc.get(vpcId) ??
      this.lookup(
        (names) => gateway.describeSecurityGroups({ names, vpcId }),
        ({ name }: SecurityGroup) => name,
      );
    this.groupsInVpc.set(vpcId, lookup);
    return lookup;
  }

  private lookup<V extends { id: string }>(
    read: (keys: string[]) => Promise<V[]>,
    keyOf: (value: V) => string | undefined,
  ): CachedLookup<V> {
    const { clock, ttlMs } = this.options;
    return CachedLookup.create({
      clock,
      ttlMs,
      fetch: async (keys) => {
        const values = (await read(keys)).toSorted((a, b) => a.id.localeCompare(b.id));
        return Map.groupBy(values, (value) => keyOf(value) ?? '');
      },
    });
  }
}
