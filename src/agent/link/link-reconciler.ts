import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, linkFault } from '../../api/link-faults.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import type { SharedRead } from '../../runtime/concurrency/shared-read.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { findCondition } from '../../runtime/kube/conditions.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { Logger } from '../../runtime/logger.js';
import type { Confirmation } from '../dhcp/dhcp-client.js';
import { LeaseEvent, type Leases } from '../dhcp/leases.js';
import { type HeardLinks, HostEvents } from '../host/host-events.js';
import { type HostLink, type HostNetwork, HostNetworkError } from '../host/host-network.js';
import type { HostView } from '../host/host-snapshot.js';
import { carryOut, describeStep, type HostStep } from '../host/host-step.js';
import type { Contention } from './contention.js';
import { type DesiredLink, desiredLink } from './desired-link.js';
import type { LinkReporter } from './link-reporter.js';
import { carriesTraffic } from './link-status.js';
import { matchLink, planLink, planUp } from './plan-link.js';
import { desiredKeyOf, faultOf, mayHaveMoved, settledAs } from './settled-link.js';

export interface LinkReconcilerOptions {
  /** This node's attachments, indexed by `macAddress` and by `table`. */
  attachments: Store<ENIAttachment>;
  network: HostNetwork;
  look: SharedRead<HostView>;
  heard: HeardLinks;
  reporter: LinkReporter;
  contention: Contention;
  leases: Leases;
  clock: Clock;
  /** First id of our routing tables. */
  tableBase: number;
}

/** Rounds of looking and setting in a pass; two do. More is a loop, and is slowed down. */
const MAX_ROUNDS = 4;
/** How long a device may take to appear after EC2's word, before it is told of as missing (ec2-eni: ≤ 5 s). */
const DEVICE_GRACE_MS = 30_000;
/** Between tries of what the kernel refuses, in milliseconds. */
const REFUSED_RETRY_MS = 30_000;

/** What somebody else has done to a device, by the steps that put it right. */
interface Undone {
  desired: DesiredLink;
  link: HostLink;
  steps: readonly HostStep[];
}

/** Makes an attached ENI a usable interface, as its attachment says, and keeps it so. */
@Reconciler({ for: ENIAttachment })
export class LinkReconciler {
  /** By attachment: what {@link settledAs} said of what a pass has reached. */
  private readonly settled = new Map<string, string>();

  constructor(private readonly options: LinkReconcilerOptions) {}

  @Watch(HostEvents)
  attachmentsAt({ macAddress, table }: HostEvents): string[] {
    const { attachments } = this.options;
    if (macAddress !== undefined) return attachments.byIndex('macAddress', macAddress).map(keyOf);
    if (table !== undefined) return attachments.byIndex('table', String(table)).map(keyOf);
    return attachments.list().map(keyOf);
  }

