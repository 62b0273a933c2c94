import { ENIAttachment } from '../../api/eni-attachment.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { type LinkFinding, linkStatus } from './link-status.js';

export interface LinkReporterOptions {
  client: ResourceClient<ENIAttachment>;
  events: EventRecorder;
}

/** Tells users how an interface is: `status.link`, and an Event where that is news. */
export class LinkReporter {
  constructor(private readonly options: LinkReporterOptions) {}

  /**
   * Writes `status.link` where it says something new; nothing else of the status is touched.
   * @throws KubeApiError, KubeUnreachableError
   */
  async report(finding: LinkFinding): Promise<void> {
    const { attachment, fault } = finding;
    const link = linkStatus(finding);
    try {
      await this.options.client.patchStatus(attachment, { ...attachment.status, link });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    const earlier = attachment.status?.link;
    if (fault && fault.reason !== earlier?.reason) {
      this.event(attachment, 'Warning', fault.reason, fault.message);
    } else if (!fault && link.state === 'up' && earlier?.state !== 'up') {
      const names = link.altName === undefined ? link.name : `${link.name} (${link.altName})`;
      this.event(attachment, 'Normal', 'LinkUp', `${names} is up, its MTU is ${link.mtu}.`);
    }
  }

  /** Somebody has changed what was set, and it is put right. */
  restored(attachment: ENIAttachment, name: string, what: readonly string[]): void {
    const note = `${name} was changed by another program (${what.join(', ')}); it is put right.`;
    this.event(attachment, 'Warning', 'LinkRestored', note);
  }

  private event(
    object: ENIAttachment,
    type: 'Normal' | 'Warning',
    reason: string,
    note: string,
  ): void {
    const regarding = { kind: ENIAttachment, object };
    this.options.events.event(regarding, { type, reason, action: 'ConfigureLink', note });
  }
}
