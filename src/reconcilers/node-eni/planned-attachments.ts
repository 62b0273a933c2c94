import type { NodeENI } from '../../api/node-eni.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';

/** A node whose planned ENIAttachments have changed, or were planned again for a changed NodeENI. */
export interface PlannedAttachmentsChange {
  node: string;
}

interface Published {
  uid: string;
  generation: number | undefined;
  /** Names of ENIAttachments, by node. */
  planned: ReadonlyMap<string, readonly string[]>;
}

/**
 * Which ENIAttachments each node should have, according to the plans that have been carried out: only a plan
 * knows the subnets of a node's zone. This is kept in memory only, and fills with the first passes.
 */
export class PlannedAttachments implements EventSource<PlannedAttachmentsChange> {
  private readonly published = new Map<string, Published>();
  private readonly publisher: Publisher<PlannedAttachmentsChange>;

  constructor({ logger }: { logger: Logger }) {
    this.publisher = new Publisher({ logger, fieldsOf: ({ node }) => ({ node }) });
  }

  /** Call it once the NodeENI's plan has been carried out and its attachments exist. */
  publish({ metadata }: NodeENI, planned: ReadonlyMap<string, readonly string[]>): void {
    const { name, uid, generation } = metadata;
    const old = this.published.get(name);
    this.published.set(name, { uid, generation, planned });
    const isSameIntent = old?.uid === uid && old.generation === generation;
    for (const [node, names] of planned) {
      if (!(isSameIntent && sameNames(old.planned.get(node), names))) {
        this.publisher.publish({ type: 'added', object: { node } });
      }
    }
  }

  /** @param name of the NodeENI that is gone */
  forget(name: string): void {
    this.published.delete(name);
  }

  /**
   * Names of the ENIAttachments that the NodeENI's current generation plans for the node; undefined where that
   * plan has not been carried out yet, or leaves the node out.
   */
  of({ metadata }: NodeENI, node: string): readonly string[] | undefined {
    const published = this.published.get(metadata.name);
    return published?.uid === metadata.uid && published.generation === metadata.generation
      ? published.planned.get(node)
      : undefined;
  }

  subscribe(handler: EventHandler<PlannedAttachmentsChange>): void {
    this.publisher.subscribe(handler);
  }

  /** Resolves at once: passes publish what there is. */
  async start(): Promise<void> {}
}

function sameNames(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((name, index) => a[index] === name);
}
