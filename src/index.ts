/** What a program imports to manage ENIs without Kubernetes. */
export { TAGS } from './api/names.js';
export { Batcher, type BatcherOptions } from './aws/batcher.js';
export { DOCUMENTED_LIMITS, type Ec2Action, type RateLimit } from './aws/ec2-actions.js';
export * from './aws/ec2-error.js';
export type * from './aws/ec2-gateway.js';
export { EniInventory, type EniInventoryOptions } from './aws/eni-inventory.js';
export { toEc2Error } from './aws/errors.js';
export { type InstanceMetadataOptions, metadataRegion } from './aws/instance-metadata.js';
export { InstanceTypeCatalog, type InstanceTypeCatalogOptions } from './aws/instance-types.js';
export { InstanceCatalog, type InstanceCatalogOptions } from './aws/instances.js';
export type { EniModification } from './aws/local-writes.js';
export { NetworkCatalog, type NetworkCatalogOptions } from './aws/network-catalog.js';
export { type RegionSources, RegionUnknownError, resolveRegion } from './aws/region.js';
export {
  type ActionBudget,
  RequestBudget,
  type RequestBudgetOptions,
} from './aws/request-budget.js';
export { createEc2Client, type Ec2ClientOptions } from './aws/sdk-client.js';
export { type Ec2Call, SdkEc2Gateway, type SdkEc2GatewayOptions } from './aws/sdk-ec2-gateway.js';
export { type Clock, systemClock, type Timer } from './runtime/clock.js';
export type { Logger } from './runtime/logger.js';
export type { EventSource, SourceEvent } from './runtime/source.js';
