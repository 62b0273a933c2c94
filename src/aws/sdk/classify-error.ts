import {
  AlreadyDoneError,
  CapacityError,
  type CapacityReason,
  ConflictError,
  type ConflictReason,
  CredentialsError,
  DeniedError,
  Ec2Error,
  type Ec2ErrorDetails,
  NotYetVisibleError,
  RetryableError,
  ThrottledError,
  UserError,
  type UserErrorReason,
} from '../ec2-errors.js';

type Classifier = (details: Ec2ErrorDetails) => Ec2Error;

const alreadyDone: Classifier = (details) => new AlreadyDoneError(details);
const denied: Classifier = (details) =>
  new DeniedError({ ...details, detail: withoutIdentity(details.message) });
const credentials: Classifier = (details) =>
  new CredentialsError({ ...details, detail: withoutIdentity(details.message) });
const notYetVisible: Classifier = (details) => new NotYetVisibleError(details);
const retryable: Classifier = (details) => new RetryableError(details);
const throttled: Classifier = (details) => new ThrottledError(details);
const capacity =
  (reason: CapacityReason): Classifier =>
  (details) =>
    new CapacityError(details, reason);
const conflict =
  (reason: ConflictReason): Classifier =>
  (details) =>
    new ConflictError(details, reason);
const user =
  (reason: UserErrorReason): Classifier =>
  (details) =>
    new UserError(details, reason);

interface Rule {
  code: string;
  /** Needed if one code has several meanings. */
  message?: RegExp;
  /** The only action with this meaning. */
  action?: string;
  classify: Classifier;
}

/**
 * What each error code means; the first rule that matches wins.
 * Source: Amazon EC2 Developer Guide, "Error codes for the Amazon EC2 API"; the messages are EC2's own.
 */
