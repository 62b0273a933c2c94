import 'reflect-metadata';
import { plainToInstance, Type } from 'class-transformer';
import {
  Allow,
  Equals,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationError,
  validateSync,
} from 'class-validator';
import type { PolicyDocument } from '../iam/parse-policy.js';
import { INSTANCE_STATES, type InstanceState } from '../region/model.js';
import { InvalidInputError } from './invalid-input.js';

/**
 * `input` as an instance of `type`.
 * @throws InvalidInputError that names each wrong field.
 */
export function parseSpec<T extends object>(type: new () => T, input: unknown): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidInputError('expected an object');
  }
  const spec = plainToInstance(type, input);
  const failures = validateSync(spec, { whitelist: true, forbidNonWhitelisted: true });
  if (failures.length > 0) {
    throw new InvalidInputError(failures.flatMap((failure) => messages(failure, '')).join('; '));
  }
  return spec;
}

function messages(failure: ValidationError, path: string): string[] {
  const field = path + failure.property;
  return [
    ...Object.values(failure.constraints ?? {}).map((message) => `${path}${message}`),
    ...(failure.children ?? []).flatMap((child) => messages(child, `${field}.`)),
  ];
}

const isMilliseconds = (value: unknown): boolean => typeof value === 'number' && value >= 0;

function isRecordOf(test: (value: unknown) => boolean, what: string): PropertyDecorator {
  return ValidateBy({
    name: 'isRecordOf',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'object' && value !== null && Object.values(value).every(test),
      defaultMessage: (args) => `${args?.property} must be an object of ${what}`,
    },
  });
}

const IsTags = (): PropertyDecorator => isRecordOf((value) => typeof value === 'string', 'strings');
const IsMilliseconds = (): PropertyDecorator =>
  ValidateBy({
    name: 'isMilliseconds',
    validator: {
      validate: isMilliseconds,
      defaultMessage: (args) => `${args?.property} must be a number of milliseconds, from 0`,
    },
  });

export class VpcSpec {
  @IsString() id!: string;
  @IsString() cidr!: string;
  /** Whether an internet gateway is attached; default: yes. */
  @IsOptional() @IsBoolean() internetGateway?: boolean;
  @IsOptional() @IsTags() tags?: Record<string, string>;
}

export class SubnetSpec {
  /** Default: generated. */
  @IsOptional() @IsString() id?: string;
  @IsString() vpcId!: string;
  @IsString() zone!: string;
  /** Absent on an IPv6-only subnet. */
  @IsOptional() @IsString() cidr?: string;
  /** IPv6-only: its ENIs have IPv6 addresses alone. */
  @IsOptional() @IsBoolean() ipv6Native?: boolean;
  /** Whether an ENI gets an IPv6 address unless its Create says otherwise. */
  @IsOptional() @IsBoolean() assignIpv6AddressOnCreation?: boolean;
  /** The account that shares the subnet; default: the simulator's. */
  @IsOptional() @IsString() ownerId?: string;
  /** A /64 written in four groups: `2600:1f14:abc:de00::/64`. */
  @IsOptional() @IsString() ipv6Cidr?: string;
  /** The `Name` tag. */
  @IsOptional() @IsString() name?: string;
  @IsOptional() @IsTags() tags?: Record<string, string>;
}

export class SecurityGroupSpec {
  @IsString() id!: string;
  @IsString() name!: string;
  @IsString() vpcId!: string;
  @IsOptional() @IsString() description?: string;
  /** The account that the group belongs to; default: the simulator's. */
  @IsOptional() @IsString() ownerId?: string;
  /** Other VPCs that the group is associated with (AssociateSecurityGroupVpc). */
  @IsOptional() @IsArray() @IsString({ each: true }) associatedVpcIds?: string[];
  @IsOptional() @IsTags() tags?: Record<string, string>;
}

