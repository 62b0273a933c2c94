import { KubeConfigAccess } from '../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../src/runtime/kube/http/http-kube-client.js';
import { Ec2Simulator, type SimulatorOptions } from '../ec2-simulator/index.js';
import { ControlPlane, type ControlPlaneOptions } from '../envtest/control-plane.js';
import { ControllerProcess, type ControllerProcessOptions } from './controller-process.js';
import { silentLogger } from './silent-logger.js';

/** Folder of the CustomResourceDefinitions, in the working directory. */
export const CRDS = 'crds';

/** Starts the parts of a stage one by one, and ends them in the reverse order. */
export class StageParts implements AsyncDisposable {
  constructor(private readonly cleanUp = new AsyncDisposableStack()) {}

  /** A control plane of the stage's own that serves the operator's kinds. @throws as ControlPlane.start() does */
  async controlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const controlPlane = await this.bareControlPlane(options);
    await controlPlane.applyCrds(CRDS);
    return controlPlane;
  }

  /** A control plane of the stage's own, without the operator's kinds. */
  async bareControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const controlPlane = await ControlPlane.start(options);
    this.defer(() => controlPlane.stop());
    return controlPlane;
  }

  /** A client with the rights of the kubeconfig's user. */
  kube(kubeconfigPath: string, options: { userAgent?: string } = {}): HttpKubeClient {
    const access = KubeConfigAccess.fromFiles(kubeconfigPath);
    const kube = HttpKubeClient.create({ access, logger: silentLogger, ...options });
    this.defer(() => kube.close());
    return kube;
  }

  async ec2(options: SimulatorOptions): Promise<Ec2Simulator> {
    const ec2 = await Ec2Simulator.start(options);
    this.defer(() => ec2.stop());
    return ec2;
  }

  controller(options: ControllerProcessOptions): ControllerProcess {
    const controller = ControllerProcess.start(options);
    this.defer(() => controller.stop());
    return controller;
  }

  use<T extends AsyncDisposable>(part: T): T {
    return this.cleanUp.use(part);
  }

  /** Does `end` before it ends the parts that were started earlier. */
  defer(end: () => unknown): void {
    this.cleanUp.defer(async () => void (await end()));
  }

  /** Hands the parts over: from now on the result ends them. */
  move(): StageParts {
    return new StageParts(this.cleanUp.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanUp.disposeAsync();
  }
}
