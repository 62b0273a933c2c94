import type { ENIAttachment, LinkStatus } from '../../api/eni-attachment.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { type LinkFinding, linkStatus } from './link-status.js';

/**
 * Reports the state of an interface in `status.link`. The controller emits Events from it: agents cannot create
 * Events, so that a compromised node cannot report about others.
 */
export class LinkReporter {
  constructor(private readonly client: ResourceClient<ENIAttachment>) {}

  /**
   * Writes the addresses of an ENI that pods have, and those that no further pod gets, if they changed.
   * @throws KubeApiError, KubeUnreachableError
   */
  async reportPods(
    attachment: ENIAttachment,
    pods: Pick<LinkStatus, 'podAddresses' | 'withdrawnAddresses'>,
  ): Promise<void> {
    const { status } = attachment;
    try {
      await this.client.patchStatus(attachment, { ...status, link: { ...status?.link, ...pods } });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
  }

  /**
   * Writes `status.link` if it changed, and nothing else of the status.
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
