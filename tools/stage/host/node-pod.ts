import type { NetworkNamespace } from './network-namespace.js';
import { ECHO } from './vpc.js';

interface Parts {
  namespace: NetworkNamespace;
  address: string;
  /** Ends it as kubelet does. */
  end: () => Promise<void>;
}

/** A pod on a node, as far as networks go: a namespace, with the interface `net1` in the network it asked for. */
export class NodePod {
  constructor(private readonly parts: Parts) {}

  get namespace(): NetworkNamespace {
    return this.parts.namespace;
  }

  /** Of the interface `net1`. */
  get address(): string {
    return this.parts.address;
  }

  /** Answers every request to its address. */
  async serve(): Promise<void> {
    const echo = this.namespace.spawn(process.execPath, [ECHO, 'serve', this.address]);
    await new Promise((resolve) => echo.stdout.once('data', resolve));
  }

  async reaches(to: string, from = this.address): Promise<boolean> {
    const said = await this.namespace.exec(process.execPath, [ECHO, 'ask', from, to]);
    return said.trim() === 'answered';
  }

  delete(): Promise<void> {
    return this.parts.end();
  }
}
