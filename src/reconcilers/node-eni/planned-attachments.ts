import type { NodeENI } from '../../api/node-eni.js';
import type { EventSource, SourceEvent } from '../../runtime/controller/source.js';

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
  private readonly handlers: ((event: SourceEvent<PlannedAttachmentsChange>) => void)[] = [];

  /** Call it once the NodeENI's plan has been carried out and its attachments exist. */
  publish({ metadata }: NodeENI, planned: ReadonlyMap<string, readonly string[]>): void {
    const { name, uid, generation } = metadata;
    const old = this.published.get(name);
    this.published.set(name, { uid, generation, planned });
    const isSameIntent = old?.uid === uid && old.generation === generation;
    for (const [node, names] of planned) {
      if (!(isSameIntent && sameNames(old.planned.get(node), names))) {
        this.tell(node);
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

  subscribe(handler: (event: SourceEvent<PlannedAttachmentsChange>) => void): void {
    this.handlers.push(handler);
  }

  /** Resolves at once: passes publish what there is. */
  async start(): Promise<void> {}

  private tell(node: string): void {
    for (const handler of this.handlers) handler({ type: 'added', object: { node } });
  }
}

function sameNames(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((name, index) => a[index] === name);
}
