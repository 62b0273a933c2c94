/** What every EC2 failure carries. */
export interface Ec2ErrorDetails {
  /** The gateway's call, named as EC2 names it: `CreateNetworkInterface`. */
  action: string;
  /** EC2's error code, or the transport's (`ECONNRESET`, `TimeoutError`). */
  code: string;
  /** EC2's own sentence. */
  message: string;
  requestId?: string;
  cause?: unknown;
}

/** A failed EC2 call, sorted once by `errors.ts`: callers switch on the class and never parse its text. */
export abstract class Ec2Error extends Error {
  readonly action: string;
  readonly code: string;
  /** EC2's own sentence alone, fit for a condition's message. */
  readonly detail: string;
  readonly requestId: string | undefined;

  constructor(details: Ec2ErrorDetails) {
    super(`${details.action}: ${details.code}: ${details.message}`, { cause: details.cause });
    this.name = new.target.name;
    this.action = details.action;
    this.code = details.code;
    this.detail = details.message;
    this.requestId = details.requestId;
  }
}

/** EC2 or the way to it failed; whether the call took effect is unknown. Again, with backoff. */
export class RetryableError extends Ec2Error {}

/** EC2 refused for rate; nothing happened. Again, later. */
export class ThrottledError extends Ec2Error {}

/** EC2 does not know the thing (yet): an id that is new, or gone. */
export class NotYetVisibleError extends Ec2Error {}

/** What was asked for is so already: deleting what is gone, detaching what is free. */
export class AlreadyDoneError extends Ec2Error {}

/** The thing is in another state than the call needs: a slot taken, an ENI in use, an instance not running. */
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
  | 'InstanceNotAttachable'
  | 'IdempotencyMismatch';

/** Something is full: the instance, the subnet, the Region's quota. */
export class CapacityError extends Ec2Error {
  constructor(
    details: Ec2ErrorDetails,
    readonly reason: CapacityReason,
  ) {
    super(details);
  }
}
export type CapacityReason = 'InstanceFull' | 'SubnetFull' | 'InterfaceQuotaReached';

/** The request names something that is not there or does not fit; only the user can help. */
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
  | 'NotPermitted'
  | 'InvalidRequest';

/** IAM, or a policy above it, does not allow the call. */
export class DeniedError extends Ec2Error {}
