import { LRUCache } from 'lru-cache';
import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import { type ElasticIPStatus, ENIAttachment, type Phase } from '../../api/eni-attachment.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Clock } from '../../runtime/clock.js';
import { bothOf } from '../../runtime/concurrency/both-of.js';
import { type Explanation, findCondition } from '../../runtime/kube/conditions.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { refusedWrite } from '../shared/blocked.js';
import {
  attachmentStatus,
  linkFaultOf,
  sameStatus,
  settledPhase,
  tagKeysOf,
} from './attachment-status.js';
import { type MilestoneObserver, MilestoneTimer } from './milestone-timer.js';
import { isInItsSlot } from './plan-attachment.js';

/** What a pass found. */
export interface Finding {
  phase: Phase;
  eni?: Eni | undefined;
  eniID?: string;
  blocked?: Blocked;
  lost?: boolean;
  settled?: boolean;
  /** The record of the Elastic IP address; null: removed; unset: unchanged. */
  elasticIP?: ElasticIPStatus | null;
  /** What the ENI waits for, if the phase does not show it. */
  waiting?: Explanation;
}

/** Called for what the reporter writes, for metrics. */
export interface AttachmentObserver extends MilestoneObserver {
  /** A repair of a change made outside the operator: a setting's name, `attachment` or `interface`. */
  driftRepaired(kind: string): void;
}

export interface AttachmentReporterOptions {
  client: ResourceClient<ENIAttachment>;
  events: EventRecorder;
  clock: Clock;
  /** Whether an attached ENI is Ready only once the node's agent says so. */
  waitForAgent: boolean;
  observer?: AttachmentObserver | undefined;
}

/** Milliseconds after which a call that is under way is reported. */
const SLOW_CALL_MS = 1_000;

/** Reports what happened to an ENI: the attachment's status, and one Event per change. */
export class AttachmentReporter {
  private readonly times: MilestoneTimer | undefined;
  /** Reasons, by UID of the attachment, that only an Event reported. */
  private readonly unreported = new LRUCache<string, string>({ max: 1_000 });
  /** UIDs of attachments by the id of an ENI that carries their tags. */
  private readonly reportedImpostors = new LRUCache<string, string>({ max: 1_000 });

  constructor(private readonly options: AttachmentReporterOptions) {
    this.times = options.observer && new MilestoneTimer(options.observer);
  }

  /**
   * Writes the attachment's status if it changed.
   * @throws KubeApiError if the API server rejects the write: a conflict if the attachment changed
   */
  async report(attachment: ENIAttachment, finding: Finding): Promise<void> {
    const { client, clock } = this.options;
    const status = attachmentStatus({ attachment, ...finding, now: clock.now() });
    if (sameStatus(attachment.status, status)) {
      return;
    }
    // Without the lock, a late write of a dead controller would win.
    await client.patchStatus(attachment, status, { optimisticLock: true });
    this.unreported.delete(attachment.metadata.uid);
    this.times?.moved(attachment, finding.phase, clock.now());
    this.emitEvents(attachment, finding);
  }

  /**
   * Waits for a call to EC2, and writes the status if the call takes longer than a second, as it does while it waits
   * for EC2's rate: a shorter phase is not written.
   * @throws the error of `call`, or else that of {@link report}
   */
  async reportIfSlow<T>(attachment: ENIAttachment, finding: Finding, call: Promise<T>): Promise<T> {
    let reported: Promise<void> | undefined;
    const timer = this.options.clock.after(SLOW_CALL_MS, () => {
      reported = this.report(attachment, finding);
      reported.catch(() => undefined);
    });
    await call.catch(() => undefined);
    timer.cancel();
    return bothOf(call, reported);
  }

  /**
   * Writes the id of the ENI that the attachment was created for: from then on, the attachment's status
   * records it.
   */
  async claimed(
    attachment: ENIAttachment,
    eniID: string,
    phase: 'Attaching' | 'Detaching',
  ): Promise<void> {
    await this.report(attachment, { phase, eniID });
    const note = `${eniID}, which the Go controller attached to ${attachment.spec.nodeName}, is adopted.`;
    this.event(attachment, 'Normal', 'Adopted', 'Adopt', note);
  }

  /** The ENI is attached and has all its settings. */
  async settled(
    attachment: ENIAttachment,
    eni: Eni,
    record: Pick<Finding, 'elasticIP'> = {},
  ): Promise<void> {
    const phase = settledPhase(attachment, this.options.waitForAgent);
    await this.report(attachment, { phase, eni, settled: true, ...record });
  }

  /** Writes which user tags are about to be set, so that each is removed once the spec no longer has it. */
  async claimTags(attachment: ENIAttachment): Promise<void> {
    const status = { ...attachment.status, ...tagKeysOf(attachment, { settled: false }) };
    await this.options.client.patchStatus(attachment, status, { optimisticLock: true });
  }

