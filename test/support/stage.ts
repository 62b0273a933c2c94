import { Node } from '../../src/api/node.js';
import { NodeENI, type NodeENISpec } from '../../src/api/node-eni.js';
import type { KubeClient, ObjectName } from '../../src/runtime/kube/kube-client.js';
import { isNotFound } from '../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../src/runtime/kube/resource.js';
import {
  DEFAULT_IDS,
  type Ec2Simulator,
  type Eni,
  type SimulatorOptions,
} from '../../tools/ec2-simulator/index.js';
import type { ControlPlane } from '../../tools/envtest/control-plane.js';
import { sharedControlPlane } from '../../tools/envtest/shared-control-plane.js';
import { BaseStage } from '../../tools/stage/base-stage.js';
import { BRISK_SETTINGS } from '../../tools/stage/brisk-settings.js';
import type { ControllerProcess } from '../../tools/stage/controller-process.js';
import { ignoringNotFound } from '../../tools/stage/ignoring-not-found.js';
import { createNode, deleteNode, labelNode, type StageNode } from '../../tools/stage/nodes.js';
import { PodIdentity } from '../../tools/stage/pod-identity.js';
import { StageParts } from '../../tools/stage/stage-parts.js';
import { eventually } from './eventually.js';

const REGION = 'us-west-2';
export const ZONE_A = `${REGION}a`;
export const ZONE_B = `${REGION}b`;

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};
const CLUSTER_ROLE_BINDINGS: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

/** An Event as tests read it. */
export interface StageEvent extends KubeObject {
  type: string;
  reason: string;
  note: string;
  regarding: { kind: string; name: string; uid: string };
  series?: { count: number };
}

/** The shared control plane, an EC2 simulator and the shipped controller between them. */
export class Stage extends BaseStage {
  private controller: ControllerProcess | undefined;

