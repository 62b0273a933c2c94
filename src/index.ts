/** What a program imports to manage ENIs without Kubernetes. */
export { TAGS } from './api/names.js';
export { InstanceCatalog, type InstanceCatalogOptions } from './aws/catalog/instance-catalog.js';
export {
  InstanceTypeCatalog,
  type InstanceTypeCatalogOptions,
} from './aws/catalog/instance-type-catalog.js';
export { NetworkCatalog, type NetworkCatalogOptions } from './aws/catalog/network-catalog.js';
export { DOCUMENTED_LIMITS, type Ec2Action } from './aws/ec2-actions.js';
export * from './aws/ec2-errors.js';
export type * from './aws/ec2-gateway.js';
export { EniInventory, type EniInventoryOptions } from './aws/inventory/eni-inventory.js';
export type { EniModification } from './aws/inventory/pending-writes.js';
export {
  type InstanceMetadataOptions,
  metadataRegion,
  type RegionSources,
  RegionUnknownError,
  resolveRegion,
} from './aws/region.js';
export {
  type ActionBudget,
  RequestBudget,
  type RequestBudgetOptions,
} from './aws/request-budget.js';
export { toEc2Error } from './aws/sdk/classify-error.js';
export type { Ec2Call } from './aws/sdk/ec2-caller.js';
export { createEc2Client, type Ec2ClientOptions } from './aws/sdk/sdk-client.js';
export {
  SdkEc2Gateway,
  type SdkEc2GatewayOptions,
} from './aws/sdk/sdk-ec2-gateway.js';
export { type Clock, systemClock, type Timer } from './runtime/clock.js';
export { Batcher, type BatcherOptions } from './runtime/concurrency/batcher.js';
export type { RateLimit } from './runtime/concurrency/token-bucket.js';
export type { EventSource, SourceEvent } from './runtime/controller/source.js';
export type { Logger } from './runtime/logger.js';
