import { Node } from '../../api/node.js';
import type { Blocked } from '../../api/reasons.js';
import type { Result } from '../../runtime/controller/controller.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import type { Logger } from '../../runtime/logger.js';
import type { BlockedBackoff } from './blocked.js';

export interface RefusedNodeWrite {
  node: Node;
  refused: Blocked;
  /** The Event's action. */
  action: string;
  /** The log entry's text. */
  summary: string;
}

/** Reports a write to a Node that the API server refuses: once for each due retry. */
export function retryRefusedNodeWrite(
  { node, refused: { reason, message }, action, summary }: RefusedNodeWrite,
  by: { blockedBackoff: BlockedBackoff; events: EventRecorder; logger: Logger },
): Result {
  const { afterMs, counts } = by.blockedBackoff.next(node.metadata.name);
  if (counts) {
    by.logger.warn(summary, { reason, detail: message, requeueAfterMs: afterMs });
    const event = { type: 'Warning' as const, reason, action, note: message };
    by.events.event({ kind: Node, object: node }, event);
  }
  return { requeueAfter: afterMs };
}
