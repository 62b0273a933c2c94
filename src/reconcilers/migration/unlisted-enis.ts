import { LRUCache } from 'lru-cache';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { GO_CONTROLLER, GO_TAGS } from '../../api/go-controller.js';
import { TAGS } from '../../api/names.js';
import { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Ec2Gateway, Eni } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import { type Clock, repeat } from '../../runtime/clock.js';
import type { EventRecorder, Regarding } from '../../runtime/kube/events.js';
import type { Logger } from '../../runtime/logger.js';
import { heldEni } from '../shared/held-eni.js';
import { instanceIDsOf } from '../shared/node-placement.js';

export interface UnlistedEnisOptions {
  gateway: Pick<Ec2Gateway, 'listEnis'>;
  nodeENIs: Pick<Store<NodeENI>, 'list'>;
  nodes: Pick<Store<Node>, 'list' | 'get'>;
  attachments: Pick<Store<ENIAttachment>, 'list'>;
  events: EventRecorder;
  /** The object of Events about ENIs whose Node no longer exists. */
  cluster: Regarding;
  clock: Clock;
  logger: Logger;
  /** Milliseconds before the first listing, so that adoption finishes first. */
  delayMs: number;
}

/** Milliseconds between two listings: such an ENI has been there for a long time. */
const LIST_EVERY_MS = 3_600_000;

/**
 * Reports ENIs with the Go controller's tags that no NodeENI lists: leftovers of its crashes and of deleted
 * objects. Nothing proves that they are unused, so they are never deleted. ENIs of other clusters carry the
 * same tags; an ENI counts only if it names a Node or a NodeENI of this cluster, or if an instance of this
 * cluster has it.
 */
export class UnlistedEnis {
  private readonly reported = new LRUCache<string, true>({ max: 10_000 });

  constructor(private readonly options: UnlistedEnisOptions) {}

  /** Looks periodically until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, delayMs, logger } = this.options;
    await repeat({ clock, signal, delayMs }, async () => {
      await this.look().catch((error: unknown) =>
        logger.debug('Listing the ENIs of the Go controller failed', { error }),
      );
      return LIST_EVERY_MS;
    });
  }

  /** @throws Ec2Error */
  async look(): Promise<void> {
    const { gateway, nodeENIs, nodes, attachments } = this.options;
    const enis = await gateway.listEnis({
      tags: { [GO_TAGS.managedBy]: GO_CONTROLLER.managerName },
    });
    const unlisted = unlistedEnis(enis, {
      nodeENIs: nodeENIs.list(),
      nodes: nodes.list(),
      attachments: attachments.list(),
    });
    for (const eni of unlisted) {
      if (!this.reported.has(eni.id)) this.report(eni);
    }
  }

  private report({ id, tags, attachment, status }: Eni): void {
    const { nodes, events, cluster, logger } = this.options;
    this.reported.set(id, true);
    const { [GO_TAGS.nodeENI]: nodeENI, [GO_TAGS.node]: name = '' } = tags;
    const state = attachment
      ? `is attached to ${attachment.instanceId} at device index ${attachment.deviceIndex}`
      : `is ${status}`;
    logger.warn('ENI of the Go controller that no NodeENI lists', {
      eniID: id,
      nodeENI,
      node: name,
    });
    const node = nodes.get(name);
    const note = `${id} has the tags of aws-multi-eni-controller (NodeENI ${nodeENI}, node ${name}), no NodeENI lists it, and it ${state}. The operator does not change it: detach and delete it if nothing needs it.`;
    events.event(node ? { kind: Node, object: node } : cluster, {
      type: 'Warning',
      reason: 'UnlistedENI',
      action: 'Observe',
      note,
    });
  }
}

/** The ENIs of the Go controller that concern this cluster and that no object in it refers to. */
export function unlistedEnis(
  enis: readonly Eni[],
  known: {
    nodeENIs: readonly NodeENI[];
    nodes: readonly Node[];
    attachments: readonly ENIAttachment[];
  },
): Eni[] {
  const listed = new Set([
    ...known.nodeENIs.flatMap(({ status }) => status?.attachments ?? []).map(({ eniID }) => eniID),
    ...known.attachments.map(heldEni),
  ]);
  const nodes = new Set(known.nodes.map(({ metadata }) => metadata.name));
  const nodeENIs = new Set(known.nodeENIs.map(({ metadata }) => metadata.name));
  const instances = new Set(instanceIDsOf(known.nodes));
  return enis.filter(
    ({ id, tags, attachment }) =>
      tags[TAGS.clusterID] === undefined &&
      !listed.has(id) &&
      (nodes.has(tags[GO_TAGS.node] ?? '') ||
        nodeENIs.has(tags[GO_TAGS.nodeENI] ?? '') ||
        instances.has(attachment?.instanceId ?? '')),
  );
}
