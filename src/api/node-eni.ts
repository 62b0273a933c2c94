import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Condition } from '../runtime/kube/conditions.js';
import type { ObjectMeta } from '../runtime/kube/resource.js';
import { ENISettings, IPv4Addresses } from './eni-settings.js';
import { type IPAM, IsIPAM, IsPodRoutes, type PodRoute } from './ipam.js';
import { API_GROUP, API_VERSION } from './names.js';
import type { AdoptionReason } from './reasons.js';
import {
  AtLeastOneOf,
  HasAtLeastOneOf,
  HasAtMostOneOf,
  HasPoolOfAddresses,
  IsIPv4Pool,
  IsLabelSelectorMap,
  IsNotHostInterfaceName,
  IsNotLaunchInterface,
  IsNumberOrPercentage,
  NamedWhereShared,
  NoDeviceIndexWithAuto,
} from './validators.js';

const SUBNET_ID = /^subnet-[0-9a-f]{8,17}$/;
const SECURITY_GROUP_ID = /^sg-[0-9a-f]{8,17}$/;

const DEVICE_INDEX_POLICIES = ['Fixed', 'Auto'] as const;
export type DeviceIndexPolicy = (typeof DEVICE_INDEX_POLICIES)[number];

/** The fields that name the subnets. */
export const SUBNET_FIELDS = ['subnetID', 'subnetName', 'subnetIDs', 'subnetNames'] as const;
/** The fields that name the security groups. */
export const SECURITY_GROUP_FIELDS = ['securityGroupIDs', 'securityGroupNames'] as const;

/** The name of a network device: Linux allows 15 characters, and a node's further ENIs get `-1` and so on. */
const INTERFACE_NAME = /^[a-z][a-z0-9-]{0,11}$/;
const TAINT =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?:(NoSchedule|PreferNoSchedule|NoExecute)$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const NETWORK_ATTACHMENT_TYPES = ['routed', 'ipvlan', 'macvlan', 'host-device'] as const;
export type NetworkAttachmentType = (typeof NETWORK_ATTACHMENT_TYPES)[number];

/** The NetworkAttachmentDefinition through which pods connect to a node's first ENI of the NodeENI. */
export class NetworkAttachment {
  @ArrayMinSize(1)
  @ArrayMaxSize(64)
  @ArrayUnique({ message: 'networkAttachment.namespaces must name each namespace once' })
  @Matches(NAMESPACE, {
    each: true,
    message: 'each of networkAttachment.namespaces must be the name of a namespace, not $value',
  })
  namespaces!: string[];

  /** The CNI plugin. */
  @IsIn(NETWORK_ATTACHMENT_TYPES)
  type!: NetworkAttachmentType;

  /** The plugin's `ipam` section. */
  @IsOptional()
  @IsIPAM()
  ipam?: IPAM;

  /**
   * `pool`: pods get the addresses of `spec.ipv4` and `spec.ipv6`, through a configuration that each node's
   * agent writes.
   */
  @IsOptional()
  @IsIn(['pool'])
  addresses?: 'pool';

  /** What else pods send through the interface; only with `addresses: pool`. */
  @IsOptional()
  @ArrayMaxSize(16)
  @IsPodRoutes()
  routes?: PodRoute[];
}

/** The primary address of each ENI, which EC2 can never change. */
export class PrimaryIPv4 {
  /** Addresses and CIDR blocks; those outside the ENI's subnet do not count for it. */
  @IsIPv4Pool()
  fromPool!: string[];
}

/** The addresses of an ENI, and where its primary one comes from. */
export class NodeENIIPv4 extends IPv4Addresses {
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PrimaryIPv4)
  primary?: PrimaryIPv4;
}

/** How ENIs are replaced if a change cannot be made in place. */
export class UpdatePolicy {
  /** Nodes that may be without their ENIs at a time: a number, or a percentage of the matching nodes. */
  @IsOptional()
  @IsNumberOrPercentage()
  maxUnavailable?: number | string;
}

/**
 * The desired state of each matching node. The CRD's schema validates first, with the same rules; these rules
 * cover other paths (objects stored before a rule existed, manifests checked offline).
 */
export class NodeENISpec extends ENISettings {
  @IsLabelSelectorMap()
  @AtLeastOneOf(SUBNET_FIELDS)
  @AtLeastOneOf(SECURITY_GROUP_FIELDS)
  @NoDeviceIndexWithAuto()
  @NamedWhereShared()
  @HasPoolOfAddresses()
  nodeSelector!: Record<string, string>;

  @IsOptional()
  @Matches(SUBNET_ID, {
    message: 'subnetID must be a subnet id such as subnet-0a1b2c3d, not $value',
  })
  subnetID?: string;

  @IsOptional()
  @IsString()
  @Length(1, 255)
  subnetName?: string;

