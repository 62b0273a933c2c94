import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import type { ENIAttachment, PodNetwork } from '../../api/eni-attachment.js';
import { type Fault, isLinkFault, linkFault } from '../../api/link-faults.js';
import { covers, podPoolOf } from '../../api/pod-pool.js';
import type { Clock } from '../../runtime/clock.js';
import { describeError } from '../../runtime/logger.js';
import { TEMPORARY_SUFFIX, writeFileAtomically } from '../host/write-file-atomically.js';
import {
  cniConfiguration,
  type OwnConfiguration,
  ownConfiguration,
  type PodDevice,
} from './cni-configuration.js';
import { planWithdrawal } from './plan-withdrawal.js';
import { podGateway } from './pod-gateway.js';
import { podRanges } from './pod-ranges.js';
import { Withdrawals } from './withdrawals.js';

export interface PodNetworksOptions {
  /** Folder in which Multus looks for configurations; undefined: the agent cannot write there. */
  configurationDir: string | undefined;
  /** Folder in which host-local stores the addresses that it has assigned, one folder per network. */
  stateDir: string;
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

const FILE = /^eni-operator-([a-z0-9][-a-z0-9]{0,62})\.conf$/;
const TEMPORARY = /^\.eni-operator-([a-z0-9][-a-z0-9]{0,62})\.conf\.tmp$/;
/** The CRD's bound. */
const MAX_ADDRESSES = 1_024;

/** The file of a network, as it is before a change. */
interface NetworkFile {
  dir: string;
  name: string;
  path: string;
  content: string | undefined;
  /** Unless another program wrote it. */
  own: OwnConfiguration | undefined;
}

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
    const { configurationDir: dir } = this.options;
    if (dir === undefined) return [];
    const removed: string[] = [];
    for (const file of await readdir(dir)) {
      const name = (FILE.exec(file) ?? TEMPORARY.exec(file))?.[1];
      if (name === undefined) continue;
      // In turn, so that a temporary file is not one of a write that is under way.
      if (await this.inTurn(name, () => this.removeLeftover(join(dir, file), name))) {
        removed.push(file);
      }
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

  /** @returns whether the file was one, and is removed */
  private async removeLeftover(path: string, network: string): Promise<boolean> {
    const content = await readOrNothing(path);
    if (content === undefined) return false;
    const isInterrupted = path.endsWith(TEMPORARY_SUFFIX);
    const isLeft = !this.options.hasNetwork(network) && ownConfiguration(content) !== undefined;
    if (!isInterrupted && !isLeft) return false;
    await rm(path, { force: true });
    return true;
  }

  private async provideNow(
    attachment: ENIAttachment,
    network: PodNetwork,
  ): Promise<PodNetworkState> {
    const { withdrawals } = this;
    const { name } = network;
    const earlier = [
      ...withdrawals.of(name),
      ...(attachment.status?.link?.withdrawnAddresses ?? []),
    ];
    const inUse = await this.addressesInUse(attachment);
    const isDeleted = attachment.metadata.deletionTimestamp !== undefined;
    // The caller's attachment can be of before a change, and the file removed since.
    const isKept = isDeleted || (this.devices.has(name) && this.options.hasNetwork(name));
    if (!isKept) return { podAddresses: inUse };
    const file = await this.open(name);
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
    const fault = await this.write(file, content);
    // After a failed write, the file can have any address.
    withdrawals.set(name, fault ? [] : withdrawn);
    const withdrawnAddresses = withdrawals.settled(name).slice(0, MAX_ADDRESSES);
    const settlesInMs = withdrawals.settlesIn(name);
    // This read comes after the withdrawal: a pod that got an address before it counts.
    const podAddresses = await this.addressesInUse(attachment);
    return { fault, podAddresses, withdrawnAddresses, settlesInMs };
  }

  private async open(network: string): Promise<NetworkFile | Fault> {
    const { configurationDir: dir } = this.options;
    if (dir === undefined) {
      const fact = `The agent has no folder for the CNI configuration of the network ${network}`;
      return linkFault('PodNetworkUnavailable', fact);
    }
    const name = fileOf(network);
    const path = join(dir, name);
    try {
      const content = await readOrNothing(path);
      return {
        dir,
        name,
        path,
        content,
        own: content === undefined ? undefined : ownConfiguration(content),
      };
    } catch (error) {
      const fact = `The CNI configuration ${path} cannot be read (${describeError(error)})`;
      return linkFault('PodNetworkUnavailable', fact);
    }
  }

  /** @param content `undefined`: no file */
  private async write(file: NetworkFile, content: string | undefined): Promise<Fault | undefined> {
    const { dir, name, path, content: present, own } = file;
    if (content === present) return undefined;
    if (present !== undefined && !own) {
      if (content === undefined) return undefined;
      const fact = `The file ${path} on the node belongs to another program`;
      return linkFault('PodNetworkUnavailable', fact);
    }
    try {
      if (content === undefined) await rm(path, { force: true });
      else await writeFileAtomically(dir, name, content);
      return undefined;
    } catch (error) {
      const fact = `The CNI configuration ${path} cannot be written (${describeError(error)})`;
      return linkFault('PodNetworkUnavailable', fact);
    }
  }

  private async addressesInUse({ spec, status }: ENIAttachment): Promise<string[] | undefined> {
    const { podNetwork } = spec;
    if (!podNetwork) return undefined;
    const { stateDir } = this.options;
    try {
      if (!(await readdir(stateDir)).includes(podNetwork.name)) return [];
      const files = await readdir(join(stateDir, podNetwork.name));
      const pool = Object.values(podPoolOf(status)).flat();
      return files
        .filter((file) => ipaddr.isValid(file))
        .filter((file) => pool.some((each) => covers(each, file)))
        .sort()
        .slice(0, MAX_ADDRESSES);
    } catch {
      return undefined;
    }
  }
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

function fileOf(name: string): string {
  return `eni-operator-${name}.conf`;
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
