import type { ENIAttachment, PodNetwork } from '../../api/eni-attachment.js';
import { type Fault, isLinkFault } from '../../api/link-faults.js';
import { covers, podPoolOf } from '../../api/pod-pool.js';
import type { Clock } from '../../runtime/clock.js';
import { cniConfiguration, type PodDevice } from './cni-configuration.js';
import type { AddressState, HostLocalState } from './host-local-state.js';
import type { NetworkFiles } from './network-files.js';
import { planHolds } from './plan-holds.js';
import { planWithdrawal } from './plan-withdrawal.js';
import { podGateway } from './pod-gateway.js';
import { podRanges } from './pod-ranges.js';
import { Withdrawals } from './withdrawals.js';

export interface PodNetworksOptions {
  files: NetworkFiles;
  hostLocal: HostLocalState;
  /** Whether an attachment on this node, not one that is being deleted, has a network of this name now. */
  hasNetwork: (name: string) => boolean;
  clock: Clock;
}

/** A pod network on this node. */
export interface PodNetworkState {
  /** Why its configuration cannot be written. */
  fault?: Fault | undefined;
  /**
   * The addresses of the network that pods on this node have, sorted; `undefined` if host-local's state cannot
   * be read.
   */
  podAddresses?: string[] | undefined;
  /** Addresses and prefixes of the ENI that no further pod gets. */
  withdrawnAddresses?: string[] | undefined;
  /** Milliseconds until more of them count as withdrawn. */
  settlesInMs?: number | undefined;
}

/** The CRD's bound. */
const MAX_ADDRESSES = 1_024;

/** The CNI configurations of pod networks on this node, and the addresses that pods have of them. */
export class PodNetworks {
  private readonly withdrawals: Withdrawals;
  /** By network. */
  private readonly devices = new Map<string, PodDevice>();
  /** By network: pods can have it when no file names it any longer. */
  private readonly gateways = new Map<string, string>();
  /** The latest work on a network's file, by network: one at a time. */
  private readonly work = new Map<string, Promise<unknown>>();

  constructor(private readonly options: PodNetworksOptions) {
    this.withdrawals = new Withdrawals(options.clock);
  }

  /**
   * Writes the configuration of the attachment's network, if it changed, without the addresses that no further
   * pod may get; removes it if no address is left. Then reads which addresses pods have: one that the state
   * names as withdrawn, and that no pod has, can be unassigned.
   * @param device the interface; default: the one of the last call. Without one, only the removal for an
   *   attachment that is being deleted is possible.
   */
  provide(attachment: ENIAttachment, device?: PodDevice): Promise<PodNetworkState> {
    const { podNetwork } = attachment.spec;
    if (!podNetwork) return Promise.resolve({});
    const { name } = podNetwork;
    if (device) this.devices.set(name, device);
    return this.inTurn(name, () => this.provideNow(attachment, podNetwork));
  }

  /** Removes the agent's files of networks that no attachment has, and those of interrupted writes. */
  async sweep(): Promise<string[]> {
    const { files, hasNetwork } = this.options;
    const removed: string[] = [];
    for (const each of await files.list()) {
      const { network, file } = each;
      // In turn, so that a temporary file is not one of a write that is under way.
      const isRemoved = await this.inTurn(network, () =>
        files.removeLeftover(each, { isGone: !hasNetwork(network) }),
      );
      if (isRemoved) removed.push(file);
    }
    return removed;
  }

  private inTurn<T>(network: string, work: () => Promise<T>): Promise<T> {
    const before = this.work.get(network) ?? Promise.resolve();
    const done = before.then(work);
    this.work.set(
      network,
      done.catch(() => undefined),
    );
    return done;
  }

