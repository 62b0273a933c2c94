import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import { ENIAttachment, type Phase } from '../../api/eni-attachment.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Clock } from '../../runtime/clock.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { attachmentStatus, sameStatus, settledPhase, tagKeysOf } from './attachment-status.js';
import { AttachmentTimes, type MilestoneObserver } from './milestone-timer.js';
import { isInItsSlot } from './plan-attachment.js';

/** What a pass found out about a record. */
export interface Finding {
  phase: Phase;
  eni?: Eni | undefined;
  blocked?: Blocked;
  lost?: boolean;
  settled?: boolean;
}

/** Hears of what users are told, for metrics. */
export interface AttachmentObserver extends MilestoneObserver {
  /** Something was changed or lost in EC2, and is put right: a setting's name, `attachment` or `interface`. */
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

/** Tells users what became of an ENI: the record's status, and one Event a change. */
export class AttachmentReporter {
  private readonly times: AttachmentTimes | undefined;

  constructor(private readonly options: AttachmentReporterOptions) {
    this.times = options.observer && new AttachmentTimes(options.observer);
  }

  /**
   * Writes the record's status where it says something new.
   * @throws KubeApiError where the API server does not take it: a conflict where the record has changed
   */
  async report(record: ENIAttachment, finding: Finding): Promise<void> {
    const { client, clock } = this.options;
    const status = attachmentStatus({ record, ...finding, now: clock.now() });
    if (sameStatus(record.status, status)) {
      return;
    }
    // Without the lock, the last word of a dead controller that arrives late would stand.
    await client.patchStatus(record, status, { optimisticLock: true });
    this.times?.moved(record, finding.phase, clock.now());
    this.tell(record, finding);
  }

  /** The record's ENI is attached with all its settings. */
  async settled(record: ENIAttachment, eni: Eni): Promise<void> {
    const phase = settledPhase(record, this.options.waitForAgent);
    await this.report(record, { phase, eni, settled: true });
  }

  /** Writes ahead which of the user's tags are to be set, so that each is taken away once nobody asks for it. */
  async claimTags(record: ENIAttachment): Promise<void> {
    const status = { ...record.status, ...tagKeysOf(record, { settled: false }) };
    await this.options.client.patchStatus(record, status, { optimisticLock: true });
  }

  /** The record waits for somebody to change something; an ENI in its slot stays attached meanwhile. */
  async blocked(record: ENIAttachment, blocked: Blocked, eni?: Eni): Promise<void> {
    const wasAttached = conditionStatus(record, ENI_ATTACHMENT_CONDITIONS.attached) === 'True';
    const stays = wasAttached && eni && isInItsSlot(record, eni);
    await this.report(record, { phase: stays ? 'Attached' : 'Failed', eni, blocked });
  }

  /** Somebody changed the ENI in EC2, and it is being put right. */
  drifted(record: ENIAttachment, what: readonly string[]): void {
    const note = `${record.status?.eniID} was changed in EC2 (${what.join(', ')}); it is put right.`;
    this.event(record, 'Warning', 'DriftRepaired', 'Observe', note);
    for (const kind of what) this.options.observer?.driftRepaired(kind);
  }

  /** The record keeps nothing in EC2 any longer. */
  released(record: ENIAttachment): void {
    const eniID = record.status?.eniID;
    if (eniID === undefined) {
      return;
    }
    if (record.spec.reclaimPolicy === 'Retain') {
      const note = `${eniID} is detached and kept (reclaimPolicy: Retain).`;
      this.event(record, 'Normal', 'Retained', 'Retain', note);
    } else {
      this.event(record, 'Normal', 'Deleted', 'Delete', `${eniID} is detached and deleted.`);
    }
  }

  private tell(record: ENIAttachment, { phase, eni, blocked, lost }: Finding): void {
    if (lost) {
      const note = `${record.status?.eniID} is gone, and not by us: another ENI will be made.`;
      this.event(record, 'Warning', 'InterfaceLost', 'Observe', note);
      this.options.observer?.driftRepaired('interface');
    } else if (blocked) {
      if (conditionReason(record, ENI_ATTACHMENT_CONDITIONS.ready) !== blocked.reason) {
        this.event(record, 'Warning', blocked.reason, 'Attach', blocked.message);
      }
    } else if (
      (phase === 'Attached' || phase === 'Ready') &&
      conditionStatus(record, ENI_ATTACHMENT_CONDITIONS.attached) !== 'True'
    ) {
      const { instanceID, deviceIndex } = record.spec;
      const note = `${eni?.id} is attached to ${instanceID} at device index ${deviceIndex}.`;
      this.event(record, 'Normal', 'Attached', 'Attach', note);
    }
  }

  private event(
    record: ENIAttachment,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    note: string,
  ): void {
    this.options.events.event(
      { kind: ENIAttachment, object: record },
      { type, reason, action, note },
    );
  }
}

function conditionOf(record: ENIAttachment, type: string) {
  return record.status?.conditions?.find((condition) => condition.type === type);
}

function conditionStatus(record: ENIAttachment, type: string): string | undefined {
  return conditionOf(record, type)?.status;
}

function conditionReason(record: ENIAttachment, type: string): string | undefined {
  return conditionOf(record, type)?.reason;
}
