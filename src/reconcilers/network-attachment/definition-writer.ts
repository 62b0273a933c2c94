import { MANAGER_NAME } from '../../api/names.js';
import { NetworkAttachmentDefinition } from '../../api/network-attachment-definition.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { KubeClient } from '../../runtime/kube/kube-client.js';
import {
  isConflict,
  isNotFound,
  KubeApiError,
  KubeUnreachableError,
} from '../../runtime/kube/kube-errors.js';
import type { Logger } from '../../runtime/logger.js';
import type { DefinitionFault } from './network-attachment-condition.js';
import { type DesiredDefinition, definitionSelector } from './plan-definitions.js';

const { resource } = NetworkAttachmentDefinition;
/** NetworkAttachmentDefinitions a page of a listing; a NodeENI has at most 64. */
const PAGE_SIZE = 500;

/**
 * Reads and writes NetworkAttachmentDefinitions. A write that fails, whether the API server refuses it or
 * cannot do it, is a fault of its namespace.
 */
export class DefinitionWriter {
  constructor(private readonly client: Pick<KubeClient, 'list' | 'get' | 'patch' | 'delete'>) {}

  /**
   * Those that have the labels of the NodeENI's own, in all namespaces.
   * @throws KubeApiError: 404 where the API server does not know the kind; KubeUnreachableError
   */
  async list(nodeENI: NodeENI): Promise<NetworkAttachmentDefinition[]> {
    const found: NetworkAttachmentDefinition[] = [];
    let next: string | undefined;
    do {
      const page = await this.client.list<NetworkAttachmentDefinition>(resource, {
        labelSelector: definitionSelector(nodeENI),
        limit: PAGE_SIZE,
        continue: next,
      });
      found.push(...page.items);
      next = page.continue;
    } while (next);
    return found;
  }

  async create(desired: DesiredDefinition, logger: Logger): Promise<DefinitionFault | undefined> {
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
      return { namespace, reason: 'Refused', detail: failureOf(error) };
    }
    logger.info('NetworkAttachmentDefinition created', { namespace });
    return undefined;
  }

  async update(
    { metadata: { uid } }: NetworkAttachmentDefinition,
    desired: DesiredDefinition,
    logger: Logger,
  ): Promise<DefinitionFault | undefined> {
    const { namespace } = desired;
    try {
      await this.apply(desired, uid);
    } catch (error) {
      // Where it is not the one that was listed any more, this is a conflict: the next try sees what it is.
      return { namespace, reason: 'Refused', detail: failureOf(error) };
    }
    logger.info('NetworkAttachmentDefinition updated', { namespace });
    return undefined;
  }

  async delete(
    { metadata }: NetworkAttachmentDefinition,
    logger: Logger,
  ): Promise<DefinitionFault | undefined> {
    const { name, namespace, uid } = metadata;
    try {
      await this.client.delete(resource, { name, namespace }, { preconditions: { uid } });
    } catch (error) {
      // Gone, or another under the same name: this one is no more.
      if (isNotFound(error) || isConflict(error)) {
        return undefined;
      }
      return { namespace, reason: 'Refused', detail: failureOf(error) };
    }
    logger.info('NetworkAttachmentDefinition deleted', { namespace });
    return undefined;
  }

  private async isThere({ name, namespace }: DesiredDefinition): Promise<boolean> {
    try {
      await this.client.get(resource, { name, namespace });
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
    await this.client.patch(
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
}

/**
 * What the API server answered instead of doing it, or that it did not; without a full stop. A webhook of the
 * kind makes it fail for definitions alone, for as long as nobody mends it: that must hold up nothing else.
 * @throws the error itself where it is something else
 */
export function failureOf(error: unknown): string {
  if (error instanceof KubeApiError || error instanceof KubeUnreachableError) {
    return error.message.replace(/\.\s*$/, '');
  }
  throw error;
}
