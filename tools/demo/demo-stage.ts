import { type CallLatency, Ec2Simulator } from '../ec2-simulator/index.js';
import { findAssets } from '../envtest/assets.js';
import { startController } from './controller.js';
import type { Display } from './display.js';
import { Kubernetes } from './kubernetes.js';
import type { Lifeline } from './lifeline.js';
import { registerNodes } from './nodes.js';

export const REGION = 'us-west-2';

/** What EC2's calls take on an ordinary day, in milliseconds. */
const CALL_LATENCY: CallLatency = {
  CreateNetworkInterface: 300,
  AttachNetworkInterface: 800,
  DetachNetworkInterface: 800,
  DeleteNetworkInterface: 300,
  ModifyNetworkInterfaceAttribute: 100,
  default: 60,
};
/** From the accepted call until the ENI is there, or off, in milliseconds. */
const TRANSITION = { attach: 2_000, detach: 2_000 };

/** The demo registers nodes that do not exist; a cluster of somebody's is not for that. */
export class ForeignClusterError extends Error {
  override readonly name = 'ForeignClusterError';

  constructor() {
    super(
      'It registers nodes that do not exist, which your cluster should be spared: unset USE_EXISTING_CLUSTER. ' +
        'Where there is no Go to build a kube-apiserver and an etcd with, set KUBEBUILDER_ASSETS to a folder that has both.',
    );
  }
}

export interface StageOptions {
  display: Display;
  lifeline: Lifeline;
  /** Hears each line of the controller's log. */
  onControllerLine: (line: string) => void;
}

/** Everything that the demo runs on. */
export class DemoStage implements AsyncDisposable {
  private constructor(
    readonly cluster: Kubernetes['parts'],
    readonly ec2: Ec2Simulator,
    readonly lifeline: Lifeline,
    private readonly undo: AsyncDisposableStack,
  ) {}

  /**
   * Starts one part after the other, and tells of each.
   * @throws ForeignClusterError; the lifeline's reason; what a part throws that does not start
   */
  static async open(options: StageOptions): Promise<DemoStage> {
    const { display, lifeline, onControllerLine } = options;
    if (process.env.USE_EXISTING_CLUSTER === 'true') {
      throw new ForeignClusterError();
    }
    await using undo = new AsyncDisposableStack();

    // A first build takes minutes, tells of itself, and is not waited for.
    await lifeline.guard(findAssets());
    // An interruption waits here: what is half started can be stopped only once it has started.
    const kubernetes = undo.use(
      await display.during(
        'Kubernetes: a real kube-apiserver and etcd',
        Kubernetes.start({ lifeline }),
      ),
    );
    lifeline.signal.throwIfAborted();
    const cluster = kubernetes.parts;

    const ec2 = await display.during(
      'EC2: simulated, with three instances in two zones',
      startEc2(),
    );
    undo.defer(() => ec2.stop());
    await registerNodes({ cluster, ec2, region: REGION });

    undo.use(
      await display.during(
        'The controller: the program that is shipped',
        startController({
          kubeconfigPath: cluster.kubeconfigPath,
          ec2Url: ec2.url,
          region: REGION,
          lifeline,
          onLine: onControllerLine,
        }),
      ),
    );
    return new DemoStage(cluster, ec2, lifeline, undo.move());
  }

  /**
   * Resolves once the tables are so.
   * @throws the lifeline's reason
   */
  async until(isSo: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (isSo()) {
        resolve();
      }
    };
    const { nodeENIs, attachments } = this.cluster;
    const unsubscribe = [nodeENIs, attachments].map((table) => table.subscribe(look));
    look();
    try {
      await this.lifeline.guard(promise);
    } finally {
      for (const end of unsubscribe) {
        end();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo.disposeAsync();
  }
}

function startEc2(): Promise<Ec2Simulator> {
  return Ec2Simulator.start({
    region: REGION,
    callLatency: CALL_LATENCY,
    transition: TRANSITION,
  });
}
