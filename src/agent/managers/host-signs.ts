import { readFile } from 'node:fs/promises';
import type { HostNetwork, HostRule } from '../host/host-network.js';

/** What a pod in the host's network namespace sees of other programs, without access to the host's files. */
export interface HostSigns {
  /** Paths of the Unix sockets of the host's network namespace; abstract ones begin with `@`. */
  unixSockets: string[];
  netlinkSockets: NetlinkSocket[];
  rules: HostRule[];
}

interface NetlinkSocket {
  /** 0: rtnetlink. */
  protocol: number;
  /** Its address: usually the id of the process that opened it. */
  port: number;
  /** Bit mask of the multicast groups that it has joined. */
  groups: number;
}

export interface ReadHostSignsOptions {
  network: Pick<HostNetwork, 'rules'>;
  /** Default: the kernel's. */
  procNet?: string;
}

/** @throws HostNetworkError, and what reading a file throws */
export async function readHostSigns(options: ReadHostSignsOptions): Promise<HostSigns> {
  const { network, procNet = '/proc/self/net' } = options;
  const [unix, netlink, rules] = await Promise.all([
    readFile(`${procNet}/unix`, 'utf8'),
    readFile(`${procNet}/netlink`, 'utf8'),
    network.rules(),
  ]);
  return { unixSockets: parseUnix(unix), netlinkSockets: parseNetlink(netlink), rules };
}

/** Columns: address, references, protocol, flags, type, state, inode, path. */
function parseUnix(text: string): string[] {
  return rowsOf(text).flatMap((columns) => columns[7] ?? []);
}

/** Columns: address, protocol, port, groups (hexadecimal), … */
function parseNetlink(text: string): NetlinkSocket[] {
  return rowsOf(text).map(([, protocol, port, groups = '']) => ({
    protocol: Number(protocol),
    port: Number(port),
    groups: Number.parseInt(groups, 16),
  }));
}

function rowsOf(text: string): string[][] {
  const [, ...rows] = text.trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/));
}
