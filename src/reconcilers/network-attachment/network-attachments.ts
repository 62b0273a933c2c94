import pLimit from 'p-limit';
import { NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import { NETWORK_ATTACHMENT_FINALIZER } from '../../api/names.js';
import type { NetworkAttachmentDefinition } from '../../api/network-attachment-definition.js';
import type { NodeENI } from '../../api/node-eni.js';
import { findCondition } from '../../runtime/kube/conditions.js';
import { hasFinalizer, withFinalizer, withoutFinalizer } from '../../runtime/kube/finalizers.js';
import { isForbidden, isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import { type BlockedBackoff, isBlocked } from '../shared/blocked.js';
import { patchFinalizers } from '../shared/node-eni-finalizers.js';
import { type DefinitionWriter, failureOf } from './definition-writer.js';
import {
  attachmentCondition,
  componentMissing,
  crdMissing,
  listingRefused,
  type Stated,
  writeRefused,
} from './network-attachment-condition.js';
import { planDefinitions } from './plan-definitions.js';

export interface NetworkAttachmentsOptions {
  writer: DefinitionWriter;
  nodeENIClient: Pick<ResourceClient<NodeENI>, 'patch'>;
  /** Waits between retries of what the user has to correct. */
  blockedBackoff: BlockedBackoff;
}

/** The state of a NodeENI's NetworkAttachmentDefinitions. */
export interface NetworkAttachmentFinding {
  /** The NodeENI after the step, which may add or remove a finalizer. */
  nodeENI: NodeENI;
  /** The condition `NetworkAttachment`; null: remove it; undefined: leave it as it is. */
  condition: Stated | null | undefined;
  /** When to try again, in milliseconds from now. */
  requeueAfter?: number | undefined;
}

/** Concurrent Kubernetes writes for one NodeENI. */
const PARALLEL_WRITES = 8;

/**
 * A step of a NodeENI's reconcile: the NetworkAttachmentDefinitions through which pods use its interfaces.
 * Each generation of the NodeENI is applied once. A finalizer, set before the first definition is created,
 * records that definitions may exist; without it and without `spec.networkAttachment`, the step makes no
 * request.
 */
export class NetworkAttachments {
  constructor(private readonly options: NetworkAttachmentsOptions) {}

  /**
   * Brings the definitions in line with the NodeENI. The finding reports what the API server rejects or fails.
   * @throws KubeApiError with 409 where the NodeENI has changed; KubeUnreachableError
   */
  async reconcile(nodeENI: NodeENI, logger: Logger): Promise<NetworkAttachmentFinding> {
    const isWanted =
      nodeENI.spec.networkAttachment !== undefined &&
      nodeENI.metadata.deletionTimestamp === undefined;
    if (!isWanted && !hasFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER)) {
      return { nodeENI, condition: null };
    }
    const { blockedBackoff, nodeENIClient } = this.options;
    const { name } = nodeENI.metadata;
    const standing = standingCondition(nodeENI);
    if (isWanted && standing?.status === 'True') {
      return { nodeENI, condition: undefined };
    }
    if (!standing) {
      blockedBackoff.forget(name);
    }
    const { afterMs, counts } = blockedBackoff.next(name);
    if (!counts) {
      return { nodeENI, condition: undefined, requeueAfter: afterMs };
    }
    const patched = isWanted
      ? await patchFinalizers(
          nodeENIClient,
          nodeENI,
          withFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER),
        )
      : nodeENI;
    const held = isBlocked(patched) ? nodeENI : patched;
    const applied = isBlocked(patched)
      ? writeRefused(patched.message)
      : await this.carryOut(held, logger);
    const released =
      isWanted || applied?.status === 'False'
        ? held
        : await patchFinalizers(
            nodeENIClient,
            held,
            withoutFinalizer(held, NETWORK_ATTACHMENT_FINALIZER),
          );
    const condition = isBlocked(released) ? writeRefused(released.message) : applied;
    if (condition?.status === 'False') {
      const { reason, message: detail } = condition;
      logger.warn('NetworkAttachmentDefinitions blocked', {
        reason,
        detail,
        requeueAfterMs: afterMs,
      });
      return { nodeENI: held, condition, requeueAfter: afterMs };
    }
    blockedBackoff.forget(name);
    return { nodeENI: isBlocked(released) ? held : released, condition };
  }

  /** @returns the condition; null if no definition should exist and none is left. */
  private async carryOut(nodeENI: NodeENI, logger: Logger): Promise<Stated | null> {
    const isDeleted = nodeENI.metadata.deletionTimestamp !== undefined;
    const namespaces = (isDeleted ? undefined : nodeENI.spec.networkAttachment?.namespaces) ?? [];
    let existing: NetworkAttachmentDefinition[];
    try {
      existing = await this.options.writer.list(nodeENI);
    } catch (error) {
      if (isNotFound(error)) {
        return namespaces.length > 0 ? crdMissing() : null;
      }
      return isForbidden(error) ? componentMissing() : listingRefused(failureOf(error));
    }
    const plan = planDefinitions(nodeENI, existing);
    const { writer } = this.options;
    const limit = pLimit(PARALLEL_WRITES);
    const outcomes = await settled([
      ...plan.create.map((desired) => limit(() => writer.create(desired, logger))),
      ...plan.update.map(({ definition, desired }) =>
        limit(() => writer.update(definition, desired, logger)),
      ),
      ...plan.delete.map((definition) => limit(() => writer.delete(definition, logger))),
    ]);
    const faults = outcomes.filter((outcome) => outcome !== undefined);
    return namespaces.length + faults.length > 0
      ? attachmentCondition(nodeENI.metadata.name, namespaces, faults)
      : null;
  }
}

/**
 * The results of all writes, or the first error once all have ended, so that no write outlives its reconcile.
 */
async function settled<T>(writes: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(writes);
  return Promise.all(writes);
}

/** The current condition, if it is about the NodeENI's current generation. */
function standingCondition(nodeENI: NodeENI): { status: string } | undefined {
  const condition = findCondition(nodeENI, NODE_ENI_CONDITIONS.networkAttachment);
  return condition?.observedGeneration === nodeENI.metadata.generation ? condition : undefined;
}
