import pLimit from 'p-limit';
import { NODE_ENI_CONDITIONS } from '../api/conditions.js';
import { MANAGER_NAME, NETWORK_ATTACHMENT_FINALIZER } from '../api/names.js';
import { NetworkAttachmentDefinition } from '../api/network-attachment-definition.js';
import type { NodeENI } from '../api/node-eni.js';
import { hasFinalizer, withFinalizer, withoutFinalizer } from '../runtime/finalizers.js';
import type { KubeClient, Patch } from '../runtime/kube-client.js';
import { isConflict, isNotFound, KubeApiError } from '../runtime/kube-errors.js';
import type { Logger } from '../runtime/logger.js';
import type { ResourceClient } from '../runtime/resource-client.js';
import type { BlockedRetries } from './blocked-retries.js';
import {
  attachmentCondition,
  crdMissing,
  type DefinitionFault,
  lookRefused,
  type Stated,
} from './network-attachment-report.js';
import {
  type DesiredDefinition,
  ownDefinitions,
  planDefinitions,
} from './plan-network-attachment.js';

export interface NetworkAttachmentsOptions {
  client: Pick<KubeClient, 'list' | 'get' | 'patch' | 'delete'>;
  nodeENIClient: Pick<ResourceClient<NodeENI>, 'patch'>;
  /** Waits between tries of what somebody has to correct. */
  retries: BlockedRetries;
}

/** How the NetworkAttachmentDefinitions of a NodeENI stand. */
export interface NetworkAttachmentFinding {
  /** The NodeENI as it now is: a finalizer may have been set or taken off. */
  nodeENI: NodeENI;
  /** What the condition `NetworkAttachment` should say; null: it should not be there; undefined: as it is. */
  condition: Stated | null | undefined;
  /** When to try again, in milliseconds from now. */
  requeueAfter?: number | undefined;
}

const { resource } = NetworkAttachmentDefinition;
/** Kubernetes writes under way at once for one NodeENI. */
const PARALLEL_WRITES = 8;
/** NetworkAttachmentDefinitions a page of a listing; a NodeENI has at most 64. */
const PAGE_SIZE = 500;

/**
 * A step of a NodeENI's pass: the NetworkAttachmentDefinitions by which pods get at its interfaces. Each
 * generation of the NodeENI is applied once; a finalizer, set before the first definition is made, remembers
 * that there may be some. Without it and without the wish nothing is asked or written.
 */
export class NetworkAttachments {
  constructor(private readonly options: NetworkAttachmentsOptions) {}

