/**
 * Serves {@link RtnetlinkHostNetwork} of the namespace that it runs in over its standard input and output, a JSON
 * line a call; ends with its input. Started by {@link RemoteHostNetwork}.
 */
import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { HostNetworkError } from '../../src/agent/host/host-network.js';
import * as libc from '../../src/agent/linux/libc.js';
import { RtnetlinkHostNetwork } from '../../src/agent/linux/rtnetlink-host-network.js';
import { detectManagers } from '../../src/agent/managers/detect-managers.js';
import { readHostSigns } from '../../src/agent/managers/host-signs.js';
import type { Logger } from '../../src/runtime/logger.js';
import type { DriverCall, DriverLine } from './remote-host-network.js';

const AF_NETLINK = 16;
const SOCK_RAW = 3;

const tell = (line: DriverLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const warn = (message: string, fields?: Record<string, unknown>): void =>
  tell({ warning: `${message} ${fields?.error ?? ''}`.trim() });
const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn,
  error: warn,
  child: () => logger,
};

const network = RtnetlinkHostNetwork.create({ logger, ...JSON.parse(process.argv[2] ?? '{}') });
network.subscribe((change) => tell({ change }));

const extras: Record<string, (...args: never[]) => unknown> = {
  ready: () => undefined,
  processId: () => process.pid,
  ownNetlinkPorts,
  detectManagers: async () => detectManagers(await readHostSigns({ network })),
  canWriteSysctl(): boolean {
    try {
      accessSync('/proc/sys/net/ipv4/conf/all/rp_filter', constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  /** Writes the bytes (hexadecimal) to the process's own netlink sockets, as another process could. */
  writeToOwnSockets(hex: string): number {
    const ports = ownNetlinkPorts();
    const bytes = Buffer.from(hex, 'hex');
    const fd = libc.socket(AF_NETLINK, SOCK_RAW, 0);
    for (const port of ports) {
      // struct sockaddr_nl
      const address = Buffer.alloc(12);
      address.writeUInt16LE(AF_NETLINK, 0);
      address.writeUInt32LE(port, 4);
      libc.sendto(fd, bytes, bytes.length, 0, address, address.length);
    }
    libc.close(fd);
    return ports.length;
  },
};

function ownNetlinkPorts(): number[] {
  const own = new Set(readdirSync('/proc/self/fd').map(socketInode));
  const lines = readFileSync('/proc/self/net/netlink', 'utf8').trim().split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , port, ...rest]) => port !== '0' && own.has(rest.at(-1)))
    .map(([, , port]) => Number(port));
}

/** The inode, when the descriptor is an open socket. */
function socketInode(descriptor: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

async function serve({ id, operation, args }: DriverCall): Promise<void> {
  try {
    const target: object = operation in extras ? extras : network;
    const method: unknown = Reflect.get(target, operation);
    if (typeof method !== 'function') throw new Error(`There is no operation ${operation}`);
    tell({ id, value: await method.apply(target, args) });
  } catch (error) {
    if (!(error instanceof HostNetworkError)) {
      tell({ id, error: { name: 'Error', message: String(error), ...NO_FACTS } });
      return;
    }
    const { name, message, reason, code, device } = error;
    tell({ id, error: { name, message, operation: error.operation, reason, code, device } });
  }
}

const NO_FACTS = { operation: '', reason: 'Unknown', code: '' } as const;

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void serve(JSON.parse(line)));
lines.on('close', () => network.close());
