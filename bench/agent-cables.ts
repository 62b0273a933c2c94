import { NetworkNamespace } from '../tools/stage/host/network-namespace.js';
import type { BenchDevice } from './agent-device.js';

/**
 * Makes devices appear on a host and go, by processes of iproute2 that are kept running: the time that a process
 * takes to start is not measured.
 */
export class AgentCables {
  private constructor(
    private readonly near: Batch,
    private readonly far: Batch,
    private readonly farNamespace: NetworkNamespace,
  ) {}

  static async create(host: NetworkNamespace): Promise<AgentCables> {
    const far = await NetworkNamespace.create('far');
    return new AgentCables(batchIn(host), batchIn(far), far);
  }

  /** All at once, as far as the kernel can. */
  plugIn(devices: readonly BenchDevice[]): void {
    send(
      this.near,
      devices.map(
        ({ name, macAddress, number }) =>
          `link add ${name} address ${macAddress} type veth peer name p${number} netns ${this.farNamespace.name}`,
      ),
    );
  }

  /** Gives a device that is there its carrier, which it has once it is up too. */
  connect({ number }: BenchDevice): void {
    send(this.far, [`link set p${number} up`]);
  }

  plugOut(devices: readonly BenchDevice[]): void {
    send(
      this.near,
      devices.map(({ name }) => `link del ${name}`),
    );
  }

  async delete(): Promise<void> {
    this.near.stdin.end();
    await this.farNamespace.delete();
  }
}

type Batch = ReturnType<NetworkNamespace['spawn']>;

function batchIn(namespace: NetworkNamespace): Batch {
  return namespace.spawn('ip', ['-force', '-batch', '-']);
}

function send({ stdin }: Batch, lines: readonly string[]): void {
  stdin.write(lines.map((line) => `${line}\n`).join(''));
}
