import { join } from 'node:path';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import { isNotFound } from '../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { createNode, deleteNode, labelNode } from '../../../tools/stage/nodes.js';
import type { CrashPoint } from './crash-point.js';
import { CrashingController } from './crashing-controller.js';
import type { Intent, View, WantedEni } from './expectation.js';
import type { Rig } from './rig.js';
import type { Change, Scenario } from './scenario.js';

const REGION = 'us-west-2';
const ZONE = `${REGION}a`;
const INSTANCE_TYPE = 'm5.xlarge';
const LABEL = 'crash-points';
const CLUSTER_ID = 'crash-points';

/** EC2 as it is at its worst, in milliseconds. The controller has to expect no less. */
const LAG = { newInvisibleMs: 1_500, staleReadMs: 800 };
const LAG_EXPECTED = '4s';

/** Settings under which a trial waits for little: short looks, short waits before a retry. */
const BRISK = {
  OBSERVE_INTERVAL: '50ms',
  LOOKUP_TTL: '0s',
  EC2_CONSISTENCY_WINDOW: '1s',
  BLOCKED_RETRY_MIN: '100ms',
  BLOCKED_RETRY_MAX: '500ms',
  CLUSTER_ID,
};

export interface TrialStageOptions {
  rig: Rig;
  scenario: Scenario;
  /** Unset: the controller is not killed. */
  point?: CrashPoint | undefined;
}

interface Parts {
  rig: Rig;
  scenario: Scenario;
  ec2: Ec2Simulator;
  controller: CrashingController;
  wanted: readonly WantedEni[];
}

/** One life: its nodes and NodeENIs, an EC2 of its own, and the controller that may be killed. */
export class TrialStage implements AsyncDisposable {
  readonly intent: Intent = { labelled: true, nodeENIsDeleted: false };

  private constructor(
    private readonly parts: Parts,
    private readonly undo: AsyncDisposableStack,
  ) {}

  /** Starts the controller, then asks for the ENIs. */
  static async open({ rig, scenario, point }: TrialStageOptions): Promise<TrialStage> {
    await using undo = new AsyncDisposableStack();
    const ec2 = await Ec2Simulator.start({
      region: REGION,
      consistency: scenario.lagging ? LAG : { newInvisibleMs: 0, staleReadMs: 0 },
    });
    undo.defer(() => ec2.stop());
    const wanted: WantedEni[] = [];
    for (const node of names('node', scenario.nodes)) {
      const { id } = ec2.addInstance({ zone: ZONE, type: INSTANCE_TYPE, name: node });
      await createNode(rig.kube, {
        name: node,
        instanceID: id,
        zone: ZONE,
        instanceType: INSTANCE_TYPE,
        labels: { [LABEL]: 'true' },
      });
      undo.defer(() => deleteNode(rig.kube, node));
      wanted.push(...wantedOn(node, id, scenario));
    }
    const controller = undo.use(
      await CrashingController.start({
        rig,
        ec2Url: ec2.url,
        region: REGION,
        point,
        env: {
          ...BRISK,
          ...(scenario.lagging ? { EC2_CONSISTENCY_WINDOW: LAG_EXPECTED } : {}),
          NODE_COMPILE_CACHE: join(rig.directory, 'compile-cache'),
        },
        whileDown: () => stage.changeAll(scenario.whileDown),
      }),
    );
    const stage = new TrialStage({ rig, scenario, ec2, controller, wanted }, undo.move());
    for (const [index, name] of names('crash', scenario.nodeENIs).entries()) {
      await stage.createNodeENI(name, index + 1);
    }
    return stage;
  }

  get controller(): CrashingController {
    return this.parts.controller;
  }

  get wanted(): readonly WantedEni[] {
    return this.parts.wanted;
  }

  async view(): Promise<View> {
    const { rig, ec2 } = this.parts;
    const [{ items: records }, { items: nodeENIs }] = await Promise.all([
      rig.kube.list<ENIAttachment>(ENIAttachment.resource),
      rig.kube.list<NodeENI>(NodeENI.resource),
    ]);
    const enis = ec2.state.enis.filter(({ attachment }) => attachment?.deviceIndex !== 0);
    return { enis, records, nodeENIs };
  }

  async changeAll(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      await this.change(change);
    }
  }

  /** What a change asks for may be so already. */
  async change(change: Change): Promise<void> {
    switch (change) {
      case 'label':
      case 'unlabel':
        this.intent.labelled = change === 'label';
        return this.label(change === 'label' ? 'true' : null);
      case 'deleteNodeENIs':
        this.intent.nodeENIsDeleted = true;
        return this.deleteAll(NodeENI.resource);
      case 'deleteRecords':
        return this.deleteAll(ENIAttachment.resource);
    }
  }

  /** Ends the controller, and takes away what it has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller.stop();
    for (const resource of [NodeENI.resource, ENIAttachment.resource]) {
      await this.deleteAll(resource);
      await this.dropFinalizers(resource);
    }
    await this.undo.disposeAsync();
  }

  private async createNodeENI(name: string, deviceIndex: number): Promise<void> {
    await this.parts.rig.kube.create<NodeENI>(NodeENI.resource, {
      metadata: { name },
      spec: {
        nodeSelector: { [LABEL]: 'true' },
        subnetID: DEFAULT_IDS.subnets.net1A,
        securityGroupIDs: [DEFAULT_IDS.groups.net1],
        deviceIndex,
        deleteOnTermination: true,
      },
    });
  }

  private async label(value: string | null): Promise<void> {
    const { rig, scenario } = this.parts;
    for (const node of names('node', scenario.nodes)) {
      await labelNode(rig.kube, node, { [LABEL]: value });
    }
  }

  private async deleteAll(resource: ResourceType): Promise<void> {
    const { kube } = this.parts.rig;
    const { items } = await kube.list<KubeObject>(resource);
    for (const { metadata } of items) {
      await ignoringNotFound(kube.delete(resource, metadata));
    }
  }

  private async dropFinalizers(resource: ResourceType): Promise<void> {
    const { kube } = this.parts.rig;
    const { items } = await kube.list<KubeObject>(resource);
    for (const { metadata } of items) {
      const body = { metadata: { finalizers: [] } };
      await ignoringNotFound(kube.patch(resource, metadata, { type: 'merge', body }));
    }
  }
}

function wantedOn(node: string, instanceID: string, { nodeENIs }: Scenario): WantedEni[] {
  return names('crash', nodeENIs).map((nodeENI, index) => ({
    node,
    instanceID,
    nodeENI,
    deviceIndex: index + 1,
    subnetID: DEFAULT_IDS.subnets.net1A,
    securityGroupID: DEFAULT_IDS.groups.net1,
    deleteOnTermination: true,
    clusterID: CLUSTER_ID,
  }));
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

async function ignoringNotFound(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
}
