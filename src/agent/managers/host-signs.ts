import { readdir, readFile, readlink } from 'node:fs/promises';
import type { HostNetwork, HostRule } from '../host/host-network.js';

/** What a pod in the host's network namespace sees of other programs, without access to the host's files. */
export interface HostSigns {
  /** Paths of the Unix sockets of the host's network namespace; abstract ones begin with `@`. */
  unixSockets: string[];
  /** Without those of this process: in a container it is process 1, as systemd is on the host. */
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
  /** Default: `/proc/self`. */
  proc?: string;
}

/** @throws HostNetworkError, and what reading a file throws */
export async function readHostSigns(options: ReadHostSignsOptions): Promise<HostSigns> {
  const { network, proc = '/proc/self' } = options;
  const [unix, netlink, own, rules] = await Promise.all([
    readFile(`${proc}/net/unix`, 'utf8'),
    readFile(`${proc}/net/netlink`, 'utf8'),
    ownSockets(proc),
    network.rules(),
  ]);
  return { unixSockets: parseUnix(unix), netlinkSockets: parseNetlink(netlink, own), rules };
}

/** Inodes of the sockets that this process has open. */
async function ownSockets(proc: string): Promise<ReadonlySet<string>> {
  const descriptors = await readdir(`${proc}/fd`);
  const targets = await Promise.all(
    // A descriptor may be closed meanwhile.
    descriptors.map((fd) => readlink(`${proc}/fd/${fd}`).catch(() => '')),
  );
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

/** Columns: address, references, protocol, flags, type, state, inode, path. */
function parseUnix(text: string): string[] {
  return rowsOf(text).flatMap((columns) => columns[7] ?? []);
}

/** Columns: address, protocol, port, groups (hexadecimal), five others, inode. */
function parseNetlink(text: string, own: ReadonlySet<string>): NetlinkSocket[] {
  return rowsOf(text)
    .filter(({ 9: inode = '' }) => !own.has(inode))
    .map(([, protocol, port, groups = '']) => ({
      protocol: Number(protocol),
      port: Number(port),
      groups: Number.parseInt(groups, 16),
    }));
}

function rowsOf(text: string): string[][] {
  const [, ...rows] = text.trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/));
}
