import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, linkFault } from '../../api/link-faults.js';
import { MANAGER_NAME } from '../../api/names.js';
import { describeError } from '../../runtime/logger.js';
import { writeFileAtomically } from '../host/write-file-atomically.js';
import { cniConfiguration, type PodDevice } from './cni-configuration.js';
import { podRanges } from './pod-ranges.js';

export interface PodNetworksOptions {
  /** Folder in which Multus looks for configurations; undefined: the agent cannot write there. */
  configurationDir: string | undefined;
  /** Folder in which host-local stores the addresses that it has assigned, one folder per network. */
  stateDir: string;
}

const FILE = /^eni-operator-([a-z0-9][-a-z0-9]{0,62})\.conf$/;
const TEMPORARY = /^\.eni-operator-[a-z0-9][-a-z0-9]{0,62}\.conf\.tmp$/;
/** The CRD's bound. */
const MAX_ADDRESSES = 1_024;

/** The CNI configurations of pod networks on this node, and the addresses that pods have of them. */
export class PodNetworks {
  constructor(private readonly options: PodNetworksOptions) {}

  /**
   * Writes the configuration of the attachment's network, if it changed.
   * @returns why it cannot, or `undefined`
   */
  async provide(attachment: ENIAttachment, device: PodDevice): Promise<Fault | undefined> {
    const { podNetwork } = attachment.spec;
    const { configurationDir: dir } = this.options;
    if (!podNetwork) return undefined;
    if (dir === undefined) {
      const fact = `The agent has no folder for the CNI configuration of the network ${podNetwork.name}`;
      return linkFault('PodNetworkUnavailable', fact);
    }
    const content = cniConfiguration(attachment, podNetwork, device);
    const path = join(dir, fileOf(podNetwork.name));
    try {
      const present = await readOrNothing(path);
      if (content === undefined || content === present) return undefined;
      if (present !== undefined && !hasAgentMark(present)) {
        const fact = `The file ${path} on the node belongs to another program`;
        return linkFault('PodNetworkUnavailable', fact);
      }
      await writeFileAtomically(dir, fileOf(podNetwork.name), content);
      return undefined;
    } catch (error) {
      const fact = `The CNI configuration ${path} cannot be written (${describeError(error)})`;
      return linkFault('PodNetworkUnavailable', fact);
    }
  }

  /** Removes the agent's files of all other networks. */
  async keepOnly(names: ReadonlySet<string>): Promise<string[]> {
    const { configurationDir: dir } = this.options;
    if (dir === undefined) return [];
    const removed: string[] = [];
    for (const file of await readdir(dir)) {
      const name = FILE.exec(file)?.[1];
      const isLeft = name !== undefined && !names.has(name);
      if (
        TEMPORARY.test(file) ||
        (isLeft && hasAgentMark((await readOrNothing(join(dir, file))) ?? ''))
      ) {
        await rm(join(dir, file), { force: true });
        removed.push(file);
      }
    }
    return removed;
  }

  /**
   * The addresses of the attachment's network that pods on this node have, sorted; `undefined` if
   * host-local's state cannot be read.
   */
  async addressesInUse(attachment: ENIAttachment): Promise<string[] | undefined> {
    const { podNetwork } = attachment.spec;
    if (!podNetwork) return undefined;
    const { stateDir } = this.options;
    try {
      if (!(await readdir(stateDir)).includes(podNetwork.name)) return [];
      const files = await readdir(join(stateDir, podNetwork.name));
      const ranges = podRanges(attachment).map(({ match }) => ipaddr.parseCIDR(match));
      return files
        .filter((file) => ipaddr.isValid(file))
        .filter((file) => {
          const address = ipaddr.parse(file);
          return ranges.some(
            ([network, length]) =>
              address.kind() === network.kind() && address.match(network, length),
          );
        })
        .sort()
        .slice(0, MAX_ADDRESSES);
    } catch {
      return undefined;
    }
  }
}

function fileOf(name: string): string {
  return `eni-operator-${name}.conf`;
}

function hasAgentMark(content: string): boolean {
  try {
    const parsed: unknown = JSON.parse(content);
    return (
      typeof parsed === 'object' &&
      parsed !== null &&
      Reflect.get(parsed, 'managedBy') === MANAGER_NAME
    );
  } catch {
    return false;
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