  @IsOptional()
  @ArrayMaxSize(32)
  @ArrayUnique({ message: 'subnetIDs must name each subnet once' })
  @Matches(SUBNET_ID, {
    each: true,
    message: 'each of subnetIDs must be a subnet id such as subnet-0a1b2c3d, not $value',
  })
  subnetIDs?: string[];

  @IsOptional()
  @ArrayMaxSize(32)
  @ArrayUnique({ message: 'subnetNames must name each subnet once' })
  @Length(1, 255, { each: true })
  subnetNames?: string[];

  @IsOptional()
  @ArrayMaxSize(16)
  @ArrayUnique({ message: 'securityGroupIDs must name each group once' })
  @Matches(SECURITY_GROUP_ID, {
    each: true,
    message: 'each of securityGroupIDs must be a group id such as sg-0a1b2c3d, not $value',
  })
  securityGroupIDs?: string[];

  @IsOptional()
  @ArrayMaxSize(16)
  @ArrayUnique({ message: 'securityGroupNames must name each group once' })
  @Length(1, 255, { each: true })
  securityGroupNames?: string[];

  /** Device index of a node's first ENI. Index 0 of card 0 is the interface that the instance was launched with. */
  @IsOptional()
  @IsInt()
  @IsNotLaunchInterface()
  @Min(0)
  @Max(31)
  deviceIndex?: number;

  /** `Auto`: each node gets a free device index; then `deviceIndex` must be absent. */
  @IsOptional()
  @IsIn(DEVICE_INDEX_POLICIES)
  deviceIndexPolicy?: DeviceIndexPolicy;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(63)
  networkCardIndex?: number;

  @IsOptional()
  @IsBoolean()
  deleteOnTermination?: boolean;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @HasAtLeastOneOf(['primary', 'secondaryAddresses', 'prefixes'])
  @HasAtMostOneOf(['secondaryAddresses', 'prefixes'])
  @Type(() => NodeENIIPv4)
  declare ipv4?: NodeENIIPv4;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => UpdatePolicy)
  updatePolicy?: UpdatePolicy;

  /** Alternative name of the interface on each node; a node's second ENI gets the suffix `-1`, and so on. */
  @IsOptional()
  @Matches(INTERFACE_NAME, {
    message:
      'interfaceName must be 1 to 12 lower-case letters, digits and dashes, such as eni-storage, not $value',
  })
  @IsNotHostInterfaceName()
  interfaceName?: string;

  /** Taint (`key:Effect`) that is removed from a node once all its ENIs are ready. */
  @IsOptional()
  @Matches(TAINT, {
    message:
      'startupTaint must be KEY:EFFECT, such as networking.k8s.aws/eni-not-ready:NoSchedule, not $value',
  })
  startupTaint?: string;

  /** The Go controller's fields for DPDK: kept, but not supported. See `nodeENIFaults`. */
  @IsOptional()
  @IsBoolean()
  enableDPDK?: boolean;

  @IsOptional()
  @IsString()
  @MaxLength(253)
  dpdkDriver?: string;

  @IsOptional()
  @IsString()
  @MaxLength(253)
  dpdkPCIAddress?: string;

  @IsOptional()
  @IsString()
  @MaxLength(253)
  dpdkResourceName?: string;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => NetworkAttachment)
  networkAttachment?: NetworkAttachment;
}

/** One entry of `status.attachments`: an ENIAttachment, as shown to users of the NodeENI. */
export interface NodeENIAttachment {
  nodeID: string;
  instanceID: string;
  eniID?: string;
  attachmentID?: string;
  subnetID: string;
  subnetCIDR?: string;
  mtu?: number;
  deviceIndex: number;
  /** `attached`, or the ENIAttachment's phase in lower case. */
  status: string;
  lastUpdated?: string;
  /** Why this ENI of the Go controller is not adopted; absent for ENIs that have an ENIAttachment. */
  adoption?: AdoptionReason;
}

/** An address of the pool that a node without an ENI had, and gets again. */
export interface KeptAddress {
  nodeID: string;
  subnetID: string;
  address: string;
}

export interface NodeENIStatus {
  observedGeneration?: number;
  deviceIndex?: number;
  nodes?: number;
  desired?: number;
  attached?: number;
  ready?: number;
  attachments?: NodeENIAttachment[];
  attachmentsOmitted?: number;
  /** The newest last. */
  keptAddresses?: KeptAddress[];
  conditions?: Condition[];
}

/** The desired state: which ENIs the nodes of a selector should have. Cluster scoped. */
export class NodeENI {
  static readonly resource = {
    group: API_GROUP,
    version: API_VERSION,
    plural: 'nodeenis',
    kind: 'NodeENI',
    namespaced: false,
  };

  metadata!: ObjectMeta;
  spec!: NodeENISpec;
  status?: NodeENIStatus;
}
