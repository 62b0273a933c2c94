import type { NodeENI } from '../../api/node-eni.js';
import type { EventSource, SourceEvent } from '../../runtime/controller/source.js';

/** A node for which a NodeENI wants other ENIAttachments than it did, or wants the same anew. */
export interface PlannedAttachmentsChange {
  node: string;
}

interface Published {
  uid: string;
  generation: number | undefined;
  /** Names of ENIAttachments, by node. */
  wanted: ReadonlyMap<string, readonly string[]>;
}

/**
 * Which ENIAttachments each node should have, as the plans of NodeENIs that have been carried out say: only
 * they know the subnets of a node's zone. It is in memory alone, and fills with the first passes.
 */
export class PlannedAttachments implements EventSource<PlannedAttachmentsChange> {
  private readonly published = new Map<string, Published>();
  private readonly handlers: ((event: SourceEvent<PlannedAttachmentsChange>) => void)[] = [];

  /** A plan of the NodeENI has been carried out: its attachments are there, and as it says. */
  publish({ metadata }: NodeENI, wanted: ReadonlyMap<string, readonly string[]>): void {
    const { name, uid, generation } = metadata;
    const old = this.published.get(name);
    this.published.set(name, { uid, generation, wanted });
    const isSameIntent = old?.uid === uid && old.generation === generation;
    for (const [node, names] of wanted) {
      if (!(isSameIntent && sameNames(old.wanted.get(node), names))) {
        this.tell(node);
      }
    }
  }

  /** @param name of the NodeENI that wants nothing any more */
  forget(name: string): void {
    this.published.delete(name);
  }

  /**
   * Names of the ENIAttachments that the NodeENI, as it is now, wants on the node; undefined where its plan
   * has not been carried out yet, or gives the node nothing as things are.
   */
  of({ metadata }: NodeENI, node: string): readonly string[] | undefined {
    const published = this.published.get(metadata.name);
    return published?.uid === metadata.uid && published.generation === metadata.generation
      ? published.wanted.get(node)
      : undefined;
  }

  subscribe(handler: (event: SourceEvent<PlannedAttachmentsChange>) => void): void {
    this.handlers.push(handler);
  }

  /** Nothing is known before the first pass. */
  async start(): Promise<void> {}

  private tell(node: string): void {
    for (const handler of this.handlers) handler({ type: 'added', object: { node } });
  }
}

function sameNames(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((name, index) => a[index] === name);
}
