import type { Ec2Gateway } from '../../aws/ec2-gateway.js';
import type { EniChanges } from './plan-attachment.js';

/**
 * Sets tags of an ENI, then takes others away.
 * @throws Ec2Error
 */
export async function setTags(
  gateway: Ec2Gateway,
  eniId: string,
  { set, remove }: NonNullable<EniChanges['tags']>,
): Promise<void> {
  if (Object.keys(set).length > 0) {
    await gateway.setTags(eniId, set);
  }
  if (remove.length > 0) {
    await gateway.removeTags(eniId, remove);
  }
}
