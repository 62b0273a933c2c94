import pLimit from 'p-limit';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { isBlocked } from '../shared/blocked.js';
import { identifyNode, labelSelectorOf, matchesSelector } from '../shared/node-placement.js';

export interface UncachedChecksOptions {
  nodeENIs: Pick<ResourceClient<NodeENI>, 'get'>;
  nodes: Pick<ResourceClient<Node>, 'get' | 'list'>;
}

/** Concurrent reads. */
const PARALLEL_READS = 32;
/** From this many nodes on, one list of the selected nodes replaces a read of each node. */
const NODES_WORTH_A_LIST = 10;
/** A node in a list costs about a quarter of a read. */
const LISTED_PER_READ = 4;
/** Nodes per page. */
const NODES_PER_PAGE = 500;

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
   * @param options.selected how many nodes the NodeENI selects, according to the store
   */
  async unselected(
    nodeENI: NodeENI,
    attachments: readonly ENIAttachment[],
    { selected }: { selected: number },
  ): Promise<ENIAttachment[]> {
    const names = new Set(attachments.map(({ spec }) => spec.nodeName));
    const isWorthAList =
      names.size >= NODES_WORTH_A_LIST && selected <= names.size * LISTED_PER_READ;
    const listed = isWorthAList ? await this.selectedNodes(nodeENI) : undefined;
    const read = (name: string) =>
      listed ? listed.get(name) : found(this.options.nodes.get({ name }));
    return filter(attachments, async ({ spec }) => {
      const node = await read(spec.nodeName);
      if (!node || !matchesSelector(nodeENI.spec.nodeSelector, node.metadata.labels)) {
        return true;
      }
      const identity = identifyNode(node);
      return !isBlocked(identity) && identity.instanceID !== spec.instanceID;
    });
  }

  /** The nodes that the NodeENI selects, by name. */
  private async selectedNodes({ spec }: NodeENI): Promise<Map<string, Node>> {
    const selected = new Map<string, Node>();
    let next: string | undefined;
    do {
      const page = await this.options.nodes.list({
        labelSelector: labelSelectorOf(spec.nodeSelector),
        limit: NODES_PER_PAGE,
        continue: next,
      });
      for (const node of page.items) selected.set(node.metadata.name, node);
      next = page.continue;
    } while (next);
    return selected;
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