  private constructor(
    readonly ec2: Ec2Simulator,
    kube: KubeClient,
    readonly kubeconfigPath: string,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  /** @param controlPlane for tests that stop or restore it; default: the shared one */
  static async open(
    simulator: SimulatorOptions = {},
    controlPlane?: Pick<ControlPlane, 'kubeconfigPath'>,
  ): Promise<Stage> {
    await using parts = new StageParts();
    const { kubeconfigPath } = controlPlane ?? (await sharedControlPlane());
    const kube = parts.kube(kubeconfigPath);
    const ec2 = await parts.ec2({ region: REGION, ...simulator });
    return new Stage(ec2, kube, kubeconfigPath, parts.move());
  }

  /** A service account that may do anything, for a component whose permissions are not what a test is about. */
  async administrator(): Promise<PodIdentity> {
    const [namespace, serviceAccount] = ['default', 'administrator'];
    await this.kube.patch(
      CLUSTER_ROLE_BINDINGS,
      { name: 'test-administrator' },
      {
        type: 'apply',
        fieldManager: 'test',
        body: {
          roleRef: {
            apiGroup: CLUSTER_ROLE_BINDINGS.group,
            kind: 'ClusterRole',
            name: 'cluster-admin',
          },
          subjects: [{ kind: 'ServiceAccount', namespace, name: serviceAccount }],
        },
      },
    );
    const { kubeconfigPath } = this;
    return PodIdentity.create({ kubeconfigPath, namespace, serviceAccount });
  }

  /** Starts a controller, as a new process. */
  start(env: Record<string, string> = {}): ControllerProcess {
    this.controller = this.parts.controller({
      kubeconfigPath: this.kubeconfigPath,
      ec2Url: this.ec2.url,
      region: REGION,
      env: { ...BRISK_SETTINGS, ...env },
    });
    return this.controller;
  }

  /** Deletes an object, if it exists, once every controller that was started afterwards has ended. */
  deleteAtEnd(resource: ResourceType, name: ObjectName): void {
    this.parts.defer(() => ignoringNotFound(this.kube.delete(resource, name)));
  }

  get log(): ControllerProcess {
    if (!this.controller) {
      throw new Error('no controller has been started');
    }
    return this.controller;
  }

  /** Launches an instance and registers it as a Node. */
  async addNode(
    name: string,
    { zone = ZONE_A, type = 'm5.large', labels = {} as Record<string, string> } = {},
  ): Promise<string> {
    const { id } = this.ec2.addInstance({ zone, type, name });
    await createNode(this.kube, { name, instanceID: id, zone, instanceType: type, labels });
    return id;
  }

  /** Registers as a Node an instance that is there already, or one that never was. */
  registerNode(node: StageNode): Promise<void> {
    return createNode(this.kube, node);
  }

  label(node: string, labels: Record<string, string | null>): Promise<void> {
    return labelNode(this.kube, node, labels);
  }

  deleteNode(name: string): Promise<void> {
    return deleteNode(this.kube, name);
  }

  async createNodeENI(name: string, spec: Partial<NodeENISpec> = {}): Promise<NodeENI> {
    return this.kube.create<NodeENI>(NodeENI.resource, {
      metadata: { name },
      spec: {
        nodeSelector: { [name]: 'true' },
        ...(spec.subnetName || spec.subnetIDs || spec.subnetNames
          ? {}
          : { subnetID: DEFAULT_IDS.subnets.net1A }),
        ...(spec.securityGroupNames ? {} : { securityGroupIDs: [DEFAULT_IDS.groups.net1] }),
        ...spec,
      },
    });
  }

  nodeENI(name: string): Promise<NodeENI> {
    return this.kube.get<NodeENI>(NodeENI.resource, { name });
  }

  async patchNodeENI(name: string, spec: object): Promise<void> {
    await this.kube.patch(NodeENI.resource, { name }, { type: 'merge', body: { spec } });
  }

  async deleteNodeENI(name: string): Promise<void> {
    await this.kube.delete(NodeENI.resource, { name });
  }

  /** Events about an object, or about any whose name begins so. */
  async events(namePrefix: string): Promise<StageEvent[]> {
    const { items } = await this.kube.list<StageEvent>(EVENTS, { namespace: 'default' });
    return items.filter(({ regarding }) => regarding.name.startsWith(namePrefix));
  }

  /** The ENIs in EC2 that an operator made. */
  managedEnis(): Eni[] {
    return this.ec2.state.enis.filter(({ tags }) => 'networking.k8s.aws/attachment-uid' in tags);
  }

  /** How often each EC2 action was called, however it was answered. */
  calls(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.ec2.calls().byAction).map(([action, byCode]) => [
        action,
        Object.values(byCode).reduce((sum, count) => sum + count, 0),
      ]),
    );
  }

  /** Resolves once the NodeENI has that many ENIs, all ready. */
  async ready(name: string, count: number): Promise<NodeENI> {
    return eventually(async () => {
      const nodeENI = await this.nodeENI(name);
      const { desired, attached, ready, conditions, observedGeneration } = nodeENI.status ?? {};
      const isReady = conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
      const isCurrent = observedGeneration === nodeENI.metadata.generation;
      if (!(isCurrent && desired === count && attached === count && ready === count && isReady)) {
        throw new Error(`not ${count} ENIs ready: ${JSON.stringify(nodeENI.status)}`);
      }
      return nodeENI;
    });
  }

  /** Resolves once the NodeENI's condition `Degraded` is true for that reason. */
  async degraded(name: string, reason: string): Promise<NodeENI> {
    return eventually(async () => {
      const nodeENI = await this.nodeENI(name);
      const degraded = nodeENI.status?.conditions?.find(({ type }) => type === 'Degraded');
      if (degraded?.status !== 'True' || degraded.reason !== reason) {
        throw new Error(`not degraded for ${reason}: ${JSON.stringify(nodeENI.status)}`);
      }
      return nodeENI;
    });
  }

  /** Resolves once the NodeENI is no more. */
  async gone(name: string, timeoutMs?: number): Promise<void> {
    await eventually(async () => {
      try {
        const { status } = await this.nodeENI(name);
        throw new Error(`still there: ${JSON.stringify(status)}`);
      } catch (error) {
        if (!isNotFound(error)) {
          throw error;
        }
      }
    }, timeoutMs);
  }

  /** Deletes all NodeENIs and Nodes, and waits until their ENIs are gone. */
  async clear(): Promise<void> {
    await this.deleteAll(NodeENI.resource);
    await this.deleteAll(Node.resource);
    await eventually(async () => {
      const left = [...(await this.listNodeENIs()), ...(await this.listAttachments())];
      if (left.length > 0) {
        throw new Error(`left over: ${JSON.stringify(left)}`);
      }
    });
  }

  /** Clears the API server, by a controller if none runs, and ends everything that was started. */
  async close(): Promise<void> {
    await this[Symbol.asyncDispose]();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.ec2.clearFaults();
      if (!this.controller?.isRunning) {
        this.start();
      }
      await this.clear();
    } finally {
      await super[Symbol.asyncDispose]();
    }
  }
}
