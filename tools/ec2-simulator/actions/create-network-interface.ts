import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { checkId } from '../region/ids.js';
import { type AddressRequest, createInterface } from '../region/interfaces.js';
import type { ConnectionTracking, Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import { checkGroups } from './support/lookup.js';
import { interfaceView } from './support/views.js';
import { checkTags, type Tag } from './tags.js';

/** EC2's limit on ClientToken, in ASCII characters. */
const MAX_TOKEN = 64;
/** EC2's limit on Description. */
const MAX_DESCRIPTION = 255;

export function createNetworkInterface(query: Query, region: Region): XmlValue {
  const token = clientToken(query);
  const used = token === undefined ? undefined : region.clientTokens.get(token);
  const fingerprint = query.fingerprint();
  if (used && used.fingerprint !== fingerprint) {
    throw errors.tokenMismatch();
  }
  const eni = used ? (region.enis.get(used.eni.id) ?? used.eni) : create(query, region);
  if (token !== undefined) {
    region.clientTokens.set(token, { fingerprint, eni });
  }
  return { networkInterface: interfaceView(region, eni), clientToken: token };
}

function create(query: Query, region: Region): Eni {
  const subnetId = checkId('subnet', query.required('SubnetId'));
  const subnet = region.subnets.get(subnetId);
  if (!subnet) {
    throw errors.subnetsNotFound([subnetId]);
  }
  return createInterface(region, {
    subnetId,
    groupIds: groups(query, region, subnet.vpcId),
    description: checkDescription(query.text('Description') ?? ''),
    interfaceType: query.text('InterfaceType') ?? 'interface',
    tags: tags(query),
    addresses: addresses(query),
    primaryIpv6: query.boolean('EnablePrimaryIpv6') ?? false,
    connectionTracking: connectionTracking(query),
  });
}

function clientToken(query: Query): string | undefined {
  const token = query.text('ClientToken');
  if (token !== undefined && !/^[\x20-\x7e]{1,64}$/.test(token)) {
    throw errors.invalidValue(
      `Invalid value '${token}' for clientToken. It must have at most ${MAX_TOKEN} ASCII characters`,
    );
  }
  return token;
}

export function checkDescription(description: string): string {
  if (description.length > MAX_DESCRIPTION) {
    throw errors.invalidValue(
      `Invalid value for parameter description. It must have at most ${MAX_DESCRIPTION} characters`,
    );
  }
  return description;
}

function groups(query: Query, region: Region, vpcId: string): string[] {
  if (!query.has('SecurityGroupId')) {
    const group = region.defaultGroup(vpcId);
    return group ? [group.id] : [];
  }
  return checkGroups(region, vpcId, query.list('SecurityGroupId'), errors.createGroupNotFound);
}

function tags(query: Query): Record<string, string> {
  const found: Tag[] = [];
  for (const specification of query.structures('TagSpecification')) {
    const type = specification.required('ResourceType');
    if (type !== 'network-interface') {
      throw errors.invalidValue(
        `'${type}' is not a valid taggable resource type for this operation.`,
      );
    }
    for (const tag of specification.structures('Tag')) {
      found.push({ key: tag.required('Key'), value: tag.text('Value') ?? '' });
    }
  }
  return checkTags({}, found);
}

function addresses(query: Query): AddressRequest {
  const single = query.text('PrivateIpAddress');
  const structures = query.structures('PrivateIpAddresses');
  exclusive(query, [
    'PrivateIpAddresses',
    'SecondaryPrivateIpAddressCount',
    'Ipv4Prefix',
    'Ipv4PrefixCount',
  ]);
  exclusive(query, ['Ipv6Addresses', 'Ipv6AddressCount', 'Ipv6Prefix', 'Ipv6PrefixCount']);
  for (const unsupported of ['Ipv4Prefix', 'Ipv6Prefix']) {
    if (query.has(unsupported)) {
      throw errors.unsupported(`This simulator does not know ${unsupported}`);
    }
  }
  const named = structures
    .map((item) => ({
      address: item.required('PrivateIpAddress'),
      primary: item.boolean('Primary') ?? false,
    }))
    .sort((a, b) => Number(b.primary) - Number(a.primary))
    .map(({ address }) => address);
  return {
    ipv4: single === undefined ? named : [single, ...named.filter((address) => address !== single)],
    secondaryCount: query.integer('SecondaryPrivateIpAddressCount') ?? 0,
    ipv4PrefixCount: query.integer('Ipv4PrefixCount') ?? 0,
    ipv6: query.structures('Ipv6Addresses').map((item) => item.required('Ipv6Address')),
    ipv6Count: query.integer('Ipv6AddressCount'),
    ipv6PrefixCount: query.integer('Ipv6PrefixCount') ?? 0,
  };
}

/** The bounds are EC2's: seconds. */
const TRACKING_BOUNDS = {
  TcpEstablishedTimeout: [60, 432_000],
  UdpStreamTimeout: [60, 180],
  UdpTimeout: [30, 60],
} as const;

export function connectionTracking(query: Query): ConnectionTracking {
  const found = Object.entries(TRACKING_BOUNDS).flatMap(([name, [min, max]]) => {
    const value = query.integer(`ConnectionTrackingSpecification.${name}`);
    if (value === undefined) return [];
    if (value < min || value > max) {
      throw errors.invalidValue(`Invalid value '${value}' for ${name}: ${min} to ${max} seconds`);
    }
    return [[name.charAt(0).toLowerCase() + name.slice(1), value] as const];
  });
  return Object.fromEntries(found);
}

function exclusive(query: Query, names: readonly string[]): void {
  const [first, second] = names.filter((name) => query.has(name));
  if (first !== undefined && second !== undefined) {
    throw errors.invalidCombination(
      `The parameter ${first} cannot be used with the parameter ${second}`,
    );
  }
}
