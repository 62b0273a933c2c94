/** The exports of `import { ENIManager } from 'eni-operator'`: ENIs without Kubernetes. */

export type { AwsCredentials } from './aws/aws-credentials.js';
export type { Ec2Action } from './aws/ec2-actions.js';
export * from './aws/ec2-errors.js';
export type {
  AttachmentStatus,
  ConnectionTracking,
  EnaExpress,
  Eni,
  EniAttachmentState,
  EniStatus,
  Instance,
  InstanceInterface,
  InstanceState,
  PublicAddress,
  SecurityGroup,
  Subnet,
} from './aws/ec2-gateway.js';
export type { ActionBudget } from './aws/request-budget.js';
export { ENIManager, type ENIManagerOptions } from './library/eni-manager.js';
export { ENITimeoutError } from './library/eni-timeout-error.js';
export type * from './library/requests.js';
export { LIBRARY_TAGS } from './library/slot-tags.js';
export type { Clock, Timer } from './runtime/clock.js';
export type { TokenBucketView } from './runtime/concurrency/token-bucket.js';
export type { Logger } from './runtime/logger.js';
