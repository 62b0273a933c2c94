import { link, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import { MANAGER_NAME } from '../../api/names.js';
import type { Clock } from '../../runtime/clock.js';
import { codeOf } from '../host/file-error.js';

/** Content of the agent's files, where host-local has the container and its interface. */
const MARK = `${MANAGER_NAME}: no pod gets this address`;
/** No address, so host-local ignores it. */
const TEMPORARY = `.${MANAGER_NAME}.tmp`;

/** The state of a network. */
export interface AddressState {
  /** Addresses that pods have, sorted. */
  pods: string[];
  /** Addresses that the agent holds, and since when (milliseconds since the epoch). */
  held: Map<string, number>;
}

export interface HostLocalStateOptions {
  /** Folder of host-local, one folder per network. */
  dir: string;
  clock: Clock;
}

/**
 * The addresses that the plugin host-local has assigned on this node: one file each, which it creates only if there
 * is none. So the agent can hold an address by such a file, and no pod gets it, whichever configuration its start
 * has read.
 */
export class HostLocalState {
  constructor(private readonly options: HostLocalStateOptions) {}

  /** `undefined`: it cannot be read. */
  async read(network: string): Promise<AddressState | undefined> {
    const { dir } = this.options;
    try {
      const state: AddressState = { pods: [], held: new Map() };
      if (!(await readdir(dir)).includes(network)) return state;
      const files = await readdir(join(dir, network));
      for (const address of files.filter((file) => ipaddr.isValid(file)).sort()) {
        const path = join(dir, network, address);
        const heldSince = await unlessGone(() => sinceWhenHeld(path));
        if (heldSince === 'gone') continue;
        if (heldSince === undefined) state.pods.push(address);
        else state.held.set(address, heldSince);
      }
      return state;
    } catch {
      return undefined;
    }
  }

  /** Holds those of the addresses that no pod has. @throws what the file system throws */
  async hold(network: string, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    const { dir, clock } = this.options;
    const folder = join(dir, network);
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, TEMPORARY);
    // A file has its content as soon as it has its name: without content it would be taken for a pod's.
    await writeFile(temporary, MARK, { mode: 0o600 });
    await utimes(temporary, clock.now() / 1_000, clock.now() / 1_000);
    for (const address of addresses) {
      await unlessThere(() => link(temporary, join(folder, address)));
    }
    await rm(temporary);
  }

  /** Gives back what {@link read} reported as held. @throws what the file system throws */
  async release(network: string, addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      await rm(join(this.options.dir, network, address), { force: true });
    }
  }
}

async function sinceWhenHeld(path: string): Promise<number | undefined> {
  return (await readFile(path, 'utf8')) === MARK ? (await stat(path)).mtimeMs : undefined;
}

async function unlessGone<T>(read: () => Promise<T>): Promise<T | 'gone'> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

async function unlessThere(create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
