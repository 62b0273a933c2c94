import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  type HostChange,
  type HostNetwork,
  HostNetworkError,
  type HostNetworkErrorOptions,
} from '../../src/agent/host/host-network.js';
import type { NetworkNamespace } from './namespaces.js';

export interface RemoteHostNetworkOptions {
  namespace: NetworkNamespace;
  /** A command and its arguments that the driver is run by, with fewer privileges for one. */
  through?: readonly string[];
  /** Bytes of events that the kernel keeps. */
  eventBufferBytes?: number;
}

/** A line from the driver. */
export type DriverLine =
  | { id: number; value?: unknown }
  | { id: number; error: HostNetworkErrorOptions & { name: string; message: string } }
  | { change: HostChange }
  | { warning: string };

export type DriverCall = { id: number; operation: string; args: unknown[] };

type Operations = Omit<HostNetwork, 'subscribe' | 'close'>;

const OPERATIONS: readonly (keyof Operations)[] = [
  'links',
  'addresses',
  'routes',
  'rules',
  'setUp',
  'setMtu',
  'setReversePathFilter',
  'reversePathFilter',
  'addAltName',
  'removeAltName',
  'addAddress',
  'removeAddress',
  'addRoute',
  'removeRoute',
  'addRule',
  'removeRule',
];

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * The real thing at work in a network namespace: a process of its own (`host-network-driver`), for a thread
 * cannot go to another namespace in Node. It is listened to from the start.
 */
export class RemoteHostNetwork {
  /** As {@link HostNetwork}, its errors too. */
  readonly network: Operations;
  /** The events received, in order. */
  readonly changes: HostChange[] = [];
  /** What the code under test has logged as warning or error. */
  readonly warnings: string[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  private constructor(
    private readonly process: ChildProcess,
    private readonly input: Writable,
  ) {
    this.network = Object.fromEntries(
      OPERATIONS.map((operation) => [
        operation,
        (...args: unknown[]) => this.call(operation, args),
      ]),
    ) as unknown as Operations;
    process.on('exit', (code, signal) => {
      const error = new Error(`The driver has ended: ${signal ?? code}`);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    });
  }

  static async start(options: RemoteHostNetworkOptions): Promise<RemoteHostNetwork> {
    const { namespace, through = [], eventBufferBytes } = options;
    const driver = fileURLToPath(new URL('./host-network-driver.js', import.meta.url));
    const [command = process.execPath, ...args] = [
      ...through,
      process.execPath,
      driver,
      JSON.stringify({ eventBufferBytes }),
    ];
    const child = namespace.spawn(command, args);
    const remote = new RemoteHostNetwork(child, child.stdin);
    createInterface({ input: child.stdout }).on('line', (line) => remote.handle(JSON.parse(line)));
    await remote.call('ready', []);
    return remote;
  }

  /** What the driver knows beside the port's operations: see there. */
  async call(operation: string, args: unknown[]): Promise<unknown> {
    this.lastId += 1;
    const call: DriverCall = { id: this.lastId, operation, args };
    return new Promise((resolve, reject) => {
      this.waiting.set(call.id, { resolve, reject });
      this.input.write(`${JSON.stringify(call)}\n`);
    });
  }

  /** The events received since the last call. */
  takeChanges(): HostChange[] {
    return this.changes.splice(0);
  }

  /** It does nothing while `work` is done, so that the kernel's news piles up. */
  async frozenWhile(work: () => Promise<unknown>): Promise<void> {
    this.process.kill('SIGSTOP');
    try {
      await work();
    } finally {
      this.process.kill('SIGCONT');
    }
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.input.end();
    await ended;
  }

  private handle(line: DriverLine): void {
    if ('change' in line) this.changes.push(line.change);
    else if ('warning' in line) this.warnings.push(line.warning);
    else {
      const waiting = this.waiting.get(line.id);
      this.waiting.delete(line.id);
      if (!('error' in line)) waiting?.resolve(line.value);
      else if (line.error.name !== 'HostNetworkError')
        waiting?.reject(new Error(line.error.message));
      else waiting?.reject(Object.assign(new HostNetworkError(line.error), line.error));
    }
  }
}