  private async provideNow(
    attachment: ENIAttachment,
    network: PodNetwork,
  ): Promise<PodNetworkState> {
    const { withdrawals } = this;
    const { files, hostLocal } = this.options;
    const { name } = network;
    const earlier = [
      ...withdrawals.of(name),
      ...(attachment.status?.link?.withdrawnAddresses ?? []),
    ];
    const state = await hostLocal.read(name);
    const inUse = podsIn(attachment, state);
    const isDeleted = attachment.metadata.deletionTimestamp !== undefined;
    // The caller's attachment can be of before a change, and the file removed since.
    const isKept = isDeleted || (this.devices.has(name) && this.options.hasNetwork(name));
    if (!isKept) return { podAddresses: inUse };
    const file = await files.open(name);
    if (isLinkFault(file)) {
      withdrawals.set(name, []);
      return { fault: file, podAddresses: inUse, withdrawnAddresses: [] };
    }
    const isHad = (each: string) => inUse?.some((address) => covers(each, address));
    const gateway = podGateway({
      addresses: network.type === 'routed' ? singleAddresses(attachment) : [],
      earlier: file.own?.gateway ?? this.gateways.get(name),
      isInUse: (address) => isHad(address) ?? false,
    });
    if (gateway !== undefined) this.gateways.set(name, gateway);
    const withdrawn = planWithdrawal(attachment, {
      earlier: new Set(earlier),
      gateway,
      isInUse: (each) => isHad(each) ?? true,
    });
    const rest = without(attachment, withdrawn);
    const device = this.devices.get(name);
    const content = device && cniConfiguration({ attachment: rest, network, device, gateway });
    const fault = await files.write(file, content);
    // After a failed write, the file can have any address.
    withdrawals.set(name, fault ? [] : withdrawn);
    await this.hold(attachment, network, { state, withdrawn: withdrawals.of(name) });
    const withdrawnAddresses = withdrawals.settled(name).slice(0, MAX_ADDRESSES);
    const settlesInMs = withdrawals.settlesIn(name);
    // This read comes after the withdrawal: a pod that got an address before it counts. One that ended since the
    // first read counts once more, because its address was not held then.
    const after = podsIn(attachment, await hostLocal.read(name));
    const podAddresses = inUse && after && [...new Set([...inUse, ...after])].sort();
    return { fault, podAddresses, withdrawnAddresses, settlesInMs };
  }

  /** Withdrawn addresses are held, so that no start of a pod that has read an earlier configuration gets one. */
  private async hold(
    attachment: ENIAttachment,
    { name }: PodNetwork,
    { state, withdrawn }: { state: AddressState | undefined; withdrawn: readonly string[] },
  ): Promise<void> {
    if (!state) return;
    const { hostLocal, clock } = this.options;
    const { hold, release } = planHolds({
      state,
      withdrawn,
      pool: poolOf(attachment),
      isDeleted: attachment.metadata.deletionTimestamp !== undefined,
      now: clock.now(),
    });
    try {
      await hostLocal.release(name, release);
      await hostLocal.hold(name, hold);
    } catch {
      // Where the agent may only read, the time until an address counts as withdrawn is the safeguard.
    }
  }
}

/** Addresses and prefixes of the ENI that are for pods. */
function poolOf({ status }: ENIAttachment): string[] {
  return Object.values(podPoolOf(status)).flat();
}

/** The addresses of the ENI that pods have. */
function podsIn(attachment: ENIAttachment, state: AddressState | undefined): string[] | undefined {
  const pool = poolOf(attachment);
  return state?.pods
    .filter((address) => pool.some((each) => covers(each, address)))
    .slice(0, MAX_ADDRESSES);
}

function singleAddresses(attachment: ENIAttachment): string[] {
  return podRanges(attachment).flatMap(({ kind, first }) => (kind === 'address' ? [first] : []));
}

/** The attachment as if its ENI did not have these addresses. */
function without(attachment: ENIAttachment, withdrawn: readonly string[]): ENIAttachment {
  const { status = {} } = attachment;
  const left = new Set(withdrawn);
  const rest = (list: readonly string[] = []) => list.filter((each) => !left.has(each));
  const { ipv4Addresses, ipv4Prefixes, ipv6Prefixes } = podPoolOf(status);
  return {
    ...attachment,
    status: {
      ...status,
      privateIPAddresses: [
        ...(status.privateIPAddresses ?? []).slice(0, 1),
        ...rest(ipv4Addresses),
      ],
      ipv4Prefixes: rest(ipv4Prefixes),
      ipv6Prefixes: rest(ipv6Prefixes),
    },
  };
}