const RULES: readonly Rule[] = [
  {
    code: 'InvalidNetworkInterfaceID.NotFound',
    action: 'DeleteNetworkInterface',
    classify: alreadyDone,
  },
  { code: 'InvalidNetworkInterfaceID.NotFound', classify: notYetVisible },
  { code: 'InvalidAttachmentID.NotFound', action: 'DetachNetworkInterface', classify: alreadyDone },
  { code: 'InvalidAttachmentID.NotFound', classify: notYetVisible },
  { code: 'InvalidInstanceID.NotFound', classify: notYetVisible },
  {
    code: 'InvalidAssociationID.NotFound',
    action: 'DisassociateAddress',
    classify: alreadyDone,
  },

  {
    code: 'InvalidParameterValue',
    message: /already has an interface attached at device index/i,
    classify: conflict('SlotTaken'),
  },
  {
    code: 'InvalidParameterValue',
    message: /currently in use/i,
    classify: conflict('InterfaceInUse'),
  },
  { code: 'InvalidNetworkInterface.InUse', classify: conflict('InterfaceInUse') },
  { code: 'InvalidIPAddress.InUse', classify: conflict('AddressTaken') },
  { code: 'Resource.AlreadyAssociated', classify: conflict('ElasticIPUnavailable') },
  // Released since it was read.
  { code: 'InvalidAllocationID.NotFound', classify: conflict('ElasticIPUnavailable') },
  { code: 'IncorrectState', classify: conflict('InstanceNotAttachable') },
  { code: 'IncorrectInstanceState', classify: conflict('InstanceNotAttachable') },
  { code: 'IdempotentParameterMismatch', classify: conflict('IdempotencyMismatch') },

  { code: 'AttachmentLimitExceeded', classify: capacity('InstanceFull') },
  {
    code: 'InvalidInterface.IpAddressLimitExceeded',
    classify: capacity('AddressLimitExceeded'),
  },
  { code: 'PrivateIpAddressLimitExceeded', classify: capacity('AddressLimitExceeded') },
  { code: 'InsufficientCidrBlocks', classify: capacity('InsufficientCidrBlocks') },
  { code: 'InsufficientFreeAddressesInSubnet', classify: capacity('SubnetFull') },
  { code: 'NetworkInterfaceLimitExceeded', classify: capacity('InterfaceQuotaReached') },

  { code: 'InvalidSubnetID.NotFound', classify: user('SubnetNotFound') },
  { code: 'InvalidGroup.NotFound', classify: user('SecurityGroupNotFound') },
  { code: 'InvalidSecurityGroupID.NotFound', classify: user('SecurityGroupNotFound') },
  {
    code: 'InvalidParameter',
    message: /different networks|security group/i,
    classify: user('SecurityGroupVpcMismatch'),
  },
  { code: 'SecurityGroupsPerInterfaceLimitExceeded', classify: user('TooManySecurityGroups') },
  {
    code: 'InvalidParameterCombination',
    message: /same availability zone/i,
    classify: user('ZoneMismatch'),
  },
  { code: 'Gateway.NotAttached', classify: user('InternetGatewayMissing') },
  { code: 'OperationNotPermitted', classify: user('NotPermitted') },

  { code: 'UnauthorizedOperation', classify: denied },
  { code: 'AuthFailure', message: /credentials/i, classify: credentials },
  { code: 'AuthFailure', classify: denied },
  { code: 'Blocked', classify: denied },
  { code: 'OptInRequired', classify: denied },
  { code: 'PendingVerification', classify: denied },
  { code: 'InvalidClientTokenId', classify: credentials },
  { code: 'SignatureDoesNotMatch', classify: credentials },
  // From STS, which the SDK calls for credentials before it calls EC2.
  { code: 'AccessDenied', classify: credentials },
  { code: 'AccessDeniedException', classify: credentials },
  { code: 'InvalidIdentityToken', classify: credentials },
  { code: 'InvalidIdentityTokenException', classify: credentials },
  { code: 'CredentialsProviderError', classify: credentials },

  // Credentials rotate and clocks get corrected: the next call has a new signature.
  { code: 'ExpiredToken', classify: retryable },
  { code: 'ExpiredTokenException', classify: retryable },
  { code: 'RequestExpired', classify: retryable },
  { code: 'RequestInTheFuture', classify: retryable },
  { code: 'RequestTimeTooSkewed', classify: retryable },
  { code: 'IDPCommunicationError', classify: retryable },

  { code: 'RequestLimitExceeded', classify: throttled },
  { code: 'Throttling', classify: throttled },
  { code: 'ThrottlingException', classify: throttled },
  { code: 'RequestThrottled', classify: throttled },
  { code: 'RequestThrottledException', classify: throttled },
  { code: 'TooManyRequestsException', classify: throttled },
  { code: 'EC2ThrottledException', classify: throttled },
];

/** IAM's encoded denial, about 2 kB; `cause` keeps it for `aws sts decode-authorization-message`. */
const ENCODED_DENIAL = /\s*Encoded authorization failure message:.*$/is;

/**
 * Role, account and resources are for the log: everyone with read access to the namespace can read conditions
 * and Events.
 */
function withoutIdentity(message: string): string {
  return message
    .replace(/\bUser: \S+ is not authorized/i, 'The role of the controller is not authorized')
    .replace(/ on resource: \S+/gi, '')
    .replace(/\barn:\S+/gi, '(an ARN)');
}

/**
 * Classifies an error of the SDK from a call of `action` into the class that callers switch on. For a code
 * without a rule, the HTTP status decides: 4xx is the user's mistake; anything else is worth a retry (5xx, or
 * no response, after which it is unknown whether the call took effect).
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
  if (rule) return rule.classify(details);
  return byHttpStatus(httpStatus)(details);
}

function byHttpStatus(status = 0): Classifier {
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
  const withoutDenial = (text(message) ?? String(error)).replace(ENCODED_DENIAL, '');
  return {
    details: {
      action,
      // The name of a service error is EC2's code; a socket error has a `code` (`ECONNRESET`).
      code: (httpStatus === undefined ? text(code) : undefined) ?? text(name) ?? 'Unknown',
      message: withoutDenial || 'no message',
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
