import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';

/** A node whose planned ENIAttachments have changed, or were planned again for a changed NodeENI. */
export interface PlannedAttachmentsChange {
  node: string;
}

/** Why a NodeENI gives a node no ENIs, or not the specified ones. */
export interface BlockedOnNode {
  blocked: Blocked;
  /** Whether the node keeps usable ENIs meanwhile. */
  isServed: boolean;
}

interface Published {
  uid: string;
  generation: number | undefined;
  /** Names of ENIAttachments, by node. */
  planned: ReadonlyMap<string, readonly string[]>;
  /** By node. */
  blocked: ReadonlyMap<string, BlockedOnNode>;
}

/**
 * Which ENIAttachments each node should have, according to the plans that have been carried out: only a plan
 * knows the subnets of a node's zone. It is kept in memory only, and fills with the first reconciles.
 */
export class PlannedAttachments implements EventSource<PlannedAttachmentsChange> {
  private readonly published = new Map<string, Published>();
  private readonly publisher: Publisher<PlannedAttachmentsChange>;

  constructor({ logger }: { logger: Logger }) {
    this.publisher = new Publisher({ logger, fieldsOf: ({ node }) => ({ node }) });
  }

  /** Call it once the NodeENI's plan has been carried out and its attachments exist. */
  publish(
    { metadata }: NodeENI,
    planned: ReadonlyMap<string, readonly string[]>,
    blocked: ReadonlyMap<string, BlockedOnNode> = new Map(),
  ): void {
    const { name, uid, generation } = metadata;
    const old = this.published.get(name);
    this.published.set(name, { uid, generation, planned, blocked });
    const isSameIntent = old?.uid === uid && old.generation === generation;
    const before = isSameIntent ? old : undefined;
    const changed = [
      ...[...planned].filter(([node, names]) => !sameNames(before?.planned.get(node), names)),
      ...[...blocked].filter(([node, is]) => !sameBlocked(before?.blocked.get(node), is)),
    ];
    for (const node of new Set(changed.map(([node]) => node))) {
      this.publisher.publish({ type: 'added', object: { node } });
    }
  }

  /** @param name of a NodeENI that no longer exists */
  forget(name: string): void {
    this.published.delete(name);
  }

  /**
   * Names of the ENIAttachments that the NodeENI's current generation plans for the node; undefined where that
   * plan has not been carried out yet, or leaves the node out.
   */
  of(nodeENI: NodeENI, node: string): readonly string[] | undefined {
    return this.current(nodeENI)?.planned.get(node);
  }

  /**
   * Why the current generation does not give the node what it specifies; undefined if no problem is known.
   */
  blockedOn(nodeENI: NodeENI, node: string): BlockedOnNode | undefined {
    return this.current(nodeENI)?.blocked.get(node);
  }

  subscribe(handler: EventHandler<PlannedAttachmentsChange>): void {
    this.publisher.subscribe(handler);
  }

  /** Resolves immediately: reconciles publish what exists. */
  async start(): Promise<void> {}

  private current({ metadata }: NodeENI): Published | undefined {
    const published = this.published.get(metadata.name);
    return published?.uid === metadata.uid && published.generation === metadata.generation
      ? published
      : undefined;
  }
}

function sameBlocked(a: BlockedOnNode | undefined, b: BlockedOnNode): boolean {
  return (
    a?.isServed === b.isServed &&
    a.blocked.reason === b.blocked.reason &&
    a.blocked.message === b.blocked.message
  );
}

function sameNames(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((name, index) => a[index] === name);
}