  /**
   * Only a user can unblock the attachment; an ENI in its slot stays attached.
   * @param found.attached whether the ENI is attached with all settings except the blocked one
   */
  async blocked(
    attachment: ENIAttachment,
    blocked: Blocked,
    { eni, attached = false }: { eni?: Eni | undefined; attached?: boolean | undefined } = {},
  ): Promise<void> {
    const wasAttached = conditionStatus(attachment, ENI_ATTACHMENT_CONDITIONS.attached) === 'True';
    const stays = (wasAttached || attached) && eni && isInItsSlot(attachment, eni);
    try {
      await this.report(attachment, { phase: stays ? 'Attached' : 'Failed', eni, blocked });
    } catch (error) {
      if (!refusedWrite('report it', error)) {
        throw error;
      }
      this.unreportable(attachment, blocked);
    }
  }

  /** The API server refuses the status too: one Event reports what the status cannot. */
  private unreportable(attachment: ENIAttachment, { reason, message }: Blocked): void {
    const { uid } = attachment.metadata;
    if (this.unreported.get(uid) === reason) return;
    this.unreported.set(uid, reason);
    this.event(attachment, 'Warning', reason, 'Attach', message);
  }

  /** The ENI was changed outside the operator, which repairs it. */
  drifted(attachment: ENIAttachment, what: readonly string[]): void {
    const note = `${attachment.status?.eniID} was changed outside this operator (${what.join(', ')}); restoring it.`;
    this.event(attachment, 'Warning', 'DriftRepaired', 'Observe', note);
    for (const kind of what) this.options.observer?.driftRepaired(kind);
  }

  /** An ENI carries the attachment's tags and is not its ENI: reported once. */
  impostor(attachment: ENIAttachment, eni: Eni): void {
    if (this.reportedImpostors.get(eni.id) === attachment.metadata.uid) return;
    this.reportedImpostors.set(eni.id, attachment.metadata.uid);
    const note = `${eni.id} carries the tags of this attachment and is not its ENI; the operator does not change it. Find out who tagged it, and delete it or remove its tags.`;
    this.event(attachment, 'Warning', 'ForeignInterface', 'Observe', note);
  }

  /** The attachment no longer has anything in EC2. */
  released(attachment: ENIAttachment): void {
    const eniID = attachment.status?.eniID;
    if (eniID === undefined) {
      return;
    }
    if (attachment.spec.reclaimPolicy === 'Retain') {
      const note = `${eniID} was detached and kept (reclaimPolicy: Retain).`;
      this.event(attachment, 'Normal', 'Retained', 'Retain', note);
    } else {
      this.event(attachment, 'Normal', 'Deleted', 'Delete', `${eniID} was detached and deleted.`);
    }
  }

  private emitEvents(attachment: ENIAttachment, { phase, eni, blocked, lost }: Finding): void {
    if (lost) {
      const note = `${attachment.status?.eniID} was deleted outside this operator; creating a replacement.`;
      this.event(attachment, 'Warning', 'InterfaceLost', 'Observe', note);
      this.options.observer?.driftRepaired('interface');
    } else if (blocked) {
      if (conditionReason(attachment, ENI_ATTACHMENT_CONDITIONS.ready) !== blocked.reason) {
        this.event(attachment, 'Warning', blocked.reason, 'Attach', blocked.message);
      }
    } else if (
      (phase === 'Attached' || phase === 'Ready') &&
      conditionStatus(attachment, ENI_ATTACHMENT_CONDITIONS.attached) !== 'True'
    ) {
      const { instanceID, deviceIndex } = attachment.spec;
      const note = `${eni?.id} is attached to ${instanceID} at device index ${deviceIndex}.`;
      this.event(attachment, 'Normal', 'Attached', 'Attach', note);
    }
    this.reportLink(attachment, phase);
  }

  /** Events about what the agent reported of the interface. */
  private reportLink(attachment: ENIAttachment, phase: Phase): void {
    const { ready } = ENI_ATTACHMENT_CONDITIONS;
    const link = attachment.status?.link;
    const fault = linkFaultOf(attachment);
    if (phase === 'Attached' && fault) {
      if (conditionReason(attachment, ready) !== fault.reason) {
        this.event(attachment, 'Warning', fault.reason, 'ConfigureLink', fault.message);
      }
    } else if (
      phase === 'Ready' &&
      link?.state === 'up' &&
      conditionStatus(attachment, ready) !== 'True'
    ) {
      const names = link.altName === undefined ? link.name : `${link.name} (${link.altName})`;
      const note = `${names} is up, its MTU is ${link.mtu}.`;
      this.event(attachment, 'Normal', 'LinkUp', 'ConfigureLink', note);
    }
  }

  private event(
    attachment: ENIAttachment,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    note: string,
  ): void {
    this.options.events.event(
      { kind: ENIAttachment, object: attachment },
      { type, reason, action, note },
    );
  }
}

function conditionStatus(attachment: ENIAttachment, type: string): string | undefined {
  return findCondition(attachment, type)?.status;
}

function conditionReason(attachment: ENIAttachment, type: string): string | undefined {
  return findCondition(attachment, type)?.reason;
}
