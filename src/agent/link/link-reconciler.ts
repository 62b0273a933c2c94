import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, isLinkFault, isPartial, linkFault } from '../../api/link-faults.js';
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
import { HostEvent, type KnownLinks } from '../host/host-events.js';
import { type HostLink, type HostNetwork, HostNetworkError } from '../host/host-network.js';
import type { HostSnapshot } from '../host/host-snapshot.js';
import { carryOut, describeStep, type HostStep } from '../host/host-step.js';
import type { PodNetworkState, PodNetworks } from '../pods/pod-networks.js';
import type { Contention } from './contention.js';
import { type DesiredLink, desiredLink } from './desired-link.js';
import type { LinkReporter } from './link-reporter.js';
import { carriesTraffic } from './link-status.js';
import { matchLink, planLink, planUp } from './plan-link.js';
import { desiredKeyOf, faultOf, isStepOf, mayHaveMoved, settledAs } from './settled-link.js';

export interface LinkReconcilerOptions {
  /** This node's attachments, indexed by `macAddress` and by `table`. */
  attachments: Store<ENIAttachment>;
  network: HostNetwork;
  snapshots: SharedRead<HostSnapshot>;
  knownLinks: KnownLinks;
  reporter: LinkReporter;
  contention: Contention;
  leases: Leases;
  podNetworks: PodNetworks;
  clock: Clock;
  /** First id of the agent's routing tables. */
  tableBase: number;
}

/** Rounds of reading and changing the host per reconciliation. Two normally suffice; more indicate a loop. */
const MAX_ROUNDS = 4;
/** How long after EC2 reports the attachment a device may take to appear; measured: up to 5 s. */
const DEVICE_GRACE_MS = 30_000;
/** Milliseconds between attempts of a change that the kernel refused. */
const REFUSED_RETRY_MS = 30_000;

/** What the last reconciliation reached. */
interface Settled {
  /** From {@link settledAs}. */
  state: string;
  /** Whether a persistent fault prevented the step, so that it restores nothing. */
  isExcused: (step: HostStep) => boolean;
}

interface Settlement {
  desired: DesiredLink;
  link: HostLink;
  snapshot: HostSnapshot;
  fault: Fault | undefined;
  isExcused: Settled['isExcused'];
}

/** What the kernel refused. */
interface Refusal {
  fault: Fault;
  steps: readonly HostStep[];
}

/** What another program changed on a device, as the steps that restore it. */
interface Undone {
  desired: DesiredLink;
  link: HostLink;
  steps: readonly HostStep[];
}

/** Configures the interface of an attached ENI as its attachment specifies, and keeps it configured. */
@Reconciler({ for: ENIAttachment })
export class LinkReconciler {
  /** By attachment. */
  private readonly settled = new Map<string, Settled>();

  constructor(private readonly options: LinkReconcilerOptions) {}

  @Watch(HostEvent)
  attachmentsAt({ macAddress, table }: HostEvent): string[] {
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
    const isHeld = await this.isHeldByPods(attachment);
    const { deletionTimestamp: _, ...metadata } = attachment.metadata;
    // Pods keep their network until they are gone: the controller does not detach the ENI before.
    const desired = desiredLink(isHeld ? { ...attachment, metadata } : attachment, { tableBase });
    if (desired === undefined) return {};
    if (isLinkFault(desired)) return this.refuse(attachment, desired);
    const heldFor = contention.heldFor(key, desiredKeyOf(desired));
    if (heldFor > 0) return { requeueAfter: heldFor };
    return this.settle(attachment, desired, logger);
  }

  /** Whether the attachment is being deleted while pods have addresses of its ENI, or may still get one. */
  private async isHeldByPods(attachment: ENIAttachment): Promise<boolean> {
    if (attachment.metadata.deletionTimestamp === undefined) return false;
    const { podAddresses, settlesInMs } = await this.options.podNetworks.provide(attachment);
    if (podAddresses === undefined) return false;
    return podAddresses.length > 0 || settlesInMs !== undefined;
  }

