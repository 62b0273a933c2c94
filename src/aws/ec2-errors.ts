/** What every EC2 failure carries. */
export interface Ec2ErrorDetails {
  /** The gateway's call, named as EC2 names it: `CreateNetworkInterface`. */
  action: string;
  /** EC2's error code, or the transport's (`ECONNRESET`, `TimeoutError`). */
  code: string;
  /** EC2's message. */
  message: string;
  /** The part of it that everyone may read; default: all of it. */
  detail?: string;
  requestId?: string;
  cause?: unknown;
}

/** A failed EC2 call, classified once (`classify-error.ts`): callers switch on the class and never parse its text. */
export abstract class Ec2Error extends Error {
  readonly action: string;
  readonly code: string;
  /** EC2's message alone, suitable for the message of a condition. */
  readonly detail: string;
  readonly requestId: string | undefined;

  constructor(details: Ec2ErrorDetails) {
    super(`${details.action}: ${details.code}: ${details.message}`, { cause: details.cause });
    this.name = new.target.name;
    this.action = details.action;
    this.code = details.code;
    this.detail = details.detail ?? details.message;
    this.requestId = details.requestId;
  }
}

/** EC2 or the connection to it failed; whether the call took effect is unknown. Retry with backoff. */
export class RetryableError extends Ec2Error {}

/** EC2 throttled the call, which had no effect. Retry later. */
export class ThrottledError extends Ec2Error {}

/** EC2 does not know the id: it is too new, or the resource no longer exists. */
export class NotYetVisibleError extends Ec2Error {}

/** The call was not necessary: the resource is already deleted or detached. */
export class AlreadyDoneError extends Ec2Error {}

/** A resource is not in the state that the call needs: a slot or an address taken, an ENI in use, an instance not running. */
export class ConflictError extends Ec2Error {
  constructor(
    details: Ec2ErrorDetails,
    readonly reason: ConflictReason,
  ) {
    super(details);
  }
}
export type ConflictReason =
  | 'SlotTaken'
  | 'InterfaceInUse'
  | 'ElasticIPUnavailable'
  | 'InstanceNotAttachable'
  | 'AddressTaken'
  | 'IdempotencyMismatch';

/** The instance, the subnet or the Region's quota is full. */
export class CapacityError extends Ec2Error {
  constructor(
    details: Ec2ErrorDetails,
    readonly reason: CapacityReason,
  ) {
    super(details);
  }
}
export type CapacityReason =
  | 'InstanceFull'
  | 'AddressLimitExceeded'
  | 'SubnetFull'
  | 'InsufficientCidrBlocks'
  | 'InterfaceQuotaReached';

/** The request names something that does not exist or does not fit; only the user can fix it. */
export class UserError extends Ec2Error {
  constructor(
    details: Ec2ErrorDetails,
    readonly reason: UserErrorReason,
  ) {
    super(details);
  }
}
export type UserErrorReason =
  | 'SubnetNotFound'
  | 'SecurityGroupNotFound'
  | 'SecurityGroupVpcMismatch'
  | 'TooManySecurityGroups'
  | 'ZoneMismatch'
  | 'InternetGatewayMissing'
  | 'NotPermitted'
  | 'InvalidRequest';

/** IAM, or a policy above it, does not allow the call. */
export class DeniedError extends Ec2Error {}

/** The process has no valid AWS credentials, or may not assume its role. */
export class CredentialsError extends Ec2Error {}
