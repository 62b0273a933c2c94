import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LeaseRequest } from '../../../../../src/agent/dhcp/leases.js';
import { eventually } from '../../../../support/eventually.js';
import type { NetworkNamespace } from '../../../../support/namespaces.js';

export interface HeldLeaseOptions {
  namespace: NetworkNamespace;
  request: LeaseRequest;
  /** A command and its arguments that the client is run by, with fewer privileges for one. */
  through?: readonly string[];
}

interface Entry {
  message: string;
  [field: string]: unknown;
}

/** The real DHCP client at work in a network namespace, as a process of its own. */
export class HeldLease {
  /** What it has logged. */
  readonly entries: Entry[] = [];

  private constructor(private readonly process: ChildProcess) {}

  static start({ namespace, request, through = [] }: HeldLeaseOptions): HeldLease {
    const driver = fileURLToPath(new URL('./lease-driver.js', import.meta.url));
    const [command = process.execPath, ...args] = [
      ...through,
      process.execPath,
      driver,
      JSON.stringify(request),
    ];
    const child = namespace.spawn(command, args);
    const lease = new HeldLease(child);
    createInterface({ input: child.stdout }).on('line', (line) =>
      lease.entries.push(JSON.parse(line)),
    );
    return lease;
  }

  /** Resolves with the first entry of that message, once there are `count` of them. */
  async logged(message: string, count = 1): Promise<Entry> {
    return eventually(() => {
      const found = this.entries.filter((entry) => entry.message === message);
      const [first] = found;
      if (!first || found.length < count) {
        throw new Error(`not ${count} × "${message}": ${JSON.stringify(this.entries)}`);
      }
      return Promise.resolve(first);
    });
  }

  stop(): void {
    this.process.stdin?.end();
  }
}
