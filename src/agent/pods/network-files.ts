import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fault, linkFault } from '../../api/link-faults.js';
import { describeError } from '../../runtime/logger.js';
import { codeOf } from '../host/file-error.js';
import { TEMPORARY_SUFFIX, writeFileAtomically } from '../host/write-file-atomically.js';
import { type OwnConfiguration, ownConfiguration } from './cni-configuration.js';

/** The file of a network, as it is before a change. */
export interface NetworkFile {
  dir: string;
  name: string;
  path: string;
  /** `undefined`: there is none. */
  content: string | undefined;
  /** Unless another program wrote it. */
  own: OwnConfiguration | undefined;
}

/** A file that can be left over. */
export interface Leftover {
  network: string;
  file: string;
}

const FILE = /^eni-operator-([a-z0-9][-a-z0-9]{0,62})\.conf$/;
const TEMPORARY = /^\.eni-operator-([a-z0-9][-a-z0-9]{0,62})\.conf\.tmp$/;

/** The agent's files in the folder in which Multus looks for configurations. */
export class NetworkFiles {
  /** @param dir `undefined`: the agent cannot write there */
  constructor(private readonly dir: string | undefined) {}

  async open(network: string): Promise<NetworkFile | Fault> {
    const { dir } = this;
    if (dir === undefined) {
      const fact = `The agent has no folder for the CNI configuration of the network ${network}`;
      return linkFault('PodNetworkUnavailable', fact);
    }
    const name = `eni-operator-${network}.conf`;
    const path = join(dir, name);
    try {
      const content = await readOrNothing(path);
      const own = content === undefined ? undefined : ownConfiguration(content);
      return { dir, name, path, content, own };
    } catch (error) {
      const fact = `The CNI configuration ${path} cannot be read (${describeError(error)})`;
      return linkFault('PodNetworkUnavailable', fact);
    }
  }

  /** @param content `undefined`: no file */
  async write(file: NetworkFile, content: string | undefined): Promise<Fault | undefined> {
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

  /** Files with the names that the agent uses. */
  async list(): Promise<Leftover[]> {
    const files = this.dir === undefined ? [] : await readdir(this.dir);
    return files.flatMap((file) => {
      const network = (FILE.exec(file) ?? TEMPORARY.exec(file))?.[1];
      return network === undefined ? [] : [{ network, file }];
    });
  }

  /**
   * Removes the temporary file of an interrupted write, and the agent's file of a network that is gone. Not to be
   * called during a write.
   * @returns whether the file was one
   */
  async removeLeftover({ file }: Leftover, { isGone }: { isGone: boolean }): Promise<boolean> {
    const path = join(this.dir ?? '', file);
    const content = await readOrNothing(path);
    if (content === undefined) return false;
    const isLeft = isGone && ownConfiguration(content) !== undefined;
    if (!isLeft && !file.endsWith(TEMPORARY_SUFFIX)) return false;
    await rm(path, { force: true });
    return true;
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