  private async settle(
    attachment: ENIAttachment,
    desired: DesiredLink,
    logger: Logger,
  ): Promise<Result> {
    const { network, snapshots } = this.options;
    await this.bringUp(attachment, desired, logger);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const snapshot = await snapshots.take();
      const link = matchLink(snapshot.links, desired.macAddress);
      if (!link) return this.absent(attachment, logger);
      const { steps, fault } = planLink({
        desired,
        link,
        snapshot,
        earlierAltName: attachment.status?.link?.altName ?? attachment.spec.interfaceName,
        reversePathFilter: desired.looseReversePath
          ? await network.reversePathFilter(link.index)
          : undefined,
      });
      const isBlocked = (step: HostStep) => fault !== undefined && isStepOf(fault, step);
      if (steps.length === 0) {
        return this.finish(attachment, { desired, link, snapshot, fault, isExcused: isBlocked });
      }
      const undone = round === 0 ? this.undone(attachment, { desired, link, steps }) : [];
      if (undone.length > 0) {
        const contended = this.contentionFault(
          attachment,
          { desired, link, steps: undone },
          logger,
        );
        if (contended) {
          await this.report(attachment, { link, snapshot, fault: contended });
          const { contention } = this.options;
          return { requeueAfter: contention.heldFor(keyOf(attachment), desiredKeyOf(desired)) };
        }
      }
      const refused = await this.carryOut(steps, link, logger);
      if (refused) {
        const after = await snapshots.take();
        const now = matchLink(after.links, desired.macAddress);
        if (!now) return this.absent(attachment, logger);
        const refusedSteps = new Set(refused.steps.map((step) => JSON.stringify(step)));
        return this.finish(attachment, {
          desired,
          link: now,
          snapshot: after,
          fault: fault ?? refused.fault,
          isExcused: (step) => isBlocked(step) || refusedSteps.has(JSON.stringify(step)),
        });
      }
    }
    return { requeueAfter: REFUSED_RETRY_MS };
  }

  /** Reports the state that cannot be improved further, and checks it again if it has a fault. */
  private async finish(
    attachment: ENIAttachment,
    { desired, link, snapshot, fault, isExcused }: Settlement,
  ): Promise<Result> {
    const key = keyOf(attachment);
    this.settled.set(key, { state: settledAs(desired, link), isExcused });
    // The remedy may concern another device, whose events do not reach this attachment.
    const result = fault ? { requeueAfter: REFUSED_RETRY_MS } : {};
    if (fault && !isPartial(fault.reason, attachment.status?.privateIPAddresses)) {
      await this.report(attachment, { link, snapshot, fault });
      return result;
    }
    const lease = this.leaseOf(key, desired, link);
    // DHCP responds within seconds, and a LeaseEvent then triggers a reconcile.
    if (lease.is === 'pending') return result;
    const missing = lease.is === 'missing' ? lease.fault : undefined;
    const pods = await this.podsOn(attachment, link);
    const found = missing ?? pods.fault ?? fault;
    await this.report(attachment, { link, snapshot, ...pods, fault: found });
    return result;
  }

  /**
   * Brings a new device up from what the kernel's events report, before reading the rest of the host. The
   * reconciliation that follows finds and reports whatever fails here.
   */
  private async bringUp(
    attachment: ENIAttachment,
    desired: DesiredLink,
    logger: Logger,
  ): Promise<void> {
    // Already configured once: leave it to the contention check.
    if (this.settled.has(keyOf(attachment))) return;
    const { knownLinks, network } = this.options;
    const link = matchLink(knownLinks.withMac(desired.macAddress), desired.macAddress);
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

  /** Whether DHCP has confirmed the address. The request starts once the device carries traffic; `held` if DHCP is
   * not in use. */
  private leaseOf(key: string, desired: DesiredLink, link: HostLink): Confirmation {
    const { leases } = this.options;
    const { dhcpAddress: address, macAddress } = desired;
    if (address === undefined) leases.release(key);
    else if (carriesTraffic(link)) return leases.hold(key, { macAddress, address });
    return { is: 'held' };
  }

  /** Carries out every step that it can. A device that disappears meanwhile is not a refusal. */
  private async carryOut(
    steps: readonly HostStep[],
    link: HostLink,
    logger: Logger,
  ): Promise<Refusal | undefined> {
    const refused: { step: HostStep; fault: Fault }[] = [];
    for (const step of steps) {
      try {
        await carryOut(this.options.network, step);
      } catch (error) {
        if (!(error instanceof HostNetworkError)) throw error;
        if (error.reason === 'Gone') return undefined;
        refused.push({ step, fault: faultOf(step, error) });
        logger.warn('The kernel refused a change to an interface', {
          interface: link.name,
          step: step.do,
          error,
        });
      }
    }
    const first = refused.find(({ fault }) => fault.reason !== 'IPv6Disabled') ?? refused[0];
    if (first) return { fault: first.fault, steps: refused.map(({ step }) => step) };
    logger.info('Interface configured', {
      interface: link.name,
      mac: link.macAddress,
      steps: steps.map((step) => step.do),
    });
    return undefined;
  }

  /** Provides the pods' network on the device, and reads which addresses they have. */
  private async podsOn(
    attachment: ENIAttachment,
    { name, mtu }: HostLink,
  ): Promise<Omit<PodNetworkState, 'settlesInMs'>> {
    if (attachment.metadata.deletionTimestamp !== undefined) return {};
    return this.options.podNetworks.provide(attachment, { name, mtu });
  }

  /** Handles an attachment without a device: it has not appeared yet, was detached, or is in a pod. */
  private async absent(attachment: ENIAttachment, logger: Logger): Promise<Result> {
    const { clock, leases } = this.options;
    const wasHere = this.settled.delete(keyOf(attachment));
    leases.release(keyOf(attachment));
    if (attachment.metadata.deletionTimestamp !== undefined) return {};
    const { macAddress, link } = attachment.status ?? {};
    const attached = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.attached);
    // Until EC2 reports the attachment, a missing device is normal.
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

  /** Skips attachments that are being deleted: their link status no longer matters. */
  private async report(
    attachment: ENIAttachment,
    finding: Omit<Parameters<LinkReporter['report']>[0], 'attachment' | 'snapshot'> &
      Partial<Pick<Parameters<LinkReporter['report']>[0], 'snapshot'>>,
  ): Promise<void> {
    if (attachment.metadata.deletionTimestamp !== undefined) return;
    const snapshot = finding.snapshot ?? { links: [], addresses: [], routes: [], rules: [] };
    await this.options.reporter.report({ attachment, ...finding, snapshot });
  }

  /** Those of the steps that restore what another program changed. */
  private undone(attachment: ENIAttachment, { desired, link, steps }: Undone): HostStep[] {
    const settled = this.settled.get(keyOf(attachment));
    if (settled?.state !== settledAs(desired, link)) return [];
    return steps.filter((step) => !settled.isExcused(step));
  }

  /** Logs what another program changed. Returns a fault once that happens too often. */
  private contentionFault(
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
