import { createInterface } from 'node:readline';
import { type Clock, sleep } from '../src/runtime/clock.js';
import type { NetworkNamespace } from '../tools/stage/host/network-namespace.js';

export interface AgentObserverOptions {
  namespace: NetworkNamespace;
  /** Bytes that a device is to have once it is up. */
  mtu: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Nothing that an agent does for a device takes nearly as long, in milliseconds. */
const PATIENCE_MS = 30_000;

/** A device did not appear, or was not set up. */
class DeviceNotSeenError extends Error {
  override readonly name = 'DeviceNotSeenError';

  constructor(readonly device: string) {
    super(`${device} was not seen up within ${PATIENCE_MS / 1_000} s`);
  }
}

/** What the kernel reported about a device. */
interface Seen {
  appearedAt: number;
  readyAt?: number;
}

/** Longest wait for the monitor's line about `lo`, in milliseconds, before `lo` is changed again. */
const LISTENS_MS = 100;

/**
 * Listens to the kernel's own events on a host, in a process of its own: `ip monitor`, by whose clock a device
 * appears and is up.
 */
export class AgentObserver {
  private readonly seen = new Map<string, Seen>();
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly options: AgentObserverOptions) {}

  /** Resolves once it listens; it ends with the namespace. @throws the signal's reason */
  static async start(options: AgentObserverOptions): Promise<AgentObserver> {
    const { namespace, clock, signal } = options;
    const observer = new AgentObserver(options);
    const monitor = namespace.spawn('ip', ['-oneline', '-tshort', 'monitor', 'link']);
    createInterface({ input: monitor.stdout }).on('line', (line) => observer.handle(line));
    for (let mtu = 60_000; !observer.seen.has('lo'); mtu++) {
      await namespace.ip(`link set lo mtu ${mtu}`);
      await sleep(clock, LISTENS_MS, signal);
    }
    return observer;
  }

  /** Resolves once the device is there. @throws DeviceNotSeenError; the signal's reason */
  async appearance(name: string): Promise<void> {
    await this.see(name, () => true);
  }

  /**
   * Resolves once the device is up with the MTU.
   * @returns the milliseconds that took since it appeared
   * @throws DeviceNotSeenError; the signal's reason
   */
  delay(name: string): Promise<number> {
    return this.see(name, ({ appearedAt, readyAt }) => readyAt && readyAt - appearedAt);
  }

  private see<T>(name: string, read: (seen: Seen) => T | undefined): Promise<T> {
    const { clock, signal } = this.options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const seen = this.seen.get(name);
      const value = seen && read(seen);
      if (value !== undefined) resolve(value);
    };
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    const timer = clock.after(PATIENCE_MS, () => reject(new DeviceNotSeenError(name)));
    this.listeners.add(look);
    look();
    return promise.finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      this.listeners.delete(look);
    });
  }

  private handle(line: string): void {
    const event = parseLinkEvent(line);
    if (!event) return;
    const { name, at, up, mtu } = event;
    const seen = this.seen.get(name) ?? { appearedAt: at };
    this.seen.set(name, seen);
    if (up && mtu === this.options.mtu) seen.readyAt ??= at;
    for (const look of this.listeners) look();
  }
}

export interface LinkEvent {
  name: string;
  /** Milliseconds since the epoch, with a fraction. */
  at: number;
  up: boolean;
  /** Bytes. */
  mtu: number;
}

/**
 * @param line of `ip -oneline -tshort monitor link`
 * @returns undefined for a line about something else, such as a device that is gone
 */
export function parseLinkEvent(line: string): LinkEvent | undefined {
  const [, date, fraction, name, flags, mtu] =
    /^\[([^\].]+)\.(\d+)\] \d+: ([^:@]+)[^<]*<([^>]*)> mtu (\d+)/.exec(line) ?? [];
  if (!date || !name) return undefined;
  return {
    name,
    at: Date.parse(date) + Number(`0.${fraction}`) * 1_000,
    up: flags?.split(',').includes('UP') ?? false,
    mtu: Number(mtu),
  };
}