  @Watch(LeaseEvent)
  attachmentOf({ key }: LeaseEvent): string[] {
    return [key];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, contention, leases, tableBase } = this.options;
    const attachment = attachments.get(key);
    if (!attachment) {
      this.settled.delete(key);
      contention.forget(key);
      leases.release(key);
      return {};
    }
    const desired = desiredLink(attachment, { tableBase });
    if (desired === undefined) return {};
    if ('reason' in desired) return this.refuse(attachment, desired);
    const heldFor = contention.heldFor(key, desiredKeyOf(desired));
    if (heldFor > 0) return { requeueAfter: heldFor };
    return this.settle(attachment, desired, logger);
  }

  private async settle(
    attachment: ENIAttachment,
    desired: DesiredLink,
    logger: Logger,
  ): Promise<Result> {
    const { network, look } = this.options;
    await this.bringUp(attachment, desired, logger);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const view = await look.take();
      const link = matchLink(view.links, desired.macAddress);
      if (!link) return this.absent(attachment, logger);
      const { steps, fault } = planLink({
        desired,
        link,
        view,
        earlierAltName: attachment.status?.link?.altName ?? attachment.spec.interfaceName,
        reversePathFilter: desired.looseReversePath
          ? await network.reversePathFilter(link.index)
          : undefined,
      });
      if (steps.length === 0) {
        this.settled.set(keyOf(attachment), settledAs(desired, link));
        const lease = this.leaseOf(keyOf(attachment), desired, link);
        // It is known within seconds, and LeaseEvent tells of it.
        if (!fault && lease.is === 'pending') return {};
        const missing = lease.is === 'missing' ? lease.fault : undefined;
        await this.report(attachment, { link, view, fault: fault ?? missing });
        if (!fault) return {};
        // What cures it may be about another device, of which this attachment hears nothing.
        this.settled.delete(keyOf(attachment));
        return { requeueAfter: REFUSED_RETRY_MS };
      }
      if (round === 0 && this.isUndone(attachment, desired, link)) {
        const contended = this.isContended(attachment, { desired, link, steps }, logger);
        if (contended) {
          await this.report(attachment, { link, view, fault: contended });
          const { contention } = this.options;
          return { requeueAfter: contention.heldFor(keyOf(attachment), desiredKeyOf(desired)) };
        }
      }
      const refused = await this.carryOut(steps, link, logger);
      if (refused) {
        this.settled.delete(keyOf(attachment));
        const after = await look.take();
        const now = matchLink(after.links, desired.macAddress);
        await this.report(attachment, { link: now, view: after, fault: fault ?? refused });
        return { requeueAfter: REFUSED_RETRY_MS };
      }
    }
    return { requeueAfter: REFUSED_RETRY_MS };
  }

  /**
   * Brings a new device up by what the kernel's events said of it, before anything else is looked at. What goes
   * wrong here is found, and told of, by the look that follows.
   */
  private async bringUp(
    attachment: ENIAttachment,
    desired: DesiredLink,
    logger: Logger,
  ): Promise<void> {
    // What was up already is perhaps somebody's conflict.
    if (this.settled.has(keyOf(attachment))) return;
    const { heard, network } = this.options;
    const link = matchLink(heard.withMac(desired.macAddress), desired.macAddress);
    const { steps } = link ? planUp(desired, link) : { steps: [] };
    try {
      for (const step of steps) await carryOut(network, step);
    } catch (error) {
      if (!(error instanceof HostNetworkError)) throw error;
      return;
    }
    if (link && steps.length > 0) {
      logger.info('Interface brought up', { interface: link.name, mac: link.macAddress });
    }
  }

  /** How the address stands with DHCP, which is asked as soon as the device can; `held` where it is not wanted. */
  private leaseOf(key: string, desired: DesiredLink, link: HostLink): Confirmation {
    const { leases } = this.options;
    const { dhcpAddress: address, macAddress } = desired;
    if (address === undefined) leases.release(key);
    else if (carriesTraffic(link)) return leases.hold(key, { macAddress, address });
    return { is: 'held' };
  }

  /** Does all that can be done. Returns the first fault; a device that has gone meanwhile is none. */
  private async carryOut(
    steps: readonly HostStep[],
    link: HostLink,
    logger: Logger,
  ): Promise<Fault | undefined> {
    let fault: Fault | undefined;
    for (const step of steps) {
      try {
        await carryOut(this.options.network, step);
      } catch (error) {
        if (!(error instanceof HostNetworkError)) throw error;
        if (error.reason === 'Gone') return undefined;
        fault ??= faultOf(step, error);
        logger.warn('The kernel refuses a change of an interface', {
          interface: link.name,
          step: step.do,
          error,
        });
      }
    }
    if (!fault) {
      logger.info('Interface configured', {
        interface: link.name,
        mac: link.macAddress,
        steps: steps.map((step) => step.do),
      });
    }
    return fault;
  }

  /** The node has no such device: not yet, no longer, or a pod has it. */
  private async absent(attachment: ENIAttachment, logger: Logger): Promise<Result> {
    const { clock, leases } = this.options;
    const wasHere = this.settled.delete(keyOf(attachment));
    leases.release(keyOf(attachment));
    if (attachment.metadata.deletionTimestamp !== undefined) return {};
    const { macAddress, link } = attachment.status ?? {};
    const attached = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.attached);
    // Before that it is no news that there is no device.
    if (attached?.status !== 'True' && link?.state === undefined) return {};
    if (mayHaveMoved(attachment, { wasHere })) {
      await this.report(attachment, { link: 'moved', fault: undefined });
      return {};
    }
    const sinceMs = clock.now() - Date.parse(attached?.lastTransitionTime ?? '');
    if (link?.state === undefined && sinceMs < DEVICE_GRACE_MS) {
      return { requeueAfter: DEVICE_GRACE_MS - sinceMs };
    }
    const fact = `The node has no device with the MAC address ${macAddress}`;
    logger.warn('Device missing', { mac: macAddress });
    await this.report(attachment, { link: undefined, fault: linkFault('DeviceMissing', fact) });
    return {};
  }

  private async refuse(attachment: ENIAttachment, fault: Fault): Promise<Result> {
    this.options.leases.release(keyOf(attachment));
    await this.report(attachment, { link: undefined, fault });
    return {};
  }

  /** Nobody reads of an attachment that is being deleted how its interface is. */
  private async report(
    attachment: ENIAttachment,
    finding: Omit<Parameters<LinkReporter['report']>[0], 'attachment' | 'view'> &
      Partial<Pick<Parameters<LinkReporter['report']>[0], 'view'>>,
  ): Promise<void> {
    if (attachment.metadata.deletionTimestamp !== undefined) return;
    const view = finding.view ?? { links: [], addresses: [], routes: [], rules: [] };
    await this.options.reporter.report({ attachment, ...finding, view });
  }

  private isUndone(attachment: ENIAttachment, desired: DesiredLink, link: HostLink): boolean {
    return this.settled.get(keyOf(attachment)) === settledAs(desired, link);
  }

  /** Tells of what was undone. Returns a fault where that was once too often. */
  private isContended(
    attachment: ENIAttachment,
    { desired, link, steps }: Undone,
    logger: Logger,
  ): Fault | undefined {
    const what = steps.map(describeStep);
    logger.warn('Interface changed by another program; restoring it', {
      interface: link.name,
      what,
    });
    if (this.options.contention.reversed(keyOf(attachment), desiredKeyOf(desired))) {
      const fact = `Another program undoes what is set on ${link.name} (${what.join(', ')})`;
      return linkFault('Contended', fact);
    }
    return undefined;
  }
}
