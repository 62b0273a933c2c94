import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { INTERFACE } from './nodes.js';

/** Reports whether the kernel says that a node's interface of these tests goes, or goes down. */
export class LinkWatch {
  private readonly changes: string[] = [];

  private constructor(private readonly monitor: ChildProcess) {}

  static start(node: RealNode): LinkWatch {
    // Without the node's PID namespace, which nsenter would have to fork for: what is killed is ip itself.
    const into = `--net=/run/netns/${node.namespace.name}`;
    const monitor = spawn('nsenter', [into, 'ip', '-oneline', 'monitor', 'link'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const watch = new LinkWatch(monitor);
    createInterface({ input: monitor.stdout }).on('line', (line) => {
      const isOperatorEni = line.includes(INTERFACE);
      if (isOperatorEni && (line.startsWith('Deleted') || !line.includes(',UP')))
        watch.changes.push(line);
    });
    return watch;
  }

  /** @returns what happened to the interface, as `ip monitor` says it */
  async stop(): Promise<string[]> {
    const ended = once(this.monitor, 'exit');
    this.monitor.kill('SIGKILL');
    await ended;
    return this.changes;
  }
}
