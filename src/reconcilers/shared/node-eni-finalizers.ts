import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { Patch } from '../../runtime/kube/kube-client.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { writtenOrBlocked } from './blocked.js';

/**
 * The NodeENI with its finalizers patched, or why the API server refuses that.
 * @param patch `undefined` if nothing changes
 * @throws KubeApiError with 409 if the NodeENI has changed; KubeUnreachableError
 */
export async function patchFinalizers(
  client: Pick<ResourceClient<NodeENI>, 'patch'>,
  nodeENI: NodeENI,
  patch: Patch | undefined,
): Promise<NodeENI | Blocked> {
  const { metadata } = nodeENI;
  return patch
    ? writtenOrBlocked(
        `change the finalizers of NodeENI ${metadata.name}`,
        client.patch(metadata, patch),
      )
    : nodeENI;
}
