import type { NodeENISpec } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import type { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import type { SecurityGroup, Subnet } from '../../aws/ec2-gateway.js';
import { answerOrBlocked, isBlocked } from '../shared/blocked.js';

/**
 * One entry of the NodeENI's subnets. An id refers to one subnet; a name may refer to several, of which a
 * node uses the one in its Availability Zone.
 */
export interface SubnetChoice {
  /** As the user wrote it: a subnet id or a name. */
  entry: string;
  by: 'id' | 'name';
  subnets: Subnet[];
}

/** A subnet in which a node gets an ENI. */
export interface ListedSubnet {
  subnet: Subnet;
  /** Its position in the NodeENI's list, from 0. */
  position: number;
}

/** A NodeENI's subnets in one Availability Zone. */
export interface ZoneSubnets {
  listed: ListedSubnet[];
  /** Names without a subnet in this zone, but with subnets in others. */
  missing: string[];
}

/** How a NodeENI names its subnets: by ID, then by name. The order decides the positions. */
export interface SubnetEntries {
  ids: string[];
  names: string[];
}

/** The entries of all subnet fields, each once. */
export function subnetEntries(spec: NodeENISpec): SubnetEntries {
  const { subnetID, subnetIDs = [], subnetName, subnetNames = [] } = spec;
  return { ids: distinct([subnetID, ...subnetIDs]), names: distinct([subnetName, ...subnetNames]) };
}

/** An empty string counts as not set, as in objects that the Go controller stored. */
function distinct(entries: readonly (string | undefined)[]): string[] {
  return [...new Set(entries.filter((entry): entry is string => Boolean(entry)))];
}

/** Assigns the found subnets to the NodeENI's entries, in its order; blocked where an entry has no subnet. */
export function chooseSubnets(
  { ids, names }: SubnetEntries,
  found: readonly Subnet[],
): SubnetChoice[] | Blocked {
  const byId = ids.map(
    (entry): SubnetChoice => ({
      entry,
      by: 'id',
      subnets: found.filter(({ id }) => id === entry).slice(0, 1),
    }),
  );
  const byName = names.map(
    (entry): SubnetChoice => ({
      entry,
      by: 'name',
      subnets: [
        ...new Map(
          found.filter(({ name }) => name === entry).map((subnet) => [subnet.id, subnet]),
        ).values(),
      ],
    }),
  );
  const unknown = [...byId, ...byName].filter(({ subnets }) => subnets.length === 0);
  const unknownOf = (by: SubnetChoice['by']) =>
    quoted(unknown.filter((choice) => choice.by === by).map(({ entry }) => entry));
  const kinds = [
    ...(unknownOf('id') ? [`with the id ${unknownOf('id')}`] : []),
    ...(unknownOf('name') ? [`named ${unknownOf('name')}`] : []),
  ];
  return kinds.length > 0
    ? blocked('SubnetNotFound', `EC2 has no subnet ${kinds.join(', and none ')}`)
    : [...byId, ...byName];
}

/** The VPCs in which to look up a NodeENI's security groups by name. */
export function vpcsOf(choices: readonly SubnetChoice[]): string[] {
  return [...new Set(choices.flatMap(({ subnets }) => subnets.map(({ vpcId }) => vpcId)))];
}

/** The ids of the groups for an ENI in `subnet`, in the NodeENI's order; blocked where one does not fit. */
export function chooseSecurityGroups(
  spec: NodeENISpec,
  network: Network,
  subnet: Subnet,
): string[] | Blocked {
  const ids: string[] = [];
  const found = [
    ...(spec.securityGroupIDs ?? []).map((id) => groupWithId(id, network, subnet)),
    ...(spec.securityGroupNames ?? []).map((name) => groupNamed(name, network, subnet)),
  ];
  for (const id of found) {
    if (isBlocked(id)) {
      return id;
    }
    if (!ids.includes(id)) ids.push(id);
  }
  return ids;
}

/** A group of another VPC may be associated with the subnet's: EC2 decides. */
function groupWithId(id: string, { securityGroups }: Network, subnet: Subnet): string | Blocked {
  return securityGroups.some((group) => group.id === id)
    ? id
    : blocked(
        'SecurityGroupNotFound',
        `EC2 has no security group with the id ${quoted([id])} for ${subnet.vpcId}`,
      );
}

/**
 * The group of this name that the subnet's VPC can use. A shared VPC shows other accounts' groups too: those
 * of the nodes' account take precedence. If two are equal, neither is used, because a wrong group opens a
 * network.
 */
function groupNamed(name: string, network: Network, subnet: Subnet): string | Blocked {
  const { securityGroups, associatedGroups, accountID } = network;
  const named = [
    ...securityGroups.filter(({ vpcId }) => vpcId === subnet.vpcId),
    ...(associatedGroups.get(subnet.vpcId) ?? []),
  ].filter((group) => group.name === name);
  const own = named.filter(({ ownerId }) => accountID !== undefined && ownerId === accountID);
  const [first, ...others] = own.length > 0 ? own : named;
  if (!first) {
    return blocked(
      'SecurityGroupNotFound',
      `EC2 has no security group named ${quoted([name])} in ${subnet.vpcId}`,
    );
  }
  return others.length === 0
    ? first.id
    : blocked(
        'SecurityGroupNameAmbiguous',
        `Security groups ${[first, ...others].map(({ id }) => id).join(' and ')} in ${subnet.vpcId} are all named ${quoted([name])}`,
      );
}

/**
 * Decides which subnets a node in `zone` gets: of each entry, in the NodeENI's order, the subnet in that
 * zone. A name without one in this zone keeps its position free, so that no other interface gets its device
 * index and name; an id belongs to one zone, so ids count within the node's. A name that two subnets of the
 * zone share is ambiguous.
 */
export function subnetsInZone(
  choices: readonly SubnetChoice[],
  zone: string,
): ZoneSubnets | Blocked {
  const listed: ListedSubnet[] = [];
  const missing: string[] = [];
  for (const [index, { entry, by, subnets: candidates }] of choices.entries()) {
    const [first, second] = candidates.filter((subnet) => subnet.zone === zone);
    if (first && second) {
      return blocked(
        'SubnetNameAmbiguous',
        `Subnets ${first.id} and ${second.id} in ${zone} are both named ${quoted([entry])}`,
      );
    }
    if (first && listed.some(({ subnet }) => subnet.id === first.id)) {
      // Another entry refers to the same subnet: a node gets one ENI in it.
      continue;
    }
    if (first) {
      listed.push({ subnet: first, position: by === 'id' ? listed.length : index });
    } else if (by === 'name') {
      missing.push(entry);
    }
  }
  if (listed.length === 0) {
    const zones = new Set(choices.flatMap((choice) => choice.subnets.map((subnet) => subnet.zone)));
    return blocked(
      'NoSubnetInZone',
      `None of the subnets is in ${zone}; they are in ${[...zones].sort().join(', ')}`,
    );
  }
  return { listed, missing };
}

/** Why a node lacks some of its ENIs, if a name in the list has no subnet in the node's zone. */
export function missingSubnets({ missing }: ZoneSubnets, zone: string): Blocked | undefined {
  return missing.length === 0
    ? undefined
    : blocked(
        'SubnetNameNotInZone',
        `No subnet in ${zone} is named ${quoted(missing)}; the other subnets keep their places in the list`,
      );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

export interface NetworkResolverOptions {
  catalog: NetworkCatalog;
  instances: InstanceCatalog;
}

/** An instance never changes its account: a read of the last hour (milliseconds) is recent enough. */
const ACCOUNT_AGE_MS = 3_600_000;
/** Instances to query before the account counts as unknown: some may no longer exist. */
const MAX_ACCOUNT_LOOKUPS = 3;

/** Looks up the subnets and security groups that a NodeENI names. {@link subnetsInZone} picks a node's. */
export class NetworkResolver {
  constructor(private readonly options: NetworkResolverOptions) {}

  /**
   * The subnets and groups, or what the user has to correct about them.
   * @param instanceIDs instances of the nodes, of whose account groups are preferred
   * @throws Ec2Error where a retry may help
   */
  resolve(spec: NodeENISpec, instanceIDs: readonly string[]): Promise<Network | Blocked> {
    return answerOrBlocked(this.lookUp(spec, instanceIDs));
  }

  /**
   * Ids of all subnets that the NodeENI names, whatever their zone; undefined if EC2 does not know one of
   * them.
   * @throws Ec2Error if a retry may help
   */
  async subnetIDs(spec: NodeENISpec): Promise<ReadonlySet<string> | undefined> {
    const entries = subnetEntries(spec);
    if (entries.names.length === 0) return new Set(entries.ids);
    const found = await answerOrBlocked(this.subnets({ ids: [], names: entries.names }));
    return isBlocked(found) || isBlocked(chooseSubnets({ ids: [], names: entries.names }, found))
      ? undefined
      : new Set([...entries.ids, ...found.map(({ id }) => id)]);
  }

  private async lookUp(
    spec: NodeENISpec,
    instanceIDs: readonly string[],
  ): Promise<Network | Blocked> {
    const { securityGroupIDs: ids = [], securityGroupNames: names = [] } = spec;
    const { catalog } = this.options;
    const entries = subnetEntries(spec);
    // Names are unique only within a VPC, which the subnets determine: both are looked up in parallel.
    if (names.length > 0) catalog.prefetchSecurityGroups(names);
    const [found, groupsById] = await Promise.all([
      this.subnets(entries),
      ids.length > 0 ? catalog.securityGroups(ids) : [],
    ]);
    const subnets = chooseSubnets(entries, found);
    if (isBlocked(subnets)) {
      return subnets;
    }
    if (names.length === 0) {
      return { subnets, securityGroups: groupsById, associatedGroups: new Map() };
    }
    const named = await Promise.all(vpcsOf(subnets).map((vpcId) => this.groupsNamed(names, vpcId)));
    const securityGroups = [
      ...new Map(
        [...groupsById, ...named.flatMap(({ groups }) => groups)].map((group) => [group.id, group]),
      ).values(),
    ];
    const associatedGroups = new Map(named.map(({ vpcId, associated }) => [vpcId, associated]));
    const isAmbiguous = named.some(({ groups }) => groups.length > names.length);
    const accountID = isAmbiguous ? await this.accountOf(instanceIDs) : undefined;
    return { subnets, securityGroups, associatedGroups, accountID };
  }

  private async subnets({ ids, names }: SubnetEntries): Promise<Subnet[]> {
    const { catalog } = this.options;
    const found = await Promise.all([
      ids.length > 0 ? catalog.subnets({ ids }) : [],
      names.length > 0 ? catalog.subnets({ names }) : [],
    ]);
    return found.flat();
  }

  /** Groups associated with the VPC are queried only if its own do not have all the names. */
  private async groupsNamed(names: string[], vpcId: string): Promise<NamedGroups> {
    const { catalog } = this.options;
    const groups = await catalog.securityGroupsNamed(names, vpcId);
    const isComplete = names.every((name) => groups.some((group) => group.name === name));
    return { vpcId, groups, associated: isComplete ? [] : await catalog.associatedGroups(vpcId) };
  }

  /** The account of the first instance that EC2 knows. */
  private async accountOf(instanceIDs: readonly string[]): Promise<string | undefined> {
    for (const id of instanceIDs.slice(0, MAX_ACCOUNT_LOOKUPS)) {
      const instance = await this.options.instances.instance(id, { maxAgeMs: ACCOUNT_AGE_MS });
      if (instance?.ownerId !== undefined) return instance.ownerId;
    }
    return undefined;
  }
}

interface NamedGroups {
  vpcId: string;
  groups: SecurityGroup[];
  associated: SecurityGroup[];
}

/** The subnets and groups that a NodeENI names, as EC2 describes them. */
export interface Network {
  subnets: SubnetChoice[];
  securityGroups: SecurityGroup[];
  /** By VPC, the groups of other VPCs that are associated with it; looked up by name only. */
  associatedGroups: ReadonlyMap<string, readonly SecurityGroup[]>;
  /** The nodes' account; looked up only where groups share a name. */
  accountID?: string | undefined;
}
