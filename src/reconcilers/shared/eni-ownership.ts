import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { Eni } from '../../aws/ec2-gateway.js';

/** Whether an ENI carries the tags of this operator in this cluster. */
export function isOperatorEni(
  { tags, requesterManaged }: Pick<Eni, 'tags' | 'requesterManaged'>,
  clusterID: string,
): boolean {
  return (
    tags[TAGS.clusterID] === clusterID && tags[TAGS.managedBy] === MANAGER_NAME && !requesterManaged
  );
}
