import pLimit from 'p-limit';
import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, LABELS, MANAGER_NAME } from '../../api/names.js';
import { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import { ownerReferenceTo } from '../../runtime/kube/finalizers.js';
import type { Patch } from '../../runtime/kube/kube-client.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../runtime/kube/kube-errors.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import { isAttached } from '../shared/attachment-state.js';
import { createdOrBlocked, isBlocked, writtenOrBlocked } from '../shared/blocked.js';
import { type DesiredAttachment, nodeENILabel } from '../shared/desired-attachment.js';
import type { BlockedNode, NodeENIPlan } from './plan-node-eni.js';

/** Concurrent Kubernetes writes for one NodeENI; the API server's priority and fairness does the rest. */
const PARALLEL_WRITES = 32;

/** A write that the API server refused. */
export interface RefusedWrite extends BlockedNode {
  write: 'create' | 'update' | 'delete';
}

export interface AttachmentWriterOptions {
  client: ResourceClient<ENIAttachment>;
  /** Called with each attachment that this process creates, before its reconciler sees it. */
  onCreated: (attachment: ENIAttachment) => void;
}

/**
 * Creates, updates and deletes ENIAttachments. A write that the API server refuses affects only its node: it
 * stops no other write, and is returned.
 */
export class AttachmentWriter {
  constructor(private readonly options: AttachmentWriterOptions) {}

  private get client(): ResourceClient<ENIAttachment> {
    return this.options.client;
  }

  /**
   * Carries out the plan.
   * @throws KubeUnreachableError, once every write has been tried
   */
  async carryOut(nodeENI: NodeENI, plan: NodeENIPlan, logger: Logger): Promise<RefusedWrite[]> {
    const limit = pLimit(PARALLEL_WRITES);
    const writes = [
      ...plan.create.map((desired) => limit(() => this.create(nodeENI, desired, logger))),
      ...plan.update.map(({ attachment, spec }) => limit(() => this.update(attachment, spec))),
      ...plan.delete.map((attachment) => limit(() => this.delete(attachment, logger))),
    ];
    return refusedAmong(writes);
  }

  /** @throws KubeUnreachableError, once every deletion has been tried */
  async deleteAll(attachments: readonly ENIAttachment[], logger: Logger): Promise<RefusedWrite[]> {
    const limit = pLimit(PARALLEL_WRITES);
    return refusedAmong(
      attachments.map((attachment) => limit(() => this.delete(attachment, logger))),
    );
  }

  private async create(
    nodeENI: NodeENI,
    desired: DesiredAttachment,
    logger: Logger,
  ): Promise<RefusedWrite | undefined> {
    const { name, spec } = desired;
    const { onCreated } = this.options;
    const creation = this.client.create(newAttachment(nodeENI, desired), { onCreated });
    try {
      const created = await createdOrBlocked(`ENIAttachment ${name}`, creation);
      if (isBlocked(created)) {
        return { write: 'create', node: spec.nodeName, blocked: created, isServed: false };
      }
      logger.info('ENIAttachment created', { attachment: name, node: spec.nodeName });
    } catch (error) {
      // The store is behind; its next event delivers the attachment.
      if (!isAlreadyExists(error)) {
        throw error;
      }
    }
    return undefined;
  }

  private async update(
    attachment: ENIAttachment,
    spec: ENIAttachmentSpec,
  ): Promise<RefusedWrite | undefined> {
    const patch = this.client.patch(attachment.metadata, specPatch(attachment, spec));
    try {
      const updated = await writtenOrBlocked(`update ${describe(attachment)}`, patch);
      return isBlocked(updated) ? refusal('update', attachment, updated) : undefined;
    } catch (error) {
      // The store is behind; the next event of the attachment or of its deletion triggers another reconcile.
      if (!(isNotFound(error) || isConflict(error))) {
        throw error;
      }
      return undefined;
    }
  }

  private async delete(
    attachment: ENIAttachment,
    logger: Logger,
  ): Promise<RefusedWrite | undefined> {
    if (attachment.metadata.deletionTimestamp) {
      return undefined;
    }
    const { name } = attachment.metadata;
    const deletion = this.client.delete(attachment);
    try {
      const deleted = await writtenOrBlocked(`delete ${describe(attachment)}`, deletion);
      if (isBlocked(deleted)) {
        return refusal('delete', attachment, deleted);
      }
      logger.info('ENIAttachment deleted', { attachment: name, node: attachment.spec.nodeName });
    } catch (error) {
      // Either way it no longer exists: a conflict means that the name now belongs to another attachment.
      if (!(isNotFound(error) || isConflict(error))) {
        throw error;
      }
    }
    return undefined;
  }
}

function describe({ metadata }: ENIAttachment): string {
  return `ENIAttachment ${metadata.name}`;
}

function refusal(
  write: 'update' | 'delete',
  attachment: ENIAttachment,
  blocked: Blocked,
): RefusedWrite {
  return { write, node: attachment.spec.nodeName, blocked, isServed: isAttached(attachment) };
}

/** An ENIAttachment as the controller creates it. */
export function newAttachment(nodeENI: NodeENI, { name, spec }: DesiredAttachment) {
  return {
    metadata: {
      name,
      labels: {
        [LABELS.nodeENI]: nodeENILabel(nodeENI.metadata),
        [LABELS.managedBy]: MANAGER_NAME,
      },
      finalizers: [ENI_FINALIZER],
      ownerReferences: [ownerReferenceTo(nodeENI, NodeENI.resource)],
    },
    spec,
  };
}

function specPatch(attachment: ENIAttachment, spec: ENIAttachmentSpec): Patch {
  const { uid } = attachment.metadata;
  return { type: 'merge', body: { metadata: { uid }, spec: mergePatch(attachment.spec, spec) } };
}

/** Waits for every write before it throws the first failure, so that one failure stops no other write. */
async function refusedAmong(
  writes: readonly Promise<RefusedWrite | undefined>[],
): Promise<RefusedWrite[]> {
  await Promise.allSettled(writes);
  return (await Promise.all(writes)).filter((refused) => refused !== undefined);
}
