import type { CallLatency, Ec2Simulator } from '../ec2-simulator/index.js';
import { findAssets } from '../envtest/assets.js';
import { BaseStage } from '../stage/base-stage.js';
import { ControllerProcess } from '../stage/controller-process.js';
import type { CniPrograms } from '../stage/host/cni-programs.js';
import type { NodeHost } from '../stage/host/node-host.js';
import type { Vpc } from '../stage/host/vpc.js';
import { StageParts } from '../stage/stage-parts.js';
import { Component } from './component.js';
import type { Display } from './display.js';
import { Hosts } from './hosts.js';
import { Kubernetes } from './kubernetes.js';
import type { LastLines } from './last-lines.js';
import type { Lifeline } from './lifeline.js';
import { registerNodes } from './nodes.js';
import { Pods } from './pods.js';

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

/** The demo registers nodes that do not exist, so it refuses to use an existing cluster. */
class ForeignClusterError extends Error {
  override readonly name = 'ForeignClusterError';

  constructor() {
    super(
      'The demo registers nodes that do not exist, so it does not run on your cluster: unset USE_EXISTING_CLUSTER. ' +
        'Without Go to build kube-apiserver and etcd, set KUBEBUILDER_ASSETS to a folder that has both.',
    );
  }
}

export interface StageOptions {
  display: Display;
  lifeline: Lifeline;
  /** Whether the nodes have hosts, each with an agent; that needs network namespaces. */
  agents: boolean;
  /** What connects pods; undefined where no pods are shown. They need agents. */
  programs: CniPrograms | undefined;
  logs: LastLines;
}

interface Cast {
  cluster: Kubernetes;
  ec2: Ec2Simulator;
  lifeline: Lifeline;
  hosts: Hosts | undefined;
  pods: Pods | undefined;
}

/** Everything that the demo runs on. */
export class DemoStage extends BaseStage {
  private constructor(
    private readonly cast: Cast,
    parts: StageParts,
  ) {
    super(cast.cluster.kube, parts);
  }

  /**
   * Starts one part after the other, and shows the progress.
   * @throws ForeignClusterError; the lifeline's reason; what a part throws that does not start
   */
  static async open(options: StageOptions): Promise<DemoStage> {
    const { display, lifeline, agents, programs, logs } = options;
    if (process.env.USE_EXISTING_CLUSTER === 'true') {
      throw new ForeignClusterError();
    }
    await using parts = new StageParts();

    // A first build takes minutes and reports its own progress; an interruption does not wait for it.
    await lifeline.guard(findAssets());
    // An interruption waits here: what is half started can be stopped only once it has started.
    const cluster = parts.use(
      await display.during(
        'Kubernetes: a real kube-apiserver and etcd',
        Kubernetes.start({ lifeline, multus: programs !== undefined }),
      ),
    );
    lifeline.signal.throwIfAborted();

    const ec2 = await display.during(
      'EC2: simulated, with three instances in two zones',
      parts.ec2({ region: REGION, callLatency: CALL_LATENCY, transition: TRANSITION }),
    );
    const instances = await registerNodes({ cluster, ec2, region: REGION });

    const controller = parts.use(startController(options, cluster, ec2));
    const what = 'The controller: the shipped program';
    await display.during(what, controller.untilStarted());
    const hosts = agents
      ? parts.use(
          await display.during(
            'The nodes: network namespaces, each with the shipped agent',
            Hosts.start({ cluster, ec2, instances, lifeline, logs }),
          ),
        )
      : undefined;
    const pods =
      hosts && programs
        ? parts.use(await Pods.create({ cluster, hosts, programs, lifeline }))
        : undefined;
    return new DemoStage({ cluster, ec2, lifeline, hosts, pods }, parts.move());
  }

  get cluster(): Kubernetes {
    return this.cast.cluster;
  }

  get ec2(): Ec2Simulator {
    return this.cast.ec2;
  }

  get lifeline(): Lifeline {
    return this.cast.lifeline;
  }

  /** Absent where nodes have no hosts. */
  get hosts(): Hosts | undefined {
    return this.cast.hosts;
  }

  /** @throws RangeError where nodes have no hosts, or there is no such node */
  host(node: string): NodeHost {
    const { hosts } = this;
    if (!hosts) throw new RangeError('The nodes have no hosts');
    return hosts.of(node).host;
  }

  /** What the nodes' hosts are plugged into. @throws RangeError where nodes have no hosts */
  get vpc(): Vpc {
    const { hosts } = this;
    if (!hosts) throw new RangeError('The nodes have no hosts');
    return hosts.vpc;
  }

  /** @throws RangeError where no pods are shown */
  get pods(): Pods {
    const { pods } = this.cast;
    if (!pods) throw new RangeError('There are no pods');
    return pods;
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
}

function startController(
  { lifeline, logs, agents }: StageOptions,
  { kubeconfigPath }: Kubernetes,
  { url: ec2Url }: Ec2Simulator,
): Component {
  const name = 'The controller';
  const env = { WAIT_FOR_AGENT: String(agents) };
  return Component.start({
    name,
    start: (onLine) =>
      ControllerProcess.start({ kubeconfigPath, ec2Url, region: REGION, env, onLine }),
    lifeline,
    onLine: logs.of(name),
  });
}
