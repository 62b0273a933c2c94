import type { Tag } from '../actions/tags.js';
import type { Region } from '../region/region.js';
import type { Context } from './access-request.js';
import { arnOf, type Resource } from './resources.js';

/** What the call says, apart from the resource. */
export interface RequestFacts {
  tags?: readonly Tag[];
  /** The action that makes the resource, where tags are set with it. */
  createAction?: string;
}

/** The condition keys of a request and their values. */
export function contextOf(
  { tags: resourceTags = {}, vpcId, subnetId }: Resource,
  region: Region,
  { tags: requestTags = [], createAction }: RequestFacts,
): Context {
  const { name } = region;
  const context = new Map<string, readonly string[]>([
    ['aws:RequestedRegion', [name]],
    ['ec2:Region', [name]],
  ]);
  for (const [key, value] of Object.entries(resourceTags)) {
    context.set(`aws:ResourceTag/${key}`, [value]);
    context.set(`ec2:ResourceTag/${key}`, [value]);
  }
  for (const { key, value } of requestTags) {
    if (value !== undefined) {
      context.set(`aws:RequestTag/${key}`, [value]);
    }
  }
  if (requestTags.length > 0) {
    context.set(
      'aws:TagKeys',
      requestTags.map(({ key }) => key),
    );
  }
  if (createAction !== undefined) {
    context.set('ec2:CreateAction', [createAction]);
  }
  if (vpcId !== undefined) {
    context.set('ec2:Vpc', [arnOf(region, 'vpc', vpcId)]);
  }
  if (subnetId !== undefined) {
    context.set('ec2:Subnet', [arnOf(region, 'subnet', subnetId)]);
  }
  return context;
}
