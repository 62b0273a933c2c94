import {
  AlreadyDoneError,
  CapacityError,
  type CapacityReason,
  ConflictError,
  type ConflictReason,
  DeniedError,
  Ec2Error,
  type Ec2ErrorDetails,
  NotYetVisibleError,
  RetryableError,
  ThrottledError,
  UserError,
  type UserErrorReason,
} from '../ec2-errors.js';

type Sort = (details: Ec2ErrorDetails) => Ec2Error;

const alreadyDone: Sort = (details) => new AlreadyDoneError(details);
const denied: Sort = (details) => new DeniedError(details);
const notYetVisible: Sort = (details) => new NotYetVisibleError(details);
const retryable: Sort = (details) => new RetryableError(details);
const throttled: Sort = (details) => new ThrottledError(details);
const capacity =
  (reason: CapacityReason): Sort =>
  (details) =>
    new CapacityError(details, reason);
const conflict =
  (reason: ConflictReason): Sort =>
  (details) =>
    new ConflictError(details, reason);
const user =
  (reason: UserErrorReason): Sort =>
  (details) =>
    new UserError(details, reason);

interface Rule {
  code: string;
  /** Where one code means several things, EC2's sentence tells them apart. */
  message?: RegExp;
  /** The one action that this meaning belongs to. */
  action?: string;
  sort: Sort;
}

/**
 * What each error code means; the first rule that fits wins.
 * Source: Amazon EC2 Developer Guide, "Error codes for the Amazon EC2 API"; the messages are EC2's own.
 */
const RULES: readonly Rule[] = [
  {
    code: 'InvalidNetworkInterfaceID.NotFound',
    action: 'DeleteNetworkInterface',
    sort: alreadyDone,
  },
  { code: 'InvalidNetworkInterfaceID.NotFound', sort: notYetVisible },
  { code: 'InvalidAttachmentID.NotFound', action: 'DetachNetworkInterface', sort: alreadyDone },
  { code: 'InvalidAttachmentID.NotFound', sort: notYetVisible },
  { code: 'InvalidInstanceID.NotFound', sort: notYetVisible },

  {
    code: 'InvalidParameterValue',
    message: /already has an interface attached at device index/i,
    sort: conflict('SlotTaken'),
  },
  { code: 'InvalidParameterValue', message: /currently in use/i, sort: conflict('InterfaceInUse') },
  { code: 'InvalidNetworkInterface.InUse', sort: conflict('InterfaceInUse') },
  { code: 'IncorrectState', sort: conflict('InstanceNotAttachable') },
  { code: 'IncorrectInstanceState', sort: conflict('InstanceNotAttachable') },
  { code: 'IdempotentParameterMismatch', sort: conflict('IdempotencyMismatch') },

  { code: 'AttachmentLimitExceeded', sort: capacity('InstanceFull') },
  { code: 'InvalidInterface.IpAddressLimitExceeded', sort: capacity('InstanceFull') },
  { code: 'PrivateIpAddressLimitExceeded', sort: capacity('InstanceFull') },
  { code: 'InsufficientFreeAddressesInSubnet', sort: capacity('SubnetFull') },
  { code: 'NetworkInterfaceLimitExceeded', sort: capacity('InterfaceQuotaReached') },

  { code: 'InvalidSubnetID.NotFound', sort: user('SubnetNotFound') },
  { code: 'InvalidGroup.NotFound', sort: user('SecurityGroupNotFound') },
  { code: 'InvalidSecurityGroupID.NotFound', sort: user('SecurityGroupNotFound') },
  {
    code: 'InvalidParameter',
    message: /different networks|security group/i,
    sort: user('SecurityGroupVpcMismatch'),
  },
  { code: 'SecurityGroupsPerInterfaceLimitExceeded', sort: user('TooManySecurityGroups') },
  {
    code: 'InvalidParameterCombination',
    message: /same availability zone/i,
    sort: user('ZoneMismatch'),
  },
  { code: 'OperationNotPermitted', sort: user('NotPermitted') },

  { code: 'UnauthorizedOperation', sort: denied },
  { code: 'AuthFailure', sort: denied },
  { code: 'Blocked', sort: denied },
  { code: 'OptInRequired', sort: denied },
  { code: 'PendingVerification', sort: denied },
  { code: 'InvalidClientTokenId', sort: denied },
  { code: 'SignatureDoesNotMatch', sort: denied },
  // From STS, which the SDK asks for credentials before EC2 hears of the call.
  { code: 'AccessDenied', sort: denied },
  { code: 'AccessDeniedException', sort: denied },
  { code: 'InvalidIdentityToken', sort: denied },
  { code: 'InvalidIdentityTokenException', sort: denied },
  { code: 'CredentialsProviderError', sort: denied },

  // Credentials rotate and clocks are set right: the next call is signed anew.
  { code: 'ExpiredToken', sort: retryable },
  { code: 'ExpiredTokenException', sort: retryable },
  { code: 'RequestExpired', sort: retryable },
  { code: 'RequestInTheFuture', sort: retryable },
  { code: 'RequestTimeTooSkewed', sort: retryable },
  { code: 'IDPCommunicationError', sort: retryable },

  { code: 'RequestLimitExceeded', sort: throttled },
  { code: 'Throttling', sort: throttled },
  { code: 'ThrottlingException', sort: throttled },
  { code: 'RequestThrottled', sort: throttled },
  { code: 'RequestThrottledException', sort: throttled },
  { code: 'TooManyRequestsException', sort: throttled },
  { code: 'EC2ThrottledException', sort: throttled },
];

/** IAM's denial in machine code, some 2 kB of it; `cause` keeps it for `aws sts decode-authorization-message`. */
const ENCODED_DENIAL = /\s*Encoded authorization failure message:.*$/is;

/**
 * Sorts whatever the SDK threw from a call of `action`, once, into the class that callers switch on.
 * A code that no rule knows goes by the HTTP status: the user's mistake where EC2 answered 4xx, and
 * worth another try otherwise (5xx, or no answer at all: then whether the call took effect is unknown).
 */
export function toEc2Error(action: string, error: unknown): Ec2Error {
  if (error instanceof Ec2Error) return error;
  const { details, httpStatus } = parse(action, error);
  const rule = RULES.find(
    ({ code, message, action: only }) =>
      code === details.code &&
      (only === undefined || only === action) &&
      (message === undefined || message.test(details.message)),
  );
  if (rule) return rule.sort(details);
  return byHttpStatus(httpStatus)(details);
}

function byHttpStatus(status = 0): Sort {
  if (status === 401 || status === 403) return denied;
  if (status === 429) return throttled;
  return status >= 400 && status < 500 ? user('InvalidRequest') : retryable;
}

function parse(
  action: string,
  error: unknown,
): { details: Ec2ErrorDetails; httpStatus: number | undefined } {
  const { name, code, message, $metadata } = recordOf(error);
  const { httpStatusCode, requestId } = recordOf($metadata);
  const httpStatus = typeof httpStatusCode === 'number' ? httpStatusCode : undefined;
  const sentence = (text(message) ?? String(error)).replace(ENCODED_DENIAL, '');
  return {
    details: {
      action,
      // A service error's name is EC2's code; a socket's error has its own (`ECONNRESET`).
      code: (httpStatus === undefined ? text(code) : undefined) ?? text(name) ?? 'Unknown',
      message: sentence || 'no message',
      ...(typeof requestId === 'string' ? { requestId } : {}),
      cause: error,
    },
    httpStatus,
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
