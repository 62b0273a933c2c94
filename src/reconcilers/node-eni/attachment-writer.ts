import pLimit from 'p-limit';
import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { ENI_FINALIZER, LABELS, MANAGER_NAME } from '../../api/names.js';
import { NodeENI } from '../../api/node-eni.js';
import { ownerReferenceTo } from '../../runtime/kube/finalizers.js';
import type { Patch } from '../../runtime/kube/kube-client.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../runtime/kube/kube-errors.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import type { DesiredAttachment } from '../shared/desired-attachment.js';
import type { NodeENIPlan } from './plan-node-eni.js';

/** Concurrent Kubernetes writes for one NodeENI; the API server's priority and fairness does the rest. */
const PARALLEL_WRITES = 32;

/** Creates, updates and deletes ENIAttachments. */
export class AttachmentWriter {
  constructor(private readonly client: ResourceClient<ENIAttachment>) {}

  /**
   * Carries out the plan.
   * @throws KubeApiError, the first failure, once every write has been tried
   */
  async carryOut(nodeENI: NodeENI, plan: NodeENIPlan, logger: Logger): Promise<void> {
    const limit = pLimit(PARALLEL_WRITES);
    const writes = [
      ...plan.create.map((desired) => limit(() => this.create(nodeENI, desired, logger))),
      ...plan.update.map(({ attachment, spec }) =>
        limit(() => this.client.patch(attachment.metadata, specPatch(attachment, spec))),
      ),
      ...plan.delete.map((attachment) => limit(() => this.delete(attachment, logger))),
    ];
    await settleAll(writes);
  }

  private async create(
    nodeENI: NodeENI,
    desired: DesiredAttachment,
    logger: Logger,
  ): Promise<void> {
    const { name, spec } = desired;
    try {
      await this.client.create(newAttachment(nodeENI, desired));
      logger.info('ENIAttachment created', { attachment: name, node: spec.nodeName });
    } catch (error) {
      // The store is behind; its next event delivers the attachment.
      if (!isAlreadyExists(error)) {
        throw error;
      }
    }
  }

  private async delete(attachment: ENIAttachment, logger: Logger): Promise<void> {
    if (attachment.metadata.deletionTimestamp) {
      return;
    }
    try {
      await this.client.delete(attachment);
      logger.info('ENIAttachment deleted', {
        attachment: attachment.metadata.name,
        node: attachment.spec.nodeName,
      });
    } catch (error) {
      // Either way it no longer exists: a conflict means that the name now belongs to another attachment.
      if (!(isNotFound(error) || isConflict(error))) {
        throw error;
      }
    }
  }

  /** @throws KubeApiError */
  async deleteAll(attachments: readonly ENIAttachment[], logger: Logger): Promise<void> {
    const limit = pLimit(PARALLEL_WRITES);
    await settleAll(attachments.map((attachment) => limit(() => this.delete(attachment, logger))));
  }
}

/** An ENIAttachment as the controller creates it. */
export function newAttachment(nodeENI: NodeENI, { name, spec }: DesiredAttachment) {
  return {
    metadata: {
      name,
      labels: { [LABELS.nodeENI]: nodeENI.metadata.name, [LABELS.managedBy]: MANAGER_NAME },
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

/** Waits for every write before it throws the first failure, so that one rejected write stops no other. */
async function settleAll(writes: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    throw failed.reason;
  }
}
