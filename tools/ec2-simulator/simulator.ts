import { runControl } from './server/control-routes.js';
import { HttpServer } from './server/http-server.js';
import { SimulatedEc2, type SimulatorOptions } from './simulated-ec2.js';

/**
 * A simulated EC2 on a port of loopback: the real SDK and the AWS CLI work against its `url` with any
 * credentials.
 */
export class Ec2Simulator extends SimulatedEc2 {
  private server: HttpServer | undefined;

  private constructor(options: SimulatorOptions) {
    super(options);
  }

  /** @throws when the port is taken, or the network of the options contradicts itself. */
  static async start(options: SimulatorOptions = {}): Promise<Ec2Simulator> {
    const simulator = new Ec2Simulator(options);
    simulator.server = await HttpServer.listen(options.port ?? 0, simulator.clock, {
      query: (form) => simulator.answer(form),
      control: (request) => runControl(simulator, request),
    });
    return simulator;
  }

  /** Cuts every connection. */
  async stop(): Promise<void> {
    this.cancelTransitions();
    await this.server?.close();
  }

  /** The endpoint, e.g. `http://127.0.0.1:4510`. */
  get url(): string {
    return this.server?.url ?? '';
  }
}
