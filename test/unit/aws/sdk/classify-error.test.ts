import { expect } from 'chai';
import {
  AlreadyDoneError,
  CapacityError,
  ConflictError,
  CredentialsError,
  DeniedError,
  type Ec2Error,
  NotYetVisibleError,
  RetryableError,
  ThrottledError,
  UserError,
} from '../../../../src/aws/ec2-errors.js';
import { toEc2Error } from '../../../../src/aws/sdk/classify-error.js';

/** An error as the SDK throws it for an answer of EC2. */
function serviceError(code: string, message: string, httpStatusCode: number): Error {
  return Object.assign(new Error(message), {
    name: code,
    $fault: 'client',
    $metadata: { httpStatusCode, requestId: 'req-1', attempts: 1 },
  });
}

/** An error as a socket throws it; the SDK adds metadata without a status. */
function socketError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 10.0.0.1:443`), {
    code,
    $metadata: { attempts: 1 },
  });
}

type ErrorClass = abstract new (...args: never[]) => Ec2Error;

interface Row {
  code: string;
  message?: string;
  action?: string;
  status?: number;
  is: ErrorClass;
  reason?: string;
}

const ROWS: Row[] = [
  {
    code: 'InvalidNetworkInterfaceID.NotFound',
    action: 'DeleteNetworkInterface',
    is: AlreadyDoneError,
  },
  {
    code: 'InvalidNetworkInterfaceID.NotFound',
    action: 'AttachNetworkInterface',
    is: NotYetVisibleError,
  },
  { code: 'Resource.AlreadyAssociated', is: ConflictError, reason: 'ElasticIPUnavailable' },
  { code: 'InvalidAllocationID.NotFound', is: ConflictError, reason: 'ElasticIPUnavailable' },
  { code: 'InvalidAssociationID.NotFound', action: 'DisassociateAddress', is: AlreadyDoneError },
  { code: 'Gateway.NotAttached', is: UserError, reason: 'InternetGatewayMissing' },
  { code: 'InvalidNetworkInterfaceId.Malformed', is: UserError, reason: 'InvalidRequest' },
  {
    code: 'InvalidNetworkInterfaceAttachmentId.Malformed',
    is: UserError,
    reason: 'InvalidRequest',
  },
  { code: 'InvalidAttachmentID.NotFound', action: 'DetachNetworkInterface', is: AlreadyDoneError },
  {
    code: 'InvalidAttachmentID.NotFound',
    action: 'ModifyNetworkInterfaceAttribute',
    is: NotYetVisibleError,
  },
  {
    code: 'InvalidParameterValue',
    message: "Instance 'i-1' already has an interface attached at device index '1'.",
    is: ConflictError,
    reason: 'SlotTaken',
  },
  {
    code: 'InvalidParameterValue',
    message: "Network interface 'eni-1' is currently in use.",
    is: ConflictError,
    reason: 'InterfaceInUse',
  },
  {
    code: 'InvalidParameterValue',
    message: 'Value (x) for parameter y is invalid.',
    is: UserError,
    reason: 'InvalidRequest',
  },
  {
    code: 'InvalidNetworkInterface.InUse',
    action: 'DeleteNetworkInterface',
    is: ConflictError,
    reason: 'InterfaceInUse',
  },
  {
    code: 'InvalidIPAddress.InUse',
    message: 'The specified address is already in use.',
    action: 'CreateNetworkInterface',
    is: ConflictError,
    reason: 'AddressTaken',
  },
  { code: 'AttachmentLimitExceeded', is: CapacityError, reason: 'InstanceFull' },
  {
    code: 'InvalidInterface.IpAddressLimitExceeded',
    is: CapacityError,
    reason: 'AddressLimitExceeded',
  },
  { code: 'PrivateIpAddressLimitExceeded', is: CapacityError, reason: 'AddressLimitExceeded' },
  { code: 'InsufficientCidrBlocks', is: CapacityError, reason: 'InsufficientCidrBlocks' },
  {
    code: 'InvalidParameterCombination',
    message:
      'You may not attach a network interface to an instance if they are not in the same availability zone',
    is: UserError,
    reason: 'ZoneMismatch',
  },
  {
    code: 'InvalidParameterCombination',
    message: 'Only one of these may be given',
    is: UserError,
    reason: 'InvalidRequest',
  },
  { code: 'InvalidGroup.NotFound', is: UserError, reason: 'SecurityGroupNotFound' },
  { code: 'InvalidSecurityGroupID.NotFound', is: UserError, reason: 'SecurityGroupNotFound' },
  {
    code: 'InvalidParameter',
    message: 'Security group sg-1 and subnet subnet-1 belong to different networks.',
    is: UserError,
    reason: 'SecurityGroupVpcMismatch',
  },
  {
    code: 'InvalidParameter',
    message: 'Something else is wrong.',
    is: UserError,
    reason: 'InvalidRequest',
  },
  {
    code: 'OperationNotPermitted',
    message: "You are not allowed to manage 'ela-attach' attachments.",
    is: UserError,
    reason: 'NotPermitted',
  },
  { code: 'IncorrectState', is: ConflictError, reason: 'InstanceNotAttachable' },
  { code: 'IncorrectInstanceState', is: ConflictError, reason: 'InstanceNotAttachable' },
  { code: 'InvalidInstanceID.NotFound', is: NotYetVisibleError },
  { code: 'InvalidSubnetID.NotFound', is: UserError, reason: 'SubnetNotFound' },
  { code: 'InsufficientFreeAddressesInSubnet', is: CapacityError, reason: 'SubnetFull' },
  { code: 'NetworkInterfaceLimitExceeded', is: CapacityError, reason: 'InterfaceQuotaReached' },
  {
    code: 'SecurityGroupsPerInterfaceLimitExceeded',
    is: UserError,
    reason: 'TooManySecurityGroups',
  },
  { code: 'IdempotentParameterMismatch', is: ConflictError, reason: 'IdempotencyMismatch' },
  { code: 'UnauthorizedOperation', status: 403, is: DeniedError },
  { code: 'AuthFailure', status: 401, is: DeniedError },
  {
    code: 'AuthFailure',
    message: 'AWS was not able to validate the provided access credentials',
    status: 401,
    is: CredentialsError,
  },
  { code: 'AccessDenied', status: 403, is: CredentialsError },
  { code: 'InvalidClientTokenId', status: 403, is: CredentialsError },
  { code: 'SomeNewDenial', status: 403, is: DeniedError },
  { code: 'DryRunOperation', status: 412, is: UserError, reason: 'InvalidRequest' },
  { code: 'RequestLimitExceeded', status: 503, is: ThrottledError },
  { code: 'Throttling', is: ThrottledError },
  { code: 'SomeNewThrottle', status: 429, is: ThrottledError },
  { code: 'InternalError', status: 500, is: RetryableError },
  { code: 'Unavailable', status: 503, is: RetryableError },
  { code: 'ExpiredToken', is: RetryableError },
  { code: 'RequestExpired', is: RetryableError },
  { code: 'SomethingNew', is: UserError, reason: 'InvalidRequest' },
  { code: 'SyntaxError', status: 200, is: RetryableError },
];

describe('toEc2Error', () => {
  for (const row of ROWS) {
    const { code, message = 'EC2 says so.', action = 'CreateNetworkInterface', status = 400 } = row;
    const words = row.message ? ` "${row.message}"` : '';
    const meaning = [row.is.name, row.reason].filter(Boolean).join(' ');

    it(`sorts ${code}${words} (HTTP ${status}, ${action}) as ${meaning}`, () => {
      const error = toEc2Error(action, serviceError(code, message, status));

      expect(error).to.be.instanceOf(row.is);
      expect('reason' in error ? error.reason : undefined).to.equal(row.reason);
      expect(error).to.include({ action, code, requestId: 'req-1', detail: message });
      expect(error.message).to.equal(`${action}: ${code}: ${message}`);
    });
  }

  for (const code of ['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT']) {
    it(`takes ${code} for a failure of which the effect is unknown`, () => {
      const error = toEc2Error('AttachNetworkInterface', socketError(code));

      expect(error).to.be.instanceOf(RetryableError);
      expect(error.code).to.equal(code);
    });
  }

  it('takes a timeout and an abort for failures of which the effect is unknown', () => {
    const timeout = Object.assign(new Error('timed out'), { name: 'TimeoutError' });
    const aborted = AbortSignal.abort().reason as unknown;

    expect(toEc2Error('DescribeInstances', timeout)).to.be.instanceOf(RetryableError);
    expect(toEc2Error('DescribeInstances', aborted)).to.be.instanceOf(RetryableError);
    expect(toEc2Error('DescribeInstances', aborted).code).to.equal('AbortError');
  });

  it('takes missing credentials for their own kind, not for a missing permission', () => {
    const error = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });

    expect(toEc2Error('DescribeInstances', error)).to.be.instanceOf(CredentialsError);
  });

  it('survives anything that can be thrown', () => {
    for (const thrown of [undefined, null, 'words', 7, {}]) {
      const error = toEc2Error('DescribeInstances', thrown);

      expect(error).to.be.instanceOf(RetryableError);
      expect(error.code).to.equal('Unknown');
    }
  });

  it('cuts the encoded denial, the role and the account from what users read, and keeps them for the log', () => {
    const sentence =
      'You are not authorized to perform this operation. User: arn:aws:iam::1:role/x is not authorized to perform: ec2:CreateNetworkInterface because no identity-based policy allows it';
    const thrown = serviceError(
      'UnauthorizedOperation',
      `${sentence}. Encoded authorization failure message: kZ8${'x'.repeat(2_000)}`,
      403,
    );

    const error = toEc2Error('CreateNetworkInterface', thrown);

    expect(error.detail).to.equal(
      'You are not authorized to perform this operation. The role of the controller is not authorized to perform: ec2:CreateNetworkInterface because no identity-based policy allows it.',
    );
    expect(error.message).to.contain('role/x');
    expect(error.message).not.to.contain('kZ8');
    expect(error.cause).to.equal(thrown);
  });

  it('sorts an error once', () => {
    const once = toEc2Error('DeleteNetworkInterface', socketError('ECONNRESET'));

    expect(toEc2Error('DescribeInstances', once)).to.equal(once);
  });
});
