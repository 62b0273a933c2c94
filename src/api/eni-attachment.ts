import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Condition } from '../runtime/kube/conditions.js';
import type { ObjectMeta } from '../runtime/kube/resource.js';
import { type ElasticIPSelection, ENISettings } from './eni-settings.js';
import { IsPodRoutes, type PodRoute } from './ipam.js';
import type { LinkFault } from './link-faults.js';
import { API_GROUP, API_VERSION } from './names.js';
import { IsIPv4Address } from './validators.js';

/** The network from which pods get addresses of the ENI. */
export class PodNetwork {
  /** Of the NetworkAttachmentDefinition, and of the CNI configuration that the agent writes. */
  @Matches(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
  name!: string;

  /** `routed`: the CNI plugin ptp. */
  @IsIn(['routed', 'ipvlan'])
  type!: 'routed' | 'ipvlan';

  @IsOptional()
  @ArrayMaxSize(16)
  @IsPodRoutes()
  routes?: PodRoute[];
}

/** The desired state of one ENI, resolved to ids by the controller. Its identity never changes. */
export class ENIAttachmentSpec extends ENISettings {
  @IsString()
  nodeENI!: string;

  @IsString()
  nodeName!: string;

  @Matches(/^i-[0-9a-f]{8,17}$/)
  instanceID!: string;

  @Matches(/^subnet-[0-9a-f]{8,17}$/)
  subnetID!: string;

  @IsOptional()
  @IsString()
  subnetCIDR?: string;

  /** The primary IPv4 address, from the NodeENI's pool; absent if EC2 chooses it. It never changes. */
  @IsOptional()
  @IsIPv4Address()
  privateIPAddress?: string;

  @ArrayMinSize(1)
  @ArrayMaxSize(16)
  @IsString({ each: true })
  securityGroupIDs!: string[];

  @IsInt()
  @Min(0)
  deviceIndex!: number;

  /**
   * Position among the NodeENI's ENIs on the node, from 0; absent if an older release created the attachment.
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(31)
  position?: number;

  /** The NodeENI's device index from which the positions count; absent under `deviceIndexPolicy: Auto`. */
  @IsOptional()
  @IsInt()
  @Min(0)
  baseDeviceIndex?: number;

  @IsInt()
  @Min(0)
  networkCardIndex!: number;

  @IsBoolean()
  deleteOnTermination!: boolean;

  /** Alternative name of the interface on the node. */
  @IsOptional()
  @Matches(/^[a-z][a-z0-9-]{0,14}$/)
  interfaceName?: string;

  /**
   * The device may be moved into a pod's network namespace (CNI plugin `host-device`): a missing device is
   * then not lost.
   */
  @IsOptional()
  @IsBoolean()
  hostDevice?: boolean;

  /** Absent if the addresses of the ENI are not for pods. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PodNetwork)
  podNetwork?: PodNetwork;
}

export const PHASES = [
  'Pending',
  'Creating',
  'Attaching',
  'Attached',
  'Ready',
  'Detaching',
  'Deleting',
  'Failed',
] as const;

/**
 * The stage of an ENI's life. A short `Creating` or `Deleting` is not written. `Failed`: a user has to change
 * something first.
 */
export type Phase = (typeof PHASES)[number];

/** `absent`: the node has no such device. `moved`: the node had it, and now a pod has it. */
type LinkStateSeen = 'up' | 'down' | 'absent' | 'moved';

/** The interface on the node, as the node's agent reports it. */
export interface LinkStatus {
  /** Generation of the spec that the agent has processed. */
  observedGeneration?: number;
  name?: string;
  altName?: string;
  macAddress?: string;
  pciAddress?: string;
  mtu?: number;
  state?: LinkStateSeen;
  addresses?: string[];
  /** Addresses of the ENI that pods on the node have now. */
  podAddresses?: string[];
  /** Addresses and prefixes of the ENI that no further pod gets: the CNI configuration is without them. */
  withdrawnAddresses?: string[];
  /** What prevents the interface from matching the spec: one word for programs … */
  reason?: LinkFault;
  /** … and a sentence for people. */
  message?: string;
}

/** The association of an Elastic IP address, recorded before it is made. */
export interface ElasticIPStatus {
  allocationID: string;
  publicIP: string;
  /** Absent as long as the association may not exist. */
  associationID?: string;
  /** `spec.elasticIP` by which the address was selected. */
  selectedBy: ElasticIPSelection;
}

export interface ENIAttachmentStatus {
  observedGeneration?: number;
  phase?: Phase;
  eniID?: string;
  attachmentID?: string;
  macAddress?: string;
  privateIPAddresses?: string[];
  /** Each a /28. */
  ipv4Prefixes?: string[];
  /** Each a /80. */
  ipv6Prefixes?: string[];
  ipv6Addresses?: string[];
  /** The one of the primary private address, also if another program associated it. */
  publicIP?: string;
  /** What this operator associated, or is about to associate. */
  elasticIP?: ElasticIPStatus;
  /** How many times the ENI was lost to an outside change and replaced. */
  replacements?: number;
  /** Keys of the user's tags that the operator sets; one that the spec no longer has is removed. */
  tagKeys?: string[];
  lastUpdated?: string;
  link?: LinkStatus;
  conditions?: Condition[];
}

/** The attachment of one ENI of one node. Cluster scoped. */
export class ENIAttachment {
  static readonly resource = {
    group: API_GROUP,
    version: API_VERSION,
    plural: 'eniattachments',
    kind: 'ENIAttachment',
    namespaced: false,
  };

  metadata!: ObjectMeta;
  spec!: ENIAttachmentSpec;
  status?: ENIAttachmentStatus;
}
