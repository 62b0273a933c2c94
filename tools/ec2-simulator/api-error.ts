/** HTTP statuses of EC2's error codes; every other code is a 400. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  DryRunOperation: 412,
  InternalError: 500,
  InternalFailure: 500,
  RequestLimitExceeded: 503,
  ServiceUnavailable: 503,
  Unavailable: 503,
};

/** An error as EC2 answers it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    message: string,
    readonly httpStatus = HTTP_STATUS[code] ?? 400,
  ) {
    super(message);
  }
}

const quoted = (ids: readonly string[]): string => `'${ids.join(', ')}'`;

/** A sentence about one id or several, as EC2 words it: "The subnet ID '…' does not exist". */
function notFound(code: string, noun: string, ids: readonly string[]): ApiError {
  const many = ids.length > 1;
  return new ApiError(
    code,
    `The ${noun} ID${many ? 's' : ''} ${quoted(ids)} do${many ? '' : 'es'} not exist`,
  );
}

/** Every error that the simulator knows, by what went wrong. Codes and messages are EC2's. */
export const errors = {
  unknownAction: (action: string) =>
    new ApiError('InvalidAction', `The action ${action} is not valid for this web service.`),
  missingParameter: (name: string) =>
    new ApiError('MissingParameter', `The request must contain the parameter ${name}`),
  invalidValue: (message: string) => new ApiError('InvalidParameterValue', message),
  invalidCombination: (message: string) => new ApiError('InvalidParameterCombination', message),
  unsupported: (message: string) => new ApiError('UnsupportedOperation', message),
  dryRun: () =>
    new ApiError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.'),
  throttled: () => new ApiError('RequestLimitExceeded', 'Request limit exceeded.'),
  internal: () => new ApiError('InternalError', 'An internal error has occurred'),

  malformedId: (code: string, id: string, prefix: string) =>
    new ApiError(code, `Invalid id: "${id}" (expecting "${prefix}-...")`),
  unknownResource: (id: string) => new ApiError('InvalidID', `The ID '${id}' is not valid`),
  interfacesNotFound: (ids: readonly string[]) =>
    notFound('InvalidNetworkInterfaceID.NotFound', 'networkInterface', ids),
  attachmentNotFound: (id: string) =>
    new ApiError(
      'InvalidAttachmentID.NotFound',
      `The interface attachment '${id}' does not exist.`,
    ),
  instancesNotFound: (ids: readonly string[]) =>
    notFound('InvalidInstanceID.NotFound', 'instance', ids),
  subnetsNotFound: (ids: readonly string[]) => notFound('InvalidSubnetID.NotFound', 'subnet', ids),
  vpcsNotFound: (ids: readonly string[]) => notFound('InvalidVpcID.NotFound', 'vpc', ids),
  /** CreateNetworkInterface's answer. */
  createGroupNotFound: (id: string) =>
    new ApiError('InvalidSecurityGroupID.NotFound', `The security group '${id}' does not exist`),
  /** The documented answer of the other actions. */
  groupNotFound: (id: string) =>
    new ApiError('InvalidGroup.NotFound', `The security group '${id}' does not exist`),
  foreignGroup: () =>
    new ApiError(
      'InvalidParameter',
      'You have specified two resources that belong to different networks.',
    ),
  tooManyGroups: (limit: number) =>
    new ApiError(
      'SecurityGroupsPerInterfaceLimitExceeded',
      `The maximum number of security groups per interface has been reached: ${limit}`,
    ),
  allocationsNotFound: (ids: readonly string[]) =>
    notFound('InvalidAllocationID.NotFound', 'allocation', ids),
  associationNotFound: (id: string) =>
    notFound('InvalidAssociationID.NotFound', 'association', [id]),
  alreadyAssociated: (id: string, associationId: string) =>
    new ApiError(
      'Resource.AlreadyAssociated',
      `resource ${id} is already associated with associate-id ${associationId}`,
    ),
  noInternetGateway: (vpcId: string) =>
    new ApiError('Gateway.NotAttached', `Network ${vpcId} is not attached to any internet gateway`),
  invalidInstanceTypes: (types: readonly string[]) =>
    new ApiError(
      'InvalidInstanceType',
      `The following supplied instance types do not exist: [${types.join(', ')}]`,
    ),

  slotTaken: (instanceId: string, deviceIndex: number) =>
    errors.invalidValue(
      `Instance '${instanceId}' already has an interface attached at device index '${deviceIndex}'.`,
    ),
  interfaceInUse: (id: string) =>
    errors.invalidValue(`Network interface '${id}' is currently in use.`),
  instanceFull: (count: number, type: string) =>
    new ApiError(
      'AttachmentLimitExceeded',
      `Interface count ${count} exceeds the limit for ${type}`,
    ),
  tooManyAddressesToAttach: (count: number, eniId: string, type: string) =>
    new ApiError(
      'InvalidInterface.IpAddressLimitExceeded',
      `Address count ${count} on interface-${eniId.slice('eni-'.length)} exceeds the limit for ${type}`,
    ),
  tooManyAddresses: (eniId: string) =>
    new ApiError(
      'PrivateIpAddressLimitExceeded',
      `Number of private addresses will exceed limit for interface '${eniId}'.`,
    ),
  otherZone: () =>
    errors.invalidCombination(
      'You may not attach a network interface to an instance if they are not in the same availability zone',
    ),
  instanceNotAttachable: (id: string, state: string) =>
    new ApiError(
      state === 'terminated' ? 'IncorrectInstanceState' : 'IncorrectState',
      `Instance '${id}' is not in a state that allows this: '${state}'.`,
    ),
  efaNeedsStoppedInstance: (id: string) =>
    new ApiError(
      'IncorrectInstanceState',
      `Instance '${id}' must be stopped to attach or detach an EFA network interface.`,
    ),
  launchInterface: () =>
    new ApiError(
      'OperationNotPermitted',
      'The network interface at device index 0 and networkCard index 0 cannot be detached.',
    ),
  managedAttachment: () =>
    new ApiError(
      'OperationNotPermitted',
      "You are not allowed to manage 'ela-attach' attachments.",
    ),
  // EC2's wording for instances of EKS Auto Mode is not known; the code is.
  managedInstance: (id: string) =>
    new ApiError(
      'OperationNotPermitted',
      `The instance '${id}' is managed by a service; you are not allowed to change its network interfaces.`,
    ),
  managedInterface: (id: string) =>
    new ApiError(
      'OperationNotPermitted',
      `You are not allowed to manage the network interface '${id}'.`,
    ),

  noFreeAddresses: () =>
    new ApiError(
      'InsufficientFreeAddressesInSubnet',
      'The specified subnet does not have enough free addresses to satisfy the request.',
    ),
  noFreeBlock: () =>
    new ApiError(
      'InsufficientCidrBlocks',
      'The specified subnet does not have enough free cidr blocks to satisfy the request.',
    ),
  addressInUse: () =>
    new ApiError('InvalidIPAddress.InUse', 'The specified address is already in use.'),
  addressReserved: (address: string) =>
    errors.invalidValue(`Address ${address} is in subnet's reserved address range`),
  addressOutside: (address: string) =>
    errors.invalidValue(`Address ${address} does not fall within the subnet's address range`),
  interfaceQuota: (limit: number) =>
    new ApiError(
      'NetworkInterfaceLimitExceeded',
      `The maximum number of network interfaces has been reached: ${limit}`,
    ),
  tokenMismatch: () =>
    new ApiError(
      'IdempotentParameterMismatch',
      'The client token you have provided is associated with a resource that was created with different parameters.',
    ),
  tooManyTags: () =>
    new ApiError('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached.'),
  tooManyFilterValues: () =>
    new ApiError(
      'FilterLimitExceeded',
      'The maximum number of filter values specified on a single call is 200',
    ),
} as const;