/** An ENI that an instance has besides its launch ENI, e.g. the VPC CNI's. */
export class ExtraInterfaceSpec {
  @IsInt() @Min(0) deviceIndex!: number;
  @IsOptional() @IsInt() @Min(0) networkCardIndex?: number;
  @IsOptional() @IsString() description?: string;
  @IsOptional() @IsTags() tags?: Record<string, string>;
  @IsOptional() @IsInt() @Min(0) secondaryAddresses?: number;
}

export class InstanceSpec {
  /** Default: generated. */
  @IsOptional() @IsString() id?: string;
  /** Default `m5.large`. */
  @IsOptional() @IsString() type?: string;
  /** Default: the first subnet of `zone`, or the first of all. */
  @IsOptional() @IsString() subnetId?: string;
  @IsOptional() @IsString() zone?: string;
  /** The `Name` tag. */
  @IsOptional() @IsString() name?: string;
  /** Default: EC2's, from the private address. */
  @IsOptional() @IsString() privateDnsName?: string;
  /** Default `running`. */
  @IsOptional() @IsIn(INSTANCE_STATES) state?: InstanceState;
  /** Managed by a service (EKS Auto Mode): no caller may attach or detach its interfaces. */
  @IsOptional() @IsBoolean() managed?: boolean;
  @IsOptional() @IsTags() tags?: Record<string, string>;
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ExtraInterfaceSpec)
  extraInterfaces?: ExtraInterfaceSpec[];
}

export class AttachmentSpec {
  /** Absent where an AWS service holds the ENI. */
  @IsOptional() @IsString() instanceId?: string;
  @IsOptional() @IsInt() @Min(0) deviceIndex?: number;
  @IsOptional() @IsInt() @Min(0) networkCardIndex?: number;
  @IsOptional() @IsBoolean() deleteOnTermination?: boolean;
}

/** An ENI that this operator did not create. */
export class InterfaceSpec {
  /** Default: the attachment's instance's, or the first. */
  @IsOptional() @IsString() subnetId?: string;
  @IsOptional() @IsArray() @IsString({ each: true }) securityGroupIds?: string[];
  @IsOptional() @IsString() description?: string;
  @IsOptional() @IsString() interfaceType?: string;
  @IsOptional() @IsTags() tags?: Record<string, string>;
  /** Managed by an AWS service: EC2 refuses to detach or delete it. */
  @IsOptional() @IsBoolean() requesterManaged?: boolean;
  /** Attached from the start, without the checks of AttachNetworkInterface. */
  @IsOptional()
  @ValidateNested()
  @Type(() => AttachmentSpec)
  attachment?: AttachmentSpec;
}

/** An Elastic IP address that the account has allocated. */
export class ElasticIpSpec {
  /** Default: generated. */
  @IsOptional() @IsString() id?: string;
  /** Default: the next of 198.18.0.0/15. */
  @IsOptional() @IsString() publicIp?: string;
  /** Default: `amazon`. */
  @IsOptional() @IsString() pool?: string;
  @IsOptional() @IsTags() tags?: Record<string, string>;
}

export class NetworkSpec {
  @IsArray() @ValidateNested({ each: true }) @Type(() => VpcSpec) vpcs!: VpcSpec[];
  @IsArray() @ValidateNested({ each: true }) @Type(() => SubnetSpec) subnets!: SubnetSpec[];
  /** A VPC without a group named `default` gets one. */
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => SecurityGroupSpec)
  securityGroups?: SecurityGroupSpec[];
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => InstanceSpec)
  instances?: InstanceSpec[];
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ElasticIpSpec)
  elasticIps?: ElasticIpSpec[];
}

/** Which calls a fault meets; what is absent matches every call. */
class CallMatch {
  /** An action's name; absent or `*`: any. */
  @IsOptional() @IsString() action?: string;
  /** How many calls. Default 1. */
  @IsOptional() @IsInt() @IsPositive() times?: number;
  /** Calls about this instance only, also by an attachment's id. */
  @IsOptional() @IsString() instanceId?: string;
  /** Calls about this ENI only, also by an attachment's id. */
  @IsOptional() @IsString() eniId?: string;
  /** Whether the call is carried out: `after` it has been, `before` it never is. */
  @IsOptional() @IsIn(['before', 'after']) when?: 'before' | 'after';
}

