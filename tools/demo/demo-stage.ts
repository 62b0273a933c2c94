import { KubeConfig } from '@kubernetes/client-node';
import { ENIAttachment } from '../../src/api/eni-attachment.js';
import { NodeENI } from '../../src/api/node-eni.js';
import { HttpKubeClient } from '../../src/runtime/http-kube-client.js';
import type { KubeClient } from '../../src/runtime/kube-client.js';
import { type CallLatency, Ec2Simulator } from '../ec2-simulator/index.js';
import { findAssets } from '../envtest/assets.js';
import { ControlPlane } from '../envtest/control-plane.js';
import { ControllerProcess } from '../stage/controller-process.js';
import type { Display } from './display.js';
import { registerNodes } from './nodes.js';
import { silent } from './silent-logger.js';
import { TableClient } from './table-client.js';
import { WatchedTable } from './watched-table.js';

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
/** A controller that takes longer to stop is killed, in milliseconds. */
const STOP_MS = 5_000;

/** The controller ended while it was needed. */
export class ControllerEnded extends Error {
  override readonly name = 'ControllerEnded';

  constructor(readonly code: number | null) {
    super(code === null ? 'The controller was killed' : `The controller ended with code ${code}`);
  }
}

/** Everything that the demo runs on. Whoever opens it closes it. */
export class DemoStage implements AsyncDisposable {
  private readonly undo = new AsyncDisposableStack();
  private readonly failed = new AbortController();
  /** Aborts when the user has had enough, or when a part of the stage has failed; its reason says which. */
  readonly signal: AbortSignal;
  private controlPlane!: ControlPlane;
  private controller: ControllerProcess | undefined;
  ec2!: Ec2Simulator;
  kube!: KubeClient;
  tables!: TableClient;
  nodeENIs!: WatchedTable;
  attachments!: WatchedTable;

  constructor(
    private readonly display: Display,
    interrupted: AbortSignal,
  ) {
    this.signal = AbortSignal.any([interrupted, this.failed.signal]);
  }

  /** Starts one part after the other, and tells of each. */
  async open(): Promise<void> {
    // Tells of a first build itself.
    await this.unlessAborted(findAssets());
    await this.part('Kubernetes API server and etcd, the real ones', () =>
      this.startControlPlane(),
    );
    await this.part('EC2, simulated: three instances in two Availability Zones', () =>
      this.startEc2(),
    );
    await this.part('The controller, the real one', () => this.startController());
  }

  get kubeconfigPath(): string {
    return this.controlPlane.kubeconfigPath;
  }

  /** The controller's last lines, the newest last. */
  lastLines(count: number): string[] {
    return this.controller?.lines.slice(-count) ?? [];
  }

  /**
   * Resolves once the tables are so.
   * @throws the signal's reason
   */
  until(isSo: () => boolean): Promise<void> {
    return this.unlessAborted(
      new Promise((resolve) => {
        const unsubscribe = [this.nodeENIs, this.attachments].map((table) =>
          table.subscribe(() => look()),
        );
        const look = (): void => {
          if (isSo()) {
            for (const end of unsubscribe) {
              end();
            }
            resolve();
          }
        };
        look();
      }),
    );
  }

  /** Passes `work` on, or rejects with the signal's reason as soon as it aborts. */
  unlessAborted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) {
        onAbort();
      }
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo.disposeAsync();
  }

  private part(what: string, start: () => Promise<void>): Promise<void> {
    return this.display.during(what, this.unlessAborted(start()));
  }

  private async startControlPlane(): Promise<void> {
    this.controlPlane = await ControlPlane.start({ logger: () => {} });
    this.undo.defer(() => this.controlPlane.stop());
    await this.controlPlane.applyCrds('crds');

    const { kubeconfigPath } = this.controlPlane;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const kube = HttpKubeClient.create({ kubeConfig, logger: silent });
    this.undo.defer(() => kube.close());
    const tables = TableClient.create({ kubeconfigPath });
    this.undo.defer(() => tables.close());
    this.kube = kube;
    this.tables = tables;
    this.nodeENIs = this.watch(NodeENI.resource);
    this.attachments = this.watch(ENIAttachment.resource);
  }

  private async startEc2(): Promise<void> {
    this.ec2 = await Ec2Simulator.start({
      region: REGION,
      callLatency: CALL_LATENCY,
      transition: TRANSITION,
    });
    this.undo.defer(() => this.ec2.stop());
    await registerNodes(this.kube, this.ec2, REGION);
  }

  private async startController(): Promise<void> {
    await new Promise<void>((resolve) => {
      const controller = ControllerProcess.start({
        kubeconfigPath: this.kubeconfigPath,
        ec2Url: this.ec2.url,
        region: REGION,
        onLine: (line) => {
          if (line.includes('"msg":"Started"')) {
            resolve();
          }
        },
      });
      this.controller = controller;
      this.undo.defer(() => stopController(controller));
      void controller.ended().then((code) => this.failed.abort(new ControllerEnded(code)));
    });
    this.ec2.resetCounts();
  }

  private watch(resource: typeof NodeENI.resource): WatchedTable {
    const ended = new AbortController();
    this.undo.defer(() => ended.abort());
    return WatchedTable.open({
      client: this.tables,
      resource,
      signal: ended.signal,
      failed: (error) => this.failed.abort(error),
    });
  }
}

async function stopController(controller: ControllerProcess): Promise<void> {
  const timer = setTimeout(() => void controller.stop('SIGKILL'), STOP_MS);
  await controller.stop();
  clearTimeout(timer);
}
