import { createInterface } from 'node:readline';
import type { NetworkNamespace } from '../../test/support/namespaces.js';
import { isSubject } from './subject.js';

const TOO_LATE_MS = 1000;

/** Milliseconds from when each device appeared to when it was up, by the times that `ip monitor` prints. */
export class Observer {
  private readonly appeared = new Map<string, number>();
  private readonly delays = new Map<string, number>();
  private waiting: { name: string; resolve: () => void } | undefined;

  private constructor(private readonly stop: () => void) {}

  static async start(namespace: NetworkNamespace): Promise<Observer> {
    const monitor = namespace.spawn('ip', ['-oneline', '-tshort', 'monitor', 'link']);
    const observer = new Observer(() => monitor.kill());
    createInterface({ input: monitor.stdout }).on('line', (line) => observer.see(line));
    // It does not say when it listens.
    while (!observer.delays.has('lo')) {
      await namespace.ip('link set lo down');
      await namespace.ip('link set lo up');
    }
    return observer;
  }

  /** Resolves once the device has been seen up. @throws Error where that takes a second */
  up(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.delays.has(name)) {
        resolve();
        return;
      }
      const late = setTimeout(() => reject(new Error(`${name} stays down`)), TOO_LATE_MS);
      const seen = (): void => {
        clearTimeout(late);
        resolve();
      };
      this.waiting = { name, resolve: seen };
    });
  }

  /** In ascending order. */
  end(): number[] {
    this.stop();
    return [...this.delays]
      .flatMap(([name, ms]) => (isSubject(name) ? [ms] : []))
      .sort((a, b) => a - b);
  }

  private see(line: string): void {
    const [, time, name = '', flags] = /^\[([^\]]+)\] \d+: ([^:@]+)[^<]*<([^>]*)>/.exec(line) ?? [];
    if (!time) return;
    const now = millisecondsOf(time);
    const appeared = this.appeared.get(name) ?? now;
    this.appeared.set(name, appeared);
    if (!flags?.split(',').includes('UP') || this.delays.has(name)) return;
    this.delays.set(name, now - appeared);
    if (this.waiting?.name === name) this.waiting.resolve();
  }
}

/** @param time as iproute2 prints it, with microseconds: `2026-01-31T12:00:00.123456` */
function millisecondsOf(time: string): number {
  const [seconds = '', fraction = '0'] = time.split('.');
  return Date.parse(seconds) + Number(`0.${fraction}`) * 1000;
}