/** An error instead of the answer; `when` is `before` by default. */
export class FaultSpec extends CallMatch {
  @IsString() code!: string;
  @IsOptional() @IsString() message?: string;
  /** Default: the one that goes with the code; 400 for most. */
  @IsOptional() @IsInt() httpStatus?: number;
}

/** A connection cut instead of the answer; `when` is `after` by default. */
export class LostAnswerSpec extends CallMatch {}

/** Transitions that never settle; a forced detach ends them. */
export class StallSpec {
  @IsIn(['attach', 'detach']) transition!: 'attach' | 'detach';
  /** How many transitions. Default 1. */
  @IsOptional() @IsInt() @IsPositive() times?: number;
  @IsOptional() @IsString() instanceId?: string;
  @IsOptional() @IsString() eniId?: string;
}

export class TagsSpec {
  @IsArray() @IsString({ each: true }) resourceIds!: string[];
  @IsTags() tags!: Record<string, string>;
}

export class InstanceStateSpec {
  @IsIn(INSTANCE_STATES) state!: InstanceState;
}

export class TransitionSpec {
  @IsOptional() @IsMilliseconds() attach?: number;
  @IsOptional() @IsMilliseconds() detach?: number;
}

export class ConsistencySpec {
  @IsOptional() @IsMilliseconds() newInvisibleMs?: number;
  @IsOptional() @IsMilliseconds() staleReadMs?: number;
}

export class ThrottlingSpec {
  /** Factor on every bucket's capacity and refill. */
  @IsNumber() @IsPositive() scale!: number;
}

export class QuotaSpec {
  /** ENIs of the Region. Default 5,000, EC2's. */
  @IsOptional() @IsInt() @IsPositive() interfaces?: number;
  /** Default 5, EC2's. */
  @IsOptional() @IsInt() @IsPositive() groupsPerInterface?: number;
}

/** Settings that you can change while the simulator runs. */
export class SettingsSpec {
  /**
   * Milliseconds of each call before its answer, by action (`default`: the others). The call takes effect
   * on arrival: only its answer is late. Default 0.
   */
  @IsOptional() @isRecordOf(isMilliseconds, 'milliseconds') callLatency?: Record<string, number>;
  /** Milliseconds from the accepted call to the settled state. Default 0: settled when answered. */
  @IsOptional() @ValidateNested() @Type(() => TransitionSpec) transition?: TransitionSpec;
  /** Eventual consistency. Default 0. */
  @IsOptional() @ValidateNested() @Type(() => ConsistencySpec) consistency?: ConsistencySpec;
  /** Token buckets with EC2's documented numbers, times `scale`. Default on. */
  @IsOptional()
  @ValidateIf((spec: SettingsSpec) => typeof spec.throttling !== 'boolean')
  @IsObject()
  @ValidateNested()
  @Type(() => ThrottlingSpec)
  throttling?: boolean | ThrottlingSpec;
  @IsOptional() @ValidateNested() @Type(() => QuotaSpec) quota?: QuotaSpec;
  /**
   * IAM policies of the one role that all callers have: EC2 refuses what none allows. Null, the default:
   * everything is allowed. Checked where it is applied, because only the policy parser knows what it means.
   */
  @Allow() policy?: PolicyDocument | readonly PolicyDocument[] | null;
}

/** How to start a simulator. */
export class OptionsSpec extends SettingsSpec {
  /** Version of this format. It changes when an option changes its meaning or goes. Default: 1. */
  @IsOptional() @Equals(1) version?: 1;
  /** 0, the default: any free one. */
  @IsOptional() @IsInt() @Min(0) port?: number;
  /** Default `us-west-2`. */
  @IsOptional() @IsString() region?: string;
  /** Default `123456789012`. */
  @IsOptional() @IsString() accountId?: string;
  @IsOptional() @ValidateNested() @Type(() => NetworkSpec) network?: NetworkSpec;
}
