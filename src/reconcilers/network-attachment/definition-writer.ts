import {
  MANAGER_NAME,
  NETWORK_ATTACHMENTS_ALLOWED,
  NETWORK_ATTACHMENTS_LABEL,
} from '../../api/names.js';
import { Namespace } from '../../api/namespace.js';
import { NetworkAttachmentDefinition } from '../../api/network-attachment-definition.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { KubeClient } from '../../runtime/kube/kube-client.js';
import {
  isConflict,
  isNotFound,
  KubeApiError,
  KubeUnreachableError,
} from '../../runtime/kube/kube-errors.js';
import type { KubeObject } from '../../runtime/kube/resource.js';
import type { Logger } from '../../runtime/logger.js';
import { withoutFullStop } from '../../runtime/message-text.js';
import type { DefinitionFault } from './network-attachment-condition.js';
import { type DesiredDefinition, definitionSelector } from './plan-definitions.js';

const { resource } = NetworkAttachmentDefinition;
/** Page size of listings; a NodeENI has at most 64 NetworkAttachmentDefinitions. */
const PAGE_SIZE = 500;

/**
 * Reads and writes NetworkAttachmentDefinitions. A failed write, whether the API server rejects it or does not
 * respond, is a fault of its namespace.
 */
export class DefinitionWriter {
  constructor(private readonly client: Pick<KubeClient, 'list' | 'get' | 'patch' | 'delete'>) {}

  /**
   * Lists the definitions with the NodeENI's labels, in all namespaces.
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
      if (!(await this.isAllowed(namespace))) {
        return { namespace, reason: 'NamespaceNotAllowed' };
      }
      if (await this.isThere(desired)) {
        return { namespace, reason: 'Conflict' };
      }
      // Without force, so that a definition that another client creates at this moment stays as it is.
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
      if (!(await this.isAllowed(namespace))) {
        return { namespace, reason: 'NamespaceNotAllowed' };
      }
      await this.apply(desired, uid);
    } catch (error) {
      // A definition that was replaced since the listing is a conflict; the next retry lists again.
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
      // Either way it no longer exists: a conflict means that the name now belongs to another definition.
      if (isNotFound(error) || isConflict(error)) {
        return undefined;
      }
      return { namespace, reason: 'Refused', detail: failureOf(error) };
    }
    logger.info('NetworkAttachmentDefinition deleted', { namespace });
    return undefined;
  }

  /** @throws KubeApiError: 404 where there is no such namespace */
  private async isAllowed(namespace: string): Promise<boolean> {
    const { metadata } = await this.client.get<KubeObject>(Namespace.resource, { name: namespace });
    return metadata.labels?.[NETWORK_ATTACHMENTS_LABEL] === NETWORK_ATTACHMENTS_ALLOWED;
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

  /** @param uid of the definition to change, regardless of who owns its fields; undefined: create it */
  private async apply({ name, namespace, body }: DesiredDefinition, uid?: string): Promise<void> {
    const isUpdate = uid !== undefined;
    await this.client.patch(
      resource,
      { name, namespace },
      {
        type: 'apply',
        body: isUpdate ? { ...body, metadata: { ...body.metadata, uid } } : body,
        fieldManager: MANAGER_NAME,
        force: isUpdate,
      },
    );
  }
}

/**
 * The API server's error, or that it did not respond; without a full stop. A broken webhook for this kind
 * fails every write of a definition, which must not block the NodeENI's ENIs.
 * @throws every other error
 */
export function failureOf(error: unknown): string {
  if (error instanceof KubeApiError || error instanceof KubeUnreachableError) {
    return withoutFullStop(error.message);
  }
  throw error;
}
