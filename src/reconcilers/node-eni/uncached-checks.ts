import pLimit from 'p-limit';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { isBlocked } from '../shared/blocked.js';
import { identifyNode, matchesSelector } from '../shared/node-placement.js';

export interface UncachedChecksOptions {
  nodeENIs: Pick<ResourceClient<NodeENI>, 'get'>;
  nodes: Pick<ResourceClient<Node>, 'get'>;
}

/** Concurrent reads. */
const PARALLEL_READS = 32;

/**
 * Checks with the API server itself before an attachment is deleted. A store whose watch is behind may lack
 * an object that exists, and that must not cost an ENI. All methods throw KubeApiError.
 */
export class UncachedChecks {
  constructor(private readonly options: UncachedChecksOptions) {}

  /** Keeps the attachments whose NodeENI no longer exists. */
  async abandoned(attachments: readonly ENIAttachment[]): Promise<ENIAttachment[]> {
    return filter(attachments, async ({ spec, metadata }) => {
      const nodeENI = await found(this.options.nodeENIs.get({ name: spec.nodeENI }));
      return !metadata.ownerReferences?.some(({ uid }) => uid === nodeENI?.metadata.uid);
    });
  }

  /**
   * Keeps the attachments whose node no longer exists, no longer matches the selector, or runs on another
   * instance.
   */
  async unselected(
    nodeENI: NodeENI,
    attachments: readonly ENIAttachment[],
  ): Promise<ENIAttachment[]> {
    return filter(attachments, async ({ spec }) => {
      const node = await found(this.options.nodes.get({ name: spec.nodeName }));
      if (!node || !matchesSelector(nodeENI.spec.nodeSelector, node.metadata.labels)) {
        return true;
      }
      const identity = identifyNode(node);
      return !isBlocked(identity) && identity.instanceID !== spec.instanceID;
    });
  }
}

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
}

async function filter<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T[]> {
  const limit = pLimit(PARALLEL_READS);
  const answers = await Promise.all(items.map((item) => limit(() => holds(item))));
  return items.filter((_, index) => answers[index]);
}
