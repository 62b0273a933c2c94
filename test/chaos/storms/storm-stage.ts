import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import { Node } from '../../../src/api/node.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import type { Ec2Simulator, Eni } from '../../../tools/ec2-simulator/index.js';
import type { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { BaseStage } from '../../../tools/stage/base-stage.js';
import { BRISK_SETTINGS } from '../../../tools/stage/brisk-settings.js';
import { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { eventually } from '../../support/eventually.js';
import type { View } from './deviations.js';

export interface StormStageOptions {
  /** With the CRDs. */
  controlPlane: ControlPlane;
  /** The controller's program; unset: the bundle that is shipped. */
  program?: string | undefined;
}

export const REGION = 'us-west-2';
const CLUSTER_ID = 'storms';

/** EC2's reads lag less than the controller allows for. */
const SETTINGS = {
  ...BRISK_SETTINGS,
  CLUSTER_ID,
  RESYNC_PERIOD: '1s',
  ORPHAN_GRACE_PERIOD: '1s',
};
const EC2_AT_WORK = {
  region: REGION,
  transition: { attach: 200, detach: 200 },
  consistency: { newInvisibleMs: 300, staleReadMs: 200 },
};

/** Lines of the log that are shown where a storm did harm, of those that are kept. */
const LAST_LINES = 100;
const KEPT_LINES = 20_000;
const API_SERVER_BACK_WITHIN_MS = 60_000;

/** A control plane, an EC2 of its own, and the shipped controller, as they are in a storm. */
export class StormStage extends BaseStage {
  private controller: ControllerProcess | undefined;
  private readonly lines: string[] = [];

  private constructor(
    private readonly controlPlane: ControlPlane,
    private readonly program: string | undefined,
    kube: KubeClient,
    readonly ec2: Ec2Simulator,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  static async open({ controlPlane, program }: StormStageOptions): Promise<StormStage> {
    await using parts = new StageParts();
    const kube = parts.kube(controlPlane.kubeconfigPath);
    const ec2 = await parts.ec2(EC2_AT_WORK);
    return new StormStage(controlPlane, program, kube, ec2, parts.move());
  }

  get clusterID(): string {
    return CLUSTER_ID;
  }

  /** The controller's last lines, of all its lives in this storm; of repeated lines, the last. */
  get lastLines(): readonly string[] {
    const latest = new Map<string, string>();
    for (const line of this.lines) {
      const gist = line.replaceAll(/"(ts|reconcileID)":"[^"]*"|"requeueAfterMs":[\d.]+/g, '');
      latest.delete(gist);
      latest.set(gist, line);
    }
    return [...latest.values()].slice(-LAST_LINES);
  }

  /** Whether the controller ended without being killed. */
  get hasCrashed(): boolean {
    return this.controller !== undefined && !this.controller.isRunning;
  }

  startController(): void {
    this.controller ??= ControllerProcess.start({
      kubeconfigPath: this.controlPlane.kubeconfigPath,
      ec2Url: this.ec2.url,
      region: REGION,
      env: SETTINGS,
      onLine: (line) => this.note(line),
      ...(this.program === undefined ? {} : { program: this.program }),
    });
  }

  async killController(): Promise<void> {
    const { controller } = this;
    this.controller = undefined;
    await controller?.stop('SIGKILL');
  }

  signalController(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.controller?.isRunning) {
      process.kill(this.controller.pid, signal);
    }
  }

  async restartApiServer(): Promise<void> {
    const isStarting = this.controller && !this.controller.hasStarted;
    await this.controlPlane.restartApiServer();
    // Each kind has a cache of its own to fill.
    for (const resource of [Node.resource, NodeENI.resource, ENIAttachment.resource]) {
      await eventually(() => this.kube.list(resource), API_SERVER_BACK_WITHIN_MS);
    }
    // Without an API server a controller does not start, and ends; kubelet starts it again.
    if (isStarting) {
      await this.killController();
      this.startController();
    }
  }

  ownEnis(): Eni[] {
    return this.ec2.state.enis.filter(({ tags }) => tags[TAGS.clusterID] === CLUSTER_ID);
  }

  /** As the console would, with any credentials: only what the simulator has no method for. */
  async callEc2(action: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const body = new URLSearchParams({ Action: action, Version: '2016-11-15', ...parameters });
    await fetch(this.ec2.url, { method: 'POST', body }).catch(() => undefined);
  }

  async view(): Promise<View> {
    const [attachments, nodeENIs] = await Promise.all([
      this.listAttachments(),
      this.listNodeENIs(),
    ]);
    return { enis: this.ownEnis(), attachments, nodeENIs };
  }

  /** Asks for the end of all NodeENIs and Nodes, without waiting for it. */
  async deleteNodesAndNodeENIs(): Promise<void> {
    await this.deleteAll(NodeENI.resource);
    await this.deleteAll(Node.resource);
  }

  /** Ends the controller, and takes from the API server by force what it may have left. */
  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.killController();
      await this.deleteNodesAndNodeENIs();
      await this.forceDeleteAll();
    } finally {
      await super[Symbol.asyncDispose]();
    }
  }

  private note(line: string): void {
    this.lines.push(line);
    if (this.lines.length > 2 * KEPT_LINES) {
      this.lines.splice(0, KEPT_LINES);
    }
  }
}
