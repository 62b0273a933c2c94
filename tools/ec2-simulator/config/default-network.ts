import type { NetworkSpec } from './specs.js';

/** Ids of {@link defaultNetwork}, for those who name them. */
export const DEFAULT_IDS = {
  vpc: 'vpc-0aa00000000000001',
  otherVpc: 'vpc-0bb00000000000001',
  subnets: {
    nodesA: 'subnet-0aa000000000000a0',
    nodesB: 'subnet-0aa000000000000b0',
    net1A: 'subnet-0aa000000000000a1',
    net1B: 'subnet-0aa000000000000b1',
    net2A: 'subnet-0aa000000000000a2',
    net2B: 'subnet-0aa000000000000b2',
    tinyA: 'subnet-0aa000000000000a9',
    otherA: 'subnet-0bb000000000000a1',
    otherB: 'subnet-0bb000000000000b1',
  },
  groups: {
    default: 'sg-0aa00000000000001',
    nodes: 'sg-0aa00000000000002',
    net1: 'sg-0aa00000000000003',
    otherDefault: 'sg-0bb00000000000001',
    other: 'sg-0bb00000000000002',
  },
} as const;

/**
 * Two zones of `region`, `a` and `b`. In the first VPC the names `net1` and `net2` each stand for a subnet
 * in either zone, and `tiny-a` has 11 addresses; the second VPC is for ENIs across VPCs, and
 * has no internet gateway.
 */
export function defaultNetwork(region: string): NetworkSpec {
  const { vpc, otherVpc, subnets, groups } = DEFAULT_IDS;
  const a = `${region}a`;
  const b = `${region}b`;
  return {
    vpcs: [
      { id: vpc, cidr: '10.0.0.0/16', tags: { Name: 'main' } },
      { id: otherVpc, cidr: '10.1.0.0/16', internetGateway: false, tags: { Name: 'other' } },
    ],
    subnets: [
      { id: subnets.nodesA, vpcId: vpc, zone: a, cidr: '10.0.0.0/19', name: 'nodes-a' },
      { id: subnets.nodesB, vpcId: vpc, zone: b, cidr: '10.0.32.0/19', name: 'nodes-b' },
      {
        id: subnets.net1A,
        vpcId: vpc,
        zone: a,
        cidr: '10.0.64.0/19',
        ipv6Cidr: '2600:1f14:abc:de01::/64',
        name: 'net1',
      },
      {
        id: subnets.net1B,
        vpcId: vpc,
        zone: b,
        cidr: '10.0.96.0/19',
        ipv6Cidr: '2600:1f14:abc:de02::/64',
        name: 'net1',
      },
      { id: subnets.net2A, vpcId: vpc, zone: a, cidr: '10.0.128.0/19', name: 'net2' },
      { id: subnets.net2B, vpcId: vpc, zone: b, cidr: '10.0.160.0/19', name: 'net2' },
      { id: subnets.tinyA, vpcId: vpc, zone: a, cidr: '10.0.192.0/28', name: 'tiny-a' },
      { id: subnets.otherA, vpcId: otherVpc, zone: a, cidr: '10.1.0.0/20', name: 'other' },
      { id: subnets.otherB, vpcId: otherVpc, zone: b, cidr: '10.1.16.0/20', name: 'other' },
    ],
    securityGroups: [
      { id: groups.default, name: 'default', vpcId: vpc },
      { id: groups.nodes, name: 'nodes', vpcId: vpc },
      { id: groups.net1, name: 'net1', vpcId: vpc },
      { id: groups.otherDefault, name: 'default', vpcId: otherVpc },
      { id: groups.other, name: 'other', vpcId: otherVpc },
    ],
  };
}
