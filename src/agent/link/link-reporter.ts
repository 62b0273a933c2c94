import type { ENIAttachment } from '../../api/eni-attachment.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { type LinkFinding, linkStatus } from './link-status.js';

/**
 * Reports how an interface is in `status.link`. The controller makes Events of it: an agent may create none, so
 * that a node that is broken into cannot report about others.
 */
export class LinkReporter {
  constructor(private readonly client: ResourceClient<ENIAttachment>) {}

  /**
   * Writes `status.link` where it says something new; nothing else of the status is touched.
   * @throws KubeApiError, KubeUnreachableError
   */
  async report(finding: LinkFinding): Promise<void> {
    const { attachment } = finding;
    try {
      const link = linkStatus(finding);
      await this.client.patchStatus(attachment, { ...attachment.status, link });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
  }
}