  /**
   * Makes the definitions what the NodeENI says. What the API server refuses is in the finding.
   * @throws KubeApiError where it does not take the finalizer; KubeUnreachableError
   */
  async reconcile(nodeENI: NodeENI, logger: Logger): Promise<NetworkAttachmentFinding> {
    const isWanted =
      nodeENI.spec.networkAttachment !== undefined &&
      nodeENI.metadata.deletionTimestamp === undefined;
    if (!isWanted && !hasFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER)) {
      return { nodeENI, condition: null };
    }
    const { retries } = this.options;
    const { name } = nodeENI.metadata;
    const standing = standingCondition(nodeENI);
    if (isWanted && standing?.status === 'True') {
      return { nodeENI, condition: undefined };
    }
    if (!standing) {
      retries.forget(name);
    }
    const { afterMs, counts } = retries.next(name);
    if (!counts) {
      return { nodeENI, condition: undefined, requeueAfter: afterMs };
    }
    const held = isWanted
      ? await this.patched(nodeENI, withFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER))
      : nodeENI;
    const condition = await this.carryOut(held, logger);
    if (condition?.status === 'False') {
      const { reason, message: detail } = condition;
      logger.warn('NetworkAttachmentDefinitions blocked', {
        reason,
        detail,
        requeueAfterMs: afterMs,
      });
      return { nodeENI: held, condition, requeueAfter: afterMs };
    }
    retries.forget(name);
    return {
      nodeENI: isWanted
        ? held
        : await this.patched(held, withoutFinalizer(held, NETWORK_ATTACHMENT_FINALIZER)),
      condition,
    };
  }

  /** @returns what the condition should say; null where nothing is wanted, and nothing is left. */
  private async carryOut(nodeENI: NodeENI, logger: Logger): Promise<Stated | null> {
    const isDeleted = nodeENI.metadata.deletionTimestamp !== undefined;
    const namespaces = (isDeleted ? undefined : nodeENI.spec.networkAttachment?.namespaces) ?? [];
    let existing: NetworkAttachmentDefinition[];
    try {
      existing = await this.list(nodeENI);
    } catch (error) {
      if (isNotFound(error)) {
        return namespaces.length > 0 ? crdMissing() : null;
      }
      return lookRefused(refusal(error).message);
    }
    const plan = planDefinitions(nodeENI, existing);
    const limit = pLimit(PARALLEL_WRITES);
    const outcomes = await Promise.all([
      ...plan.create.map((desired) => limit(() => this.create(desired, logger))),
      ...plan.update.map(({ definition, desired }) =>
        limit(() => this.update(definition, desired, logger)),
      ),
      ...plan.delete.map((definition) => limit(() => this.delete(definition, logger))),
    ]);
    const faults = outcomes.filter((outcome) => outcome !== undefined);
    return namespaces.length + faults.length > 0
      ? attachmentCondition(nodeENI.metadata.name, namespaces, faults)
      : null;
  }

  private async list(nodeENI: NodeENI): Promise<NetworkAttachmentDefinition[]> {
    const found: NetworkAttachmentDefinition[] = [];
    let next: string | undefined;
    do {
      const page = await this.options.client.list<NetworkAttachmentDefinition>(resource, {
        labelSelector: ownDefinitions(nodeENI),
        limit: PAGE_SIZE,
        continue: next,
      });
      found.push(...page.items);
      next = page.continue;
    } while (next);
    return found;
  }

  private async create(
    desired: DesiredDefinition,
    logger: Logger,
  ): Promise<DefinitionFault | undefined> {
    const { namespace } = desired;
    try {
      if (await this.isThere(desired)) {
        return { namespace, reason: 'Conflict' };
      }
      // Without force: what somebody else makes of that name at this moment differs, and stays.
      await this.apply(desired);
    } catch (error) {
      if (isNotFound(error)) {
        return { namespace, reason: 'NamespaceMissing' };
      }
      if (isConflict(error)) {
        return { namespace, reason: 'Conflict' };
      }
      return { namespace, reason: 'Refused', detail: refusal(error).message };
    }
    logger.info('NetworkAttachmentDefinition created', { namespace });
    return undefined;
  }

  private async update(
    { metadata: { uid } }: NetworkAttachmentDefinition,
    desired: DesiredDefinition,
    logger: Logger,
  ): Promise<DefinitionFault | undefined> {
    const { namespace } = desired;
    try {
      await this.apply(desired, uid);
    } catch (error) {
      if (isConflict(error)) {
        // It is not the one that was listed any more: all of it once more.
        throw error;
      }
      return { namespace, reason: 'Refused', detail: refusal(error).message };
    }
    logger.info('NetworkAttachmentDefinition updated', { namespace });
    return undefined;
  }

  private async delete(
    { metadata }: NetworkAttachmentDefinition,
    logger: Logger,
  ): Promise<DefinitionFault | undefined> {
    const { name, namespace, uid } = metadata;
    try {
      await this.options.client.delete(resource, { name, namespace }, { preconditions: { uid } });
    } catch (error) {
      // Gone, or another under the same name: this one is no more.
      if (isNotFound(error) || isConflict(error)) {
        return undefined;
      }
      return { namespace, reason: 'Refused', detail: refusal(error).message };
    }
    logger.info('NetworkAttachmentDefinition deleted', { namespace });
    return undefined;
  }

  private async isThere({ name, namespace }: DesiredDefinition): Promise<boolean> {
    try {
      await this.options.client.get(resource, { name, namespace });
      return true;
    } catch (error) {
      if (isNotFound(error)) {
        return false;
      }
      throw error;
    }
  }

  /** @param uid of the one that is to be changed, whoever changed it last */
  private async apply({ name, namespace, body }: DesiredDefinition, uid?: string): Promise<void> {
    const isOurs = uid !== undefined;
    await this.options.client.patch(
      resource,
      { name, namespace },
      {
        type: 'apply',
        body: isOurs ? { ...body, metadata: { ...body.metadata, uid } } : body,
        fieldManager: MANAGER_NAME,
        force: isOurs,
      },
    );
  }

  private async patched(nodeENI: NodeENI, patch: Patch | undefined): Promise<NodeENI> {
    return patch ? this.options.nodeENIClient.patch(nodeENI.metadata, patch) : nodeENI;
  }
}

/** The condition, where it tells of the NodeENI's present generation. */
function standingCondition({ metadata, status }: NodeENI): { status: string } | undefined {
  const { networkAttachment } = NODE_ENI_CONDITIONS;
  return status?.conditions?.find(
    ({ type, observedGeneration }) =>
      type === networkAttachment && observedGeneration === metadata.generation,
  );
}

/** 408 and 429 say nothing of the request itself. */
const PASSING: readonly number[] = [408, 429];

/**
 * The API server's no, which asking again will not change.
 * @throws the error itself where it is something else
 */
function refusal(error: unknown): KubeApiError {
  if (
    error instanceof KubeApiError &&
    error.status >= 400 &&
    error.status < 500 &&
    !PASSING.includes(error.status)
  ) {
    return error;
  }
  throw error;
}
