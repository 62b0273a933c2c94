import type { ActionName } from '../action-names.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import type { Region } from '../region/region.js';
import type { Transitions } from '../region/transitions.js';
import {
  assignIpv6Addresses,
  assignPrivateIpAddresses,
  unassignIpv6Addresses,
  unassignPrivateIpAddresses,
} from './addresses.js';
import { attachNetworkInterface, detachNetworkInterface } from './attachments.js';
import {
  deleteNetworkInterface,
  modifyNetworkInterfaceAttribute,
} from './change-network-interface.js';
import { createNetworkInterface } from './create-network-interface.js';
import { describeInstances, describeInstanceTypes } from './describe-instances.js';
import {
  describeAvailabilityZones,
  describeSecurityGroups,
  describeSecurityGroupVpcAssociations,
  describeSubnets,
  describeVpcs,
} from './describe-network.js';
import { describeNetworkInterfaces } from './describe-network-interfaces.js';
import { associateAddress, describeAddresses, disassociateAddress } from './elastic-ips.js';
import { createTags, deleteTags } from './tags.js';

/** Carries out one call. @throws ApiError, having changed nothing. */
export type Action = (query: Query, region: Region, transitions: Transitions) => XmlValue;

const ACTIONS: Readonly<Record<ActionName, Action>> = {
  AssignIpv6Addresses: assignIpv6Addresses,
  AssignPrivateIpAddresses: assignPrivateIpAddresses,
  AssociateAddress: associateAddress,
  AttachNetworkInterface: attachNetworkInterface,
  CreateNetworkInterface: createNetworkInterface,
  CreateTags: createTags,
  DeleteNetworkInterface: deleteNetworkInterface,
  DeleteTags: deleteTags,
  DescribeAddresses: describeAddresses,
  DescribeAvailabilityZones: describeAvailabilityZones,
  DescribeInstances: describeInstances,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeNetworkInterfaces: describeNetworkInterfaces,
  DescribeSecurityGroups: describeSecurityGroups,
  DescribeSecurityGroupVpcAssociations: describeSecurityGroupVpcAssociations,
  DescribeSubnets: describeSubnets,
  DescribeVpcs: describeVpcs,
  DetachNetworkInterface: detachNetworkInterface,
  DisassociateAddress: disassociateAddress,
  ModifyNetworkInterfaceAttribute: modifyNetworkInterfaceAttribute,
  UnassignIpv6Addresses: unassignIpv6Addresses,
  UnassignPrivateIpAddresses: unassignPrivateIpAddresses,
};

export function actionNamed(name: string): Action | undefined {
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name as ActionName] : undefined;
}
